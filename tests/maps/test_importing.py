"""``lodemap import`` and what ``lodemap map --add`` takes, as a user runs them."""

import json
import shlex

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner

import layers
from maps.cli import cli, main
from maps.importing import added_layer, import_

MINES = gpd.GeoDataFrame(
    {"이름": ["운산", "온성"]},
    geometry=gpd.points_from_xy([125.21, 129.99], [39.74, 42.96]),
    crs=4326,
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, monkeypatch, line):
    """Exit code, stdout and stderr of a line that one types."""
    monkeypatch.setattr("sys.argv", ["lodemap", *shlex.split(line)])
    monkeypatch.setattr("sys.stdout.reconfigure", lambda **_: None, raising=False)
    monkeypatch.setattr("sys.stderr.reconfigure", lambda **_: None, raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    out = capsys.readouterr()
    return ended.value.code or 0, out.out, out.err


def test_help_is_the_same_as_reviewed(golden):
    result = CliRunner().invoke(cli, ["import", "--help"], prog_name="lodemap")
    golden("maps/import-help.txt", result.output)


def test_a_file_is_refused_in_one_line_and_imported_with_its_flag(
    here, capsys, monkeypatch
):
    MINES.to_crs(5179).to_file("mines.shp", encoding="utf-8")
    (here / "mines.prj").unlink()
    line = "import mines.shp --unsourced"
    code, out, err = run(capsys, monkeypatch, line)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "--crs EPSG:5179 (KGD2002 / Unified CS) puts all 2 rows inside" in err
    code, out, err = run(capsys, monkeypatch, f"{line} --crs EPSG:5179")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "written     mines.gpkg"
    assert "rows        2 in, 2 out" in out
    written = gpd.read_file("mines.gpkg")
    assert shapely.distance(written.geometry, MINES.geometry).max() < 1e-6
    assert json.loads((here / "mines.import.json").read_text("utf-8"))["rows_out"] == 2


def test_the_report_is_json_when_asked(here, capsys, monkeypatch):
    MINES.to_file("mines.geojson")
    code, out, _ = run(
        capsys, monkeypatch, "import mines.geojson --unsourced -o out.fgb --json"
    )
    assert code == 0
    report = json.loads(out)
    assert report["kind"] == "GeoJSON"
    assert report["near"] == [118, 33, 132, 47]
    assert out == (here / "out.import.json").read_text("utf-8")


def test_a_draft_is_printed_and_nothing_written(here, capsys, monkeypatch):
    MINES.to_file("mines.geojson")
    code, out, _ = run(capsys, monkeypatch, "import mines.geojson --draft")
    assert code == 0
    assert 'name = "이름"' in out
    assert [f.name for f in here.iterdir()] == ["mines.geojson"]


@pytest.mark.usefixtures("here")
def test_a_box_is_read_or_refused(capsys, monkeypatch):
    MINES.to_file("mines.geojson")
    line = "import mines.geojson --unsourced -o out.gpkg --near"
    assert run(capsys, monkeypatch, f"{line} 124,39,131,44")[0] == 0
    assert run(capsys, monkeypatch, f"{line} anywhere")[0] == 0
    code, _, err = run(capsys, monkeypatch, f"{line} 124,39")
    assert code == 2
    assert "expected west,south,east,north in degrees, or anywhere" in err


def test_the_file_itself_is_never_written_over(here, capsys, monkeypatch):
    MINES.to_file("mines.gpkg")
    before = (here / "mines.gpkg").read_bytes()
    for more in ("", " -o mines.gpkg"):
        code, _, err = run(capsys, monkeypatch, f"import mines.gpkg --unsourced{more}")
        assert code == 1
        assert "mines.gpkg" in err
    assert (here / "mines.gpkg").read_bytes() == before


def test_a_page_takes_what_an_import_reads(here):
    (here / "pits.csv").write_text(
        "이름,경도,위도\n운산,동경 125.2134,북위 39.7412\n", encoding="utf-8"
    )
    flags = {option.name: None for option in import_.params}
    for name in ("file", "output", "draft", "unsourced", "as_json"):
        del flags[name]
    for name in ("swap_xy", "coarse", "drop_unplaced", "no_repair"):
        flags[name] = False
    with pytest.raises(layers.SchemaError, match=r"name, kind, .* is missing.*--draft"):
        added_layer("pits.csv", unsourced=False, flags=flags)
    assert len(added_layer("pits.csv", unsourced=True, flags=flags)) == 1
    (here / "pits.toml").write_text(
        '[columns]\nname = "이름"\n[constants]\nkind = "mine"\nprecision_code = 1\n'
        'status = "reported"\n[source]\nid = "src-1"\n',
        encoding="utf-8",
    )
    gdf = added_layer(
        "pits.csv", unsourced=False, flags=flags | {"mapping": "pits.toml"}
    )
    layers.check_features(gdf, "pits.csv")
    assert gdf["uncertainty_m"].between(6, 8).all()
