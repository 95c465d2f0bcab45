"""What a page leaves out of its scripts is nothing that runs."""

import re
from importlib.resources import files

import pytest

from maps.lean import lean

ASSETS = sorted(
    (
        file
        for file in files("maps").joinpath("assets").iterdir()
        if file.name.endswith((".js", ".css"))
    ),
    key=lambda file: file.name,
)


@pytest.mark.parametrize("file", ASSETS, ids=lambda file: file.name)
def test_only_comments_and_blanks_are_left_out(file):
    text = file.read_text("utf-8")
    found = lean(text)
    kept = iter(found.splitlines())
    comment = False
    for line in text.splitlines():
        bare = line.strip()
        comment |= bare.startswith("/*")
        if not comment and not bare.startswith("//"):
            assert next(kept) == line.lstrip(" \t")
        elif comment:
            comment = "*/" not in bare
    assert next(kept, None) is None
    assert len(found) < len(text)


@pytest.mark.parametrize("file", ASSETS, ids=lambda file: file.name)
def test_no_text_runs_over_several_lines(file):
    # Blanks at the beginning of such a line would be part of it.
    for line in file.read_text("utf-8").splitlines():
        code = re.sub(r"'(?:[^'\\]|\\.)*'|/\[[^\n]*\]/g", "", line)
        if not line.strip().startswith(("*", "/")):
            assert code.count("`") % 2 == 0, line
            assert not line.endswith("\\")
