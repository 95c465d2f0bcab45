"""The frame that a join gives back: rows of left beside rows of right."""

from __future__ import annotations

from dataclasses import dataclass, replace
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

_INDEX = "the index of left"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the frame of a join is laid out: as :func:`geopandas.sjoin` does.

    With two differences. The labels of right are always in ``index_right``, whatever
    its index is called, and where it has several levels in ``index_right0``,
    ``index_right1`` and so on; geopandas uses the names of the index, where it has
    some. And a frame in which a name would stand for two things is refused, not made.
    """

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
            If ``how`` is no way to join, or two columns of the result, or one and the
            index, would have the same name.
        """
        if self.how not in {"inner", "left"}:
            raise ColumnError(f"how is {self.how!r}; expected 'inner' or 'left'")
        fields = right.drop(columns=right.geometry.name)
        labels = label_columns(self.rsuffix, right.index.nlevels)
        _require_room(left, "left", [*labels, *added])
        _require_room(fields, "right", [*labels, *added])
        mine, its = self._named(left, fields)
        self._require_distinct(left, fields, added)
        if self.how == "left":
            i, at = _with_unmatched(len(left), i)
            j = np.where(at < 0, -1, np.append(j, -1)[at])
            added = {name: _taken(values, at) for name, values in added.items()}
        joined = left.take(i).rename(columns=mine)
        for level, name in enumerate(labels):
            joined[name] = _taken(right.index.get_level_values(level).array, j)
        for column, name in its.items():
            joined[name] = _taken(fields[column].array, j)
        for name, values in added.items():
            joined[name] = values
        return joined

    def _named(
        self, left: gpd.GeoDataFrame, fields: pd.DataFrame
    ) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Names in the result of the columns of left and of right."""
        shared = set(fields.columns) & set(left.columns)
        own = shared - {left.geometry.name}
        return (
            {c: f"{c}_{self.lsuffix}" if c in own else c for c in left.columns},
            {c: f"{c}_{self.rsuffix}" if c in shared else c for c in fields.columns},
        )

    def _clash(
        self, left: gpd.GeoDataFrame, fields: pd.DataFrame, added: Iterable[str]
    ) -> tuple[str, str, Any] | None:
        """Two things that would have one name, and the name; None if there are none."""
        mine, its = self._named(left, fields)
        things = [(name, f"left's {c!r}") for c, name in mine.items()]
        things += [(name, f"right's {c!r}") for c, name in its.items()]
        labels = label_columns(self.rsuffix, fields.index.nlevels)
        things += [(name, "the label of right") for name in labels]
        things += [(name, "a column that the join adds") for name in added]
        levels = dict.fromkeys(left.index.names)
        things += [(n, _INDEX) for n in levels if n not in {None, *mine}]
        seen: dict[Any, str] = {}
        for name, thing in things:
            if name in seen:
                return seen[name], thing, name
            seen[name] = thing
        return None

    def _require_distinct(
        self, left: gpd.GeoDataFrame, fields: pd.DataFrame, added: Iterable[str]
    ) -> None:
        """Refuse a result in which two things would have one name."""
        clash = self._clash(left, fields, added)
        if clash is None:
            return
        one, other, name = clash
        if other == _INDEX:
            mend = 'rename the index first: left.rename_axis("…")'
        elif suffixes := self._distinct_suffix(left, fields, added):
            mend = f"pass {suffixes}"
        else:
            mend = "rename one first: right.rename(columns={'index': …})"
        raise ColumnError(
            f"{one} and {other} would both be called {name!r} in the result; {mend}"
        )

    def _distinct_suffix(
        self, left: gpd.GeoDataFrame, fields: pd.DataFrame, added: Iterable[str]
    ) -> str | None:
        """Find suffixes with which no two things have one name; None if there are none.

        There are none where both sides have a column called ``index``, since the label
        of the right row is called as such a column would be.
        """
        for n in range(2, len(left.columns) + len(fields.columns) + 4):
            mine, its = f"{self.lsuffix}_{n}", f"{self.rsuffix}_{n}"
            pairs = ((self.lsuffix, its), (mine, self.rsuffix), (mine, its))
            for lsuffix, rsuffix in pairs:
                layout = replace(self, lsuffix=lsuffix, rsuffix=rsuffix)
                clash = layout._clash(left, fields, added)
                if clash is None or clash[1] == _INDEX:
                    return f"lsuffix={lsuffix!r}, rsuffix={rsuffix!r}"
        return None


def label_columns(suffix: str, levels: int) -> list[str]:
    """Name the columns of a join that hold the labels of the right rows.

    Parameters
    ----------
    suffix
        What names of the right side get.
    levels
        Of the index of the right side.

    Returns
    -------
    list of str
        One for each level; numbered if there are several.
    """
    name = f"index_{suffix}"
    return [name] if levels == 1 else [f"{name}{n}" for n in range(levels)]


def relation(certain: NDArray[np.bool_]) -> Any:
    """Words for whether a pair holds wherever its features lie.

    Parameters
    ----------
    certain
        Whether it does, shape ``(p,)``.

    Returns
    -------
    pandas.api.extensions.ExtensionArray
        ``certain`` or ``possible``, shape ``(p,)``.
    """
    import pandas as pd

    words = pd.Series(["possible", "certain"]).array
    return words.take(certain.astype(np.intp))


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
