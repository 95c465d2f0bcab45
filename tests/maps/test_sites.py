"""The command ``lodemap sites``."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from geo.errors import GeoError
from layers.siting.files import NAMES
from layers.solar import read_sites
from maps.cli import cli
from tests.pyongan import write_plan, write_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


def command(*arguments):
    return [sys.executable, "-m", "maps", "sites", *map(str, arguments)]


def lodemap(*arguments):
    """Run the command in this process: what it prints, or the error it raises."""
    return CliRunner().invoke(cli, ["sites", *map(str, arguments)])


def refused(done):
    """The one line with which bad input is refused."""
    assert isinstance(done.exception, GeoError), done.exception
    assert done.stdout == ""
    line = str(done.exception)
    assert "\n" not in line
    return line


QUICK = ("--no-reruns", "--draws", 50, "--keep", 4)


def test_help_is_the_same_as_reviewed(golden):
    result = CliRunner().invoke(cli, ["sites", "--help"], prog_name="lodemap")
    assert result.exit_code == 0
    golden("maps/help-sites.txt", result.output)


def test_a_folder_is_written_and_the_first_sites_are_told(world, tmp_path):
    done = lodemap("pyongan", "--data", world, "-o", tmp_path / "out", *QUICK)
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[: len(NAMES)] == [str(tmp_path / "out" / name) for name in NAMES]
    assert "Solar sites in North and South Pyongan" in done.stdout
    assert "A, 2.5 GW of capacity, would be held by " in done.stdout
    assert "Matters most" in done.stdout
    found = read_sites(tmp_path / "out")
    assert found.table["name"][0] in done.stdout
    assert len(found.table) == 4


def test_the_folder_is_named_after_the_plan_unless_said(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = lodemap("pyongan", "--data", world, *QUICK)
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in (tmp_path / "pyongan-sites").iterdir()) == sorted(
        NAMES
    )


def test_json_is_for_scripts(world, tmp_path):
    done = lodemap("pyongan", "--data", world, "-o", tmp_path, *QUICK, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["folder"] == str(tmp_path)
    assert [s["id"] for s in told["sites"]] == [f"site-00{n}" for n in (1, 2, 3, 4)]
    assert told["ranks"]["draws"] == 50
    assert {p["reading"] for p in told["portfolios"]} == {"A", "B", "C"}


def test_a_search_without_result_says_so(world, tmp_path):
    plan = write_plan(
        tmp_path, ("min_km2 = 1.0", "min_km2 = 900000"), ("high = 2.0", "high = 900000")
    )
    done = lodemap(plan, "--data", world, "-o", tmp_path / "out", *QUICK)
    assert done.exit_code == 0, done.output
    assert "No site: " in done.stdout
    assert read_sites(tmp_path / "out").table.empty


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.toml"], "no plan can be read at 'nowhere.toml'"),
        (["pyongan", "--data", "nowhere"], "there is no folder of data"),
        (["pyongan", "--data", "."], "lodemap fetch gets copernicus-glo-30"),
    ],
)
def test_bad_input_leaves_nothing(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert said in refused(lodemap(*arguments))
    assert list(tmp_path.iterdir()) == []


def test_bad_input_is_one_line_on_stderr(tmp_path):
    done = subprocess.run(
        command("pyongan", "--data", tmp_path),
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("lodemap: rasters.elevation.files: nothing matches")


def test_a_broken_tile_leaves_what_stood_there(tmp_path):
    world = write_world(tmp_path / "world")
    out = tmp_path / "out"
    out.mkdir()
    (out / "sites.json").write_text("before")
    tile = world / "copernicus-glo-30/Copernicus_DSM_COG_10_N39_00_E125_00_DEM.tif"
    tile.write_bytes(tile.read_bytes()[:-15_000])
    line = refused(lodemap("pyongan", "--data", world, "-o", out, *QUICK))
    assert "truncated" in line
    assert [p.name for p in out.iterdir()] == ["sites.json"]
    assert (out / "sites.json").read_text() == "before"


def test_a_folder_that_cannot_be_written_is_one_line(world, tmp_path):
    (tmp_path / "out").write_text("a file")
    line = refused(lodemap("pyongan", "--data", world, "-o", tmp_path / "out", *QUICK))
    assert "cannot write to" in line


def test_ctrl_c_leaves_nothing_half_written(world, tmp_path):
    process = subprocess.Popen(
        command("pyongan", "--data", world, "-o", tmp_path / "out"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    while process.poll() is None and not list(tmp_path.glob("out/.part-*")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert out == ""
    assert err.strip() == "Aborted!"
    assert not (tmp_path / "out").exists()


def test_progress_is_drawn_on_a_terminal_and_taken_away(world, tmp_path):
    main, side = pty.openpty()
    process = subprocess.Popen(
        command("pyongan", "--data", world, "-o", tmp_path, *QUICK),
        stdout=subprocess.DEVNULL,
        stderr=side,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    os.close(side)
    drawn = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        drawn += part
    assert process.wait(timeout=300) == 0
    text = drawn.decode()
    assert "lodemap: 100 %" in text or "lodemap:  " in text
    assert text.endswith("\r")


def test_a_search_that_was_kept_goes_on_and_gives_the_same(world, tmp_path):
    plain, kept = tmp_path / "plain", tmp_path / "kept"
    for folder, more in ((plain, ()), (kept, ("--resume",))):
        done = lodemap("pyongan", "--data", world, "-o", folder, *QUICK, *more)
        assert done.exit_code == 0, done.output
    assert sorted(p.name for p in kept.iterdir()) == sorted(NAMES)
    one, other = ((f / "sites.csv").read_bytes() for f in (plain, kept))
    assert one == other
    for name in ("score.tif", "mask.tif"):
        assert (plain / name).read_bytes() == (kept / name).read_bytes()


def test_what_is_kept_of_another_search_is_refused(world, tmp_path):
    from layers.siting.inputs import prepare
    from layers.siting.plan import read_plan

    out = tmp_path / "out"
    siting = prepare(read_plan("pyongan"), data=world).siting
    from geo.raster import find_sites

    find_sites(siting, keep=2, workspace=out / ".sites-work")
    plan = write_plan(tmp_path, ("min_km2 = 1.0", "min_km2 = 1.5"))
    line = refused(lodemap(plan, "--data", world, "-o", out, *QUICK, "--resume"))
    assert "remove that folder to begin anew" in line


@pytest.fixture
def small_disk(tmp_path):
    """A disk with room for a few hundred kilobytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"{error}: a disk that is really full is not tested")
    if done.returncode:
        pytest.skip(f"{done.stderr.strip()}: a disk that is really full is not tested")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full_is_one_line_and_leaves_nothing(small_disk, world):
    (small_disk / "kept").write_text("before")
    folder = small_disk / "out"
    done = lodemap("pyongan", "--data", world, "-o", folder, *QUICK)
    assert done.exit_code != 0
    line = refused(done)
    assert "cannot write" in line
    assert "room" in line
    assert [p.name for p in small_disk.iterdir()] == ["kept"]
