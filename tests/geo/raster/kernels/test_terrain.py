"""Slopes added up run by run are those of the cells one by one."""

import numpy as np
import pytest

from geo.raster.kernels.horn import slope_degrees, tan2_row
from geo.raster.kernels.scores import CARRY, Curve, Stretches, Totals
from geo.raster.kernels.terrain import SLOPE, sum_slope


@pytest.mark.parametrize("steepness", [5.0, 60.0])
@pytest.mark.parametrize("corners", [(), (0.0, 5.0), (2.0, 3.0, 30.0)])
@pytest.mark.parametrize("scored", [False, True])
def test_sums_are_those_of_the_cells_one_by_one(steepness, corners, scored):
    rows, columns = 6, 700
    for seed in range(8):
        rng = np.random.default_rng(seed)
        z = rng.normal(0, steepness, (rows + 2, columns + 2)).astype(np.float32)
        dx, dy = np.full(rows, 30.0), np.linspace(29, 31, rows)
        row, start, stop = [], [], []
        for r in range(rows):
            # Runs of one cell and of hundreds, gaps of one cell and of hundreds.
            ends = np.cumsum(1 + rng.geometric(rng.choice([0.02, 0.3]), 60))
            ends = ends[ends <= columns][: len(ends[ends <= columns]) // 2 * 2]
            start += ends[::2].tolist()
            stop += ends[1::2].tolist()
            row += [r] * (len(ends) // 2)
        group = rng.integers(-1, 3, len(row))
        runs = Stretches(
            *(np.array(each, np.int32) for each in (row, start, stop, group))
        )
        at = np.array(corners)
        curve = Curve(at, np.full(max(len(at) - 1, 0), 0.5), 0.0, 0.25)
        totals = Totals(
            np.zeros((3, len(at) + 1, 3), np.int64),
            np.broadcast_to([np.inf, -np.inf], (3, 2)).copy(),
        )
        score = np.zeros((rows, columns) if scored else (0, 0), np.float32)
        sum_slope(z, dx, dy, runs, curve, totals, score)
        slope = np.empty((rows, columns))
        tan2 = np.empty(columns, np.float32)
        for r in range(rows):
            tan2_row(z[r], z[r + 1], z[r + 2], dx[r], dy[r], tan2)
            slope[r] = [np.rint(slope_degrees(t) * SLOPE) for t in tan2]
        count = np.zeros((3, len(at) + 1), np.int64)
        total = np.zeros(count.shape, np.int64)
        bounds = np.broadcast_to([np.inf, -np.inf], (3, 2)).copy()
        graded = np.zeros_like(score)
        for r, a, b, g in zip(*runs, strict=True):
            steps = slope[r, a:b]
            if scored and len(at):
                reached = np.concatenate([[0.0], np.cumsum(curve.rise)])
                graded[r, a:b] = curve.weight * np.interp(steps / SLOPE, at, reached)
            if g < 0:
                continue
            stretch = np.searchsorted(at * SLOPE, steps, side="right")
            np.add.at(count[g], stretch, 1)
            np.add.at(total[g], stretch, steps.astype(np.int64))
            bounds[g] = (
                min(bounds[g, 0], steps.min() / SLOPE),
                max(bounds[g, 1], steps.max() / SLOPE),
            )
        assert (totals.sums[..., 0] == count).all()
        found = (totals.sums[..., 1] << CARRY) + totals.sums[..., 2]
        assert (found == total).all()
        assert (totals.bounds == bounds).all()
        np.testing.assert_allclose(score, graded, rtol=0, atol=1e-6)
