import xml.etree.ElementTree as ET

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maps.pictures.svg import characters, element, legible, number, path
from tests.maps.conftest import HOSTILE


@given(st.text())
def test_any_text_is_well_formed_and_comes_back(text):
    made = element("text", characters(text), id=legible(text))
    read = ET.fromstring(made)
    assert (read.text or "") == legible(text)
    assert read.get("id", "") == legible(text)
    assert len(read) == 0


def test_hostile_text_is_text():
    read = ET.fromstring(element("text", characters(HOSTILE)))
    assert "<script>" in read.text
    assert len(read) == 0


def test_marks_that_turn_the_direction_of_what_follows_are_left_out():
    assert legible("a\u202eb\u202c") == "a b"
    assert legible("שלום עולם") == "שלום עולם"


def test_long_text_ends_in_an_ellipsis():
    assert len(legible("x" * 500, 80)) == 80
    assert legible("x" * 80, 80) == "x" * 80


@given(st.floats(-1e6, 1e6))
def test_numbers_are_short_and_never_minus_zero(value):
    text = number(value)
    assert abs(float(text) - value) <= 0.005 + 1e-9 * abs(value)
    assert text not in {"-0", ""}
    assert "e" not in text


def test_a_path_closes_its_rings_once():
    ring = np.array([[0, 0], [1, 0], [1, 1], [0, 0]], dtype=float)
    assert path([ring], closed=True) == "M0 0 1 0 1 1Z"
    assert path([ring[:1]], closed=False) == ""
