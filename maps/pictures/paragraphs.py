"""Paragraphs: text broken into lines that fit, set one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maps.pictures.labels import run
from maps.pictures.svg import legible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maps.pictures.fonts import FontStock


class Paragraphs:
    """Sets text line by line.

    Parameters
    ----------
    fonts
        That measure it.
    palette
        Colours by role.

    Attributes
    ----------
    parts, texts
        SVG of the lines, and their texts.
    """

    def __init__(self, fonts: FontStock, palette: Mapping[str, str]) -> None:
        self.fonts = fonts
        self.palette = palette
        self.parts: list[str] = []
        self.texts: list[str] = []

    def lines(
        self,
        text: str,
        at: tuple[float, float],
        *,
        size: float,
        tag: str,
        room: float,
        role: str = "ink",
        bold: bool = False,
        serif: bool = False,
        leading: float = 1.3,
    ) -> float:
        """Set a text in as many lines as it needs.

        Parameters
        ----------
        text
            What it says.
        at
            Left upper corner of its first line. [units]
        size, tag, role, bold, serif
            How it is set, in which language and colour.
        room
            Width of a line. [units]
        leading
            Height of a line, in parts of the size.

        Returns
        -------
        float
            Where the next text may begin. [units]
        """
        x, y = at
        for one in wrapped(
            text, self.fonts, size=size, tag=tag, room=room, bold=bold, serif=serif
        ):
            self.parts.append(
                run(
                    one,
                    (x, y + size),
                    size=size,
                    tag=tag,
                    colour=self.palette[role],
                    bold=bold,
                    serif=serif,
                )
            )
            self.texts.append(one)
            y += size * leading
        return y


def wrapped(
    text: str,
    fonts: FontStock,
    *,
    size: float,
    tag: str,
    room: float,
    bold: bool = False,
    serif: bool = False,
) -> list[str]:
    """Break a text into lines that fit.

    Parameters
    ----------
    text
        On one line.
    fonts
        That measure it.
    size, tag, bold, serif
        How it is set.
    room
        Width of a line. [units]

    Returns
    -------
    list of str
        Broken at blanks; between any two characters in Chinese, or where one word is
        too long for a line.
    """

    def wide(part: str) -> float:
        return fonts.width(part, size=size, language=tag, bold=bold, serif=serif)

    lines = [""]
    for word in legible(text).split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if wide(longer) <= room:
            lines[-1] = longer
            continue
        if wide(word) <= room and not tag.startswith("zh"):
            lines.append(word)
            continue
        rest = longer if tag.startswith("zh") else word
        if rest is longer:
            lines.pop()
        while rest:
            cut = len(rest)
            while cut > 1 and wide(rest[:cut]) > room:
                cut -= 1
            while 1 < cut < len(rest) and rest[cut] in "。,、;:)”?!.":
                cut -= 1
            lines.append(rest[:cut])
            rest = rest[cut:].lstrip()
    return [line for line in lines if line]
