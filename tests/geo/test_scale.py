import json
import os
import threading
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import geo
from geo import joins, scale
from geo.datasets import extents, geoparquet, outofcore
from geo.datasets.dataset import open_dataset
from geo.datasets.partitions import partition

distributed = pytest.importorskip("distributed")

JOINS = {
    "within": {},
    "nearest": {"k": 3},
    "within_distance": {"distance_m": 400_000},
}


def points(n, seed, **columns):
    """Points all over the globe, many where maps end: ±180°, the poles, doubles."""
    rng = np.random.default_rng(seed)
    lon = rng.choice([0, 90, 179.9, -179.9, -180, 180], n) + rng.normal(0, 3, n)
    lon = np.where(rng.random(n) < 0.3, rng.choice([-180.0, 180.0], n), lon)
    lat = rng.choice([0, 45, 60, 89, -89.5, 90], n) + rng.normal(0, 3, n)
    lon, lat = (lon + 180) % 360 - 180, np.clip(lat, -90, 90)
    lon[: n // 5], lat[: n // 5] = lon[-(n // 5) :], lat[-(n // 5) :]
    return frame(gpd.points_from_xy(lon, lat), seed, **columns)


def squares(n, seed, **columns):
    """Squares that overlap and share borders, some on the antimeridian."""
    rng = np.random.default_rng(seed)
    west = rng.choice([-180, -179, -2, 0, 88, 89, 176, 178, 179], n).astype(float)
    south = rng.choice([-90, -89, -2, 0, 44, 45, 58, 60, 88, 89], n).astype(float)
    side = rng.choice([0.5, 1.0, 2.0, 4.0], n)
    east, north = np.minimum(west + side, 180), np.minimum(south + side, 90)
    return frame(shapely.box(west, south, east, north), seed, **columns)


def frame(shapes, seed, **columns):
    n = len(shapes)
    rng = np.random.default_rng(seed)
    columns = {
        "name": np.where(rng.random(n) < 0.2, None, [f"n{i % 7}" for i in range(n)]),
        "count": rng.integers(2**60, 2**62, n),
        "open": rng.random(n) < 0.5,
        "rare": ["yes" if i == n - 1 else None for i in range(n)],
        **{name: np.broadcast_to(values, n) for name, values in columns.items()},
    }
    labels = pd.Index(rng.permutation(n) * 3 + 1, name="id")
    return gpd.GeoDataFrame(columns, index=labels, geometry=list(shapes), crs=4326)


@pytest.fixture(scope="module")
def here():
    """A cluster inside this process, so that constants can be changed."""
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            dashboard_address=":0",
            memory_limit=0,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def workers(failures):
    """Two worker processes of their own; Dask gives a task up after some deaths."""
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": failures}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            memory_limit="1GB",
            silence_logs="CRITICAL",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def run(name, left, right, folder, client, *, rows=(50, 70), **options):
    """Join by parts; give what was found and what is right."""
    a = partition(left, folder / "left", rows=rows[0])
    b = partition(right, folder / "right", rows=rows[1])
    join = getattr(scale, name)
    got = join(a, b, folder / "out", client=client, **options)
    options.pop("memory", None)
    expected = getattr(joins, name)(a.read(), b.read(), **options)
    return got, expected


def same(got, expected):
    """Equal row for row and to the last bit."""
    pd.testing.assert_frame_equal(
        pd.DataFrame(got.to_wkb()), pd.DataFrame(expected.to_wkb()), check_exact=True
    )
    assert got.crs == expected.crs


def split_finely(monkeypatch, group_rows, blocks):
    monkeypatch.setattr(geoparquet, "GROUP_ROWS", group_rows)
    monkeypatch.setattr(outofcore, "_BLOCKS", blocks)


# ── the same rows ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("uncertain", [False, True])
@pytest.mark.parametrize("name", JOINS)
@pytest.mark.parametrize(("rows", "group"), [((1000, 1000), 1000), ((37, 23), 11)])
def test_equals_the_join_over_all_rows(
    name, uncertain, rows, group, here, tmp_path, monkeypatch
):
    split_finely(monkeypatch, group, 4)
    rng = np.random.default_rng(5)
    off = {"uncertainty_m": rng.choice([0, 200, 20_000], 200)} if uncertain else {}
    left = points(200, 1, depth=rng.random(200), **off)
    if name == "within":
        edge = {"boundary_uncertainty_m": 500.0} if uncertain else {}
        right = squares(120, 2, block=rng.random(120), **edge)
        left = left[left.geometry.y.abs() < 89]  # no disc over a pole
    else:
        right = points(150, 3, **{k: v[:150] for k, v in off.items()})
    got, expected = run(name, left, right, tmp_path, here, rows=rows, **JOINS[name])
    assert len(expected) > 20
    same(got.read(), expected)
    same(gpd.read_parquet(tmp_path / "out"), expected)
    manifest = json.loads((tmp_path / "out" / scale.MANIFEST).read_text())
    assert manifest["rows"] == len(expected) == len(got)
    assert [part["rows"] for part in manifest["parts"]] == got.counts.tolist()


@pytest.mark.parametrize("uncertain", [False, True])
def test_within_lines_and_points_equals_the_join_over_all_rows(
    uncertain, here, tmp_path, monkeypatch
):
    """Points, lines and squares on the right, points and lines on the left."""
    split_finely(monkeypatch, 9, 4)
    rng = np.random.default_rng(7)
    xy = rng.integers(-2, 3, (160, 3, 2)) * 1.0
    xy[:, :, 0] += rng.choice([-179, 0, 179], 160)[:, None]
    xy[:, :, 0] = np.clip(xy[:, :, 0], -180, 180)
    ways = shapely.linestrings(xy[:80])
    ways = ways[shapely.is_valid(ways)]
    dots = shapely.points(xy[:, 1])
    west, south = xy[80:99, 0].T - 1
    plots = shapely.box(np.maximum(west, -180), south, np.minimum(west + 2, 180), 2)
    off = {}
    if uncertain:
        off["uncertainty_m"] = rng.choice([0, 300, 120_000], len(dots) + len(ways))
    left = frame([*dots, *ways], 1, **off)
    right = frame([*dots[:30], *ways, *plots], 2)
    got, expected = run("within", left, right, tmp_path, here, rows=(37, 23))
    assert len(expected) > 200
    assert (expected["probability"] == 0).any() == uncertain
    same(got.read(), expected)


@pytest.mark.parametrize("name", JOINS)
def test_little_memory_changes_nothing(name, here, tmp_path, monkeypatch):
    """Right comes in many goes, and rows of left one by one."""
    split_finely(monkeypatch, 5, 4)
    right = squares(120, 2) if name == "within" else points(120, 3)
    seen = []
    whole = outofcore.call
    monkeypatch.setattr(
        outofcore,
        "call",
        lambda job, left, right: seen.append(len(left)) or whole(job, left, right),
    )
    options = {"distance_m": 2_000_000} if name == "within_distance" else JOINS[name]
    got, expected = run(
        name, points(80, 1), right, tmp_path, here, memory=60_000, **options
    )
    same(got.read(), expected)
    assert len(seen) > (15 if name == "within" else 40)
    assert (min(seen) < 5) == (name != "within")


@pytest.mark.parametrize("name", JOINS)
def test_keeps_rows_without_a_match_on_request(name, here, tmp_path, monkeypatch):
    split_finely(monkeypatch, 9, 4)
    right = squares(60, 2) if name == "within" else points(60, 3)
    options = {**JOINS[name], "how": "left"}
    if name == "nearest":
        options["max_distance_m"] = 100_000
    got, expected = run(
        name, points(90, 1), right, tmp_path, here, rows=(40, 25), **options
    )
    assert expected["index_right"].isna().any()
    same(got.read(), expected)


@pytest.mark.parametrize("name", JOINS)
def test_refuses_columns_that_would_take_one_name(name, here, tmp_path):
    """What the join in one process refuses, before any file is written."""
    left, right = points(9, 1), points(9, 2).assign(name_left="p")
    with pytest.raises(geo.ColumnError, match=r"'name_left' .*lsuffix='left_2'"):
        run(name, left, right, tmp_path, here, **JOINS[name])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["geometry_left", "label_left"])
def test_a_column_that_only_looks_suffixed_keeps_its_values(name, here, tmp_path):
    """Both sides have a geometry, and the index of right is called as a column."""
    left = points(9, 1).assign(label=5, **{name: "x"})
    right = points(9, 3).rename_axis("label")
    options = {"max_distance_m": 100_000, "how": "left"}
    got, expected = run("nearest", left, right, tmp_path, here, **options)
    assert expected["index_right"].isna().any()
    assert got.read()[name].eq("x").all()
    same(got.read(), expected)


def test_tells_every_tie(here, tmp_path, monkeypatch):
    split_finely(monkeypatch, 3, 2)
    right = pd.concat([points(30, 3), points(30, 3).set_index(np.arange(1000, 1030))])
    got, expected = run(
        "nearest", points(40, 1), right, tmp_path, here, rows=(9, 5), ties="all"
    )
    assert len(expected) > 80
    same(got.read(), expected)


def test_sees_a_rival_that_is_farther_than_the_nearest(here, tmp_path, monkeypatch):
    split_finely(monkeypatch, 1, 1)
    left = frame(gpd.points_from_xy([0], [0]), 1, uncertainty_m=3_000.0)
    right = frame(gpd.points_from_xy([0.09, 0, 2], [0, 0.11, 2]), 2)
    got, expected = run("nearest", left, right, tmp_path, here)
    assert expected["probability"].item() < 1
    same(got.read(), expected)


def test_looks_on_where_the_first_look_finds_too_few(here, tmp_path):
    left = frame(gpd.points_from_xy([0], [0]), 1)
    right = frame(gpd.points_from_xy([0.1, 5, 0, 0], [0, 0, 1, 1.2]), 2)
    right.to_parquet(tmp_path / "r.parquet", row_group_size=2, write_covering_bbox=True)
    a, b = partition(left, tmp_path / "left"), open_dataset(tmp_path / "r.parquet")
    options = {"k": 2, "max_distance_m": 200_000}
    got = scale.nearest(a, b, tmp_path / "out", client=here, **options)
    assert got.read()["index_right"].tolist() == right.index[[0, 2]].tolist()
    same(got.read(), geo.nearest(left, right, **options))


@pytest.mark.parametrize("how", ["inner", "left"])
def test_an_index_of_several_levels_has_a_column_for_each(how, here, tmp_path):
    left = frame(gpd.points_from_xy([0, 50], [0, 0]), 1)
    right = frame(gpd.points_from_xy([0.01, 0, 2], [0, 0.01, 2]), 2)
    right.index = pd.MultiIndex.from_tuples(
        [("kp", 3), ("cn", 1), ("cn", 2)], names=["country", None]
    )
    options = {"distance_m": 5_000.0, "how": how}
    got, expected = run("within_distance", left, right, tmp_path, here, **options)
    assert sorted(expected["index_right0"].dropna()) == ["cn", "kp"]
    same(got.read(), expected)


@pytest.mark.parametrize("edges", ["straight", "geodesic"])
def test_intersects_equals_the_join_over_all_rows(edges, here, tmp_path, monkeypatch):
    split_finely(monkeypatch, 7, 4)
    lines = shapely.linestrings(
        [[(w, 50), (w + 60, 50.5)] for w in np.linspace(-100, 100, 40)]
    )
    marks = shapely.points(
        np.random.default_rng(4).uniform((-100, 49), (160, 60), (300, 2))
    )
    left = frame(shapely.box(*np.add(shapely.bounds(marks), [-1, 0, 1, 0.4]).T), 1)
    got, expected = run(
        "intersects", left, frame(lines, 2), tmp_path, here, rows=(50, 9), edges=edges
    )
    assert len(expected) > (100 if edges == "geodesic" else 10)
    same(got.read(), expected)


def mixed(n, seed, kinds, **columns):
    """Points, lines and areas in two crowds far from one another, areas in one only."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 1, (n, 2))
    xy[n // 2 :] += 50
    shapes = list(gpd.points_from_xy(*xy.T))
    for at in range(n // 2, n, 7) if "few" in kinds else range(n):
        x, y = xy[at]
        if "line" in kinds and at % 2:
            shapes[at] = shapely.LineString([(x, y), (x + 0.1, y + 0.013)])
        elif "area" in kinds:
            shapes[at] = shapely.Polygon(
                [(x, y), (x + 0.1, y + 0.013), (x + 0.03, y + 0.09)]
            )
    return frame(shapes, seed, uncertainty_m=rng.choice([0.0, 500, 5000], n), **columns)


@pytest.mark.parametrize("rows", [(1000, 1000), (13, 17), (50, 31)])
@pytest.mark.parametrize("kinds", ["few area", "few line area", "line area"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("nearest", {"k": 3}),
        ("within_distance", {"distance_m": 8_000.0}),
        ("intersects", {}),
        ("within", {}),
    ],
)
def test_uncertain_kinds_together_equal_the_join_over_all_rows(
    name, options, kinds, rows, here, tmp_path, monkeypatch
):
    split_finely(monkeypatch, 11, 4)
    left = mixed(60, 1, "line area" if kinds == "line area" else "")
    right = mixed(80, 2, kinds, boundary_uncertainty_m=[0.0, 300.0] * 40)
    got, expected = run(name, left, right, tmp_path, here, rows=rows, **options)
    assert len(expected) > 10
    same(got.read(), expected)


@pytest.mark.parametrize("rows", [(50, 50), (500, 500)])
def test_one_uncertain_row_changes_no_part(rows, here, tmp_path):
    """Points on lines but for the rounding of a coordinate, one known to 10 m."""
    rng = np.random.default_rng(0)
    start, way = rng.uniform(0, 20, (400, 2)), rng.normal(0, 1, (400, 2))
    dots = shapely.points(start + rng.uniform(0.2, 0.8, (400, 1)) * way)
    lines = shapely.linestrings(np.stack([start, start + way], axis=1))
    left = frame(dots, 1, uncertainty_m=np.append(np.zeros(399), 10.0))
    right = frame(lines, 2)
    got, expected = run("intersects", left, right, tmp_path, here, rows=rows)
    same(got.read(), expected)
    assert 0 < len(expected) < 100


def test_areas_have_the_same_share_to_the_last_bit(here, tmp_path, monkeypatch):
    split_finely(monkeypatch, 7, 4)
    left = mixed(150, 3, "area").drop(columns="uncertainty_m")
    right = mixed(150, 4, "area").drop(columns="uncertainty_m")
    right["geometry"] = right.geometry.scale(2, 2)
    got, expected = run("within", left, right, tmp_path, here, rows=(23, 19))
    assert len(expected) > 200
    same(got.read(), expected)


@pytest.mark.parametrize("name", JOINS)
@pytest.mark.parametrize("empty", ["left", "right", "both"])
def test_an_empty_side(name, empty, here, tmp_path):
    left, right = points(9, 1), squares(9, 2) if name == "within" else points(9, 2)
    left = left.iloc[:0] if empty != "right" else left
    right = right.iloc[:0] if empty != "left" else right
    got, _ = run(name, left, right, tmp_path, here, rows=(5, 5), **JOINS[name])
    assert len(got.read()) == 0
    assert len(got.paths) == (2 if empty == "right" else 1)


# ── what is skipped is out of reach ──────────────────────────────────────────

lon, lat = st.floats(-180, 180), st.floats(-90, 90)
box = st.tuples(lon, lat, st.floats(0, 360), st.floats(0, 180)).map(
    lambda b: (b[0], b[1], min(b[0] + b[2], 180.0), min(b[1] + b[3], 90.0))
)
share = st.floats(0, 1)


def inside(box, across, up):
    west, south, east, north = box
    return west + across * (east - west), south + up * (north - south)


@settings(max_examples=400)
@given(box, box, share, share, share, share)
def test_no_place_of_a_box_is_nearer_than_the_gap(one, other, a, b, c, d):
    away = geo.distance(*inside(one, a, b), *inside(other, c, d))
    assert extents.gap_m(np.array([one]), np.array([other]))[0, 0] <= away + 1e-3


@pytest.mark.parametrize(
    ("one", "other", "metres"),
    [
        ((179, 0, 180, 1), (-180, 0, -179, 1), 0),
        ((170, 0, 179, 1), (-179, 0, -170, 1), 222_605),
        ((0, 80, 10, 90), (170, 85, 180, 90), 0),
        ((0, 10, 1, 11), (0, 12, 1, 13), 110_574),
        ((0, 0, 1, 1), (178, 0, 179, 1), 6_377_000),
    ],
)
def test_the_gap_is_not_far_from_the_truth(one, other, metres):
    gap = extents.gap_m(np.array([one], dtype=float), np.array([other], dtype=float))
    assert metres * 0.97 - 1e-3 <= gap[0, 0] <= metres * 1.02 + 1e-3


@settings(max_examples=400)
@given(box, share, share, share, share, share)
def test_geodesics_stay_in_the_bent_box(box, a, b, c, d, along):
    start, end = inside(box, a, b), inside(box, c, d)
    length, azimuth = geo.distance(*start, *end), geo.inverse(*start, *end).azimuth_deg
    if abs(start[0] - end[0]) > 178:
        return
    _, at = geo.destination(*start, azimuth, along * length)
    (_, south, _, north) = extents.bent_boxes(np.array([box]))[0]
    assert south - 1e-7 <= at <= north + 1e-7


# ── a cluster of processes, and what may befall it ───────────────────────────


@pytest.mark.parametrize("failures", [3, 0])
def test_a_killed_worker_costs_time_not_rows(workers, tmp_path):
    left, right = points(1500, 1), points(1000, 3)
    a = partition(left, tmp_path / "left", rows=50)
    b = partition(right, tmp_path / "right", rows=500)
    killed, seen = [], []
    before = [w["pid"] for w in workers.run(lambda: {"pid": os.getpid()}).values()]

    def progress(done, total):
        seen.append((done, total))
        if done == 3 and not killed:
            killed.append(before[0])
            os.kill(before[0], 9)

    got = scale.nearest(a, b, tmp_path / "out", k=2, client=workers, progress=progress)
    assert killed
    assert seen[0] == (0, 30)
    assert seen[-1] == (30, 30)
    same(got.read(), geo.nearest(a.read(), b.read(), k=2))
    assert not list((tmp_path / "out").glob(".tmp-*"))


def test_a_second_call_makes_only_what_is_missing(here, tmp_path):
    left, right = points(100, 1), points(60, 3)
    got, expected = run("nearest", left, right, tmp_path, here, rows=(20, 20))
    (tmp_path / "out" / scale.MANIFEST).unlink()
    Path(got.paths[2]).unlink()
    (tmp_path / "out" / ".tmp-part-000002.parquet-dead").write_bytes(b"half")
    before = {
        path: Path(path).stat().st_mtime_ns
        for path in got.paths
        if path != got.paths[2]
    }
    again = scale.nearest(
        tmp_path / "left", tmp_path / "right", tmp_path / "out", client=here
    )
    same(again.read(), expected)
    assert all(Path(path).stat().st_mtime_ns == t for path, t in before.items())
    assert (tmp_path / "out" / scale.MANIFEST).exists()
    assert not list((tmp_path / "out").glob(".tmp-*"))


def test_refuses_to_go_on_with_another_join_or_changed_inputs(here, tmp_path):
    left, right = tmp_path / "left", tmp_path / "right"
    partition(points(30, 1), left)
    partition(points(20, 3), right)
    scale.nearest(left, right, tmp_path / "out", client=here)
    with pytest.raises(FileExistsError, match="another join"):
        scale.nearest(left, right, tmp_path / "out", k=2, client=here)
    os.utime(right / "part-00000.parquet", (1, 1))
    with pytest.raises(FileExistsError, match="have changed since"):
        scale.nearest(left, right, tmp_path / "out", client=here)
    with pytest.raises(FileExistsError, match="not empty"):
        scale.nearest(left, right, left, client=here)


def test_ctrl_c_leaves_whole_files_only(here, tmp_path, monkeypatch):
    whole, begun = outofcore.join_part, []
    interrupted, ended = threading.Event(), threading.Event()

    def join_part(*task):
        begun.append(task)
        if len(begun) > 3:
            interrupted.wait(60)
        try:
            return whole(*task)
        finally:
            if interrupted.is_set():
                ended.set()

    def progress(done, _):
        if done == 2:
            raise KeyboardInterrupt

    a = partition(points(100, 1), tmp_path / "left", rows=10)
    b = partition(points(60, 3), tmp_path / "right", rows=20)
    with monkeypatch.context() as patch:
        patch.setattr(outofcore, "join_part", join_part)
        with pytest.raises(KeyboardInterrupt):
            scale.nearest(a, b, tmp_path / "out", client=here, progress=progress)
        interrupted.set()
        assert ended.wait(60)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert scale.MANIFEST not in names
    assert not [name for name in names if name.startswith(".tmp-")]
    for name in names[1:]:
        pq.read_table(tmp_path / "out" / name)
    assert 2 <= len(names) - 1 < 10
    got = scale.nearest(a, b, tmp_path / "out", client=here)
    same(got.read(), geo.nearest(a.read(), b.read()))


def test_an_error_of_the_join_comes_through(here, tmp_path):
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    marks = gpd.points_from_xy(np.linspace(0, 1, 30), np.linspace(0, 1, 30))
    a = partition(frame(marks, 1), tmp_path / "left", rows=10)
    b = partition(frame([shapely.box(0, 0, 1, 1), bow], 2), tmp_path / "right")
    with pytest.raises(geo.GeometryError, match="invalid"):
        scale.within(a, b, tmp_path / "out", client=here)
    assert not (tmp_path / "out" / scale.MANIFEST).exists()


def test_says_how_to_start_a_cluster(tmp_path):
    a = partition(points(5, 1), tmp_path / "left")
    with pytest.raises(ValueError, match=r"distributed\.Client"):
        scale.nearest(a, a, tmp_path / "out")


def test_refuses_a_row_group_that_does_not_fit(here, tmp_path):
    a = partition(points(200, 1), tmp_path / "left")
    with pytest.raises(geo.GeometryError, match="Write the layer anew"):
        scale.nearest(a, a, tmp_path / "out", memory=10_000, client=here)


def test_says_when_a_worker_does_not_see_a_file(here, tmp_path):
    a = partition(points(20, 1), tmp_path / "left")
    b = partition(points(20, 3), tmp_path / "right")
    call = outofcore.join_part

    def elsewhere(job, number, memory):
        (tmp_path / "right").rename(tmp_path / "gone")
        try:
            return call(job, number, memory)
        finally:
            (tmp_path / "gone").rename(tmp_path / "right")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outofcore, "join_part", elsewhere)
        with pytest.raises(FileNotFoundError, match="Every worker must see"):
            scale.nearest(a, b, tmp_path / "out", client=here)


def test_refuses_a_label_that_stands_twice(here, tmp_path):
    layer = points(20, 1)
    layer.to_parquet(tmp_path / "a.parquet", write_covering_bbox=True)
    layer.to_parquet(tmp_path / "b.parquet", write_covering_bbox=True)
    both = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    with pytest.raises(geo.ColumnError, match="stands twice"):
        scale.nearest(both, layer_of(tmp_path), tmp_path / "out", client=here)


def layer_of(tmp_path):
    return partition(points(5, 9), tmp_path / "other")


@pytest.mark.parametrize("how", ["right", "outer"])
def test_refuses_other_ways_to_join(how, here, tmp_path):
    a = partition(points(5, 1), tmp_path / "left")
    with pytest.raises(geo.ColumnError, match="expected 'inner' or 'left'"):
        scale.nearest(a, a, tmp_path / "out", how=how, client=here)


def test_reads_and_writes_an_object_store(here):
    fsspec = pytest.importorskip("fsspec")
    a = partition(points(50, 1), "memory://lake/left", rows=20)
    b = partition(points(40, 3), "memory://lake/right", rows=20)
    got = scale.nearest(a, "memory://lake/right", "memory://lake/out", client=here)
    same(got.read(), geo.nearest(a.read(), b.read()))
    assert "/lake/out/_manifest.json" in fsspec.filesystem("memory").ls(
        "/lake/out", detail=False
    )
    fsspec.filesystem("memory").rm("/lake", recursive=True)
