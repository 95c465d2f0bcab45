"""Draw the legs as the style says, as JSON: ``pyqgis_bends.py PROJECT``.

Run by the Python that has QGIS's own packages, with an empty profile.
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
    QgsProject,
)

APPLICATION = QgsApplication([], False)


def main(source):
    APPLICATION.initQgis()
    project = QgsProject.instance()
    project.read(source)
    layer = project.mapLayer("lodemap_legs")
    categories = layer.renderer().categories()  # which own their symbols
    text = QgsExpression(categories[0].symbol().symbolLayer(0).geometryExpression())
    scope = QgsExpressionContext(
        QgsExpressionContextUtils.globalProjectLayerScopes(layer)
    )
    found = {}
    for feature in layer.getFeatures():
        scope.setFeature(feature)
        shape = text.evaluate(scope)
        if text.hasEvalError():
            sys.stderr.write(text.evalErrorString())
            return 1
        found[feature["id"]] = shape.asWkt(9) if shape else None
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # QGIS does not always live through an orderly end
