import json
import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

import layers
from layers.catalogue import catalogue
from maps.cli import cli


def lodemap(*arguments, cwd=None, env=None):
    """Run the command as a user does: a process, its output and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "maps", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **(env or {})},
    )


def refused(done):
    """The one line with which bad input is refused."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("lodemap: ")
    return lines[0]


def test_help_is_the_same_as_reviewed(golden):
    runner = CliRunner()
    texts = []
    for command in ([], ["map"], ["layers"], ["check"], ["evidence"], ["measures"]):
        result = runner.invoke(cli, [*command, "--help"], prog_name="lodemap")
        assert result.exit_code == 0
        texts.append(result.output)
    golden("maps/help.txt", "\n".join(texts))


def test_map_writes_the_page_and_prints_its_path(tmp_path):
    done = lodemap("map", "pobeda-2014", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "pobeda-2014.html\n"
    assert (tmp_path / "pobeda-2014.html").read_text("utf-8").startswith("<!DOCTYPE")
    assert [f.name for f in tmp_path.iterdir()] == ["pobeda-2014.html"]


def test_map_takes_a_layer_of_ones_own(tmp_path):
    own = tmp_path / "field notes.csv"
    own.write_text(
        "lon,lat,id,name,kind,uncertainty_m,precision_code,georeference_protocol,"
        'status,sources\n124.7,39.7,pit-1,"갱 ""1""",pit,50,1,GPS,reported,notes\n',
        encoding="utf-8",
    )
    page = tmp_path / "page.html"
    done = lodemap("map", "pobeda-2014", "-o", page, "--add", own)
    assert done.returncode == 0, done.stderr
    text = page.read_text("utf-8")
    assert "field notes" in text
    assert "갱" in text


def test_map_refuses_an_added_layer_without_evidence_unless_told(tmp_path):
    own = tmp_path / "pits.csv"
    own.write_text("lon,lat,name\n124.7,39.7,Pit\n")
    page = tmp_path / "page.html"
    line = refused(lodemap("map", "pobeda-2014", "-o", page, "--add", own))
    assert "pits.csv" in line
    assert "is missing" in line
    assert not page.exists()
    done = lodemap("map", "pobeda-2014", "-o", page, "--add", own, "--unsourced")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["map", "nowhere"], "no exchange 'nowhere'; there are cholsan-2019"),
        (["map", "absent.toml"], "there is no file absent.toml"),
        (["map", "pobeda-2014", "--as-of", "then"], "'then' is no date"),
        (
            ["map", "pobeda-2014", "--add", "absent.gpkg"],
            "'absent.gpkg' cannot be read",
        ),
        (["map", "cholsan-2019", "--criteria", "absent.toml"], "absent.toml"),
        (["map", "pobeda-2014", "-o", "no/such/folder/x.html"], "folder"),
        (["layers", "show", "gold"], "no layer 'gold'; there are"),
        (["layers", "cite", "gold"], "no layer 'gold'; there are"),
        (["check", "absent.geojson"], "absent.geojson cannot be read"),
        (["evidence", "offr-made"], "did you mean offer-made"),
        (["measures", "gold", "--as-of", "2019-10-31"], "no kind of leg 'gold'"),
        (["measures", "ore", "--as-of", "2019-02-30"], "is no date"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(tmp_path, arguments, message):
    assert message in refused(lodemap(*arguments, cwd=tmp_path))


def test_control_characters_from_a_file_do_not_reach_the_terminal(tmp_path):
    own = tmp_path / "pits.csv"
    own.write_text("lon,lat,name\n\x1b]0;owned\x07\x1b[31m,39.7,Pit\n")
    line = refused(lodemap("check", own))
    assert "\x1b" not in line
    assert "\x07" not in line


def test_an_unwritable_target_leaves_the_old_page(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("old")
    taken = tmp_path / "taken.html"
    taken.mkdir()
    assert "taken.html" in refused(lodemap("map", "pobeda-2014", "-o", taken))
    assert page.read_text() == "old"
    assert {f.name for f in tmp_path.iterdir()} == {"page.html", "taken.html"}


def test_layers_lists_the_catalogue():
    done = lodemap("layers")
    assert done.returncode == 0
    assert done.stdout == lodemap("layers", "list").stdout
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    assert set(listed) == set(catalogue())
    assert "deposits" in listed
    rows = json.loads(lodemap("layers", "list", "--json").stdout)
    assert [row["id"] for row in rows] == listed


def test_layers_show_and_cite_name_source_and_licence():
    shown = json.loads(lodemap("layers", "show", "provinces", "--json").stdout)
    assert shown["licence"] == "LicenseRef-public-domain"
    assert shown["features"] == len(layers.load("provinces"))
    assert shown["columns"]["boundary_uncertainty_m"]["unit"] == "m"
    assert "Natural Earth" in lodemap("layers", "cite", "provinces").stdout
    assert "rows" in lodemap("layers", "show", "claims").stdout
    assert "raster" in lodemap("layers", "show", "altitude").stdout


def test_evidence_marks_what_the_origin_itself_says_otherwise():
    out = lodemap("evidence", "speaker-upi").stdout
    assert "otherwise, the origin itself: speaker: DPRK trade officials" in out
    assert "the origin itself" not in lodemap("evidence", "amount-pv").stdout


def test_evidence_counts_origins():
    done = lodemap("evidence", "mine-site")
    assert done.returncode == 0
    assert re.search(r"^origins +1: rfa-ko-2019-10-15$", done.stdout, re.MULTILINE)
    assert "otherwise:" in done.stdout
    told = json.loads(lodemap("evidence", "mine-site", "--json").stdout)
    assert told["corroboration"]["origins"] == ["rfa-ko-2019-10-15"]


def test_check_tells_good_from_bad(tmp_path):
    assert "good" in lodemap("check", "sicomines-2008").stdout
    told = json.loads(lodemap("check", "cholsan-2019", "--json").stdout)
    assert told["ok"]
    assert told["readings"] == 3
    bad = tmp_path / "bad.toml"
    bad.write_text("format = 1\nid = 3\n")
    assert "bad.toml: " in refused(lodemap("check", bad))


def test_measures_are_asked_as_of_a_day():
    before = lodemap("measures", "ore", "--as-of", "2006-01-01")
    assert "none of those that ship was in force" in before.stdout
    rows = json.loads(
        lodemap("measures", "ore", "--as-of", "2019-10-31", "--json").stdout
    )
    assert "unscr-2270-30" in {row["id"] for row in rows}


def test_help_and_imports_are_light():
    """No heavy package is imported before it is needed."""
    code = (
        "import sys, geo, layers, maps, maps.cli; "
        "heavy = {'geopandas', 'pandas', 'scipy', 'rasterio', 'pvlib', 'folium', "
        "'shapely', 'pyogrio'}; print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
