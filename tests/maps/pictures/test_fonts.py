import logging
import subprocess

import pytest

from maps.pictures.fonts import SANS, FontStock, family, guess


@pytest.fixture(scope="module")
def bare():
    """A machine with no fonts but those of the typesetter."""
    return FontStock(system=False)


def test_without_a_font_hangul_and_han_are_named_with_the_package(bare, caplog):
    with caplog.at_level(logging.WARNING):
        bare.warn(["Cholsan 철산", "铁山"])
    (record,) = caplog.records
    line = record.getMessage()
    assert "fonts-noto-cjk" in line
    assert "4 of the characters" in line
    for character in "철산铁山":
        assert character in line


def test_other_scripts_name_another_package(bare, caplog):
    with caplog.at_level(logging.WARNING):
        bare.warn(["سلام"])
    (record,) = caplog.records
    assert "fonts-noto-core" in record.getMessage()


def test_what_a_font_has_is_no_trouble(bare, caplog):
    with caplog.at_level(logging.WARNING):
        bare.warn(["Reported, Chŏlsan – 2,5 € → Ελλάς Россия ²¶°"])
    assert caplog.records == []


def test_widths_are_those_of_the_typesetter(fonts):
    """Its own measure is the judge: a name must not be wider than we think."""
    from maps.pictures.typesetter import typesetter

    text = "Unbong (Yunfeng) hydropower plant"
    face = next((n for n in SANS["en"] if n in {f.family for f in fonts.faces}), "")
    if not face:
        pytest.skip("no sans-serif font is installed here")
    source = (
        f'#context [#metadata(measure(text(font: "{face}", size: 100pt)'
        f"[{text}]).width.pt()) <m>]"
    )
    found = float(
        typesetter().query(
            source.encode(), "<m>", field="value", one=True, font_paths=fonts.handle
        )
    )
    ours = fonts.width(text, size=100)
    assert ours == pytest.approx(found, rel=0.03)


def test_wide_characters_are_wide_even_where_no_font_is_read(bare):
    assert bare.width("철산", size=10, language="ko") == 20
    assert guess("W") > guess("i")
    assert bare.width("", size=10) == 0


def test_every_language_has_its_own_shapes_first():
    assert family("ko").index("CJK KR") < family("ko").index("CJK SC")
    assert family("zh-Hans").index("CJK SC") < family("zh-Hans").index("CJK KR")
    assert family("en").endswith("sans-serif")
    assert family("en", serif=True).startswith("'Libertinus Serif'")


@pytest.mark.skipif(
    not subprocess.run(
        ["sh", "-c", "command -v fc-list"], capture_output=True, check=False
    ).stdout,
    reason="fontconfig is not installed here",
)
def test_the_fonts_of_the_system_are_found(fonts):
    listed = subprocess.run(
        ["fc-list", ":lang=ko", "family"], capture_output=True, text=True, check=True
    ).stdout
    if not listed.strip():
        pytest.skip("no Korean font is installed here: apt-get install fonts-noto-cjk")
    assert fonts.lacking(["철산 희토류광산 铁山郡稀土矿"]) == ()
