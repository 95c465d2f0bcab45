"""Ids out of names: small letters, digits and hyphens, the same every time."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_INITIALS, _VOWELS, _FINALS = (
    letters.split(" ")
    for letters in (
        "g kk n d tt r m b pp s ss  j jj ch k t p h",
        "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i",
        " k k k n n n t l k m l l l p l m p p t t ng t t k t p t",
    )
)
_FIRST, _LAST = 0xAC00, 0xD7A3
_LONGEST = 80
_SLUG = "^[a-z0-9]+(?:-[a-z0-9]+)*$"
_OTHER = re.compile(r"[^a-z0-9]+")


class Slugs:
    """Gives out ids, none of them twice."""

    def __init__(self, fallback: str) -> None:
        """Begin with none given out.

        Parameters
        ----------
        fallback
            Text of which ids are made where a name leaves nothing, with a number.
        """
        self.stem = slug(fallback) or "row"
        """What ids are made of where a name leaves nothing."""
        self._taken: dict[str, int] = {}
        self._rising: list[pa.Array] = []
        self._last = ""
        self.repeated = 0

    def make_all(self, texts: pa.Array, rows: list[int]) -> pa.Array:
        """Make an id out of each name, as :meth:`make` would.

        Parameters
        ----------
        texts
            Names as text, shape ``(n,)``; null where there is none.
        rows
            Numbers of their rows, shape ``(n,)``.

        Returns
        -------
        pyarrow.StringArray
            Shape ``(n,)``. Names that are ids already are taken as they stand; where
            they rise from row to row, no other is looked up.
        """
        import pyarrow as pa

        if len(texts) and _are_slugs(texts):
            if self._rises(texts):
                self._rising.append(texts)
                self._last = texts[-1].as_py()
                return texts
            fresh = dict.fromkeys(texts.to_pylist(), 1)
            taken = self._all_taken()
            if len(fresh) == len(texts) and taken.keys().isdisjoint(fresh):
                taken.update(fresh)
                return texts
        ids = [
            self.make(text or "", row)
            for text, row in zip(texts.to_pylist(), rows, strict=True)
        ]
        return pa.array(ids, pa.string())

    def _rises(self, texts: pa.Array) -> bool:
        """Tell whether texts rise, from the last one that was given out, too."""
        import pyarrow.compute as pc

        if self._taken or texts[0].as_py() <= self._last:
            return False
        return bool(pc.all(pc.less(texts[:-1], texts[1:]), min_count=0).as_py())

    def _all_taken(self) -> dict[str, int]:
        """Ids that were given out, and how often each was asked for."""
        for texts in self._rising:
            self._taken.update(dict.fromkeys(texts.to_pylist(), 1))
        self._rising.clear()
        return self._taken

    def make(self, text: str, row: int) -> str:
        """Make an id out of a name.

        Parameters
        ----------
        text
            Any text.
        row
            Number of its row, counted from 1, for a name that leaves nothing.

        Returns
        -------
        str
            New; a name that was there before gets a number.
        """
        taken = self._all_taken()
        plain = slug(text) or f"{self.stem}-{row}"
        times = taken.get(plain, 0) + 1
        taken[plain] = times
        if times == 1:
            return plain
        self.repeated += 1
        while f"{plain}-{times}" in taken:
            times += 1
        taken[plain] = times
        taken[f"{plain}-{times}"] = 1
        return f"{plain}-{times}"


def slug(text: str) -> str:
    """Write a text in small letters, digits and single hyphens.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    str
        Letters without their accents, Hangul syllable by syllable in the Revised
        Romanization, and what has no letters here as its code point. Empty if the
        text has neither letters nor digits.

    Examples
    --------
    >>> slug("Unsan No. 2"), slug("운산 광산"), slug("평양"), slug("铁矿")
    ('unsan-no-2', 'unsan-gwangsan', 'pyeongyang', 'u94c1u77ff')
    """
    if text.isascii():
        letters = text.lower()
    else:
        plain = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text))
        letters = "".join(_letters(character) for character in plain.lower())
    return _OTHER.sub("-", letters).strip("-")[:_LONGEST].rstrip("-")


def _are_slugs(texts: pa.Array) -> bool:
    """Tell whether all texts are such as :func:`slug` leaves as they are."""
    import pyarrow.compute as pc

    if texts.null_count:
        return False
    short = pc.less_equal(pc.binary_length(texts), _LONGEST)
    plain = pc.match_substring_regex(texts, _SLUG)
    return bool(pc.all(pc.and_(short, plain)).as_py())


def _letters(character: str) -> str:
    """Letters for one character."""
    code = ord(character)
    if code < 128:
        return character
    if _FIRST <= code <= _LAST:
        initial, rest = divmod(code - _FIRST, 588)
        vowel, final = divmod(rest, 28)
        return _INITIALS[initial] + _VOWELS[vowel] + _FINALS[final]
    base = unicodedata.normalize("NFD", character)
    if base[0] < "\x80":
        return base[0]
    return f"u{code:x}" if character.isalnum() else " "
