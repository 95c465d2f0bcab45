"""Scripts for another Python, the one that has QGIS's packages, are no tests."""

collect_ignore_glob = ["pyqgis_*.py"]
