"""Rows looked at while their file is being read: the same as afterwards."""

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st

import layers
from layers.errors import ReadError
from layers.importing import batches, outlines
from layers.importing.ahead import Ahead, Growing
from layers.importing.raw import open_raw
from tests.layers.importing.test_pipeline import ANY_SHAPE, SQUARE

pytestmark = pytest.mark.usefixtures("private")


def batch_of(*numbers):
    return pa.record_batch({"n": pa.array(numbers, pa.int64())})


@pytest.fixture
def growing(tmp_path):
    """An Arrow file that is being written, its writer, and a reader of it."""
    path = tmp_path / "rows.arrow"
    with pa.OSFile(str(path), "wb") as sink:
        writer = pa.ipc.new_file(sink, batch_of(1).schema)
        yield path, writer, Growing(path, "pits.gpkg")


def numbers_of(found):
    return [batch.column("n").to_pylist() for batch in found]


def test_batches_are_given_once_each_as_they_come(growing):
    path, writer, reader = growing
    writer.write_batch(batch_of(1, 2))
    writer.write_batch(batch_of(3))
    assert numbers_of(reader.until(2)) == [[1, 2]]
    assert numbers_of(reader.until(2)) == []
    writer.write_batch(batch_of(4, 5))
    assert numbers_of(reader.until(5)) == [[3], [4, 5]]
    writer.write_batch(batch_of(6))
    writer.close()
    assert numbers_of(reader.until(6)) == [[6]]
    with pa.ipc.open_file(path) as whole:
        assert whole.read_all().column("n").to_pylist() == [1, 2, 3, 4, 5, 6]


def test_rows_that_are_said_to_be_there_and_are_not(growing):
    _, writer, reader = growing
    writer.write_batch(batch_of(1, 2))
    with pytest.raises(ReadError, match=r"pits\.gpkg: the rows that were read are"):
        list(reader.until(3))


@pytest.mark.parametrize("cut", [0, 4, 30, 200, 300])
def test_rows_that_are_cut_short(growing, cut):
    path, writer, reader = growing
    writer.write_batch(batch_of(*range(50)))
    with path.open("rb+") as stream:
        stream.truncate(cut)
    with pytest.raises(ReadError, match="damaged"):
        list(reader.until(50))


def test_every_batch_is_handed_on_while_a_file_is_read(tmp_path):
    path = tmp_path / "a.csv"
    rows = 3 * batches.ROWS_AT_ONCE + 5
    path.write_text("lon,lat\n" + "125.5,39.5\n" * rows)
    seen = []
    with open_raw(path, each=seen.append) as raw, pa.ipc.open_file(raw.arrow) as whole:
        assert len(seen) == whole.num_record_batches > 1
        for i, batch in enumerate(seen):
            assert batch.equals(whole.get_batch(i))


def look_at_nothing(*_):
    """Stand in for looking at a batch."""


@pytest.fixture
def without(monkeypatch):
    """Read a file, looking at nothing before all of it is there."""

    def read(path, **options):
        with monkeypatch.context() as patch:
            patch.setattr(Ahead, "take", look_at_nothing)
            return layers.read(path, **options)

    return read


@settings(max_examples=25, deadline=None)
@given(
    shapes=st.lists(ANY_SHAPE, min_size=1, max_size=12),
    near=st.sampled_from(["anywhere", None]),
    crs=st.sampled_from([None, "EPSG:4162"]),
    plain=st.integers(0, 6),
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_layer_is_the_same_as_without(tmp_path_factory, shapes, near, crs, plain):
    folder = tmp_path_factory.mktemp("ahead")
    path = folder / "a.gpkg"
    # Now and then all of a batch stay as they are.
    shapes = [SQUARE] * plain + (shapes if plain < 6 else [])
    frame = gpd.GeoDataFrame({"n": range(len(shapes))}, geometry=shapes, crs=4326)
    frame.to_file(path, engine="pyogrio")
    options = {
        "near": near,
        "crs": crs,
        "drop_unplaced": True,
        "uncertainty_m": 500.0,
        "unsourced": True,
    }
    found = []
    for take in (Ahead.take, look_at_nothing):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Ahead, "take", take)
            patch.setattr(outlines, "_WORTH_IT", 1)
            patch.setattr(outlines, "_WORTH_LOADING", 1)
            try:
                found.append(layers.read(path, **options))
            except ReadError as error:
                found.append(str(error))
    ours, other = found
    if isinstance(other, str):
        assert ours == other
    else:
        assert_geodataframe_equal(ours.layer, other.layer)
        assert ours.report == other.report


@pytest.mark.parametrize("kind", ["points", "polygons", "lines"])
def test_batches_of_a_long_file(tmp_path, without, kind):
    rows = batches.ROWS_AT_ONCE + 1_000
    lon = np.linspace(125, 128, rows)
    shapes = {
        "points": lambda: shapely.points(lon, 40),
        "polygons": lambda: shapely.box(lon, 40, lon + 0.001, 40.001),
        "lines": lambda: shapely.linestrings(
            np.stack(
                [np.stack([lon, lon * 0 + 40], -1), np.stack([lon, lon / 3], -1)], 1
            )
        ),
    }[kind]()
    path = tmp_path / "a.fgb"
    frame = gpd.GeoDataFrame({"n": np.arange(rows)}, geometry=shapes, crs=4326)
    frame.to_file(path, engine="pyogrio", SPATIAL_INDEX="NO")
    ours = layers.read(path, unsourced=True)
    other = without(path, unsourced=True)
    assert_geodataframe_equal(ours.layer, other.layer)
    assert ours.report == other.report
    assert shapely.equals_identical(ours.layer.geometry.to_numpy(), shapes).all()


def test_no_more_is_held_than_is_said(monkeypatch):
    from layers.importing import ahead

    monkeypatch.setattr(ahead, "_ROWS_AT_MOST", 5)
    column = pa.array(shapely.to_wkb(shapely.points([1.0, 2.0], 3.0)))
    held = Ahead(with_shapes=True)
    for _ in range(4):
        held.take(pa.record_batch({"geometry": column}))
    assert list(held.places) == list(held.shapes) == [0, 1]


def test_what_is_loaded_is_worth_it_by_all_rows_so_far(monkeypatch):
    monkeypatch.setattr(outlines, "_KERNELS", "not loaded")
    monkeypatch.setattr(outlines, "_WORTH_IT", 1)
    monkeypatch.setattr(outlines, "_WORTH_LOADING", 5)
    batch = pa.record_batch({"geometry": pa.array([SQUARE.wkb] * 2)})
    held = Ahead(with_shapes=False)
    for _ in range(3):
        held.take(batch)
    found = [places.outlines is not None for places in held.places.values()]
    assert found == [False, False, True]
