import re
import xml.etree.ElementTree as ET

import pytest

from layers.symbology import DARK, LIGHT, MARKS
from maps.exchange import build
from maps.panel import credit_lines
from maps.pictures.figure import figure
from maps.pictures.words import mark as mark_words
from tests.maps.conftest import HOSTILE, poison

SVG = "{http://www.w3.org/2000/svg}"
EXCHANGES = ("cholsan-2019", "pobeda-2014", "sicomines-2008")


def parsed(drawn):
    return ET.fromstring(drawn.svg)


def texts(root):
    return " ".join(t.text or "" for t in root.iter(f"{SVG}text"))


@pytest.mark.parametrize("language", ["en", "ko", "zh"])
@pytest.mark.parametrize("name", EXCHANGES)
def test_the_legend_has_exactly_the_marks_that_are_drawn(drawn, name, language):
    made = drawn(name, language=language)
    root = parsed(made)
    on_map = {
        e.get("class").split()[1]
        for e in root.find(f"{SVG}g[@id='map']").iter()
        if (e.get("class") or "").startswith("mark ")
    }
    legend = {
        e.get("class").split()[1]
        for e in root.iter()
        if (e.get("class") or "").startswith("legend-mark ")
    }
    assert on_map == legend == {m.key for m in made.scene.marks}
    said = texts(root).replace(" ", "")
    for mark in made.scene.marks:
        for text in mark_words(mark, language):
            assert text.replace(" ", "") in said


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_picture_says_what_it_is_worth(drawn, pages, name):
    deal, _ = pages[name]
    said = texts(parsed(drawn(name)))
    assert deal.title in said
    assert deal.title_ko in said
    assert f"Measures as of: {deal.as_of}" in said
    assert "Reported, not confirmed." in said
    assert "No legal advice." in said
    assert re.search(r"Scale in the middle 1:[\d,]+ \(180 mm\)", said)
    for line in credit_lines(deal):
        assert line["short"] in said
    assert ("not routes" in said) == any(
        m.key.startswith("leg-") for m in drawn(name).scene.marks
    )


def test_every_kind_of_mark_of_the_deal_is_there(drawn):
    keys = {m.key for m in drawn().scene.marks}
    assert {"subject", "region", "candidate", "hub", "historic", "crossing"} <= keys
    assert {"leg-out-rights", "leg-in-investment", "leg-in-equipment"} <= keys
    assert {"leg-out-ore", "tie", "uncertainty", "plant", "occurrence"} <= keys
    assert "tie-area" not in keys  # the page opens without them
    assert "names" not in keys  # a switch of the page, no mark


def test_marks_look_as_on_the_page(drawn):
    root = parsed(drawn())
    marks = root.find(f"{SVG}g[@id='map']")

    def first(key):
        return next(e for e in marks.iter() if e.get("class") == f"mark {key}")

    assert first("candidate").get("fill") == "url(#hatch)"
    assert first("candidate").get("stroke-dasharray") == MARKS["candidate"].dash
    assert first("subject").get("fill") == "url(#soft-out)"
    assert first("uncertainty").get("stroke-dasharray") == "2 3"
    assert first("region").get("fill") == LIGHT["region"]
    ink = list(first("leg-in-investment"))[1]
    assert ink.get("stroke") == LIGHT["in"]
    assert ink.get("stroke-dasharray") == "10 5"
    assert root.find(f".//{SVG}pattern[@id='hatch']") is not None


def test_legs_between_the_same_ends_bend_apart(drawn):
    legs = [f for f in drawn().scene.features if f.family == "leg"]
    lines = [f.shapes[0][0] for f in legs]
    middles = [tuple(line[len(line) // 2].round()) for line in lines]
    assert len(set(middles)) == len(middles) == 6
    for line in lines:
        chord = (line[0] + line[-1]) / 2
        assert abs(line[len(line) // 2] - chord).max() > 2


def test_the_dark_palette_is_used_throughout(drawn):
    light, dark = drawn().svg, drawn(dark=True).svg
    assert DARK["paper"] in dark
    assert LIGHT["paper"] not in dark
    assert LIGHT["paper"] in light
    assert light.count("<path") == dark.count("<path")


def test_text_stays_text_with_its_language(drawn):
    root = parsed(drawn())
    found = {
        t.text: t.get("{http://www.w3.org/XML/1998/namespace}lang")
        for t in root.iter(f"{SVG}text")
    }
    assert found["단둥시"] == "ko"
    assert found["丹东市"] == "zh-Hans"
    assert found["Dandong"] == "en"
    assert root.find(f"{SVG}title").text
    assert root.find(f"{SVG}desc").text
    assert root.get("role") == "img"


def test_a_drawing_is_the_same_every_time(pages, fonts):
    deal, page = pages["cholsan-2019"]
    again = build(deal)
    assert (
        figure(deal, page, fonts=fonts, width=900).svg
        == figure(deal, again, fonts=fonts, width=900).svg
    )


def test_hostile_and_endless_names_stay_text(pages, fonts):
    deal = poison(pages["cholsan-2019"][0])
    made = figure(deal, build(deal), fonts=fonts, width=900)
    root = parsed(made)
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        *("svg", "title", "desc", "defs", "pattern", "radialGradient", "stop"),
        *("clipPath", "rect", "path", "circle", "g", "text"),
    }
    assert "<script>" in texts(root)
    assert HOSTILE not in made.svg
    for text in root.iter(f"{SVG}text"):
        assert len(text.text) < 200
    assert made.height < 900 * 4


def test_a_wider_picture_is_no_enlargement(drawn):
    small, large = drawn(width=600.0), drawn(width=2000.0)
    names = [sum(1 for _ in parsed(d).iter(f"{SVG}text")) for d in (small, large)]
    assert names[1] > names[0]
    assert large.height_mm < 400 * 1.3
