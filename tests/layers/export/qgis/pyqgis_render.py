"""Draw a project with QGIS: ``pyqgis_render.py PROJECT PNG WIDTH HEIGHT [LANGUAGE]``.

Run by the Python that has QGIS's own packages, with an empty profile.
"""

import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from qgis.core import (
    QgsApplication,
    QgsExpressionContextUtils,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsReferencedRectangle,
)
from qgis.PyQt.QtCore import QSize

APPLICATION = QgsApplication([], False)


def main(source, target, width, height, language=""):
    APPLICATION.initQgis()
    project = QgsProject.instance()
    if not project.read(source):
        sys.stderr.write(f"{source}: {project.error()}\n")
        return 1
    if language:
        QgsExpressionContextUtils.setProjectVariable(
            project, "lodemap_language", language
        )
    settings = QgsMapSettings()
    settings.setDestinationCrs(project.crs())
    settings.setTransformContext(project.transformContext())
    settings.setEllipsoid(project.ellipsoid())
    settings.setBackgroundColor(project.backgroundColor())
    root = project.layerTreeRoot()
    settings.setLayers(
        [
            layer
            for layer in root.layerOrder()
            if layer.isSpatial() and root.findLayer(layer.id()).isVisible()
        ]
    )
    settings.setOutputSize(QSize(int(width), int(height)))
    settings.setOutputDpi(96)
    view = QgsReferencedRectangle(project.viewSettings().defaultViewExtent())
    settings.setExtent(view)
    context = QgsExpressionContextUtils.projectScope(project)
    expressions = settings.expressionContext()
    expressions.appendScope(QgsExpressionContextUtils.globalScope())
    expressions.appendScope(context)
    expressions.appendScope(QgsExpressionContextUtils.mapSettingsScope(settings))
    settings.setExpressionContext(expressions)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    for error in job.errors():
        sys.stderr.write(f"{error.layerID}: {error.message}\n")
    return 0 if job.renderedImage().save(target) else 1


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # QGIS does not always live through an orderly end
