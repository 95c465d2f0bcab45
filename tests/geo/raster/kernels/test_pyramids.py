import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from geo.raster.kernels.pyramids import halve_first, halve_mean

NONE = 255
CELLS = arrays(
    np.uint8,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
    elements=st.one_of(st.integers(0, 255), st.just(NONE)),
)


def fours(cells):
    """Cells that become one, row by row, those without a value left out."""
    rows, columns = cells.shape
    for i in range(0, rows, 2):
        for j in range(0, columns, 2):
            four = cells[i : i + 2, j : j + 2].ravel()
            yield [int(v) for v in four if v != NONE]


def halved(kernel, cells):
    out = np.empty(((cells.shape[0] + 1) // 2, (cells.shape[1] + 1) // 2), np.uint8)
    kernel(cells, NONE, out)
    return out.ravel().tolist()


@settings(max_examples=200)
@given(CELLS)
def test_means_are_those_of_the_values(cells):
    expected = [int(np.floor(np.mean(v) + 0.5)) if v else NONE for v in fours(cells)]
    assert halved(halve_mean, cells) == expected


@settings(max_examples=200)
@given(CELLS)
def test_the_first_value_stays(cells):
    assert halved(halve_first, cells) == [v[0] if v else NONE for v in fours(cells)]
