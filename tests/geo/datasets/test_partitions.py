import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st

import geo
from geo.datasets import geoparquet, partitions
from geo.datasets.dataset import open_dataset
from geo.datasets.partitions import partition


def mines(n, seed=0, **columns):
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(-180, 180, n), rng.uniform(-90, 90, n)
    columns = {
        "name": [f"mine {i}" for i in range(n)],
        "depth": rng.random(n),
    } | columns
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, lat), crs=4326)


def same(got, expected):
    assert_geodataframe_equal(got, expected, check_index_type=False)


# ── what is written ──────────────────────────────────────────────────────────


@settings(max_examples=25)
@given(n=st.integers(0, 60), rows=st.integers(1, 70), seed=st.integers(0, 9))
def test_keeps_every_row_once(n, rows, seed, tmp_path_factory):
    layer = mines(n, seed).set_index(pd.Index(np.arange(n)[::-1] * 7, name="id"))
    data = partition(layer, tmp_path_factory.mktemp("data") / "mines", rows=rows)
    got = data.read()
    same(got.loc[layer.index], layer)
    assert data.counts.tolist() == [
        min(rows, n - start) for start in range(0, max(n, 1), rows)
    ]
    assert data.offsets.tolist() == [0, *np.cumsum(data.counts)]


def test_orders_along_a_hilbert_curve(tmp_path):
    layer = mines(4000)
    data = partition(layer, tmp_path / "mines", rows=250)
    west, south, east, north = data.extents.T
    assert np.mean((east - west) * (north - south)) < 2.5 * 360 * 180 / 16
    got = data.read()
    curve = got.geometry.hilbert_distance(total_bounds=got.total_bounds).to_numpy()
    assert (np.diff(curve.astype(int)) >= 0).all()


def test_any_reader_of_geoparquet_understands_it(tmp_path):
    layer = mines(500, uncertainty_m=np.arange(500.0))
    data = partition(layer, tmp_path / "mines", rows=200)
    same(gpd.read_parquet(tmp_path / "mines"), data.read())
    same(
        gpd.read_parquet(tmp_path / "mines", bbox=(0, 0, 90, 45)).sort_index(),
        layer.cx[0:90, 0:45],
    )
    for path, extent in zip(data.paths, data.extents, strict=True):
        [column] = geoparquet.geo_of(pq.read_schema(path))["columns"].values()
        assert column["geometry_types"] == ["Point"]
        assert column["bbox"] == extent.tolist()
        assert (
            pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
        )


def test_footers_tell_box_rows_and_uncertainty(tmp_path, monkeypatch):
    monkeypatch.setattr(geoparquet, "GROUP_ROWS", 30)
    layer = mines(100, uncertainty_m=np.where(np.arange(100) % 9, np.nan, 50.0))
    layer["boundary_uncertainty_m"] = np.arange(100.0)
    data = partition(layer, tmp_path / "mines", rows=50)
    groups = data.groups
    assert groups.rows.tolist() == [30, 20, 30, 20]
    assert groups.part.tolist() == [0, 0, 1, 1]
    for g in range(4):
        some = data.read(groups.take(np.array([g])))
        assert groups.box[g].tolist() == some.total_bounds.tolist()
        off = some["uncertainty_m"].max() if some["uncertainty_m"].any() else 0
        assert (
            groups.slack_m[g] == np.nan_to_num(off) + some.boundary_uncertainty_m.max()
        )


def test_large_rows_make_small_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(geoparquet, "GROUP_BYTES", 100_000)
    discs = mines(40).set_geometry(
        shapely.buffer(shapely.points(np.arange(40), 0), 0.4, quad_segs=200)
    )
    data = partition(discs.set_crs(4326), tmp_path / "discs")
    assert data.groups.rows.max() < 10
    same(data.read().sort_index(), discs)


# ── from anywhere ────────────────────────────────────────────────────────────


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(partitions, "BATCH_ROWS", 37)
    monkeypatch.setattr(partitions, "_MOST_OPEN", 3)


@pytest.mark.parametrize("form", ["parquet", "gpkg", "geojson", "fgb", "dataset"])
@pytest.mark.usefixtures("small_batches")
def test_a_file_gives_what_its_layer_gives(form, tmp_path):
    layer = mines(300)
    path = tmp_path / f"mines.{form}"
    if form == "parquet":
        layer.to_parquet(path)
    elif form == "dataset":
        partition(layer, path, rows=80)
    else:
        layer.to_file(path)
        layer = gpd.read_file(path)
        if form == "geojson":
            layer["name"] = layer["name"].astype("str")
    got = partition(path, tmp_path / "out", rows=20).read()
    same(got.sort_index(), layer)
    if form != "fgb":  # which has an order of its own
        expected = partition(layer, tmp_path / "expected", rows=20).read()
        same(got, expected)


@pytest.mark.usefixtures("small_batches")
def test_several_files_make_one_layer(tmp_path):
    layer = mines(90)
    layer.iloc[:50].to_parquet(tmp_path / "a.parquet")
    layer.iloc[50:].reset_index(drop=True).to_parquet(tmp_path / "b.parquet")
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    same(partition(paths, tmp_path / "out").read().sort_index(), layer)


def test_keeps_an_index_of_several_levels_and_missing_values(tmp_path):
    layer = mines(20, stage=pd.array([None, 3] * 10, dtype="Int64"))
    layer = layer.set_index([np.repeat(["a", "b"], 10), np.tile(np.arange(10), 2)])
    got = partition(layer, tmp_path / "mines", rows=6).read()
    same(got.loc[layer.index], layer)


@pytest.mark.usefixtures("small_batches")
def test_nothing_at_all_is_a_dataset_too(tmp_path):
    data = partition(mines(0), tmp_path / "mines")
    assert len(data) == 0
    assert np.isnan(data.extents).all()
    again = partition(tmp_path / "mines", tmp_path / "again").read()
    assert list(again.columns) == list(mines(0).columns)


# ── what others wrote ────────────────────────────────────────────────────────


def test_opens_what_geopandas_wrote(tmp_path):
    layer = mines(50)
    layer.to_parquet(tmp_path / "mines.parquet")
    data = open_dataset(tmp_path / "mines.parquet")
    assert data.extents[0].tolist() == layer.total_bounds.tolist()
    same(data.read(), layer)
    layer.to_parquet(tmp_path / "covered.parquet", write_covering_bbox=True)
    same(open_dataset(tmp_path / "covered.parquet").read(), layer)


def test_numbers_rows_that_have_no_labels(tmp_path):
    for name, some in (("a", mines(3)), ("b", mines(4))):
        some.to_parquet(tmp_path / f"{name}.parquet", row_group_size=2)
    data = open_dataset(tmp_path)
    assert data.read().index.tolist() == list(range(7))
    assert data.read(data.groups.take(np.array([1, 3]))).index.tolist() == [2, 5, 6]


@pytest.mark.parametrize(
    ("bbox", "expected"),
    [
        ([170.0, -10.0, -170.0, 10.0], [-180, -10, 180, 10]),
        ([1.0, 2.0, 0.0, 3.0, 4.0, 9.0], [1, 2, 3, 4]),
    ],
)
def test_reads_boxes_as_the_format_means_them(bbox, expected, tmp_path):
    table = geoparquet.table_of(mines(3))
    meta = geoparquet.geo_of(table.schema)
    meta["columns"]["geometry"]["bbox"] = bbox
    pq.write_table(geoparquet.with_geo(table, meta), tmp_path / "mines.parquet")
    assert open_dataset(tmp_path).groups.box.tolist() == [expected]


def test_reads_an_uncertainty_without_statistics(tmp_path):
    layer = mines(9, uncertainty_m=np.arange(9.0))
    layer.to_parquet(tmp_path / "mines.parquet", write_statistics=False)
    assert open_dataset(tmp_path).groups.slack_m.tolist() == [8]


# ── what is refused ──────────────────────────────────────────────────────────


def test_refuses_a_label_that_stands_twice(tmp_path):
    twice = pd.concat([mines(5), mines(3).iloc[2:]])
    with pytest.raises(geo.ColumnError, match="label 2 stands twice"):
        partition(twice, tmp_path / "mines")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("layer", "error"),
    [
        (mines(3).to_crs(3857), geo.CRSMismatchError),
        (mines(3).set_crs(None, allow_override=True), geo.CRSMissingError),
        (
            mines(3).set_geometry([None, *mines(2).geometry], crs=4326),
            geo.GeometryError,
        ),
        (
            mines(1).set_geometry(gpd.points_from_xy([40], [125]), crs=4326),
            geo.GeoError,
        ),
    ],
)
@pytest.mark.parametrize("from_file", [False, True])
def test_refuses_what_is_not_on_the_globe(layer, error, from_file, tmp_path):
    source = layer
    if from_file:
        source = tmp_path / "mines.parquet"
        layer.to_parquet(source)
    with pytest.raises(error):
        partition(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_refuses_a_directory_that_is_not_empty(tmp_path):
    partition(mines(3), tmp_path / "mines")
    with pytest.raises(FileExistsError, match="not empty"):
        partition(mines(3), tmp_path / "mines")


def test_an_error_leaves_nothing_behind(tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        partition(mines(30), tmp_path / "mines", rows=10, progress=stop)
    assert not list(tmp_path.iterdir())


def test_refuses_a_dataset_with_files_missing(tmp_path):
    data = partition(mines(30), tmp_path / "mines", rows=10)
    (tmp_path / "mines" / "part-00001.parquet").unlink()
    with pytest.raises(geo.GeometryError, match="2 of 3 files"):
        open_dataset(tmp_path / "mines")
    assert len(open_dataset([data.paths[0], data.paths[2]])) == 20


def test_refuses_files_that_do_not_belong_together(tmp_path):
    mines(3).to_parquet(tmp_path / "a.parquet")
    mines(3).drop(columns="depth").to_parquet(tmp_path / "b.parquet")
    with pytest.raises(geo.ColumnError, match="other columns"):
        open_dataset(tmp_path)
    with pytest.raises(geo.ColumnError, match="other columns"):
        partition(tmp_path, tmp_path / "out")


def test_refuses_files_that_say_nothing_of_where(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "plain.parquet")
    with pytest.raises(geo.GeometryError, match="no GeoParquet"):
        open_dataset(tmp_path / "plain.parquet")
    pq.write_table(geoparquet.table_of(mines(3)), tmp_path / "bare.parquet")
    with pytest.raises(geo.GeometryError, match="partition"):
        open_dataset(tmp_path / "bare.parquet")
    mines(3).to_crs(3857).to_parquet(tmp_path / "metres.parquet")
    with pytest.raises(geo.CRSMismatchError, match="to_crs"):
        open_dataset(tmp_path / "metres.parquet")
    with pytest.raises(FileNotFoundError, match="no such file"):
        open_dataset(tmp_path / "nothing")


def test_refuses_a_column_called_like_the_boxes(tmp_path):
    with pytest.raises(geo.ColumnError, match="'bbox'"):
        partition(mines(3, bbox=1), tmp_path / "out")
