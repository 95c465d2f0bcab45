"""Columns of a small added layer, so that its marks can be filtered as large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maps.columns import Store, put_column
from maps.layer import PageLayer

if TYPE_CHECKING:
    import pandas as pd

    from layers.symbology import Mark


class FewLayer(PageLayer):
    """The table behind the marks of a layer, for the page's filter and list.

    Parameters
    ----------
    mark
        Mark of the layer; of its classes the part before the last colon.
    table
        One row for each mark on the map, in their order, shape ``(n, m)``.
    marks
        What the keys of its marks begin with.
    """

    def __init__(self, mark: Mark, table: pd.DataFrame, *, marks: str) -> None:
        store = Store()
        columns: list[dict[str, Any]] = []
        for place, name in enumerate(table.columns):
            found = put_column(store, str(name), table.iloc[:, place])
            if found and len(found) > 1:
                columns.append(found)
        data = {
            "mark": mark.key,
            "marks": marks,
            "total": len(table),
            "columns": columns,
        }
        super().__init__(
            f"few {mark.key}", data, call="lodemap.few", blocks=store.texts()
        )
