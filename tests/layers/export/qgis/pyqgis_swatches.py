"""Draw a layer's swatches in the layer tree: ``pyqgis_swatches.py PROJECT ID PNG``.

Run by the Python that has QGIS's own packages, with an empty profile. The tree is told
the scale of a map, as that of the program is; without one QGIS draws them otherwise.
"""

import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from qgis.core import QgsApplication, QgsLayerTreeModel, QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QImage, QPainter

APPLICATION = QgsApplication([], True)
SIDE = 16


def main(source, name, target):
    APPLICATION.initQgis()
    project = QgsProject.instance()
    project.read(source)
    model = QgsLayerTreeModel(project.layerTreeRoot())
    model.setLegendMapViewData(600.0, 96, 2_200_000.0)
    nodes = model.layerLegendNodes(project.layerTreeRoot().findLayer(name))
    whole = QImage(SIDE, SIDE * len(nodes), QImage.Format_RGB32)
    whole.fill(0xFFFFFF)
    painter = QPainter(whole)
    for row, node in enumerate(nodes):
        painter.drawPixmap(0, SIDE * row, node.data(Qt.DecorationRole))
    painter.end()
    return 0 if whole.save(target) else 1


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    os._exit(code)  # QGIS does not always live through an orderly end
