"""Searches for sites, judged by scipy, numpy, GDAL's warper and shapely."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from scipy.ndimage import gaussian_filter, label

from geo.errors import (
    CriteriaError,
    CRSMismatchError,
    CRSMissingError,
    GeometryError,
    GeometryTypeError,
    GridError,
)
from geo.raster import Band, Grid, Siting, aspect, find_sites, parse_criteria, read
from geo.raster.buffers import prepare
from geo.raster.metric import metric_of

WHY = {"label": "x", "unit": "m", "reason": "because", "source": "our judgement"}
PLANE = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=(70, 90), crs="EPSG:32651")
GLOBE = Grid(west=124, north=40, dx=1 / 3600, dy=1 / 3600, shape=(64, 83))


def criteria(*entries):
    return parse_criteria([{**WHY, **entry} for entry in entries])


def write(path, values, grid, **profile):
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        height=values.shape[0],
        width=values.shape[1],
        dtype=values.dtype,
        crs=grid.crs,
        transform=grid.transform,
        **profile,
    ) as target:
        target.write(values, 1)
    return path


def masked(path, mask, grid, **options):
    """A siting whose eligible cells are those of a mask."""
    write(path, np.where(mask, 1, 2).astype("uint8"), grid)
    return Siting(
        grid=grid,
        rasters={"cover": Band(paths=path)},
        criteria=criteria({"id": "cover", "classes": {"1": 1.0}, "weight": 1}),
        **options,
    )


def same(one, other):
    """Equal to the last bit, polygons and all."""
    frames = [pd.DataFrame(found.table.to_wkb()) for found in (one, other)]
    pd.testing.assert_frame_equal(*frames, check_exact=True)
    for mine, theirs in zip(one.runs, other.runs, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for name in ("cells", "eligible_cells", "eligible_area_m2", "regions_found"):
        assert getattr(one, name) == getattr(other, name)
    assert one.codes == other.codes


def horn(elevation, metric):
    """Slope in degrees by Horn's formula, as it stands in the book."""
    z = np.pad(elevation.astype(float), 1, constant_values=np.nan)
    north, here, south = z[:-2], z[1:-1], z[2:]
    row = lambda r: (r[:, :-2], r[:, 1:-1], r[:, 2:])  # noqa: E731
    (a, b, c), (d, e, f), (g, h, i) = row(north), row(here), row(south)
    x = ((c + 2 * f + i) - (a + 2 * d + g)) / (8 * metric.dx_m[:, None])
    y = ((a + 2 * b + c) - (g + 2 * h + i)) / (8 * metric.dy_m[:, None])
    return np.degrees(np.arctan(np.hypot(x, y))) + 0 * e


@pytest.fixture(scope="module", params=[PLANE, GLOBE], ids=["plane", "globe"])
def world(request, tmp_path_factory):
    """A small country with everything: holes in the elevation, roads, coarse sun."""
    grid = request.param
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(7)
    rows, columns = grid.shape
    elevation = gaussian_filter(rng.normal(size=grid.shape), 3) * 100
    elevation = elevation.astype("float32")
    elevation[rng.random(grid.shape) < 0.004] = -9999
    elevation[rng.random(grid.shape) < 0.004] = np.nan
    cover = rng.choice(
        [10, 20, 30, 40, 255], p=[0.1, 0.3, 0.3, 0.28, 0.02], size=grid.shape
    )
    coarse = Grid(
        west=grid.west - 3 * grid.dx,
        north=grid.north + 5 * grid.dy,
        dx=8 * grid.dx,
        dy=8 * grid.dy,
        shape=(rows // 8 + 3, columns // 8 + 3),
        crs=grid.crs,
    )
    sun = (1300 + 100 * rng.random(coarse.shape)).astype("float32")
    write(folder / "elevation.tif", elevation, grid, nodata=-9999)
    write(folder / "cover.tif", cover.astype("uint8"), grid, nodata=255)
    write(folder / "sun.tif", sun, coarse)
    to_lonlat = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    x = grid.west + rng.random((3, 4)) * columns * grid.dx
    y = grid.north - rng.random((3, 4)) * rows * grid.dy
    roads = [
        shapely.LineString(np.column_stack(to_lonlat.transform(*each)))
        for each in zip(x, y, strict=True)
    ]
    siting = Siting(
        grid=grid,
        rasters={
            "elevation": Band(paths=folder / "elevation.tif", resampling="bilinear"),
            "cover": Band(paths=folder / "cover.tif"),
            "sun": Band(paths=folder / "sun.tif", resampling="bilinear"),
        },
        features={"roads": gpd.GeoSeries(roads, crs=4326)},
        criteria=criteria(
            {"id": "slope_deg", "max": 20, "score": {"down": [2, 20]}, "weight": 2},
            {"id": "cover", "classes": {"20": 1.0, "30": 0.5, "40": 0.25}, "weight": 1},
            {"id": "sun", "min": 1320, "score": {"up": [1300, 1400]}, "weight": 1},
            {"id": "roads_m", "min": 60, "score": {"down": [0, 500]}, "weight": 0.5},
            {"id": "aspect_deg", "min": 20, "max": 340},
            {"id": "elevation", "min": -1000},
        ),
        min_area_m2=2700,
    )
    elevation[elevation == -9999] = np.nan
    return siting, elevation, cover, folder


@pytest.mark.parametrize("connectivity", [4, 8])
def test_sites_are_those_of_whole_arrays(world, connectivity):
    siting, elevation, cover, folder = world
    siting = Siting(**{**vars(siting), "connectivity": connectivity})
    grid, metric = siting.grid, metric_of(siting.grid)
    slope, facing = horn(elevation, metric), aspect(elevation, grid)
    sun = read(folder / "sun.tif", grid=grid, resampling="bilinear")
    near = prepare(siting.features["roads"], grid, 60).marked() == 1
    eligible = (slope <= 20) & np.isin(cover, [20, 30, 40]) & (sun >= 1320) & ~near
    eligible &= (facing >= 20) & (facing <= 340)
    labels, count = label(eligible, np.ones((3, 3)) if connectivity == 8 else None)
    area = np.broadcast_to(metric.area_m2[:, None], grid.shape)

    found = find_sites(siting)

    assert found.cells == eligible.size
    assert found.eligible_cells == eligible.sum()
    assert found.regions_found == count
    assert found.codes["cover"] == {
        int(k): int(n)
        for k, n in zip(*np.unique(cover, return_counts=True), strict=True)
        if k != 255
    }
    np.testing.assert_allclose(found.eligible_area_m2, area[eligible].sum(), rtol=1e-9)
    of_size = [k for k in range(1, count + 1) if area[labels == k].sum() >= 2700]
    assert found.table["score"].is_monotonic_decreasing
    members = {
        "slope_deg": np.interp(slope, [2, 20], [1, 0]),
        "cover": np.select([cover == 20, cover == 30, cover == 40], [1, 0.5, 0.25]),
        "sun": np.interp(sun, [1300, 1400], [0, 1]),
    }
    measures = {"slope_deg": (slope, 2e-5), "sun": (sun, 2e-3)}
    measures["elevation"] = (elevation, 1e-5)
    x, y = grid.centres()
    table = found.table.set_index("label").sort_index()
    assert table.index.tolist() == list(range(1, len(of_size) + 1))
    for (_, site), k in zip(table.iterrows(), of_size, strict=True):
        cells = labels == k
        assert (site["row"], site["col"]) == tuple(np.argwhere(cells)[0])
        assert site["cells"] == cells.sum()
        np.testing.assert_allclose(site["area_m2"], area[cells].sum(), rtol=1e-9)
        for name, values in members.items():
            assert site[f"score_{name}"] == pytest.approx(
                values[cells].mean(), abs=3e-5
            )
        for name, (values, off) in measures.items():
            here = values[cells].astype(float)
            assert site[f"mean_{name}"] == pytest.approx(here.mean(), abs=off)
            assert site[f"min_{name}"] == pytest.approx(here.min(), abs=off)
            assert site[f"max_{name}"] == pytest.approx(here.max(), abs=off)
        parts = [site[f"score_{name}"] for name in (*members, "roads_m")]
        total = np.dot(parts, [2, 1, 1, 0.5]) / 4.5
        assert site["score"] == pytest.approx(total, abs=1e-12)
        shape = site["geometry"]
        assert shape.is_valid
        np.testing.assert_array_equal(shapely.contains_xy(shape, x, y), cells)
        if not grid.is_lonlat:
            assert shape.area == cells.sum() * 900 == site["area_m2"]
            assert shape.length == site["perimeter_m"]
        index = site["perimeter_m"] / (4 * np.sqrt(site["area_m2"]))
        assert site["shape_index"] == pytest.approx(index)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize(
    ("tile", "threads"), [(4, 1), (7, 3), ((5, 13), 2), (16, 2), (1000, 1), ((4, 3), 2)]
)
def test_tiles_and_threads_leave_no_trace(world, connectivity, tile, threads):
    siting = Siting(**{**vars(world[0]), "connectivity": connectivity})
    same(find_sites(siting, tile=tile, threads=threads), find_sites(siting, threads=1))


def test_rasters_in_another_crs_leave_no_trace_either(world):
    """All in longitude and latitude, at other sizes, onto an equal-area grid."""
    siting, _, _, folder = world
    own = Grid.of(folder / "elevation.tif")
    west, south, east, north = own.bounds
    to_equal = Transformer.from_crs(own.crs, "EPSG:6933", always_xy=True)
    (left, right), (low, high) = to_equal.transform([west, east], [south, north])
    grid = Grid.over((left, low, right, high), 25.0, crs="EPSG:6933")
    siting = Siting(**{**vars(siting), "grid": grid, "min_area_m2": 1000})
    whole = find_sites(siting, threads=1)
    assert len(whole.table) > 5
    for tile, threads in ((9, 2), ((4, 17), 1)):
        same(find_sites(siting, tile=tile, threads=threads), whole)


@pytest.mark.parametrize("kind", ["int16", "float64", "scaled"])
def test_elevations_of_any_type(world, tmp_path, kind):
    siting, elevation, _, _ = world
    whole = np.rint(np.nan_to_num(elevation, nan=-999) * 10)
    stored = whole.astype("int16" if kind != "float64" else "float64")
    path = write(tmp_path / "elevation.tif", stored, siting.grid, nodata=-9990)
    scale = {"scale": 0.1, "offset": 0.0} if kind == "scaled" else {}
    band = Band(paths=path, resampling="bilinear", **scale)
    rasters = {**siting.rasters, "elevation": band}
    siting = Siting(**{**vars(siting), "rasters": rasters, "min_area_m2": 900})
    found = find_sites(siting)
    metres = np.where(whole == -9990, np.nan, whole) * (0.1 if scale else 1.0)
    slope = horn(metres, metric_of(siting.grid))
    assert len(found.table) > 3
    for _, site in found.table.iterrows():
        mine = [
            run[1:] for run in zip(*found.runs, strict=True) if run[0] == site["label"]
        ]
        values = np.concatenate([slope[row, a:b] for row, a, b in mine])
        assert site["mean_slope_deg"] == pytest.approx(values.mean(), abs=2e-5)
        assert values.max() <= 20


def patterns():
    """Masks with what is hard: rings in rings, spirals, saddles, combs."""
    spiral = np.zeros((15, 17), bool)
    y, x, dy, dx = 0, 0, 0, 1
    for length in (17, 14, 16, 12, 14, 10, 12, 8, 10, 6, 8, 4):
        for _ in range(length):
            spiral[min(y, 14), min(x, 16)] = True
            y, x = y + dy, x + dx
        y, x, dy, dx = y - dy, x - dx, dx, -dy
        y, x = y + dy, x + dx
    rings = np.zeros((13, 13), bool)
    for k in range(0, 6, 2):
        rings[k : 13 - k, k : 13 - k] = True
        rings[k + 1 : 12 - k, k + 1 : 12 - k] = False
    rings[6, 6] = True
    saddles = np.kron(np.indices((6, 6)).sum(axis=0) % 2, np.ones((2, 2))).astype(bool)
    comb = np.zeros((9, 20), bool)
    comb[:, ::2] = True
    comb[4] = True
    return [spiral, rings, saddles, comb, np.ones((5, 9), bool), np.eye(11, dtype=bool)]


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("number", range(6))
def test_hard_patterns_across_seams(tmp_path, number, connectivity):
    mask = patterns()[number]
    check(tmp_path / "mask.tif", mask, connectivity, [(4, 4), (5, 3), (4, 100)])


@settings(max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    share=st.sampled_from([0.0, 0.3, 0.5, 0.6, 0.8, 1.0]),
    seed=st.integers(0, 2**32),
    connectivity=st.sampled_from([4, 8]),
    tile=st.tuples(st.integers(4, 9), st.integers(1, 9)),
)
def test_random_masks(tmp_path_factory, shape, share, seed, connectivity, tile):
    mask = np.random.default_rng(seed).random(shape) < share
    path = tmp_path_factory.getbasetemp() / "mask.tif"
    check(path, mask, connectivity, [tile])


def check(path, mask, connectivity, tiles):
    """Labels, sizes, outlines and polygons of a mask, whatever the tiles."""
    grid = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=mask.shape, crs="EPSG:32651")
    siting = masked(path, mask, grid, connectivity=connectivity)
    whole = find_sites(siting, threads=1)
    labels, count = label(mask, np.ones((3, 3)) if connectivity == 8 else None)
    table = whole.table.set_index("label").sort_index()
    assert len(table) == count == whole.regions_found
    np.testing.assert_array_equal(
        table["cells"], np.bincount(labels.ravel(), minlength=count + 1)[1:]
    )
    x, y = grid.centres()
    for k, site in table.iterrows():
        assert site["geometry"].is_valid
        inside = shapely.contains_xy(site["geometry"], x, y)
        np.testing.assert_array_equal(inside, labels == k)
        assert site["geometry"].area == site["area_m2"] == site["cells"] * 900
        assert site["geometry"].length == site["perimeter_m"]
        assert straight(site["geometry"]) == 0
    for tile in tiles:
        same(find_sites(siting, tile=tile, threads=2), whole)


def straight(shape):
    """How many vertices lie between two edges in line."""
    count = 0
    for part in shapely.get_parts(shape):
        for ring in (part.exterior, *part.interiors):
            way = np.diff(np.asarray(ring.coords), axis=0)
            after = np.roll(way, -1, axis=0)
            count += int((way[:, 0] * after[:, 1] == way[:, 1] * after[:, 0]).sum())
    return count


def test_small_and_ragged_groups_are_no_sites(tmp_path):
    mask = np.zeros((20, 40), bool)
    mask[1:7, 1:7] = True  # a square: index 1
    mask[10, 1:38] = True  # a line of 37: perimeter 76 over 4 √37
    mask[15, 5] = True
    path = tmp_path / "mask.tif"
    grid = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=mask.shape, crs="EPSG:32651")

    def cells(**limits):
        found = find_sites(masked(path, mask, grid, **limits), tile=(5, 7))
        assert found.regions_found == 3
        return found.table["cells"].tolist()

    assert cells() == [37, 36, 1]  # one score: the larger first
    assert cells(min_area_m2=36 * 900) == [37, 36]
    assert cells(min_area_m2=36 * 900 + 0.001) == [37]
    assert cells(max_shape_index=1.0) == [36, 1]
    assert cells(max_shape_index=76 / (4 * 37**0.5)) == [37, 36, 1]
    assert cells(max_shape_index=76 / (4 * 37**0.5) - 1e-6) == [36, 1]


def test_ties_go_to_the_larger_then_to_the_first_met(tmp_path):
    mask = np.zeros((6, 12), bool)
    mask[0, 0:2] = mask[0, 4:6] = mask[3:5, 7:10] = True
    grid = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=mask.shape, crs="EPSG:32651")
    found = find_sites(masked(tmp_path / "mask.tif", mask, grid))
    assert found.table["label"].tolist() == [3, 1, 2]


def test_nothing_eligible_is_an_empty_table_with_all_columns(world):
    siting = world[0]
    full = find_sites(siting)
    none = find_sites(Siting(**{**vars(siting), "min_area_m2": 1e12}))
    assert none.table.empty
    assert none.table.columns.tolist() == full.table.columns.tolist()
    assert none.table.dtypes.tolist() == full.table.dtypes.tolist()
    assert none.table.crs == full.table.crs
    assert none.eligible_cells == full.eligible_cells
    assert len(none.runs.row) == 0


@pytest.mark.parametrize("limited", [False, True])
def test_masks_are_the_same_in_memory_that_was_used(world, limited):
    import dataclasses

    from geo.raster.plan import make_plan
    from geo.raster.sheets import Window, reading

    siting, *_ = world
    if limited:
        roads = siting.features["roads"]
        region = shapely.buffer(roads.iloc[0].centroid, 0.02)
        region = gpd.GeoSeries([region], crs=4326)
        siting = dataclasses.replace(siting, regions=region)
    with reading() as handles:
        plan = make_plan(siting, handles)
    rows, columns = siting.grid.shape
    used = np.full(rows * (columns + 8) + 3, 7, np.uint8)
    for window in (Window(0, 0, rows, columns), Window(3, 5, 20, 24)):
        for ask in (plan.mask, plan.barred):
            used[:] = 7
            fresh, again = ask(window), ask(window, used)
            assert np.shares_memory(again, used)
            assert set(np.unique(fresh)) <= {0, 1}
            np.testing.assert_array_equal(fresh, again)
    assert plan.barred(window).any()


def test_a_plan_lets_go_of_what_only_tiles_need(world):
    from geo.raster.plan import make_plan
    from geo.raster.sheets import reading
    from geo.raster.sources import Smooth

    siting, *_ = world
    with reading() as handles:
        plan = make_plan(siting, handles)
    assert plan.near
    light = plan.judged()
    assert not light.near
    assert not light.far
    fields = [rule.source for rule in plan.rules if isinstance(rule.source, Smooth)]
    held = [rule.source for rule in light.rules if isinstance(rule.source, Smooth)]
    assert fields
    assert [field.scale for field in held] == [field.scale for field in fields]
    assert all(field.raster.size for field in fields)
    assert not any(field.raster.size for field in held)
    assert [rule.name for rule in light.rules] == [rule.name for rule in plan.rules]


def test_only_the_best_get_outlines_if_so_asked(world):
    whole = find_sites(world[0])
    some = find_sites(world[0], keep=3)
    assert whole.table.geometry.notna().all()
    assert some.table.geometry.notna().sum() == 3
    assert some.table.geometry[:3].geom_equals(whole.table.geometry[:3]).all()
    pd.testing.assert_frame_equal(
        pd.DataFrame(some.table.drop(columns="geometry")),
        pd.DataFrame(whole.table.drop(columns="geometry")),
    )


def test_runs_are_the_cells_of_the_sites(world):
    found = find_sites(world[0])
    cells = np.bincount(found.runs.label, found.runs.stop - found.runs.start)
    labels = found.table["label"].to_numpy()
    np.testing.assert_array_equal(found.table["cells"], cells[labels])
    heads = pd.DataFrame(found.runs._asdict()).groupby("label").first()
    np.testing.assert_array_equal(heads["row"].loc[labels], found.table["row"])
    np.testing.assert_array_equal(heads["start"].loc[labels], found.table["col"])


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), factor=st.integers(1, 4), swapped=st.booleans())
def test_overlap_counts_shared_cells(tmp_path_factory, seed, factor, swapped):
    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("overlap")
    fine = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=(24, 24), crs="EPSG:32651")
    side = 30.0 * factor
    coarse = Grid(
        west=3e5 - side,
        north=44e5 - side,
        dx=side,
        dy=side,
        shape=(24 // factor, 24 // factor),
        crs="EPSG:32651",
    )
    a, b = rng.random(fine.shape) < 0.5, rng.random(coarse.shape) < 0.5
    one = find_sites(masked(folder / "a.tif", a, fine))
    other = find_sites(masked(folder / "b.tif", b, coarse))
    left, right = np.zeros((60, 60), int), np.zeros((60, 60), int)
    left[4:28, 4:28] = label(a)[0]
    grown = np.kron(label(b)[0], np.ones((factor, factor), int))
    top, west = 4 + factor, 4 - factor
    right[top : top + len(grown), west : west + len(grown)] = grown
    both = (left > 0) & (right > 0)
    pairs = pd.Series(1, pd.MultiIndex.from_arrays([left[both], right[both]]))
    expected = pairs.groupby(level=[0, 1]).sum()
    got = other.overlap(one) if swapped else one.overlap(other)
    names = ["label_other", "label_self"] if swapped else ["label_self", "label_other"]
    got = got.set_index(names)["cells"].sort_index()
    assert got.to_dict() == expected.to_dict()


def test_overlap_refuses_other_lines(tmp_path):
    mask = np.ones((4, 4), bool)
    grid = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=(4, 4), crs="EPSG:32651")
    shifted = Grid(west=300_010, north=44e5, dx=30, dy=30, shape=(4, 4), crs=grid.crs)
    uneven = Grid(west=3e5, north=44e5, dx=45, dy=45, shape=(4, 4), crs=grid.crs)
    one = find_sites(masked(tmp_path / "a.tif", mask, grid))
    for other in (shifted, uneven):
        two = find_sites(masked(tmp_path / "b.tif", mask, other))
        with pytest.raises(GridError, match="do not lie on common lines"):
            one.overlap(two)


def test_regions_limit_the_search_and_what_is_read(world):
    siting = world[0]
    grid = siting.grid
    x, y = grid.centres()
    to_lonlat = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    corners = np.array([[20, 15], [60, 15], [60, 40], [40, 50], [20, 40]])
    ring = [(x[r, c], y[r, c]) for c, r in corners]
    shape = shapely.Polygon(np.column_stack(to_lonlat.transform(*np.transpose(ring))))
    regions = gpd.GeoSeries([shape], crs=4326)
    found = find_sites(Siting(**{**vars(siting), "regions": regions}), tile=8)
    whole = find_sites(siting)
    inside = np.zeros(grid.shape, np.uint8)
    from geo.raster.buffers import prepare_inside

    prepare_inside(regions, grid).mark(inside)
    assert found.cells == inside.sum()
    assert 0 < found.eligible_cells < whole.eligible_cells
    for label_, row, start, stop in zip(*found.runs, strict=True):
        assert label_ > 0
        assert inside[row, start:stop].all()


def test_regions_off_the_grid_are_an_error(world):
    siting = world[0]
    far = gpd.GeoSeries([shapely.box(10, 10, 11, 11)], crs=4326)
    with pytest.raises(GeometryError, match="no cell of the grid"):
        find_sites(Siting(**{**vars(siting), "regions": far}))


@pytest.mark.parametrize("tile", [0, (4, 0), -3])
def test_tiles_have_cells(world, tile):
    with pytest.raises(GridError, match="expected one or more each way"):
        find_sites(world[0], tile=tile)


def test_progress_counts_tiles_and_can_stop(world):
    told = []
    find_sites(world[0], tile=16, progress=lambda *now: told.append(now), threads=2)
    assert told == [(k + 1, told[0][1]) for k in range(told[0][1])]

    class StopError(Exception):
        pass

    def stop(done, _):
        if done == 2:
            raise StopError

    with pytest.raises(StopError):
        find_sites(world[0], tile=8, progress=stop, threads=2)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"criteria": criteria({"id": "slop", "min": 1})}, CriteriaError, "no measure"),
        (
            {"criteria": criteria({"id": "cover", "classes": {"1": 1.0}})},
            CriteriaError,
            "no criterion has a weight",
        ),
        (
            {"criteria": criteria({"id": "slope_deg", "classes": {"1": 1.0}})},
            CriteriaError,
            "lists classes, but is no raster",
        ),
        ({"min_area_m2": -1.0}, CriteriaError, "0 or more"),
        ({"min_area_m2": np.nan}, CriteriaError, "0 or more"),
        ({"max_shape_index": 0.9}, CriteriaError, "only a square meets"),
        ({"connectivity": 6}, CriteriaError, "expected 4 or 8"),
        (
            {"features": {"roads": gpd.GeoSeries([], crs=4326)}},
            GeometryError,
            "nothing to measure to",
        ),
        (
            {"features": {"roads": gpd.GeoSeries.from_xy([1], [1], crs=3857)}},
            CRSMismatchError,
            "'roads' is in EPSG:3857",
        ),
        ({"regions": gpd.GeoSeries([], crs=4326)}, GeometryError, "nowhere to look"),
        (
            {"regions": gpd.GeoSeries.from_xy([1], [1], crs=4326)},
            GeometryTypeError,
            "holds a Point; expected polygons",
        ),
        (
            {"grid": Grid.over((0, 0, 9, 9), 1.0, crs="EPSG:2229")},
            GridError,
            "US survey foot; expected metres",
        ),
        (
            {"grid": Grid.over((0, 0, 9, 9), 1.0, crs="EPSG:4258")},
            GridError,
            "expected EPSG:4326",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused(world, change, error, said):
    with pytest.raises(error, match=said):
        Siting(**{**vars(world[0]), **change})


def test_a_criterion_on_terrain_needs_the_elevation(world):
    siting = world[0]
    with pytest.raises(CriteriaError, match="needs the raster 'elevation'"):
        Siting(
            **{
                **vars(siting),
                "rasters": {"cover": siting.rasters["cover"]},
                "criteria": siting.criteria[:2],
            }
        )


def test_a_raster_elsewhere_or_without_crs_is_an_error(tmp_path):
    mask = np.ones((4, 4), bool)
    grid = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=(4, 4), crs="EPSG:32651")
    away = Grid(west=9e5, north=44e5, dx=30, dy=30, shape=(4, 4), crs="EPSG:32651")
    siting = masked(tmp_path / "mask.tif", mask, away)
    with pytest.raises(GridError, match=r"cover: mask\.tif covers .* do not meet"):
        find_sites(Siting(**{**vars(siting), "grid": grid}))
    values = np.ones((4, 4), np.uint8)
    with rasterio.open(
        tmp_path / "bare.tif",
        "w",
        driver="GTiff",
        count=1,
        height=4,
        width=4,
        dtype="uint8",
        transform=grid.transform,
    ) as target:
        target.write(values, 1)
    bare = {"cover": Band(paths=tmp_path / "bare.tif")}
    with pytest.raises(CRSMissingError, match="names no CRS"):
        find_sites(Siting(**{**vars(siting), "rasters": bare}))


def test_a_truncated_raster_is_named_with_the_place(tmp_path):
    grid = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=(600, 300), crs="EPSG:32651")
    rng = np.random.default_rng(0)
    values = rng.integers(1, 3, grid.shape).astype("uint8")
    path = write(
        tmp_path / "cover.tif",
        values,
        grid,
        tiled=True,
        blockxsize=256,
        blockysize=256,
        compress="deflate",
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    siting = Siting(
        grid=grid,
        rasters={"cover": Band(paths=path)},
        criteria=criteria({"id": "cover", "classes": {"1": 1.0}, "weight": 1}),
    )
    said = r"cover\.tif cannot be read in rows \d+ to \d+, columns 0 to 300"
    with pytest.raises(GridError, match=said):
        find_sites(siting, threads=2)
