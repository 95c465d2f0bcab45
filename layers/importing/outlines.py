"""Polygons that need no mending, known as such without building a shape."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from geo.wkb import from_wkb

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_WORTH_IT = 1_000
_WORTH_LOADING = 40_000
_LONG_FILE = 8 << 20
_KERNELS = "geo.kernels.outlines"
_ROWS_AT_ONCE = 16_384


@dataclass(frozen=True, kw_only=True)
class Outlines:
    """What is known of the polygons of ``n`` rows.

    Attributes
    ----------
    column
        Their WKB.
    kinds
        3 or 6 where it is a polygon, or one of several parts, in two dimensions that
        is valid beyond doubt and leaps over no antimeridian; 0 for the others.
    boxes
        Least x and y, largest x and y of those, shape ``(n, 4)``; NaN for the others.
    """

    column: pa.Array
    kinds: NDArray[np.int64]
    boxes: NDArray[np.float64]

    @property
    def plain(self) -> NDArray[np.bool_]:
        """Whether each row is one of those, shape ``(n,)``."""
        return self.kinds > 0

    def wkb_of_others(self) -> NDArray[np.object_]:
        """WKB of the other rows, None for those that are plain, shape ``(n,)``."""
        found = np.full(len(self.kinds), None, dtype=object)
        for row in np.flatnonzero(~self.plain).tolist():
            found[row] = self.column[row].as_py()
        return found

    def shapes(self, which: NDArray[np.bool_]) -> NDArray[np.object_]:
        """Geometries of some of the rows that are plain, shape ``(which.sum(),)``."""
        import pyarrow as pa

        wkb = self.column.filter(pa.array(which)).to_numpy(zero_copy_only=False)
        return from_wkb(wkb)


def get_ready(geometry_type: str, size: int) -> None:
    """Load what :func:`find_outlines` needs, if it is likely to be worth it.

    It takes some tenths of a second, and is best done while another process reads.

    Parameters
    ----------
    geometry_type
        What the file says that it holds, such as ``"MultiPolygon"``.
    size
        Its length. [bytes]
    """
    if "Polygon" in geometry_type and size >= _LONG_FILE:
        import_module(_KERNELS)


def find_outlines(
    column: pa.Array, missing: NDArray[np.bool_], *, before: int = 0
) -> Outlines | None:
    """Look for polygons that need no mending.

    Parameters
    ----------
    column
        WKB, which may hold nulls, shape ``(n,)``.
    missing
        Where it is null, shape ``(n,)``.
    before
        How many rows of the file there were before these.

    Returns
    -------
    Outlines or None
        None where rows are so few, or most so unlike, that reading all is as quick.
    """
    import pyarrow as pa

    worth_it = len(column) >= _WORTH_IT and (
        _KERNELS in sys.modules or before + len(column) >= _WORTH_LOADING
    )
    if not worth_it or column.type != pa.binary() or sys.byteorder != "little":
        return None
    from geo.kernels.outlines import look_at_polygons
    from geo.parallel import run_chunks

    _, offsets, content = column.buffers()
    if content is None:
        return None
    short = np.frombuffer(offsets, np.int32)[column.offset :][: len(column) + 1]
    ends: NDArray[np.int64] = short.astype(np.int64)
    text = np.frombuffer(content, np.uint8)
    if ends[0] < 0 or ends[-1] > len(text) or (np.diff(ends) < 0).any():
        return None
    kinds = np.zeros(len(column), np.int64)
    boxes = np.full((len(column), 4), np.nan)

    def look(start: int, stop: int) -> None:
        part = slice(start, stop)
        look_at_polygons(text, ends[start : stop + 1], kinds[part], boxes[part])

    look(0, _WORTH_IT)
    if (kinds[:_WORTH_IT] > 0).mean() < 0.5:
        return None
    run_chunks(look, len(column), chunk=_ROWS_AT_ONCE)
    kinds[missing] = 0
    boxes[missing] = np.nan
    return Outlines(column=column, kinds=kinds, boxes=boxes)
