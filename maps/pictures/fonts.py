"""Fonts of a picture: which are there, how wide their letters run, what they lack."""

from __future__ import annotations

import logging
import unicodedata
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

logger = logging.getLogger(__name__)

_LATIN = ("Source Sans 3", "Source Sans Pro", "Noto Sans", "Open Sans")
_KOREAN = (
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "Source Han Sans KR",
    "Source Han Sans K",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "NanumGothic",
)
_CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Zen Hei",
)
_LAST = ("Liberation Sans", "Arial", "Helvetica", "DejaVu Sans")

SANS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": (*_LATIN, *_KOREAN[:1], *_LAST, *_KOREAN[1:], *_CHINESE),
        "ko": (*_KOREAN, *_CHINESE, *_LATIN, *_LAST),
        "zh-Hans": (*_CHINESE, *_KOREAN, *_LATIN, *_LAST),
    }
)
"""Families without serifs by language, best first: Han characters have other shapes in
Korean and in Chinese text."""

SERIF = ("Libertinus Serif", "Linux Libertine", "Source Serif 4", "Georgia")
"""Families with serifs, best first; the first one comes with the typesetter."""

TAGS: Mapping[str, str] = MappingProxyType({"en": "en", "ko": "ko", "zh": "zh-Hans"})
"""Language tag of each language of a picture."""

PACKAGE = "fonts-noto-cjk"
"""Debian's package with the glyphs for Korean and Chinese."""

_ALWAYS = 0x500
_BOLD = 600


def family(language: str, *, serif: bool = False) -> str:
    """Font families of a text as CSS and SVG name them.

    Parameters
    ----------
    language
        A key of :data:`SANS`.
    serif
        Whether Latin letters have serifs.

    Returns
    -------
    str
        Names in their order, each in quotes, and the generic one last.
    """
    names = (*(SERIF if serif else ()), *SANS[language])
    quoted = ", ".join(f"'{name}'" for name in names)
    return f"{quoted}, {'serif' if serif else 'sans-serif'}"


@dataclass(frozen=True, slots=True)
class _Face:
    """One font file that the typesetter found."""

    family: str
    weight: int
    style: str
    path: str
    index: int


class FontStock:
    """Fonts that the typesetter has on this machine.

    Parameters
    ----------
    system
        Whether those of the system count, or only those that come with the typesetter.

    Attributes
    ----------
    handle
        For the typesetter.
    """

    def __init__(self, *, system: bool = True) -> None:
        from maps.pictures.typesetter import typesetter

        self.handle: Any = typesetter().Fonts(include_system_fonts=system)
        self.faces = tuple(
            _Face(f.family, f.weight, f.style, f.path or "", f.index)
            for f in sorted(
                self.handle.fonts(), key=lambda f: (f.family, f.weight, f.path or "")
            )
        )
        self._wide: dict[tuple[str, bool, bool], tuple[_Face, ...]] = {}

    def width(
        self,
        text: str,
        *,
        size: float,
        language: str = "en",
        bold: bool = False,
        serif: bool = False,
        spacing: float = 0.0,
    ) -> float:
        """Width of a line of text.

        Parameters
        ----------
        text
            On one line.
        size
            Of the font.
        language
            A key of :data:`SANS`.
        bold, serif
            How it is set.
        spacing
            Between letters, in parts of the size.

        Returns
        -------
        float
            In the unit of ``size``; by the font where its file can be read, else a
            careful guess.
        """
        faces = self._faces(language, bold=bold, serif=serif)
        wide = sum(_advance(c, faces) + spacing for c in text)
        return (wide + (0.02 * len(text) if bold else 0.0)) * size

    def lacking(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Characters that no font on this machine can draw.

        Parameters
        ----------
        texts
            What is to be drawn.

        Returns
        -------
        tuple of str
            In their order; those of Latin, Greek and Cyrillic, which come with the
            typesetter, are taken as there.
        """
        left = {
            c
            for text in texts
            for c in text
            if ord(c) >= _ALWAYS
            and not 0x2000 <= ord(c) < 0x2300
            and unicodedata.category(c)[0] not in "CZ"
        }
        stack = [name for names in SANS.values() for name in names]
        order = {name: place for place, name in reversed(list(enumerate(stack)))}
        likely = sorted(
            self.faces,
            key=lambda f: (order.get(f.family, len(stack)), abs(f.weight - 400)),
        )
        for face in likely:
            if not left:
                break
            widths = _widths(face.path, face.index)
            left -= {c for c in left if ord(c) in widths}
        return tuple(sorted(left))

    def warn(self, texts: Iterable[str]) -> None:
        """Say on the log what no font can draw, and which package mends it."""
        lacking = self.lacking(texts)
        if not lacking:
            return
        shown = "".join(lacking[:12])
        cjk = any(_is_east_asian(c) for c in lacking)
        mend = (
            f"install a font for Korean and Chinese, such as Debian's {PACKAGE} "
            "(Noto Sans CJK)"
            if cjk
            else "install a font that has them, such as Debian's fonts-noto-core"
        )
        logger.warning(
            "no font on this machine has %d of the characters in the picture (%s%s); "
            "they show as empty boxes. To mend it, %s",
            len(lacking),
            shown,
            " …" if len(lacking) > len(shown) else "",
            mend,
        )

    def _faces(self, language: str, *, bold: bool, serif: bool) -> tuple[_Face, ...]:
        """Faces that set a text, in the order in which they are asked for a glyph."""
        key = (language, bold, serif)
        if key not in self._wide:
            names = (*(SERIF if serif else ()), *SANS[language])
            found = []
            for name in names:
                same = [
                    f for f in self.faces if f.family == name and f.style == "normal"
                ]
                if same:
                    wanted = 700 if bold else 400
                    found.append(min(same, key=lambda f: abs(f.weight - wanted)))
            self._wide[key] = tuple(found)
        return self._wide[key]


def _advance(character: str, faces: tuple[_Face, ...]) -> float:
    """Width of a character in parts of the size."""
    for face in faces:
        if not face.path:
            if ord(character) < _ALWAYS:
                return guess(character)
            continue
        wide = _widths(face.path, face.index).get(ord(character))
        if wide is not None:
            return wide
    return guess(character)


def guess(character: str) -> float:
    """Width of a character whose font cannot be read, in parts of the size."""
    if _is_east_asian(character):
        return 1.0
    if unicodedata.combining(character):
        return 0.0
    if character in "iljtfI.,;:'|![]() ":
        return 0.32
    if character in "mwMW@%":
        return 0.9
    return 0.7 if character.isupper() else 0.53


def _is_east_asian(character: str) -> bool:
    """Whether a character is as wide as it is high."""
    return unicodedata.east_asian_width(character) in {"W", "F"}


@cache
def _widths(path: str, index: int) -> Mapping[int, float]:
    """Width of each character that a font has, in parts of the size."""
    from fontTools.ttLib import TTFont, TTLibError

    if not path:
        return {}
    try:
        with TTFont(path, fontNumber=index, lazy=True) as font:
            metrics = font["hmtx"].metrics
            units = float(font["head"].unitsPerEm)
            glyphs = font.getBestCmap() or {}
            return {code: metrics[name][0] / units for code, name in glyphs.items()}
    except (TTLibError, OSError, KeyError, AttributeError) as error:
        logger.info("cannot read the font %s: %s", path, error)
        return {}
