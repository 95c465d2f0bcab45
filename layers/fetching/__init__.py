"""Public rasters and vectors for a place: named, fetched when asked, checked, kept.

What can be fetched, under which terms, and what of it could be verified stands in
``layers/data/remote``. The cache has one folder a product, in which the files stand
under the names that their sources give them::

    copernicus-glo-30/Copernicus_DSM_COG_10_N39_00_E125_00_DEM.tif
    esa-worldcover-2021/ESA_WorldCover_10m_2021_v200_N39E123_Map.tif
    global-solar-atlas-ghi/GHI.tif
    osm-north-korea/north-korea-latest.osm.pbf

Importing asks nobody for anything.
"""

from layers.fetching.library import cite, files
from layers.fetching.orders import PublicFile, fetch
from layers.fetching.products import Product, products
from layers.fetching.settings import Settings, cache_folder

__all__ = [
    "Product",
    "PublicFile",
    "Settings",
    "cache_folder",
    "cite",
    "fetch",
    "files",
    "products",
]
