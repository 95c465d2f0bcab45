"""Print the layout of a project: ``pyqgis_print.py PROJECT PNG``.

Run by the Python that has QGIS's own packages, with an empty profile.
"""

import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from qgis.core import QgsApplication, QgsLayoutExporter, QgsProject

APPLICATION = QgsApplication([], False)


def main(source, target):
    APPLICATION.initQgis()
    project = QgsProject.instance()
    project.read(source)
    [sheet] = project.layoutManager().printLayouts()
    exporter = QgsLayoutExporter(sheet)
    wanted = QgsLayoutExporter.ImageExportSettings()
    wanted.dpi = 120
    sys.stdout.write(sheet.name())
    return int(exporter.exportToImage(target, wanted))


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # QGIS does not always live through an orderly end
