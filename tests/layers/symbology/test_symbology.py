import re

import numpy as np
import pytest

from layers.symbology import (
    DARK,
    LEG_WORDS,
    LIGHT,
    MARK_PAIRS,
    MARKS,
    SYMBOLS,
    TEXT_PAIRS,
    contrast,
    leg_mark,
    mark_key,
    symbol_drawing,
)

PALETTES = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])


@PALETTES
def test_text_meets_wcag_aa(palette):
    low = {
        (text, ground): contrast(palette[text], palette[ground])
        for text, ground in TEXT_PAIRS
    }
    assert {pair: c for pair, c in low.items() if c < 4.5} == {}


@PALETTES
def test_marks_meet_wcag_aa(palette):
    low = {
        (mark, ground): contrast(palette[mark], palette[ground])
        for mark, ground in MARK_PAIRS
    }
    assert {pair: c for pair, c in low.items() if c < 3} == {}


def test_every_mark_is_among_the_tested_pairs():
    tested = {mark for mark, _ in MARK_PAIRS}
    assert {m.role for m in MARKS.values()} - tested <= {"ink"}


def seen_without(channel, colour):
    """CIELAB of a colour without one kind of cone (Machado et al. 2009)."""
    matrix = {
        "red": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        "green": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        "blue": [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    }[channel]
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(matrix) @ linear, 0, 1)
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    xyz = np.array(to_xyz) @ linear / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@PALETTES
@pytest.mark.parametrize("channel", ["red", "green", "blue"])
def test_the_colour_blind_can_tell_out_from_in(palette, channel):
    out, into = (seen_without(channel, palette[role]) for role in ("out", "in"))
    assert np.linalg.norm(out - into) > 40


def test_no_two_kinds_of_mark_differ_by_colour_alone():
    looks = [(m.shape, m.symbol, m.dash) for m in MARKS.values() if m.shape == "symbol"]
    assert len(set(looks)) == len(looks)
    for side in ("out", "in"):
        dashes = [leg_mark(kind, side).dash for kind in LEG_WORDS]
        drawn = [d for d in dashes if d]
        assert len(set(drawn)) == len(drawn)


def test_every_symbol_is_drawn_in_the_colours_asked_for():
    from xml.etree import ElementTree as ET

    assert {m.symbol for m in MARKS.values()} - {""} <= set(SYMBOLS)
    for name in SYMBOLS:
        drawn = symbol_drawing(name, colour="#123456", ground="#fedcba")
        ET.fromstring(f"<svg>{drawn}</svg>")
        assert "#123456" in drawn
        assert "{" not in drawn


def test_every_mark_of_the_map_is_told_apart_by_kind():
    assert (
        mark_key({"ref": "a/b", "layer": "a", "status": "hypothetical"}) == "candidate"
    )
    assert (
        mark_key({"ref": "d/b", "layer": "deposits", "status": "historic"})
        == "historic"
    )
    assert (
        mark_key({"ref": "d/b", "layer": "deposits", "status": "reported"})
        == "occurrence"
    )


def test_an_unknown_kind_of_leg_is_still_drawn():
    mark = leg_mark('x" onload=', "out")
    assert re.fullmatch(r"leg-out-[a-z-]+", mark.key)
