"""Layers out: to QGIS, PostGIS, Google Earth and others, with what each loses said."""
