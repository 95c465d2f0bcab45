"""Files that are not what they should be."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings

from layers.errors import DamagedFileError
from layers.fetching.checks import check_file
from layers.fetching.pages import describe
from layers.fetching.products import products
from layers.fetching.regions import area
from layers.fetching.tiles import Tile, tile_at

DEM = products()["copernicus-glo-30"]
OSM = products()["osm-north-korea"]
PLACE = area(bbox=(125.2, 39.2, 125.5, 39.8))
N39E125 = tile_at(DEM, 39, 125)


def check(path, content, tile=N39E125, product=DEM):
    path.write_bytes(content)
    return check_file(path, product, tile, PLACE)


def test_a_good_tile_passes(tmp_path, tile):
    said = check(tmp_path / "x.part", tile)
    assert said[0] == "GeoTIFF, every block decoded"
    assert said[1].endswith(" m")


def test_a_tile_beyond_50_degrees_is_narrower(tmp_path, make):
    north = tile_at(DEM, 52, 125)
    assert north.shape == (3600, 2400)
    check(tmp_path / "x", make.glo30(52, 125), north)
    with pytest.raises(DamagedFileError, match="expected 3600 and 2400"):
        check(tmp_path / "x", make.glo30(52, 125, columns=3600), north)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"crs": "EPSG:4258"}, r"is in EPSG:4258; expected EPSG:4326"),
        ({"crs": None}, "unnamed CRS; expected EPSG:4326"),
        ({"dtype": "int16"}, "holds int16; expected float32"),
        ({"rows": 3601, "columns": 3601}, "3601 rows"),
        ({"shift": 0.0}, "another tile, or moved"),
        ({"shift": 0.48}, "another tile, or moved"),
        ({"values": 30000.0}, r"expected -500 to 9000 m\. Is it in another unit"),
    ],
    ids=str,
)
def test_another_layout_is_refused(tmp_path, make, changes, said):
    with pytest.raises(DamagedFileError, match=said):
        check(tmp_path / "x", make.glo30(39, 125, **changes))


def test_the_neighbour_is_refused(tmp_path, make):
    for lat, lon in ((39, 126), (40, 125), (-40, 125)):
        with pytest.raises(DamagedFileError, match="another tile"):
            check(tmp_path / "x", make.tile_bytes(lat, lon))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 0.9999))
@example(share=0.0)
@example(share=0.5)
@example(share=0.9999)
def test_a_tile_cut_short_anywhere_is_refused(tmp_path, tile, share):
    with pytest.raises(DamagedFileError):
        check(tmp_path / "x", tile[: int(share * len(tile))])


def test_a_tile_with_a_spoilt_block_is_refused(tmp_path, tile):
    """Bytes overwritten inside a compressed block, as a failing disk does."""
    spoilt = bytearray(tile)
    spoilt[-400_000:-300_000] = np.random.default_rng(1).bytes(100_000)
    with pytest.raises(DamagedFileError, match="cannot be decoded"):
        check(tmp_path / "x", bytes(spoilt))


def test_no_file_beside_a_tile_has_a_say(tmp_path, tile):
    """GDAL reads .aux.xml, .ovr and .msk files beside a raster, unless told not to."""
    (tmp_path / "x.tif.aux.xml").write_text(
        "<PAMDataset><SRS>EPSG:3857</SRS></PAMDataset>"
    )
    (tmp_path / "x.tif.ovr").write_text("no overview")
    check(tmp_path / "x.tif", tile)


def test_a_class_that_does_not_exist_is_refused(tmp_path):
    cover = products()["esa-worldcover-2021"]
    small = Tile(file="x", path="x", shape=(8, 8), bounds=(123, 39, 126, 42))
    from affine import Affine
    from rasterio.io import MemoryFile

    for value, good in ((40, True), (0, True), (45, False)):
        with MemoryFile() as memory:
            with memory.open(
                driver="GTiff", width=8, height=8, count=1, dtype="uint8",
                crs="EPSG:4326", transform=Affine(3 / 8, 0, 123, 0, -3 / 8, 42),
                nodata=0,
            ) as dataset:  # fmt: skip
                dataset.write(np.full((8, 8), value, "uint8"), 1)
            content = bytes(memory.getbuffer())
        if good:
            check(tmp_path / "x", content, small, cover)
        else:
            with pytest.raises(DamagedFileError, match="holds class 45"):
                check(tmp_path / "x", content, small, cover)


def test_openstreetmap_data_are_read_by_another_reader(tmp_path, make):
    """The OSM driver of GDAL finds the node in what our check takes for good."""
    import pyogrio

    path = tmp_path / "x.osm.pbf"
    said = check(path, make.osm_pbf(), Tile(file="x", path="x"), OSM)
    assert said == ("OSM PBF, all 2 blobs unpacked",)
    points = pyogrio.read_dataframe(path, layer="points")
    assert [tuple(round(c, 4) for c in p.coords[0]) for p in points.geometry] == [
        (124.395, 40.098)
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_openstreetmap_data_cut_short_or_spoilt_are_refused(tmp_path, make, data):
    good = make.osm_pbf()
    keep = data.draw(st.integers(0, len(good) - 1))
    with pytest.raises(DamagedFileError):
        check(tmp_path / "x", good[:keep], Tile(file="x", path="x"), OSM)
    spoilt = bytearray(good)
    at = data.draw(st.integers(len(good) - 60, len(good) - 1))
    spoilt[at] ^= 0xFF
    with pytest.raises(DamagedFileError):
        check(tmp_path / "x", bytes(spoilt), Tile(file="x", path="x"), OSM)


@given(st.binary(max_size=3000))
def test_any_answer_is_described_in_one_printable_line(beginning):
    said = describe(beginning)
    assert said
    assert said.isprintable()
    assert len(said) < 400


@given(st.binary(max_size=300))
def test_no_bytes_are_taken_for_openstreetmap_data(tmp_path_factory, beginning):
    path = tmp_path_factory.getbasetemp() / "noise"
    with pytest.raises(DamagedFileError):
        check(path, b"\0\0\0" + beginning, Tile(file="x", path="x"), OSM)
