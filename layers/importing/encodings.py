"""Which encoding a text is in: what a file states, what its bytes prove, or a flag.

Text is never decoded on a guess. An encoding is taken from a flag, from what the file
states, or from its bytes where they leave one reading: valid UTF-8, or two-byte text
whose letters are, in one of the encodings of the region, those that people write most.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from layers.errors import ReadError

_ALIASES = {
    "cp949": "ksc56011987 ksc5601 ksx1001 euckr euckr949 uhc xwindows949 windows949 "
    "ms949 ansi949 949 51949 20949 korean windowskorean",
    "gb18030": "gb18030 gbk gb2312 euccn cp936 936 ansi936 windows936 ms936 54936 "
    "windowssimpchinese",
    "big5": "big5 cp950 950 ansi950 windows950 ms950 windowstradchinese",
    "cp932": "cp932 932 ansi932 ms932 windows31j shiftjis sjis windowsjapanese",
    "utf-8": "utf8 65001 cp65001 ansi65001 unicode",
    "utf-8-sig": "utf8sig utf8bom",
    "utf-16": "utf16 1200 cp1200",
    "latin-1": "88591 iso88591 28591 latin1 ansi28591",
}
"""Names that programs write, without case and punctuation, by the codec that reads
them. EUC-KR is read as CP949 and GB 2312 as GB 18030, which hold all of theirs."""

_BY_ALIAS = {alias: name for name, some in _ALIASES.items() for alias in some.split()}

_NO_CHARSETS = {
    *("idna", "mbcs", "oem", "palmos", "punycode", "undefined", "utf-7"),
    *("raw-unicode-escape", "unicode-escape"),
}
"""Codecs of Python that are no character sets of files."""

_BY_DBF = {
    **dict.fromkeys((0x4D, 0x7A), "gb18030"),
    **dict.fromkeys((0x4E, 0x79), "cp949"),
    **dict.fromkeys((0x4F, 0x78), "big5"),
    **dict.fromkeys((0x13, 0x7B), "cp932"),
    0xC8: "cp1250",
    0xC9: "cp1251",
}
"""Language byte of a dBASE table. What programs write for want of a better (0, 3 and
0x57, "ANSI") states nothing."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_COMMON_HANGUL = frozenset(
    "가강거경계고공과관광교구국군그금기길김나남내년노농다단대덕도동등라락량력로류리림마만면명모목무"
    "문물미민바발방배백법보봉부북비사산상생서석선설성세소송수순시식신실아안암양어에여역연영예오와"
    "용우운원월위유육은을읍의이인일임입자작장재적전점정제조종주중지진질차창천철청체촌치탄토통특"
    "파평포표하학한항해행현호화확환황회"
)
_COMMON_HANZI = frozenset(
    "的一是在不了有人大上中国到个为以要年时地会出对生能于学下家行分"
    "省市县区镇村乡州江河山海南北东西湖路街新城平安阳长沙金银铜铁矿石公司类型名称位置编号面积日期"
    "开发产业工程铅锌煤稀土储量资源"
)
_LETTERS_FOR_PROOF = 6
_COMMON_FOR_PROOF = 0.4


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """Encoding of a text, and why.

    Attributes
    ----------
    name
        Codec of Python.
    reason
        One sentence for the reader; empty where nothing is to be said.
    """

    name: str
    reason: str = ""


def known_encoding(label: str) -> str | None:
    """Find the codec that an encoding's name in a file means.

    Parameters
    ----------
    label
        As a ``.cpg``, an XML declaration or a person writes it.

    Returns
    -------
    str or None
        Name of a codec of Python; None if there is none.

    Examples
    --------
    >>> known_encoding("ANSI 949"), known_encoding("EUC-KR"), known_encoding("klingon")
    ('cp949', 'cp949', None)
    """
    plain = re.sub(r"[^0-9a-z]", "", label.strip().lower()[:40])
    if plain in _BY_ALIAS:
        return _BY_ALIAS[plain]
    page = re.fullmatch(r"(?:ansi|windows|cp|ms|oem|ibm)?(\d{3,5})", plain)
    name = f"cp{page[1]}" if page else label.strip()[:40]
    if re.fullmatch(r"(?:iso)?8859(\d+)", plain):
        name = f"iso8859-{plain.partition('8859')[2]}"
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name not in _NO_CHARSETS else None


def flagged_encoding(label: str) -> str:
    """Find the codec that the caller asks for.

    Parameters
    ----------
    label
        What was asked for.

    Returns
    -------
    str
        Name of a codec of Python.

    Raises
    ------
    ReadError
        If there is none of that name.
    """
    name = known_encoding(label)
    if name is None:
        raise ReadError(
            f"no encoding is called {label[:40]!r}; expected one such as utf-8, cp949, "
            "gb18030 or cp1252"
        )
    return name


def dbf_encoding(language: int) -> str | None:
    """Find the codec that the language byte of a dBASE table states, if any.

    Parameters
    ----------
    language
        Byte 29 of the file.

    Returns
    -------
    str or None
        Name of a codec of Python.
    """
    return _BY_DBF.get(language)


def proven_encoding(sample: bytes, name: str, *, whole: bool = True) -> Encoding:
    """Find the one encoding that the bytes of a text leave.

    Parameters
    ----------
    sample
        Text, from its beginning.
    name
        What to call the file in a message.
    whole
        Whether the text ends with the sample, or goes on in the midst of a letter.

    Returns
    -------
    Encoding
        A mark at the beginning, ASCII and UTF-8 prove themselves. CP949 and GB 18030
        do where at least six letters are of two bytes, nearly all of them Hangul or
        Chinese, and two in five among the commonest.

    Raises
    ------
    ReadError
        If the bytes leave several readings; the message shows them.
    """
    for mark, codec in _BOMS:
        if sample.startswith(mark):
            return Encoding(name=codec)
    if sample.isascii():
        if b"\0" in sample:
            raise ReadError(
                f"{name} holds zero bytes, so it is no text, or UTF-16 without a mark; "
                "save it in UTF-8, or say --encoding utf-16-le"
            )
        return Encoding(name="utf-8")
    if decodes(sample, "utf-8", whole=whole):
        return Encoding(name="utf-8")
    found = [
        Encoding(name=codec, reason=reason)
        for codec, is_letter, common, script in (
            ("cp949", _is_hangul, _COMMON_HANGUL, "Hangul"),
            ("gb18030", _is_hanzi, _COMMON_HANZI, "Chinese"),
        )
        if (reason := _proof(sample, codec, is_letter, common, script, whole=whole))
    ]
    if len(found) == 1:
        return found[0]
    raise ReadError(
        f"{name} is not UTF-8 and does not say what it is; pass --encoding with the "
        f"one that reads right: {_readings(sample)}"
    )


def decodes(sample: bytes, codec: str, *, whole: bool = True) -> bool:
    """Say whether bytes are text in an encoding.

    Parameters
    ----------
    sample
        Text.
    codec
        Name of a codec of Python.
    whole
        Whether the text may not end in the midst of a letter.

    Returns
    -------
    bool
        Whether every byte has its place.
    """
    try:
        codecs.getincrementaldecoder(codec)("strict").decode(sample, whole)
    except UnicodeError:
        return False
    return True


def _proof(
    sample: bytes,
    codec: str,
    is_letter: re.Pattern[str],
    common: frozenset[str],
    script: str,
    *,
    whole: bool,
) -> str:
    """Say why a text can be in this encoding only; empty if that is not so."""
    if not decodes(sample, codec, whole=whole):
        return ""
    text = sample.decode(codec, "ignore")
    foreign = [letter for letter in text if letter > "\x7f"]
    letters = [letter for letter in foreign if is_letter.match(letter)]
    often = sum(letter in common for letter in letters)
    if (
        len(letters) < _LETTERS_FOR_PROOF
        or len(letters) < 0.8 * len(foreign)
        or often < _COMMON_FOR_PROOF * len(letters)
    ):
        return ""
    return (
        f"The text does not state its encoding; read as {codec.upper()}, in which "
        f"{len(letters)} of its {len(foreign)} letters beyond ASCII are {script}, "
        f"{often} of them among the commonest."
    )


_is_hangul = re.compile("[가-힣]")
_is_hanzi = re.compile("[一-鿿]")


def _readings(sample: bytes) -> str:
    """Show a piece of a text as the usual encodings read it."""
    at = next(i for i, byte in enumerate(sample) if byte > 0x7F)
    begin = max(sample.rfind(sep, 0, at) for sep in (b"\n", b",", b"\0", b" ")) + 1
    piece = sample[max(begin, at - 10) : at + 12]
    shown = []
    for codec in ("cp949", "gb18030", "cp932", "cp1252"):
        text = piece.decode(codec, "replace").split("\n")[0]
        readable = "".join(c if c.isprintable() else "?" for c in text)
        shown.append(f"{codec} gives {readable.strip()!r}")
    return ", ".join(shown)
