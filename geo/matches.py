"""The frame that a join gives back: rows of left beside rows of right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from geo.errors import ColumnError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    Ints = NDArray[np.intp]

How = Literal["inner", "left"]
"""Which rows of left a join keeps: those with a match, or all."""

_RESULT = (
    *("relation", "probability", "azimuth_deg"),
    *("distance_m", "distance_min_m", "distance_max_m"),
)
"""Columns that a join may add."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the frame of a join is laid out, as :meth:`geopandas.GeoDataFrame.sjoin`."""

    how: How = "inner"
    """Whether rows of left without a match are left out or kept with missing values."""
    lsuffix: str = "left"
    """What a name that both sides have gets on the left, after an underscore."""
    rsuffix: str = "right"
    """The same on the right; also in ``index_right``."""

    def frame(
        self,
        left: gpd.GeoDataFrame,
        right: gpd.GeoDataFrame,
        i: Ints,
        j: Ints,
        added: Mapping[str, Any],
    ) -> gpd.GeoDataFrame:
        """Put rows ``i`` of left beside rows ``j`` of right.

        Parameters
        ----------
        left, right
            The layers that were joined, shapes ``(n,)`` and ``(m,)``.
        i, j
            Matching rows by position, each of shape ``(p,)``, ``i`` rising.
        added
            What was found out about each match: arrays of shape ``(p,)``, of numpy or
            of pandas.

        Returns
        -------
        geopandas.GeoDataFrame
            Left's index, geometry and CRS; the label of the right row; the columns of
            right without its geometry; the added columns.

        Raises
        ------
        ColumnError
            If ``how`` is no way to join, or a column of the result is there already.
        """
        if self.how not in {"inner", "left"}:
            raise ColumnError(f"how is {self.how!r}; expected 'inner' or 'left'")
        fields = right.drop(columns=right.geometry.name)
        shared = set(fields.columns) & set(left.columns)
        names = {c: f"{c}_{self.rsuffix}" if c in shared else c for c in fields.columns}
        index_name = f"index_{self.rsuffix}"
        _require_room(left, "left", [*names.values(), index_name, *_RESULT])
        _require_room(fields, "right", [index_name, *_RESULT])
        if self.how == "left":
            i, at = _with_unmatched(len(left), i)
            j = np.where(at < 0, -1, np.append(j, -1)[at])
            added = {name: _taken(values, at) for name, values in added.items()}
        mine = shared - {left.geometry.name}
        joined = left.take(i).rename(columns={c: f"{c}_{self.lsuffix}" for c in mine})
        joined[index_name] = _taken(_labels(right.index), j)
        for column, name in names.items():
            joined[name] = _taken(fields[column].array, j)
        for name, values in added.items():
            joined[name] = values
        return joined


def _with_unmatched(n: int, i: Ints) -> tuple[Ints, Ints]:
    """Rows of left with those of the ``n`` that have no match, and the match or -1."""
    alone = np.setdiff1d(np.arange(n), i)
    rows = np.concatenate([i, alone])
    match = np.concatenate([np.arange(len(i)), np.full(len(alone), -1)])
    order = np.argsort(rows, kind="stable")
    return rows[order], match[order]


def _taken(values: Any, j: Ints) -> Any:
    """Rows ``j`` of an array, missing where ``j`` is -1."""
    if len(j) and j.min() >= 0:
        return values.take(j)
    from pandas.api.extensions import take

    return take(values, j, allow_fill=True)


def _labels(index: pd.Index[Any]) -> Any:
    """Labels of an index as an array, tuples for several levels."""
    flat = index.to_flat_index() if index.nlevels > 1 else index
    return flat.array


def _require_room(
    gdf: gpd.GeoDataFrame | pd.DataFrame, name: str, added: Iterable[str]
) -> None:
    """Refuse a layer that has a column which the join would write over."""
    if gdf.columns.nlevels > 1:
        raise ColumnError(
            f"{name} has column names of {gdf.columns.nlevels} levels; make them one: "
            f"{name}.columns = {name}.columns.to_flat_index()"
        )
    if not gdf.columns.is_unique:
        twice = gdf.columns[gdf.columns.duplicated()][0]
        raise ColumnError(f"{name} has the column {twice!r} twice; rename one")
    taken = [column for column in added if column in gdf]
    if taken:
        raise ColumnError(
            f"{name} already has {', '.join(map(str, taken))}, which the join adds; "
            f"rename first: {name}.rename(columns={{{taken[0]!r}: …}})"
        )
