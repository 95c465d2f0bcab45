"""Licences as catalogues want them: an id, a place to read it, and its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layers.catalogue import DATA

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from layers.export.content import Sheet

FOLDER = "licences"
"""Folder of an export that holds the texts."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


def on_spdx(licence: str) -> bool:
    """Tell whether a licence is on the list of SPDX, as far as its form tells.

    Examples
    --------
    >>> on_spdx("CC-BY-4.0"), on_spdx("LicenseRef-public-domain")
    (True, False)
    """
    return bool(_NAME.fullmatch(licence)) and not licence.startswith("LicenseRef-")


def spdx_page(licence: str) -> str:
    """Address at which SPDX tells of a licence; empty for one that is not on its list.

    Examples
    --------
    >>> spdx_page("CC-BY-4.0")
    'https://spdx.org/licenses/CC-BY-4.0.html'
    """
    return f"https://spdx.org/licenses/{licence}.html" if on_spdx(licence) else ""


def copy_licences(licences: Iterable[str], folder: Path) -> dict[str, str]:
    """Put the texts of licences into a folder, as far as they ship.

    Parameters
    ----------
    licences
        SPDX identifiers; empty ones and repeated ones are skipped.
    folder
        Folder of the export.

    Returns
    -------
    dict
        Path in the export of each text, by identifier.
    """
    paths = {}
    for licence in sorted(set(licences)):
        text = DATA.joinpath("licences", f"{licence}.txt")
        if _NAME.fullmatch(licence) and text.is_file():
            (folder / FOLDER).mkdir(exist_ok=True)
            paths[licence] = f"{FOLDER}/{licence}.txt"
            (folder / paths[licence]).write_bytes(text.read_bytes())
    return paths


def web_address(url: str) -> str:
    """Return an address if it is one of the web; nothing otherwise.

    Examples
    --------
    >>> web_address("https://www.geonames.org"), web_address("javascript:alert(1)")
    ('https://www.geonames.org', '')
    """
    return url if re.fullmatch(r"https?://[^\s<>\"]+", url) else ""


def credit(sheet: Sheet) -> str:
    """Who is to be named: the credit line, or the source where there is none."""
    return sheet.rights or sheet.source
