"""Folders appear whole or not at all, and nobody's files are lost in them."""

import subprocess
from pathlib import Path

import pytest

from layers.errors import WriteError
from layers.export.folders import SUMS, files_in, replacing_folder


def fill(path, **files):
    with replacing_folder(path) as folder:
        (folder / "data").mkdir()
        for name, text in files.items():
            (folder / "data" / name).write_text(text)


def test_an_export_replaces_an_earlier_one_whole(tmp_path):
    target = tmp_path / "out"
    fill(target, a="1", b="2")
    fill(target, b="3")
    names = [file.relative_to(target).as_posix() for file in files_in(target)]
    assert names == [SUMS, "data/b"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_sums_are_those_that_sha256sum_reads(tmp_path):
    target = tmp_path / "out"
    fill(target, a="1", b="2")

    def judged():
        done = subprocess.run(check, cwd=target, capture_output=True, check=False)
        return done.returncode

    check = ["sha256sum", "--check", "--strict", SUMS]
    assert judged() == 0
    (target / "data" / "a").write_text("x")
    assert judged() == 1


def test_files_of_somebody_else_keep_a_folder(tmp_path):
    target = tmp_path / "out"
    fill(target, a="1")
    (target / "data" / "mine").write_text("mine")
    with pytest.raises(WriteError, match="data/mine, which is no part"):
        fill(target, b="2")
    assert (target / "data" / "a").read_text() == "1"
    other = tmp_path / "home"
    other.mkdir()
    (other / "letter").write_text("dear")
    with pytest.raises(WriteError, match="letter"):
        fill(other, b="2")
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(WriteError, match="it is a file"):
        fill(file, b="2")


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError])
def test_what_fails_leaves_what_stood_there(tmp_path, error):
    target = tmp_path / "out"
    fill(target, a="1")

    def fail():
        with replacing_folder(target) as folder:
            (folder / "b").write_text("2")
            raise error

    with pytest.raises((error, WriteError)):
        fail()
    assert (target / "data" / "a").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out", a="1")
    assert (tmp_path / "out" / "data" / "a").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_stood_there_comes_back_if_the_last_step_fails(
    tmp_path, monkeypatch, error
):
    target = tmp_path / "out"
    fill(target, a="1")
    replace, moves = Path.replace, []

    def failing(path, other):
        moves.append(path)
        if len(moves) == 2:  # the old one is away, the new one not there yet
            raise error
        return replace(path, other)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises((error, WriteError)):
        fill(target, b="2")
    monkeypatch.undo()
    assert (target / "data" / "a").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
