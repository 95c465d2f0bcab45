"""Columns of a small added layer, so that its marks can be filtered as large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from branca.element import Figure

from maps.columns import Store, put_column
from maps.layer import PageLayer, Verbatim

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
        super().__init__(f"few {mark.key}", data, call="lodemap.few")
        self.blocks = store.texts()

    def render(self, **kwargs: object) -> str:
        """Add the packed columns, the data and the call to the figure.

        Returns
        -------
        str
            Empty: the parts go to the figure.

        Raises
        ------
        TypeError
            If it is not on a map.
        """
        super().render(**kwargs)
        figure = self.get_root()
        name = self.get_name()
        if isinstance(figure, Figure):
            for place, text in enumerate(self.blocks):
                # Base64 has no character that HTML reads as anything but itself.
                tag = f'<script type="application/json" id="{name}-{place}">'
                part = Verbatim(f"{tag}{text}</script>\n")
                figure.html.add_child(part, name=f"{name}-{place}")
        return ""
