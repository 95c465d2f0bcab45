"""Draw the swatches of the layer tree: ``pyqgis_swatches.py PROJECT LAYER PNG``.

Run by the Python that has QGIS's own packages, with an empty profile.
"""

import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from qgis.core import QgsApplication, QgsProject, QgsSymbolLayerUtils
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QImage, QPainter

APPLICATION = QgsApplication([], True)
SIZE = QSize(60, 24)


def main(source, name, target):
    APPLICATION.initQgis()
    project = QgsProject.instance()
    project.read(source)
    categories = project.mapLayer(name).renderer().categories()
    whole = QImage(60, 24 * len(categories), QImage.Format_RGB32)
    whole.fill(0xFFFFFF)
    painter = QPainter(whole)
    for row, category in enumerate(categories):
        swatch = QgsSymbolLayerUtils.symbolPreviewPixmap(category.symbol(), SIZE)
        painter.drawPixmap(0, 24 * row, swatch)
    painter.end()
    return 0 if whole.save(target) else 1


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    os._exit(code)  # QGIS does not always live through an orderly end
