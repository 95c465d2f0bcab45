import gzip
import hashlib

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from pmtiles import reader as pmtiles

from geo.errors import CRSMismatchError, GeometryError, GeometryTypeError
from layers.errors import ExtraMissingError, WriteError
from layers.tiles import ROW, mercator, write_tiles


def points(n=3_000, seed=1):
    draw = np.random.default_rng(seed)
    return gpd.GeoDataFrame(
        {
            "name": [f"장소 {i} <b>" for i in range(n)],
            "kind": draw.choice(["mine", "port"], n),
            "mw": np.round(draw.gamma(2, 20, n), 2),
        },
        geometry=gpd.points_from_xy(draw.uniform(121, 131, n), draw.uniform(37, 43, n)),
        crs=4326,
    )


def read(path, zoom):
    """All features of a zoom, read by GDAL, which shares nothing with the tiler."""
    return pyogrio.read_dataframe(path, ZOOM_LEVEL=zoom, layer="features").to_crs(4326)


def test_all_points_stand_in_the_finest_zoom_where_they_belong(tmp_path):
    layer = points()
    made = write_tiles(layer, tmp_path / "a.pmtiles", zoom=6, resolution_m=10)
    assert (made.rows, made.zoom, dict(made.features)) == (3_000, 6, {6: 3_000})
    found = read(made.path, 6).drop_duplicates(ROW).set_index(ROW).sort_index()
    assert found.index.tolist() == list(range(3_000))
    assert found["name"].tolist() == layer["name"].tolist()
    assert found["mw"].tolist() == layer["mw"].tolist()
    apart = layer.geometry.to_crs(3857).distance(
        found.geometry.to_crs(3857).reset_index(drop=True)
    )
    assert made.step_m <= 10
    # Rounded to the nearest step both ways; the square of web maps is 1.37 wide here.
    assert apart.max() <= made.step_m * 0.5**0.5 * 1.001


def test_areas_and_lines_stand_whole_in_one_zoom(tmp_path):
    layer = points(200)
    layer.geometry = shapely.buffer(layer.geometry.to_numpy(), 0.05, quad_segs=4)
    hole = shapely.buffer(shapely.centroid(layer.geometry.to_numpy()), 0.01)
    layer.geometry = shapely.difference(layer.geometry.to_numpy(), hole)
    layer.loc[0, "geometry"] = shapely.LineString([(121, 38), (130, 42)])
    layer.loc[1, "geometry"] = shapely.box(100, 20, 140, 60)
    made = write_tiles(layer, tmp_path / "a.pmtiles", zoom=7)
    assert dict(made.features) == {7: 200}
    assert not made.points
    found = read(made.path, 7)
    assert len(found) > 300  # some are cut
    whole = found.to_crs(3857).dissolve(ROW).sort_index().geometry
    assert whole.index.tolist() == list(range(200))
    given = layer.geometry.to_crs(3857).to_numpy()
    left = shapely.area(shapely.symmetric_difference(whole.to_numpy(), given))
    assert (left[1:] <= 1e-3 * shapely.area(given)[1:]).all()
    assert whole[0].buffer(3).covers(given[0])


def test_empty_parts_do_no_harm(tmp_path):
    area = shapely.MultiPolygon([shapely.Polygon(), shapely.box(1, 1, 9, 9)])
    layer = gpd.GeoDataFrame(geometry=[area], crs=4326)
    made = write_tiles(layer, tmp_path / "a.pmtiles", resolution_m=100)
    assert set(read(made.path, made.zoom)[ROW]) == {0}


def test_what_is_smaller_than_a_step_is_not_lost(tmp_path):
    tiny = [shapely.box(125, 40, 125 + size, 40 + size) for size in (1e-9, 1e-6, 1)]
    tiny += [shapely.box(126, 40, 126 + 1e-9, 41), shapely.LineString([(1, 1), (1, 1)])]
    tiny += [shapely.Polygon([(5, 5), (7, 7), (6, 6)])]
    layer = gpd.GeoDataFrame(geometry=tiny, crs=4326)
    made = write_tiles(layer, tmp_path / "a.pmtiles", resolution_m=100)
    assert set(read(made.path, made.zoom)[ROW]) == set(range(len(tiny)))


def test_bytes_behind_the_tiles_are_part_of_a_sound_archive(tmp_path):
    plain = write_tiles(points(500), tmp_path / "a.pmtiles")
    made = write_tiles(points(500), tmp_path / "b.pmtiles", append=[b"one", b"two"])
    data = made.path.read_bytes()
    assert data[made.appended :][:6] == b"onetwo"
    assert made.size == len(data) == plain.size + 6
    assert made.sha256 == hashlib.sha256(data).hexdigest() != plain.sha256
    read(made.path, made.zoom)
    with made.path.open("rb") as stream:
        source = pmtiles.MmapSource(stream)
        assert pmtiles.Reader(source).metadata()["vector_layers"][0]["id"] == "features"
        head = pmtiles.Reader(source).header()
        assert len(list(pmtiles.all_tiles(source))) == made.tiles
    lengths = ("root", "metadata", "leaf_directory", "tile_data")
    ends = [head[f"{one}_offset"] + head[f"{one}_length"] for one in lengths]
    assert max(ends) == len(data)
    assert ends[-1] == made.appended + 6


def test_tiles_stay_fewer_than_a_layer_of_large_areas_can_pay_for(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("layers.tiles.CROWD", 2)
    layer = points(60)
    layer.geometry = shapely.buffer(layer.geometry.to_numpy(), 2)
    made = write_tiles(layer, tmp_path / "a.pmtiles")
    assert made.tiles < 4000


def test_the_zoom_is_the_first_without_a_crowd(tmp_path, monkeypatch):
    monkeypatch.setattr("layers.tiles.CROWD", 100)
    layer = points(2_000)
    made = write_tiles(layer, tmp_path / "a.pmtiles", resolution_m=1000)
    xy = mercator(layer.get_coordinates().to_numpy())

    def most(zoom):
        keys = np.floor(xy * 2**zoom).astype(int)
        return np.unique(keys, axis=0, return_counts=True)[1].max()

    assert most(made.zoom) <= 100 < most(made.zoom - 1)


@pytest.mark.parametrize("resolution_m", [0.2, 1.0, 400.0])
def test_steps_are_as_short_as_asked_for(tmp_path, resolution_m):
    made = write_tiles(points(50), tmp_path / "a.pmtiles", resolution_m=resolution_m)
    assert resolution_m / 10 < made.step_m <= resolution_m or made.zoom == 0


def test_the_same_layer_gives_the_same_bytes(tmp_path):
    for name in ("a.pmtiles", "b.pmtiles"):
        write_tiles(points(500), tmp_path / name)
    assert (tmp_path / "a.pmtiles").read_bytes() == (
        tmp_path / "b.pmtiles"
    ).read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_tiles_are_packed_as_the_format_says(tmp_path):
    made = write_tiles(points(500), tmp_path / "a.pmtiles")
    with made.path.open("rb") as stream:
        reader = pmtiles.Reader(pmtiles.MmapSource(stream))
        header = reader.header()
        assert header["max_zoom"] == made.zoom
        tiles = list(pmtiles.all_tiles(pmtiles.MmapSource(stream)))
    assert len(tiles) == made.tiles
    assert all(gzip.decompress(tile) for _, tile in tiles)


@pytest.mark.parametrize(
    ("layer", "error", "told"),
    [
        (points(0), GeometryError, "empty"),
        (points(3).to_crs(3857), CRSMismatchError, "4326"),
        (
            gpd.GeoDataFrame(geometry=[shapely.Point(0, 89)], crs=4326),
            GeometryError,
            "85.05",
        ),
        (
            gpd.GeoDataFrame(geometry=[shapely.Point(0, 1), None], crs=4326),
            GeometryError,
            "missing",
        ),
        (
            gpd.GeoDataFrame(
                geometry=[shapely.GeometryCollection([shapely.Point(0, 0)])], crs=4326
            ),
            GeometryTypeError,
            "explode",
        ),
    ],
)
def test_what_has_no_place_on_a_web_map_is_refused(tmp_path, layer, error, told):
    with pytest.raises(error, match=told):
        write_tiles(layer, tmp_path / "a.pmtiles")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(WriteError, match="folder"):
        write_tiles(points(3), tmp_path / "none" / "a.pmtiles")


def test_a_failure_leaves_the_old_archive(tmp_path, monkeypatch):
    (tmp_path / "a.pmtiles").write_bytes(b"old")
    monkeypatch.setattr("layers.tiles.LAYER", None)
    with pytest.raises(WriteError, match="untouched"):
        write_tiles(points(3), tmp_path / "a.pmtiles")
    assert (tmp_path / "a.pmtiles").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("layers.tiles.find_spec", lambda _: None)
    with pytest.raises(ExtraMissingError, match=r"lodemap\[tiles\]"):
        write_tiles(points(3), tmp_path / "a.pmtiles")
