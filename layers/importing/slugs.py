"""Ids out of names: small letters, digits and hyphens, the same every time."""

from __future__ import annotations

import re
import unicodedata

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
        self.repeated = 0

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
        plain = slug(text) or f"{self.stem}-{row}"
        times = self._taken.get(plain, 0) + 1
        self._taken[plain] = times
        if times == 1:
            return plain
        self.repeated += 1
        while f"{plain}-{times}" in self._taken:
            times += 1
        self._taken[plain] = times
        self._taken[f"{plain}-{times}"] = 1
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
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text))
    letters = "".join(_letters(character) for character in plain.lower())
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:_LONGEST].rstrip("-")


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
