"""Names, addresses and footprints of tiles."""

import math

import hypothesis.strategies as st
import pytest
import shapely
from hypothesis import example, given

from layers.errors import RequestError
from layers.fetching.products import products
from layers.fetching.regions import area
from layers.fetching.tiles import columns_at, tile_at, tiles_of

DEM = products()["copernicus-glo-30"]
COVER = products()["esa-worldcover-2021"]


def degrees(low, high):
    """Numbers of degrees down to a tenth of a millimetre: no box is a mere sliver."""
    return st.floats(low, high).map(lambda number: round(number, 9))


@st.composite
def boxes(draw):
    """Boxes of up to 8°, over the antimeridian too."""
    west, south = draw(degrees(-180, 180)), draw(degrees(-89.5, 89))
    east = west + draw(degrees(1e-6, 8))
    north = min(south + draw(degrees(1e-6, 8)), 90)
    east = east if east <= 180 else east - 360
    if west == east:
        east = west + 0.5 if west < 0 else west - 0.5
    return (west, south, east, north)


def holds(tile, lon, lat):
    west, south, east, north = tile.bounds
    return south - 1e-9 <= lat <= north + 1e-9 and any(
        west - 1e-9 <= lon + turn <= east + 1e-9 for turn in (-360, 0, 360)
    )


@pytest.mark.parametrize("product", [DEM, COVER], ids=lambda p: p.id)
@given(box=boxes(), at=st.tuples(st.floats(0, 1), st.floats(0, 1)))
@example(box=(179.5, 50.2, -179.5, 50.6), at=(0.49999, 0.5))
@example(box=(179.9999, -1, 180, 1), at=(1.0, 0.5))
@example(box=(-180, -1, -179.99999, 1), at=(0.0, 0.5))
@example(box=(124, 39, 125, 40), at=(0.0, 0.0))
def test_every_place_of_a_box_is_in_a_tile_and_every_tile_meets_it(product, box, at):
    place = area(bbox=box)
    tiles = tiles_of(product, place)
    west, south, east, north = box
    width = east - west if west < east else east + 360 - west
    lon, lat = west + at[0] * width, south + at[1] * (north - south)
    lon = lon if lon <= 180 else lon - 360
    if product is not DEM or lat > -90 + 0.5 / 3600:  # the last half cell has no row
        assert any(holds(tile, lon, lat) for tile in tiles)
    names = [tile.file for tile in tiles]
    assert len(set(names)) == len(names)
    for tile in tiles:
        shapes = [
            shapely.box(
                tile.bounds[0] + turn, tile.bounds[1], tile.bounds[2] + turn,
                tile.bounds[3],
            )
            for turn in (0, 360)
        ]  # fmt: skip
        assert any(shape.intersection(place).area > 0 for shape in shapes)


@given(lon=st.integers(-180, 179), lat=st.integers(-90, 89))
def test_a_name_says_the_corner(lon, lat):
    tile = tile_at(DEM, lat, lon)
    words = tile.file.removesuffix(".tif").split("_")
    assert words[:4] == ["Copernicus", "DSM", "COG", "10"]
    assert words[5] == words[7] == "00"
    assert len(words[4]) == 3
    assert len(words[6]) == 4
    signs = {"N": 1, "S": -1, "E": 1, "W": -1}
    assert signs[words[4][0]] * int(words[4][1:]) == lat
    assert signs[words[6][0]] * int(words[6][1:]) == lon
    assert tile.path == f"{tile.listed}/{tile.file}"
    assert (words[4][0], words[6][0]) == ("NS"[lat < 0], "EW"[lon < 0])


@given(lon=degrees(-180, 179.9), lat=degrees(-89, 89))
def test_land_cover_is_named_by_whole_multiples_of_three(lon, lat):
    names = {
        tile.listed
        for tile in tiles_of(COVER, area(bbox=(lon, lat, lon + 1e-6, lat + 1e-6)))
    }
    south, west = 3 * math.floor(lat / 3), 3 * math.floor(lon / 3)
    assert f"{'NS'[south < 0]}{abs(south):02d}{'EW'[west < 0]}{abs(west):03d}" in names


def test_names_as_the_sources_have_them():
    """GLO-30 N45 E021 and N47 W123, WorldCover N48 W120 and S48 E036, all public."""
    assert tile_at(DEM, 45, 21).path == (
        "Copernicus_DSM_COG_10_N45_00_E021_00_DEM/"
        "Copernicus_DSM_COG_10_N45_00_E021_00_DEM.tif"
    )
    assert tile_at(DEM, 47, -123).listed == "Copernicus_DSM_COG_10_N47_00_W123_00_DEM"
    [cover] = tiles_of(COVER, area(bbox=(-117.2, 49.2, -117.1, 49.3)))
    assert cover.path == "v200/2021/map/ESA_WorldCover_10m_2021_v200_N48W120_Map.tif"
    [cover] = tiles_of(COVER, area(bbox=(36.5, -46.5, 37, -46)))
    assert cover.listed == "S48E036"


def test_places_as_gdalinfo_has_them():
    """Origins of S14 W172 (Sentinel Hub forum 3027) and N27 E061 (IceSat2R issue 7)."""
    for lat, lon, west, north in (
        (-14, -172, -172.000138888888898, -12.999861111111111),
        (27, 61, 60.999861111111109, 28.000138888888888),
    ):
        tile = tile_at(DEM, lat, lon)
        assert tile.shape == (3600, 3600)
        assert (tile.bounds[0], tile.bounds[3]) == pytest.approx(
            (west, north), abs=1e-12
        )


def test_land_cover_begins_at_its_corner():
    """proj:transform and proj:shape of N00E006, stactools-packages/esa-worldcover."""
    tile = tile_at(COVER, 0, 6)
    assert tile.bounds == (6, 0, 9, 3)
    assert tile.shape == (36000, 36000)


@pytest.mark.parametrize(
    ("lat", "columns"),
    [(0, 3600), (49, 3600), (50, 2400), (59, 2400), (60, 1800), (69, 1800), (70, 1200),
     (80, 720), (84, 720), (85, 360), (89, 360), (-50, 3600), (-51, 2400), (-90, 360)],
)  # fmt: skip
def test_tiles_grow_narrower_towards_the_poles(lat, columns):
    """The table of the bucket's readme.html."""
    assert columns_at(DEM.raster, lat, 1) == columns


def test_half_a_cell_of_a_tile_lies_beyond_its_degree():
    """A place that touches the last half cell before 126° needs the next tile too."""
    near = 126 - 0.4 / 3600
    assert [
        tile.file[22:36] for tile in tiles_of(DEM, area(bbox=(125.5, 39.5, near, 39.6)))
    ] == ["N39_00_E125_00", "N39_00_E126_00"]
    assert len(tiles_of(DEM, area(bbox=(125.5, 39.5, 126 - 0.6 / 3600, 39.6)))) == 1


def test_a_province_takes_the_tiles_that_it_touches():
    tiles = tiles_of(DEM, area(region="north-pyongan"))
    assert [tile.file[22:36] for tile in tiles] == [
        f"N{lat}_00_E{lon}_00" for lat in (39, 40) for lon in (124, 125, 126)
    ]
    both = area(region="north-pyongan, south-pyongan")
    assert set(tiles) < set(tiles_of(DEM, both))
    assert [tile.listed for tile in tiles_of(COVER, area(region="dprk"))] == [
        "N36E123",
        "N36E126",
        "N39E123",
        "N39E126",
        "N39E129",
        "N42E126",
        "N42E129",
    ]


def test_the_world_is_covered_once():
    tiles = tiles_of(COVER, area(bbox=(-180, -90, 180, 90)))
    assert len(tiles) == 120 * 60
    assert len(tiles_of(DEM, area(bbox=(-180, -90, 180, 90)))) == 360 * 180


def test_one_file_has_no_tiles():
    atlas = products()["global-solar-atlas-ghi"]
    with pytest.raises(RequestError, match="no tiles"):
        tile_at(atlas, 39, 125)
