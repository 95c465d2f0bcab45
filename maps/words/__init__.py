"""What the page says by itself, in every language that it can be read in.

English text is the key of each entry, so that templates stay readable. What the page
shows is a ``span`` that names its entry; the page's script swaps the text without a
reload. Text of the data is never translated: it stays in its own language, and says so.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from base64 import b32encode
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from geo.errors import GeoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

LANGUAGES: Mapping[str, str] = MappingProxyType(
    {"en": "English", "ko": "한국어", "zh": "中文"}
)
"""Languages of the page by their tag, each by its own name; English comes first."""

SOURCE = "en"
"""Language of the keys, and of the data where nothing else is said."""

_PLACE = re.compile(r"\{(\d)\}")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_PLAIN = re.compile(r"[^A-Za-z|]*")
_SHOWN = re.compile(r'data-t="([a-z2-7]{5})"|data-ta="([^"]*)"')
_CALLED = re.compile(
    r"""\b(?:t\(|said\(|ta\(\w+,\s*'[a-z -]+',)\s*"""
    r"""(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")"""
)
_FOREIGN = re.compile(
    "([\u3400-\u9fff]+(?: [\u3400-\u9fff]+)*|[\uac00-\ud7a3]+(?: [\uac00-\ud7a3]+)*)"
)
_now: ContextVar[str] = ContextVar("language", default=SOURCE)
_around: ContextVar[str] = ContextVar("around", default=SOURCE)


class LanguageError(GeoError, ValueError):
    """A language that the page cannot be read in."""


@dataclass(frozen=True)
class Word:
    """One text in every language.

    Attributes
    ----------
    id
        Five letters and digits by which the page knows it; made of the English text.
    texts
        The text by language.
    """

    id: str
    texts: Mapping[str, str]


class Said(str):
    """A text of the page in English that knows how to be said in other languages.

    It can be used wherever a text can; :func:`tr` writes it so that its language can
    change. What is put in is text of the data, in a language that nobody stated.

    Parameters
    ----------
    english
        A key of the vocabulary.
    *values
        What stands for ``{0}``, ``{1}``, …: texts, numbers, or further ones of these.

    Examples
    --------
    >>> Said("{0} (no source named)", "pits")
    'pits (no source named)'
    """

    __slots__ = ("english", "values")

    english: str
    values: tuple[object, ...]

    def __new__(cls, english: str, *values: object) -> Said:
        """Return the English text; ``english`` and ``values`` are kept beside it."""
        parts = _PLACE.split(english) if values else [english]
        text = "".join(
            str(values[int(part)]) if place % 2 else part
            for place, part in enumerate(parts)
        )
        made = super().__new__(cls, text)
        made.english, made.values = english, values
        return made

    def __reduce__(self) -> tuple[type[Said], tuple[object, ...]]:
        """Be copied as what it was made of."""
        return (type(self), (self.english, *self.values))


@cache
def vocabulary() -> Mapping[str, Word]:
    """Every text that the page can say, by its English.

    Returns
    -------
    mapping
        In the order of ``words.toml``.
    """
    raw = tomllib.loads(files(__name__).joinpath("words.toml").read_text("utf-8"))
    found = {
        english: Word(_id(english), {SOURCE: english, **others})
        for section in raw.values()
        for english, others in section.items()
    }
    return MappingProxyType(found)


def known_language(language: str) -> str:
    """Return a language if the page can be read in it.

    Parameters
    ----------
    language
        A tag, such as ``ko``.

    Returns
    -------
    str
        The same.

    Raises
    ------
    LanguageError
        If it is not one of :data:`LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise LanguageError(
            f"language {str(language)[:20]!r} is not one of the page's; expected "
            f"{', '.join(LANGUAGES)}"
        )
    return language


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let templates write a language until the block ends.

    Parameters
    ----------
    language
        A key of :data:`LANGUAGES`.
    """
    token = _now.set(known_language(language))
    try:
        yield
    finally:
        _now.reset(token)


def spoken() -> str:
    """Return the language that templates write now.

    Returns
    -------
    str
        A key of :data:`LANGUAGES`.
    """
    return _now.get()


def within(language: str, caller: Callable[[], Markup]) -> Markup:
    """Write a part of a template whose element states a language of its own.

    Parameters
    ----------
    language
        Of the data round the texts of the page; empty where nobody stated it: then
        only texts of the page are translated, and data are left as they are.
    caller
        The part, as a template's ``call`` gives it.

    Returns
    -------
    markupsafe.Markup
        What it wrote; each text of the page in it says its language where it differs.
    """
    token = _around.set(language)
    try:
        return Markup(caller())
    finally:
        _around.reset(token)


def t(english: str, *values: object) -> Markup:
    """Write a text of the page so that its language can change.

    Parameters
    ----------
    english
        A key of the vocabulary.
    *values
        What stands for ``{0}``, ``{1}``, …; markup stays markup, all else is escaped.

    Returns
    -------
    markupsafe.Markup
        A ``span``; what is put in stays in the language of the data.

    Raises
    ------
    KeyError
        If there is no such text.

    Examples
    --------
    >>> t("Zoom in")
    Markup('<span data-t="bzd7b">Zoom in</span>')
    """
    return _written(english, values, SOURCE)


def _written(english: str, values: tuple[object, ...], language: str) -> Markup:
    """Write a text of the page; what is put in is of a language, or of none."""
    word = vocabulary()[english]
    texts = [str(value) for value in values]
    attributes = Markup(' data-t="{}"').format(word.id)
    plain = _is_plain if language else _is_wordless
    if values and all(plain(value) for value in values):
        attributes += Markup(' data-a="{}"').format("|".join(texts))
        slots = [escape(text) for text in texts]
    else:
        slots = [_slot(place, value, language) for place, value in enumerate(values)]
    if spoken() != _around.get():
        attributes += Markup(' lang="{}"').format(spoken())
    body = _filled(word.texts[spoken()], slots)
    return Markup("<span{}>{}</span>").format(attributes, body)


def tr(text: str) -> Markup:
    """Write a text of the data; in the reader's language if it is a fixed phrase.

    Parameters
    ----------
    text
        Any. Numbers in it may stand for ``{0}``, ``{1}``, … of a known phrase.

    Returns
    -------
    markupsafe.Markup
        As from :func:`t`, or the escaped text.

    Examples
    --------
    >>> tr("1 origin, told in 14 texts").striptags(), tr("<i>")
    ('1 origin, told in 14 texts', Markup('&lt;i&gt;'))
    """
    if isinstance(text, Said):
        return _written(text.english, text.values, "")
    if not _around.get():
        return escape(text)
    known = recognised(text)
    return t(known.english, *known.values) if known else foreign(text)


def recognised(text: str) -> Said | None:
    """Find the fixed phrase that a text is.

    Parameters
    ----------
    text
        In English. Numbers in it may stand for ``{0}``, ``{1}``, … of a phrase.

    Returns
    -------
    Said or None
        The same text; None if it is no phrase of the page.

    Examples
    --------
    >>> recognised("may be off by 4.5 km").values, recognised("Smith 1999")
    (('4.5',), None)
    """
    words = vocabulary()
    if text in words:
        return Said(text)
    numbers = _NUMBER.findall(text)
    if numbers and len(numbers) < 10:
        places = iter(range(len(numbers)))
        pattern = _NUMBER.sub(lambda _: f"{{{next(places)}}}", text)
        if pattern in words:
            return Said(pattern, *numbers)
    return None


def ta(name: str, english: str, *values: object) -> Markup:
    """Write an attribute whose language can change.

    Parameters
    ----------
    name
        Name of the attribute, or names parted by spaces.
    english
        A key of the vocabulary.
    *values
        Plain texts that stand for ``{0}``, ``{1}``, …

    Returns
    -------
    markupsafe.Markup
        Attributes, with a space before them.

    Raises
    ------
    KeyError
        If there is no such text.
    """
    word = vocabulary()[english]
    text = _filled(word.texts[spoken()], [escape(str(value)) for value in values])
    found = Markup("").join(
        Markup(' {}="{}"').format(part, Markup(text)) for part in name.split()
    )
    ids = " ".join(f"{part}:{word.id}" for part in name.split())
    found += Markup(' data-ta="{}"').format(ids)
    if values:
        found += Markup(' data-aa="{}"').format(json.dumps([str(v) for v in values]))
    if spoken() != _around.get():
        found += Markup(' lang="{}"').format(spoken())
    return found


def foreign(text: str) -> Markup:
    """Write a text of the data with its Korean and Chinese parts marked as such.

    Parameters
    ----------
    text
        Any, such as authors and publishers.

    Returns
    -------
    markupsafe.Markup
        Escaped; each run of Hangul or of Han characters in a ``span``.

    Examples
    --------
    >>> foreign("김상욱, Newstown")
    Markup('<span lang="ko">김상욱</span>, Newstown')
    """
    return Markup("").join(
        Markup('<span lang="{}">{}</span>').format(
            "ko" if part[0] >= "가" else "zh", part
        )
        if place % 2
        else escape(part)
        for place, part in enumerate(_FOREIGN.split(text))
    )


def named(english: str, korean: str = "", chinese: str = "") -> Markup:
    """Write a name that has forms in other languages.

    Parameters
    ----------
    english, korean, chinese
        The name; empty where there is none.

    Returns
    -------
    markupsafe.Markup
        The escaped name, in a ``span`` if it has other forms.
    """
    others = {"ko": korean, "zh": chinese}
    if not any(others.values()):
        return escape(english)
    shown = others.get(spoken(), "")
    attributes = Markup("" if _around.get() else " data-l") + Markup("").join(
        Markup(' data-{}="{}"').format(tag, text)
        for tag, text in others.items()
        if text
    )
    if shown:
        attributes += Markup(' data-en="{}" lang="{}"').format(english, spoken())
    return Markup("<span data-n{}>{}</span>").format(attributes, shown or english)


def page_words(
    html: str, scripts: Iterable[str], also: Iterable[str] = ()
) -> dict[str, list[str]]:
    """Return the texts that a page needs to change its language.

    Parameters
    ----------
    html
        The page.
    scripts
        Its scripts, which name their texts in calls of ``t``, ``said`` and ``ta``.
    also
        English texts that its data may have to say.

    Returns
    -------
    dict
        Texts in the order of :data:`LANGUAGES`, by id.
    """
    wanted = {english for script in scripts for english in called(script)} | {*also}
    ids = set()
    for word, attributes in _SHOWN.findall(html):
        ids |= {word, *(part.partition(":")[2] for part in attributes.split())}
    return {
        word.id: [word.texts[language] for language in LANGUAGES]
        for english, word in vocabulary().items()
        if english in wanted or word.id in ids
    }


def called(script: str) -> list[str]:
    """Return the texts that a script says.

    Parameters
    ----------
    script
        JavaScript in which they are literals, as in ``t('Zoom in')``.

    Returns
    -------
    list of str
        Each English text as often as it is named.
    """
    found = []
    for single, double in _CALLED.findall(script):
        found.append(re.sub(r"\\(.)", r"\1", single or double))
    return found


def _id(english: str) -> str:
    """Short name of a text that stays the same when others come or go."""
    return b32encode(hashlib.sha256(english.encode()).digest())[:5].decode().lower()


def _is_plain(value: object) -> bool:
    """Whether a value has no words in it, and so no language."""
    return not isinstance(value, Markup) and bool(_PLAIN.fullmatch(str(value)))


def _is_wordless(value: object) -> bool:
    """Whether a value has no letter of any script in it."""
    text = str(value)
    return not isinstance(value, Markup) and not (
        "|" in text or any(letter.isalpha() for letter in text)
    )


def _slot(place: int, value: object, language: str) -> Markup:
    """Return what is put into a text, marked as of its language if it may be."""
    if isinstance(value, Said):
        value = _written(value.english, value.values, "")
    own = isinstance(value, Markup) and value.startswith("<span data-t=")
    plain = own or (_is_plain(value) if language else _is_wordless(value))
    tag = "" if plain else Markup(' lang="{}"').format(language)
    return Markup('<span data-s="{}"{}>{}</span>').format(place, tag, value)


def _filled(text: str, slots: list[Markup]) -> Markup:
    """Put escaped parts into a text, which is escaped as well."""
    parts = _PLACE.split(text)
    return Markup("").join(
        slots[int(part)] if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )
