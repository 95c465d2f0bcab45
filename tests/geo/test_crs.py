import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Point

import geo


def points(lonlats, crs=4326):
    return gpd.GeoDataFrame(geometry=[Point(*p) for p in lonlats], crs=crs)


def test_longitude_and_latitude_pass():
    geo.require_lonlat(points([(180, 90), (-180, -90)]), "mines")
    geo.require_lonlat(points([(0, 0)], crs="OGC:CRS84"), "mines")


def test_no_crs_is_refused_with_the_call_that_mends_it():
    with pytest.raises(geo.CRSMissingError, match=r"mines\.set_crs\(4326\)"):
        geo.require_lonlat(points([(0, 0)], crs=None), "mines")


@pytest.mark.parametrize("crs", [3857, 32651, 5179])
def test_other_crs_is_refused_with_its_name(crs):
    with pytest.raises(geo.CRSMismatchError, match=rf"EPSG:{crs}.*to_crs\(4326\)"):
        geo.require_lonlat(points([(0, 0)], crs=crs), "mines")


def test_swapped_axes_are_refused_and_the_row_is_named():
    with pytest.raises(geo.AxisOrderError, match=r"row 1: the point 39.7, 124.7"):
        geo.require_lonlat(points([(124.7, 39.7), (39.7, 124.7)]), "mines")


@pytest.mark.parametrize(
    "shape", [None, Point(), Point(np.inf, 1)], ids=["missing", "empty", "infinite"]
)
def test_a_geometry_without_a_place_is_refused(shape):
    layer = gpd.GeoDataFrame(geometry=[Point(0, 0), shape], crs=4326)
    with pytest.raises(geo.GeometryError, match="row 1"):
        geo.require_lonlat(layer, "mines")


def test_one_vertex_that_is_no_number_is_refused():
    with np.errstate(invalid="ignore"):
        shape = shapely.linestrings([(0, 0), (np.nan, 1), (1, 1)])
    layer = gpd.GeoDataFrame(geometry=[shape], crs=4326)
    with pytest.raises(geo.GeometryError, match="row 0: a coordinate is not a finite"):
        geo.require_lonlat(layer, "mines")
