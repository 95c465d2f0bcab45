"""The shipped provinces, and the measure of their boundaries."""

import pyogrio
import pytest
import shapely

from layers.rebuild import boundary_check
from layers.rebuild.provinces import BOUNDARY_UNCERTAINTY_M, PROVINCES
from layers.rebuild.recipes import DATA


@pytest.fixture(scope="module")
def provinces():
    return pyogrio.read_dataframe(DATA / "provinces.geojson")


def test_every_province_once(provinces):
    assert list(provinces["iso_3166_2"]) == [row[0] for row in PROVINCES.values()]
    assert provinces["id"].is_unique
    assert (provinces["name_ko"].str.len() > 0).all()
    assert (provinces["name_zh"].str.len() > 0).all()
    assert (provinces["sources"] == "natural-earth").all()


def test_polygons_are_valid_and_do_not_overlap(provinces):
    assert provinces.geometry.is_valid.all()
    together = shapely.area(shapely.union_all(provinces.geometry.values))
    apart = shapely.area(provinces.geometry.values).sum()
    assert apart == pytest.approx(together, rel=1e-9)


def test_pyongan_keeps_every_vertex_of_the_source(provinces):
    by_code = provinces.set_index("iso_3166_2").geometry
    count = shapely.get_num_coordinates(by_code[["KP-03", "KP-02"]].values)
    assert list(count) == [113, 139]


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (124.664, 39.73, "KP-03"),
        (125.885, 39.30, "KP-02"),
        (125.75, 39.03, "KP-01"),
        (126.6, 40.97, "KP-04"),
        (124.36, 40.14, "CN-LN"),
        (126.55, 43.84, "CN-JL"),
    ],
)
def test_points_of_the_region_fall_where_they_belong(provinces, lon, lat, code):
    hit = provinces[provinces.geometry.covers(shapely.Point(lon, lat))]
    assert list(hit["iso_3166_2"]) == [code]


def test_nampo_still_belongs_to_south_pyongan_and_the_note_says_so(provinces):
    row = provinces.set_index("iso_3166_2").loc["KP-02"]
    assert row.geometry.covers(shapely.Point(125.408, 38.7375))
    assert "Nampo" in row["note"]
    entry = (DATA / "catalogue" / "provinces.toml").read_text("utf-8")
    assert "Nampo still belongs to South Pyongan" in entry


def test_boundary_uncertainty_is_the_largest_measured_displacement(provinces):
    outside, tested = boundary_check.towns()
    bridges = boundary_check.crossings()
    assert len(bridges) >= 6
    assert tested > 250
    largest = max(one.distance_m for one in [*bridges, *outside])
    assert BOUNDARY_UNCERTAINTY_M - 500 < largest <= BOUNDARY_UNCERTAINTY_M
    assert (provinces["boundary_uncertainty_m"] == BOUNDARY_UNCERTAINTY_M).all()
    assert (provinces["uncertainty_m"] == BOUNDARY_UNCERTAINTY_M).all()


def test_distance_is_zero_inside_and_metric_outside():
    square = shapely.box(125, 39, 126, 40)
    assert boundary_check.distance_m(125.5, 39.5, square) == 0
    # One minute of arc along a meridian is 1,850.6 m at 40° N on WGS 84.
    distance = boundary_check.distance_m(125.5, 40 + 1 / 60, square)
    assert distance == pytest.approx(1850.6, abs=1)
