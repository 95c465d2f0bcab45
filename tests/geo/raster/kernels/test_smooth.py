import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.raster.kernels.samples import Places
from geo.raster.kernels.scores import CARRY, Curve, Stretches, Totals
from geo.raster.kernels.smooth import PLACE, Across, grade_smooth, sum_smooth

SCALE = 2.0**10


def places(n, draw):
    """Places that go on by less than a node from one to the next."""
    way = 1.0 + np.cumsum(draw.uniform(0.02, 0.7, n))
    at = np.floor(way)
    return Places(at.astype(np.int32), way - at)


def runs_of(mask, draw):
    row, start, stop = [], [], []
    for r, line in enumerate(mask):
        step = np.diff(line.astype(int), prepend=0, append=0)
        start += np.flatnonzero(step == 1).tolist()
        stop += np.flatnonzero(step == -1).tolist()
        row += [r] * (len(start) - len(row))
    group = draw.integers(-1, 3, len(row))
    return Stretches(*(np.array(each, np.int32) for each in (row, start, stop, group)))


def value_of(raster, rows, columns, r, c):
    """One cell by itself, in whole steps."""
    i, j, down, right = rows.at[r], columns.at[c], rows.part[r], columns.part[c]
    left, other = (
        (1.0 - down) * raster[i, k] + down * raster[i + 1, k] for k in (j, j + 1)
    )
    if np.isfinite(left) and np.isfinite(other):
        base = int(np.rint(left * SCALE))
        rise = int(np.rint(other * SCALE)) - base
        return (base << PLACE) + rise * int(np.rint(right * 2.0**PLACE))
    share = np.outer([1.0 - down, down], [1.0 - right, right])
    four = raster[i : i + 2, j : j + 2]
    share = np.where(np.isfinite(four), share, 0.0)
    if not share.sum():
        return 0
    mean = (share * np.where(np.isfinite(four), four, 0.0)).sum() / share.sum()
    return int(np.rint(mean * SCALE * 2.0**PLACE))


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.1, 0.6]),
    st.sampled_from([(), (20.0, 60.0), (0.0, 40.0, 41.0)]),
    st.booleans(),
)
def test_sums_are_those_of_the_cells_one_by_one(seed, holes, corners, scored):
    draw = np.random.default_rng(seed)
    raster = draw.uniform(0, 100, (12, 40))
    raster[draw.random(raster.shape) < holes] = np.nan
    rows, wider = places(9, draw), places(50, draw)
    # The columns of a tile, which may begin and end between nodes.
    columns = Places(wider.at[11:41], wider.part[11:41])
    across = Across.of(wider, raster.shape[1]).part(11, 41)
    runs = runs_of(draw.random((9, 30)) < 0.8, draw)
    at = np.array(corners, np.float64)
    curve = Curve(at, np.full(max(len(at) - 1, 0), 0.5), 0.0, 0.25)
    totals = Totals(
        np.zeros((3, len(at) + 1, 3), np.int64),
        np.broadcast_to([np.inf, -np.inf], (3, 2)).copy(),
    )
    score = np.zeros((9, 30) if scored else (0, 0), np.float32)
    field = (raster, rows, columns, across, SCALE)
    sum_smooth(*field, runs, curve, totals)
    if scored:
        grade_smooth(*field, runs, curve, score)
    step = 1.0 / (SCALE * 2.0**PLACE)
    count = np.zeros((3, len(at) + 1), np.int64)
    total = np.zeros(count.shape, object)
    bounds = np.broadcast_to([np.inf, -np.inf], (3, 2)).copy()
    graded = np.zeros_like(score)
    for r, start, stop, g in zip(*runs, strict=True):
        for c in range(start, stop):
            steps = value_of(raster, rows, columns, r, c)
            value = steps * step
            if g >= 0:
                k = int(np.searchsorted(at, value, side="right"))
                count[g, k] += 1
                total[g, k] += steps
                bounds[g] = min(bounds[g, 0], value), max(bounds[g, 1], value)
            if scored and len(at):
                reached = np.concatenate([[0.0], np.cumsum(curve.rise)])
                graded[r, c] += curve.weight * np.interp(value, at, reached)
    assert (totals.sums[..., 0] == count).all()
    found = totals.sums[..., 1].astype(object) * 2**CARRY + totals.sums[..., 2]
    assert (np.abs(found - total) <= (0 if not holes else count)).all()
    np.testing.assert_allclose(totals.bounds, bounds, rtol=0, atol=2 * step)
    np.testing.assert_allclose(score, graded, rtol=0, atol=1e-6)
