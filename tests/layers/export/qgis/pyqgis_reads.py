"""Read layers in QGIS with their default styles; run by the Python of QGIS.

``pyqgis_reads.py LAYERS.json`` takes ``[[provider, uri], …]`` and prints what it found.
"""

import json
import os
import sys
from pathlib import Path

from qgis.core import QgsApplication, QgsVectorLayer


def described(provider, uri):
    layer = QgsVectorLayer(uri, "layer", provider)
    if not layer.isValid():
        return {"valid": False, "error": layer.dataProvider().error().message()}
    rows = [[f.attributes(), f.geometry().asWkt(9)] for f in layer.getFeatures()]
    names = [field.name() for field in layer.fields()]
    renderer = layer.renderer()
    found = {
        "valid": True,
        "names": names,
        "types": [field.typeName() for field in layer.fields()],
        "comments": [field.comment() for field in layer.fields()],
        "aliases": {n: layer.attributeAlias(i) for i, n in enumerate(names)},
        "rows": [[[str(v) for v in values], place] for values, place in rows],
        "count": layer.featureCount(),
        "key": [names[i] for i in layer.primaryKeyAttributes()],
        "renderer": renderer.type() if renderer else None,
        "labels": layer.labelsEnabled(),
        "crs": layer.crs().authid(),
        "licences": layer.metadata().licenses()
        + layer.dataProvider().layerMetadata().licenses(),
        "abstract": layer.dataProvider().layerMetadata().abstract(),
    }
    if found["renderer"] == "categorizedSymbol":
        found["attribute"] = renderer.classAttribute()
        found["categories"] = [str(c.value()) for c in renderer.categories()]
    return found


application = QgsApplication([], False)
application.initQgis()
asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
print(json.dumps([described(*one) for one in asked]))
sys.stdout.flush()
os._exit(0)
