"""The typesetter that turns a drawing or a report into PNG or PDF: typst."""

from __future__ import annotations

import struct
import zlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from layers.errors import ExtraMissingError
from maps.pictures.order import PictureError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from maps.pictures.fonts import FontStock

_PNG_START = 33


def typesetter() -> Any:
    """Return the package ``typst``.

    Returns
    -------
    module
        typst.

    Raises
    ------
    layers.errors.ExtraMissingError
        If it, or ``fonttools``, is not installed.
    """
    try:
        import fontTools
        import typst
    except ImportError as error:
        raise ExtraMissingError(
            f"pictures need the package {error.name or 'typst'}; it is not installed. "
            'Install the extra: pip install "lodemap[picture]".'
        ) from error
    del fontTools
    return typst


def typeset(
    template: str,
    inputs: Mapping[str, str],
    *,
    fonts: FontStock,
    form: str,
    dated: date,
    dpi: int = 144,
) -> bytes:
    """Set a document.

    Parameters
    ----------
    template
        One of ours among ``maps/templates``, without its ending.
    inputs
        Texts for it: they are read as data there and never as markup.
    fonts
        Fonts to set it in.
    form
        ``png`` or ``pdf``.
    dated
        Day that the file carries as its own.
    dpi
        Pixels to the inch of a PNG. [1/in]

    Returns
    -------
    bytes
        The file; a PDF is tagged and meets PDF/UA-1.

    Raises
    ------
    PictureError
        If the typesetter refuses the document.
    layers.errors.ExtraMissingError
        If the extra ``picture`` is not installed.
    """
    typst = typesetter()
    source = files("maps").joinpath("templates", f"{template}.typ").read_bytes()
    days = {"day": dated.isoformat()}
    try:
        made = typst.compile(
            source,
            font_paths=fonts.handle,
            format=form,
            sys_inputs={**inputs, **days},
            timestamp=0,
            ppi=float(dpi),
            pdf_standards=["ua-1"] if form == "pdf" else [],
        )
    except typst.TypstError as error:
        raise PictureError(
            f"the typesetter refuses the picture: {error.message}; expected a drawing "
            "that it can set. Please report it with the exchange."
        ) from error
    found = made if isinstance(made, bytes) else made[0]
    return _with_resolution(found, dpi) if form == "png" else found


def _with_resolution(png: bytes, dpi: int) -> bytes:
    """Return a PNG that says how many pixels go to the metre."""
    metre = round(dpi / 0.0254)
    body = b"pHYs" + struct.pack(">IIB", metre, metre, 1)
    chunk = struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_PNG_START] + chunk + png[_PNG_START:]
