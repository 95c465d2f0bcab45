import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import ReadError
from layers.importing.encodings import (
    dbf_encoding,
    decodes,
    flagged_encoding,
    known_encoding,
    proven_encoding,
)

KOREAN = "광산명,위치\n철산 희토류 광산,평안북도 철산군\n무산광산,함경북도 무산군"
CHINESE = "矿山名称,位置\n白云鄂博稀土矿,内蒙古包头市\n丹东市振安区,辽宁省"
JAPANESE = "東京都千代田区,レアアース鉱山の位置とその他"


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("ANSI 949", "cp949"),
        ("x-windows-949", "cp949"),
        ("EUC-KR", "cp949"),
        ("euc_kr", "cp949"),
        ("949", "cp949"),
        ("UHC", "cp949"),
        ("KS_C_5601-1987", "cp949"),
        ("WindowsKorean", "cp949"),
        ("GBK", "gb18030"),
        ("ANSI 936", "gb18030"),
        ("UTF-8", "utf-8"),
        ("65001", "utf-8"),
        ("ISO-8859-1", "latin-1"),
        ("ISO8859_15", "iso8859-15"),
        ("ANSI 1252", "cp1252"),
        ("Windows-1251", "cp1251"),
        ("Shift_JIS", "cp932"),
    ],
)
def test_labels_of_programs(label, codec):
    assert known_encoding(label) == codec


@pytest.mark.parametrize(
    "label", ["", "klingon", "rot13", "hex", "idna", "unicode_escape", "utf-7", "\0"]
)
def test_what_is_no_character_set_is_refused(label):
    assert known_encoding(label) is None
    with pytest.raises(ReadError, match="no encoding is called"):
        flagged_encoding(label)


def test_cp949_is_proven_and_said():
    found = proven_encoding(KOREAN.encode("cp949"), "pits.csv")
    assert found.name == "cp949"
    assert "Hangul" in found.reason
    assert proven_encoding(KOREAN.encode(), "pits.csv").name == "utf-8"
    assert proven_encoding(KOREAN.encode(), "pits.csv").reason == ""


def test_gb18030_is_proven_and_said():
    found = proven_encoding(CHINESE.encode("gb18030"), "pits.csv")
    assert found.name == "gb18030"
    assert "Chinese" in found.reason


@pytest.mark.parametrize(
    "text",
    [
        JAPANESE.encode("cp932"),
        JAPANESE.encode("euc-jp"),
        "臺北市信義區礦山名稱與位置".encode("big5"),
        "Île-de-France, Éléphant, où, à côté, façade".encode("cp1252"),
        "Железная дорога, Хабаровск".encode("cp1251"),
        "철산".encode("cp949"),  # too short to be certain
    ],
)
def test_what_is_not_certain_asks_for_the_flag(text):
    with pytest.raises(ReadError, match=r"pass --encoding.*cp949 gives"):
        proven_encoding(text, "pits.csv")


def test_marks_and_zero_bytes():
    for codec in ("utf-8-sig", "utf-16", "utf-32"):
        assert proven_encoding(KOREAN.encode(codec), "f").name == codec
    with pytest.raises(ReadError, match="zero bytes"):
        proven_encoding("abc".encode("utf-16-le"), "f")


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1))
def test_utf8_is_never_taken_for_anything_else(text):
    encoded = text.encode("utf-8", "ignore")
    if b"\0" not in encoded and encoded[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        assert proven_encoding(encoded, "f").name in ("utf-8", "utf-8-sig")


def test_a_sample_may_end_within_a_letter():
    cut = KOREAN.encode("cp949")[:-1]
    assert not decodes(cut, "cp949")
    assert decodes(cut, "cp949", whole=False)


def test_language_byte_of_a_dbf():
    assert dbf_encoding(0x79) == dbf_encoding(0x4E) == "cp949"
    assert dbf_encoding(0x4D) == "gb18030"
    assert dbf_encoding(0x57) is dbf_encoding(0x03) is dbf_encoding(0) is None
