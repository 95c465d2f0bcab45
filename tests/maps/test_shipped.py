"""What goes into every page is the program that was written, and no more."""

import re
from importlib.resources import files

import pytest

from maps.page import SCRIPTS
from maps.shipped import asset, lean

NAMES = sorted(
    one.name
    for one in files("maps").joinpath("assets").iterdir()
    if one.name.endswith((".js", ".css"))
)


@pytest.mark.parametrize("name", NAMES)
def test_no_text_of_a_script_goes_over_lines(name):
    text = files("maps").joinpath("assets", name).read_text("utf-8")
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    code = re.sub(r"\[[^\]\n]*[ʼ]`-\]", "", code)  # a set of a pattern
    for line in code.splitlines():
        assert line.count("`") % 2 == 0, line
        assert not line.endswith("\\"), line


@pytest.mark.parametrize("name", NAMES)
def test_only_comments_and_blanks_are_taken_out(name):
    text = files("maps").joinpath("assets", name).read_text("utf-8")
    kept = iter(asset(name).splitlines())
    within = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("//") and not within:
            continue
        if within or line.startswith("/*"):
            within = "*/" not in line
            if line.endswith("*/"):
                continue
            if within:
                continue
        assert next(kept) == line
    assert list(kept) == []


def test_a_comment_ends_where_it_ends():
    script = "/* a */ f();\n  /** b */\n  g('/* c */'); // d\n  // e\n  h();\n"
    assert lean(script) == "/* a */ f();\ng('/* c */'); // d\nh();\n"


def test_the_scripts_of_a_page_are_lean():
    for name in SCRIPTS:
        assert not re.search(r"(?m)^[ \t]|^/\*\*", asset(name)), name
