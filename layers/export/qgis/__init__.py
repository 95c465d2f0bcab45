"""What QGIS reads of an export: symbols, labels, aliases, metadata, a project."""
