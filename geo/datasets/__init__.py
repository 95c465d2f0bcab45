"""Layers larger than memory: folders of GeoParquet, sorted along a Hilbert curve."""
