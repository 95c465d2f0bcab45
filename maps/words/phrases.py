"""Fixed phrases that the page's script may have to say of an added layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.evidence import RELIABILITY
from layers.schema import PRECISION
from maps.popup import SEEN
from maps.words import Said, recognised

if TYPE_CHECKING:
    from collections.abc import Iterable

ARCHIVE_TROUBLE = (
    "cut short",
    "unknown field",
    "unknown packing",
    "the host does not send parts of a file",
    "not an archive of tiles",
    "it is not the archive that this page was made with",
)
"""What can be wrong with an archive of tiles, as ``archive.js`` says it."""

_PLACES = (
    "1° N, 1° E, somewhere within 1 km",
    "1° N, 1° W, somewhere within 1 km",
    "1° S, 1° E, somewhere within 1 km",
    "1° S, 1° W, somewhere within 1 km",
    "1° N, 1° E, somewhere within 1 m",
    "1° N, 1° W, somewhere within 1 m",
    "1° S, 1° E, somewhere within 1 m",
    "1° S, 1° W, somewhere within 1 m",
    "may be off by 1 km",
    "may be off by 1 m",
)


def card_phrases(columns: Iterable[object]) -> set[str]:
    """Return what cards may say that are made when a reader opens them.

    Parameters
    ----------
    columns
        Names of the layer's columns.

    Returns
    -------
    set of str
        Keys of the vocabulary.

    Examples
    --------
    >>> sorted(card_phrases(["name"]))
    ['no value', '{0} other texts']
    """
    names = {str(column) for column in columns}
    texts = ["no value", "2 other texts"]
    if "uncertainty_m" in names:
        texts += _PLACES
    if "precision_code" in names:
        known = {**PRECISION, 0: "unknown code"}
        texts += [f"{text} (code {int(code)})" for code, text in known.items()]
    if "sources" in names:
        texts += [*RELIABILITY.values(), *(seen.capitalize() for seen in SEEN.values())]
    found: list[Said | None] = [recognised(text) for text in texts]
    return {said.english for said in found if said}
