"""Names of sheets and rasters that may become names of files and tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layers.errors import SchemaError

if TYPE_CHECKING:
    from layers.export.content import Content

_SHEET = re.compile(r"[a-z][a-z0-9_]*")
_RASTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check_names(content: Content) -> None:
    """Refuse names that are no plain names, or that two parts of an export share.

    Raises
    ------
    SchemaError
        If a sheet or a raster has such a name.
    """
    seen: set[str] = set()
    for names, pattern, letters in (
        ([sheet.id for sheet in content.sheets], _SHEET, "a-z, 0-9 and _"),
        (list(content.rasters), _RASTER, "letters, digits, '.', '_' and '-'"),
    ):
        for name in names:
            if not pattern.fullmatch(name):
                raise SchemaError(
                    f"{name[:60]!r} cannot name a file; expected {letters}, a letter "
                    "first. Rename it."
                )
            if name in seen:
                raise SchemaError(
                    f"two parts of the export are named {name!r}; expected names of "
                    "their own. Rename one."
                )
            seen.add(name)
