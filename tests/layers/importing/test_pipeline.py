"""Rows through the pipeline: the same however they come, and none lost."""

import msgspec
import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from layers.errors import ImportRefusedError
from layers.importing import outlines, repairs
from layers.importing.mapping import Mapping
from layers.importing.pipeline import Pipeline
from layers.importing.raw import RawFile

lons = st.floats(124.0, 131.0)
lats = st.floats(33.5, 43.5)


def raw_of(folder, columns, *, rows_at_once=100, crs=None, geometry=None):
    """A raw file as reading leaves it, in batches of a few rows."""
    table = pa.table(columns)
    if geometry is not None:
        wkb = shapely.to_wkb(np.array(geometry, dtype=object))
        table = table.append_column("geometry", pa.array(wkb, pa.binary()))
    path = folder / "rows.arrow"
    with pa.OSFile(str(path), "wb") as sink:  # noqa: SIM117
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=rows_at_once)
    return RawFile(
        arrow=path,
        rows=table.num_rows,
        columns=tuple(columns),
        has_geometry=geometry is not None,
        crs=crs,
        crs_by="file" if crs else "",
        kind="CSV",
        layer="pits",
        layers=("pits",),
        encoding="utf-8",
        sha256="0" * 64,
        size=1,
        notes=(),
        mended={},
    )


def through(raw, **read):
    """Rows of the layer, and the pipeline they came through."""
    mapping = msgspec.convert({"read": read}, Mapping)
    pipeline = Pipeline(raw, "pits.csv", mapping, unsourced=True)
    rows = pa.concat_tables(list(pipeline.batches())).to_pylist()
    return rows, pipeline


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("raw")


SQUARE = shapely.box(125, 39, 126, 40)
BOW = shapely.Polygon([(125, 39), (126, 40), (126, 39), (125, 40)])
MIXED = [SQUARE, None, BOW, shapely.Point(125, 39), shapely.Polygon(), SQUARE, BOW]


ANY_SHAPE = st.sampled_from(
    [
        *MIXED,
        *(SQUARE, SQUARE.difference(SQUARE.buffer(-0.1)), SQUARE.buffer(0.1)),
        shapely.MultiPolygon([SQUARE, shapely.box(127, 39, 128, 40)]),
        shapely.MultiPolygon([SQUARE, shapely.box(125.5, 39, 128, 40)]),
        *(shapely.force_3d(SQUARE, 7), shapely.box(-10, 0, -9, 1), SQUARE.exterior),
        shapely.Polygon([(125, 39), (126, 39), (np.inf, 40)]),
    ]
)


@settings(max_examples=40, deadline=None)
@given(
    shapes=st.lists(ANY_SHAPE, min_size=4, max_size=12),
    near=st.sampled_from(["anywhere", None]),
    crs=st.sampled_from(["EPSG:4326", "EPSG:4162"]),
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_polygons_left_as_bytes_are_as_those_that_were_read(folder, shapes, near, crs):
    shapes = [SQUARE, SQUARE, *shapes]
    raw = raw_of(folder, {"n": list(range(len(shapes)))}, crs=crs, geometry=shapes)
    read = {"near": near, "drop_unplaced": True, "uncertainty_m": 500.0}
    found = []
    for worth_it in (10_000, 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(outlines, "_WORTH_IT", worth_it)
            patch.setattr(outlines, "_WORTH_LOADING", worth_it)
            rows, pipeline = through(raw, **read)
            found.append((rows, pipeline.account, pipeline.geometry_type))
    assert found[0] == found[1]


def test_only_what_may_need_mending_is_looked_at(folder, monkeypatch):
    seen = []
    mend = repairs.mend
    monkeypatch.setattr(outlines, "_WORTH_IT", 1)
    monkeypatch.setattr(outlines, "_WORTH_LOADING", 1)
    monkeypatch.setattr(
        repairs, "mend", lambda shapes: seen.append(len(shapes)) or mend(shapes)
    )
    shapes = [SQUARE, SQUARE, BOW]
    raw = raw_of(folder, {"n": [1, 2, 3]}, crs="EPSG:4326", geometry=shapes)
    rows, pipeline = through(raw)
    assert seen == [1]
    assert [row["n"] for row in rows] == [1, 2, 3]
    assert rows[0]["geometry"] == shapely.to_wkb(SQUARE)
    assert pipeline.account.repaired["Self-intersection"].rows[0].row == 3


@pytest.mark.parametrize("rows_at_once", [1, 2, 3, 7])
def test_rows_are_the_same_however_they_come(folder, rows_at_once):
    raw = raw_of(
        folder,
        {"name": [f"no {i}" for i in range(1, 8)]},
        rows_at_once=rows_at_once,
        crs="EPSG:4326",
        geometry=MIXED,
    )
    rows, pipeline = through(raw)
    assert [r["id"] for r in rows] == ["pits-1", "pits-3", "pits-4", "pits-6", "pits-7"]
    assert [r["name"] for r in rows] == ["no 1", "no 3", "no 4", "no 6", "no 7"]
    account = pipeline.account
    assert {k: [(r.row, r.id) for r in v.rows] for k, v in account.dropped.items()} == {
        "no geometry": [(2, "no 2")],
        "empty geometry": [(5, "no 5")],
    }
    repaired = account.repaired["Self-intersection"]
    assert [(r.row, r.id) for r in repaired.rows] == [(3, "no 3"), (7, "no 7")]
    assert repaired.after_km2 == pytest.approx(2 * 4740, rel=0.02)
    assert account.rows_out + sum(r.count for r in account.dropped.values()) == 7


@pytest.mark.parametrize("rows_at_once", [1, 2, 100])
def test_points_without_a_place_are_named_by_their_row(folder, rows_at_once):
    points = [
        shapely.Point(125, 39),
        shapely.Point(),
        None,
        shapely.Point(126, np.inf),
        shapely.Point(126, 40),
    ]
    raw = raw_of(
        folder,
        {"v": list("abcde")},
        rows_at_once=rows_at_once,
        crs="EPSG:4326",
        geometry=points,
    )
    rows, pipeline = through(raw)
    assert [r["v"] for r in rows] == ["a", "e"]
    found = {k: [r.row for r in v.rows] for k, v in pipeline.account.dropped.items()}
    assert found == {
        "empty geometry": [2],
        "no geometry": [3],
        "coordinate that is not finite": [4],
    }
    with pytest.raises(ImportRefusedError, match=r"row 2: empty geometry.*--no-repair"):
        through(raw, repair=False)


def test_heights_and_measures_are_left_out_and_counted(folder):
    geometry = shapely.from_wkt(["POINT Z (125 39 7)", "LINESTRING M (1 2 3, 4 5 6)"])
    raw = raw_of(folder, {"v": ["a", "b"]}, crs="EPSG:5179", geometry=geometry)
    rows, pipeline = through(raw, crs="EPSG:4326", near="anywhere")
    assert pipeline.account.flattened == {
        "heights (Z) left out": 1,
        "measures (M) left out": 1,
    }
    shapes = shapely.from_wkb([r["geometry"] for r in rows])
    assert not shapely.has_z(shapes).any()
    assert pipeline.geometry_type == "Unknown"


def test_no_row_at_all_is_said(folder):
    with pytest.raises(ImportRefusedError, match="holds no row"):
        through(
            raw_of(
                folder,
                {"lon": pa.array([], pa.string()), "lat": pa.array([], pa.string())},
            )
        )


def far_m(rows, lon, lat):
    point = shapely.from_wkb(rows[0]["geometry"])
    return Geod(ellps="WGS84").inv(lon, lat, point.x, point.y)[2]


@given(lons, lats, st.integers(0, 7), st.integers(0, 7), st.floats(0, 5000))
@settings(max_examples=60, deadline=None)
def test_the_true_place_lies_within_the_uncertainty(folder, lon, lat, x, y, extra):
    raw = raw_of(
        folder,
        {
            "lon": [f"{lon:.{x}f}"],
            "lat": [f"{lat:.{y}f}"],
            "uncertainty_m": [f"{extra:.3f}"],
        },
    )
    rows, _ = through(raw, near="anywhere")
    assert far_m(rows, lon, lat) <= rows[0]["uncertainty_m"]
    assert rows[0]["uncertainty_m"] >= extra - 0.001


@given(lons, lats, st.integers(0, 3), st.sampled_from([5179, 5186, 32652, 3857, 4737]))
@settings(max_examples=60, deadline=None)
def test_so_it_does_where_the_digits_are_those_of_metres(
    folder, lon, lat, digits, code
):
    there = Transformer.from_crs(4326, code, always_xy=True).transform(lon, lat)
    raw = raw_of(
        folder, {"x": [f"{there[0]:.{digits}f}"], "y": [f"{there[1]:.{digits}f}"]}
    )
    rows, pipeline = through(raw, crs=f"EPSG:{code}", near="anywhere")
    said = rows[0]["uncertainty_m"]
    assert far_m(rows, lon, lat) <= said
    assert said >= (pipeline.placement.change.accuracy_m or 0)


@given(lons, lats, st.integers(0, 3), st.sampled_from([4326, 5179]))
@settings(max_examples=40, deadline=None)
def test_so_it_does_where_axes_are_swapped(folder, lon, lat, digits, code):
    there = Transformer.from_crs(4326, code, always_xy=True).transform(lon, lat)
    raw = raw_of(folder, {"x": [f"{there[1]:.{digits}f}"], "y": [f"{there[0]:.4f}"]})
    rows, _ = through(raw, crs=f"EPSG:{code}", swap_xy=True, near="anywhere")
    assert far_m(rows, lon, lat) <= rows[0]["uncertainty_m"]
