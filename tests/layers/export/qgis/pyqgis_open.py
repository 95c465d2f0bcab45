"""Say as JSON what QGIS finds in a GeoPackage: ``pyqgis_open.py FILE.gpkg PROJECT``.

Run by the Python that has QGIS's own packages, with an empty profile. ``layers`` are
opened one by one from the file, as dragged into an empty project; ``project`` is the
one stored in it, or a file of its own.
"""

import json
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from qgis.core import (
    QgsApplication,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsLayoutItemMap,
    QgsMapLayer,
    QgsPrintLayout,
    QgsProject,
    QgsProviderRegistry,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QRectF

APPLICATION = QgsApplication([], False)


def dressed(layer):
    """What a layer wears."""
    renderer = layer.renderer()
    metadata = layer.metadata()
    found = {
        "valid": layer.isValid(),
        "features": layer.featureCount(),
        "crs": layer.crs().authid(),
        "renderer": renderer.type() if renderer else "",
        "labels": layer.labelsEnabled(),
        "aliases": {f.name(): f.alias() for f in layer.fields()},
        "types": {f.name(): f.typeName() for f in layer.fields()},
        "display": layer.displayExpression(),
        "title": metadata.title(),
        "abstract": metadata.abstract(),
        "licences": metadata.licenses(),
        "rights": metadata.rights(),
        "links": [link.url for link in metadata.links()],
        "history": metadata.history(),
    }
    if found["renderer"] == "categorizedSymbol":
        found["attribute"] = renderer.classAttribute()
        found["categories"] = [
            {
                "value": c.value(),
                "label": c.label(),
                "layers": [part.layerType() for part in c.symbol().symbolLayers()],
                "colours": [part.color().name() for part in c.symbol().symbolLayers()],
            }
            for c in renderer.categories()
        ]
    if layer.labelsEnabled():
        scope = QgsExpressionContext(
            QgsExpressionContextUtils.globalProjectLayerScopes(layer)
        )
        rules = layer.labeling().rootRule().children()
        found["rules"] = [rule.description() for rule in rules]
        found["families"] = [rule.settings().format().font().family() for rule in rules]
        found["names"] = {}
        for language in ("en", "ko", "zh"):
            scope.lastScope().setVariable("lodemap_language", language)
            scope.lastScope().setVariable("lodemap_other_names", "no")
            text = QgsExpression(rules[0].settings().fieldName)
            named = found["names"][language] = []
            for feature in layer.getFeatures():
                scope.setFeature(feature)
                named.append(text.evaluate(scope))
            found["trouble"] = text.evalErrorString() or text.parserErrorString()
    return found


def coloured(layer):
    """How a raster is coloured."""
    ramp = layer.renderer().shader().rasterShaderFunction()
    return {
        "crs": layer.crs().authid(),
        "title": layer.name(),
        "stops": [
            {
                "value": item.value,
                "colour": item.color.name(),
                "alpha": item.color.alphaF(),
            }
            for item in ramp.colorRampItemList()
        ],
    }


def layer_names(path):
    provider = QgsProviderRegistry.instance().providerMetadata("ogr")
    return [s.name() for s in provider.querySublayers(path)]


def main(path, source):
    APPLICATION.initQgis()
    layers = {}
    for name in layer_names(path):
        layer = QgsVectorLayer(f"{path}|layername={name}", name, "ogr")
        layers[name] = dressed(layer)
        layer = None
    project = QgsProject.instance()
    read = project.read(source)
    shown = list(project.layerTreeRoot().layerOrder())
    relations = project.relationManager().relations().values()
    sheet = QgsPrintLayout(project)
    sheet.initializeDefaults()
    picture = QgsLayoutItemMap(sheet)
    picture.setId("map")
    picture.attemptSetSceneRect(QRectF(10, 10, 200, 150))
    picture.setLayers([layer for layer in shown if layer.isSpatial()])
    picture.setFollowVisibilityPreset(False)
    sheet.addLayoutItem(picture)
    scope = picture.createExpressionContext()
    credit = QgsExpression("array_to_string(map_credits('map'), ' | ')")
    credit.prepare(scope)
    found = {
        "read": read,
        "title": project.title(),
        "crs": project.crs().authid(),
        "background": project.backgroundColor().name(),
        "variables": {k: str(v) for k, v in project.customVariables().items()},
        "groups": [g.name() for g in project.layerTreeRoot().findGroups()],
        "order": [layer.id() for layer in shown if layer.isSpatial()],
        "bad": [i for i, one in project.mapLayers().items() if not one.isValid()],
        "layers": {
            i: dressed(one)
            for i, one in project.mapLayers().items()
            if one.type() == QgsMapLayer.VectorLayer
        },
        "rasters": {
            i: coloured(one)
            for i, one in project.mapLayers().items()
            if one.type() == QgsMapLayer.RasterLayer
        },
        "relations": {r.id(): r.isValid() for r in relations},
        "extent": [
            project.viewSettings().defaultViewExtent().xMinimum(),
            project.viewSettings().defaultViewExtent().xMaximum(),
        ],
        "credits": credit.evaluate(scope),
        "trouble": credit.evalErrorString() or credit.parserErrorString(),
    }
    json.dump({"layers": layers, "project": found}, sys.stdout)
    return 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # QGIS does not always live through an orderly end
