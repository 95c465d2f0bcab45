"""The page's style sheet and the table that QGIS is dressed from say the same."""

import re
from pathlib import Path

import pytest

import maps
from layers.export.qgis import looks
from layers.symbology import MARKS, leg_mark

FOLDER = Path(maps.__file__).parent
CSS = "".join(
    (FOLDER / "assets" / name).read_text(encoding="utf-8")
    for name in ("page.css", "sites.css")
)
SYMBOLS = (FOLDER / "templates" / "symbols.html").read_text(encoding="utf-8")


def rule(selector):
    """Declarations of the first rule that has a selector."""
    for selectors, body in re.findall(r"^([^{}@\n]+)\{([^{}]*)\}", CSS, re.MULTILINE):
        if selector in [one.strip() for one in selectors.split(",")]:
            pairs = [part.split(":", 1) for part in body.split(";") if ":" in part]
            return {name.strip(): value.strip() for name, value in pairs}
    raise AssertionError(f"no rule for {selector}")


def number(found, name, default=1.0):
    return float(found.get(name, default))


def role(value):
    """Key of a colour; empty for the mark's own."""
    name = re.fullmatch(r"var\(--([a-z0-9-]+)\)", value)[1]
    return "" if name == "mark" else name


def agrees(pen, *rules):
    found = {name: value for one in rules for name, value in one.items()}
    assert pen.width == number(found, "stroke-width")
    assert pen.opacity == number(found, "stroke-opacity")
    assert pen.role == role(found.get("stroke", "var(--mark)"))
    return found


def test_areas_have_the_pages_lines_and_fills():
    plain = rule(".area")
    for key in ("region", "subject", "candidate"):
        drawn = looks.look(MARKS[key])
        found = agrees(drawn.pens[0], plain, rule(f".mark-{key}"))
        assert drawn.fill.opacity == number(found, "fill-opacity") or key == "candidate"
        assert drawn.pens[0].dash == MARKS[key].dash
    region = looks.look(MARKS["region"]).fill
    assert region.role == role(rule(".mark-region")["fill"])
    assert rule(".mark-subject")["fill"] == "url(#soft-out)"
    assert looks.look(MARKS["subject"]).fill.kind == "soft"
    assert rule(".mark-candidate")["fill"] == "url(#hatch)"
    assert looks.look(MARKS["candidate"]).fill.kind == "hatch"


def test_an_unknown_area_is_drawn_as_the_page_draws_any():
    from dataclasses import replace

    drawn = looks.look(replace(MARKS["region"], key="other", dash="1 1"))
    found = agrees(drawn.pens[0], rule(".area"))
    assert drawn.fill.opacity == number(found, "fill-opacity")
    assert drawn.pens[0].dash == "1 1"


@pytest.mark.parametrize(
    ("drawn", "selector"), [(looks.RING, ".ring"), (looks.COARSE, ".mark-plant.area")]
)
def test_rings_and_areas_in_place_of_points(drawn, selector):
    found = agrees(drawn.pens[0], rule(selector))
    assert drawn.pens[0].dash == found["stroke-dasharray"]
    assert drawn.fill.opacity == number(found, "fill-opacity")


def test_the_ring_has_the_dash_of_its_own_mark():
    assert looks.RING.pens[0].dash == MARKS["uncertainty"].dash


def test_lines_have_the_pages_casing_ink_and_head():
    casing, ink = looks.look(leg_mark("ore", "out")).pens
    agrees(casing, rule(".casing"))
    agrees(ink, rule(".ink"))
    assert looks.look(leg_mark("rights", "in")).pens[1].dash == "12 3 2 3"
    assert looks.look(leg_mark("ore", "out")).head
    for key in ("tie", "tie-area"):
        [pen] = looks.look(MARKS[key]).pens
        found = agrees(pen, rule(".ink"), rule(".mark-tie.ink"))
        assert (pen.dash, pen.cap) == (MARKS[key].dash, found["stroke-linecap"])
        assert not looks.look(MARKS[key]).head


def test_sites_have_the_lines_of_their_own_style_sheet():
    casing, ink = looks.look(MARKS["site"]).pens
    agrees(casing, rule(".casing-site"))
    found = agrees(ink, rule(".ink-site"))
    assert ink.dash == found["stroke-dasharray"]


def test_a_town_is_drawn_smaller():
    scaled = re.findall(
        r"^\.mark-([a-z]+) svg \{ transform: scale\(([\d.]+)\)", CSS, re.MULTILINE
    )
    assert dict(looks.SMALL) == {key: float(share) for key, share in scaled}


def test_hatching_shading_and_arrows_are_those_of_the_page():
    hatch = re.search(
        r'<pattern id="hatch" width="(\d+)".*?</pattern>', SYMBOLS, re.DOTALL
    )
    assert float(hatch[1]) == looks.HATCH_DISTANCE
    assert f"fill-opacity:{looks.HATCH_GROUND:g}".replace("0.", ".") in hatch[0]
    assert f"stroke-width:{looks.HATCH_WIDTH:g}" in hatch[0]
    assert f"stroke-opacity:{looks.HATCH_OPACITY:g}".replace("0.", ".") in hatch[0]
    stops = re.findall(r'offset="([\d.]+)".*?stop-opacity:([\d.]+)', SYMBOLS)
    assert tuple((float(a), float(b)) for a, b in stops) == looks.SOFT_STOPS
    head = re.search(
        r'viewBox="0 0 (\d+) (\d+)" refX="(\d+)" refY="6"\s+markerWidth="(\d+)"',
        SYMBOLS,
    )
    width, height, tip, size = map(float, head.groups())
    assert ((width, height), tip, size) == (
        looks.HEAD_BOX,
        looks.HEAD_TIP,
        looks.HEAD_WIDTH,
    )
    assert f'd="{looks.HEAD_PATH}"' in SYMBOLS


def test_every_mark_that_is_drawn_has_a_colour():
    for mark in MARKS.values():
        assert re.fullmatch("#[0-9a-f]{6}", looks.colour(mark)), mark.key
