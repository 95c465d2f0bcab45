"""SVG elements as text; whatever comes from data is escaped here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

_NOT_IN_XML = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e]"
)
_BLANKS = re.compile(r"\s+")
LONGEST = 80
"""Characters of a name that a picture prints at most."""


def legible(text: object, longest: int = 0) -> str:
    r"""Return text that XML may hold, on one line.

    Parameters
    ----------
    text
        Anything.
    longest
        Characters kept at most, an ellipsis included; 0 for all.

    Returns
    -------
    str
        Without control characters, and without those that turn the direction of all
        that follows; blanks and line breaks as single blanks.

    Examples
    --------
    >>> legible("a\x00b\n c"), legible("abcdef", 4)
    ('a b c', 'abc…')
    """
    line = _BLANKS.sub(" ", _NOT_IN_XML.sub(" ", str(text))).strip()
    if longest and len(line) > longest:
        return f"{line[: longest - 1].rstrip()}…"
    return line


def element(name: str, *content: str, **attributes: object) -> str:
    """Write an element.

    Parameters
    ----------
    name
        Its name.
    content
        Finished SVG inside it; text goes through :func:`characters` first.
    attributes
        By name, with ``_`` for ``-`` and ``__`` for ``:``; those that are None or empty
        are left out, and numbers are cut to hundredths.

    Returns
    -------
    str
        SVG.

    Examples
    --------
    >>> element("g", element("path", d="M0 0", stroke_width=1.25), id="a")
    '<g id="a"><path d="M0 0" stroke-width="1.25"/></g>'
    """
    written = "".join(
        f" {key.rstrip('_').replace('__', ':').replace('_', '-')}"
        f"={quoteattr(value if isinstance(value, str) else number(value))}"
        for key, value in attributes.items()
        if value not in (None, "")
    )
    inside = "".join(content)
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def characters(text: object, longest: int = 0) -> str:
    """Escape text for the inside of an element.

    Examples
    --------
    >>> characters("<b> & c")
    '&lt;b&gt; &amp; c'
    """
    return escape(legible(text, longest))


def number(value: object) -> str:
    """Write a number with two decimals at most, and never as ``-0``.

    Examples
    --------
    >>> number(1.50), number(-0.001), number(12)
    ('1.5', '0', '12')
    """
    text = f"{float(str(value)):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def path(rings: Iterable[NDArray[np.float64]], *, closed: bool) -> str:
    """Write lines or rings as the data of a path.

    Parameters
    ----------
    rings
        Points of each, shape ``(n, 2)``, in units of the picture.
    closed
        Whether each ends where it began.

    Returns
    -------
    str
        Tenths of a unit; a part with fewer than two points is left out.
    """
    parts = []
    for ring in rings:
        points = ring[:-1] if closed and len(ring) > 2 else ring
        if len(points) < 2:
            continue
        steps = " ".join(f"{_tenth(x)} {_tenth(y)}" for x, y in points.tolist())
        parts.append(f"M{steps}{'Z' if closed else ''}")
    return "".join(parts)


def _tenth(value: float) -> str:
    """Write a coordinate with one decimal."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
