import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point

import layers
from geo.errors import CRSMismatchError
from layers.errors import SchemaError, WriteError
from layers.export.exchange_content import exchange_content
from layers.export.geopackage import write_geopackage
from layers.export.geopackage_check import check_geopackage
from tests.dressed import content, sheet, towns, with_column

ROOT = Path(__file__).parents[3]


def ask(path, query, *values):
    with closing(sqlite3.connect(path)) as file:
        return file.execute(query, values).fetchall()


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "invented.gpkg"
    assert write_geopackage(content(), path) == (path, tmp_path / "invented.qgz")
    return path


def test_what_is_written_passes_its_own_check(written):
    assert check_geopackage(written) == ()


@pytest.mark.parametrize("deal", layers.exchange_ids())
def test_every_exchange_that_ships_is_written_without_a_problem(deal, tmp_path):
    found = exchange_content(layers.load_exchange(deal))
    path, project = write_geopackage(found, tmp_path / f"{deal}.gpkg")
    assert check_geopackage(path) == ()
    assert project.read_bytes()[:2] == b"PK"


def test_values_come_back_as_they_went(written):
    before = towns().table
    after = pyogrio.read_dataframe(
        written,
        layer="towns",
        use_arrow=True,
        fid_as_index=True,
        arrow_to_pandas_kwargs={"types_mapper": pd.ArrowDtype},
    )
    assert list(after.index) == [1, 2, 3]
    for column in ("id", "name", "name_ko", "mark"):
        assert after[column].tolist() == before[column].tolist()
    assert after["people"].tolist()[:2] == [10, 2**60]
    assert after["people"].isna().tolist() == [False, False, True]
    assert after["founded"].tolist()[::2] == [date(1020, 1, 2), date(1999, 12, 31)]
    assert after["founded"].isna().tolist() == [False, True, False]
    assert after["seen"].tolist()[0].isoformat().startswith("2026-01-02T03:04:05.678")
    assert after["open"].tolist()[:2] == [True, False]
    assert after["uncertainty_m"].tolist()[1] == 2500.5
    assert after["nothing"].isna().all()
    assert shapely.equals_exact(after.geometry[1], before.geometry[0])
    assert after.geometry[3] is None
    assert after.crs.to_epsg() == 4326


def test_a_day_is_a_date_and_not_text(written):
    types = dict(ask(written, "SELECT name, type FROM pragma_table_info('towns')"))
    assert types["founded"] == "DATE"
    assert types["seen"] == "DATETIME"
    assert types["open"] == "BOOLEAN"
    assert types["people"] == "INTEGER"
    assert types["geom"] == "POINT"


def test_single_areas_become_multiple_where_the_layer_holds_multiple(written):
    assert set(gpd.read_file(written, layer="areas").geom_type) == {"MultiPolygon"}


def test_gdal_reads_titles_abstracts_and_names_of_columns(written):
    info = pyogrio.read_info(written, layer="towns")
    assert info["layer_metadata"]["IDENTIFIER"] == "Towns"
    assert info["layer_metadata"]["DESCRIPTION"] == "Invented towns."
    found = ask(
        written,
        "SELECT title, description FROM gpkg_data_columns WHERE table_name = 'towns' "
        "AND column_name = 'uncertainty_m'",
    )
    assert found == [("Uncertainty m [m]", "The uncertainty_m.")]


def test_titles_that_stand_twice_do_not_clash(tmp_path):
    first, *rest = content().sheets
    twice = content(sheets=(first, *(replace(s, title=first.title) for s in rest)))
    path, _ = write_geopackage(twice, tmp_path / "twice.gpkg")
    assert check_geopackage(path) == ()


def test_the_same_content_gives_the_same_bytes_wherever_and_whenever(tmp_path):
    code = (
        "import runpy, sys; from pathlib import Path; "
        "content = runpy.run_path('tests/dressed.py')['content']; "
        "from layers.export.geopackage import write_geopackage; "
        "write_geopackage(content(), Path(sys.argv[1]))"
    )
    made = []
    for folder, zone in (("here", "UTC"), ("far away", "Asia/Pyongyang")):
        place = tmp_path / folder
        place.mkdir()
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": str(len(folder))}
        subprocess.run(
            [sys.executable, "-c", code, str(place / "x.gpkg")],
            check=True,
            cwd=ROOT,
            env=environment,
        )
        made.append([(place / name).read_bytes() for name in ("x.gpkg", "x.qgz")])
    assert made[0] == made[1]
    today = pd.Timestamp.now(tz="UTC").date().isoformat().encode()
    assert today not in made[0][0]
    assert str(tmp_path).encode() not in made[0][0]


def test_many_rows_give_the_same_bytes_twice(tmp_path):
    random = np.random.default_rng(3)
    n = 150_000
    table = gpd.GeoDataFrame(
        {"id": [f"p{i}" for i in range(n)], "mark": "hub"},
        geometry=gpd.points_from_xy(*random.uniform(10, 60, (2, n))),
        crs=4326,
    )
    many = content(sheets=(replace(towns(), table=table, fields={}),), relations=())
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        path, _ = write_geopackage(many, tmp_path / name / "many.gpkg")
        made.append(path.read_bytes())
    assert made[0] == made[1]


def test_gdals_settings_are_left_as_they_were(tmp_path):
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2001-02-03T00:00:00.000Z"})
    try:
        write_geopackage(content(), tmp_path / "x.gpkg")
        kept = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        assert kept == "2001-02-03T00:00:00.000Z"
        assert pyogrio.get_gdal_config_option("OGR_SQLITE_SYNCHRONOUS") is None
        with pytest.raises(SchemaError):
            write_geopackage(with_column([[1], [2], [3]]), tmp_path / "x.gpkg")
        kept = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        assert kept == "2001-02-03T00:00:00.000Z"
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    assert "OGR_CURRENT_DATE" not in os.environ


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([["a"], ["b"], ["c"]], "row 1: list"),
        ([{"a": 1}, None, None], "row 1: dict"),
        ([None, 2, "three"], "row 3: str 'three' is of another kind"),
        ([b"\x00", None, None], "row 1: bytes"),
        (["a", "NaT", "b"], "row 2: the text 'NaT'"),
        (np.array([1, 2**63, 3], dtype="uint64"), "row 2: 9223372036854775808"),
        ([1 + 2j, 0, 0], "row 1"),
    ],
)
def test_a_value_that_would_be_changed_stops_it(values, words, tmp_path):
    with pytest.raises(SchemaError) as caught:
        write_geopackage(with_column(values), tmp_path / "x.gpkg")
    assert "towns: column 'odd'" in str(caught.value)
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["FID", "geom", "NAME"])
def test_a_name_that_the_file_needs_is_refused(name, tmp_path):
    with pytest.raises(SchemaError, match=f"a column is called {name!r}"):
        write_geopackage(with_column([1, 2, 3], name), tmp_path / "x.gpkg")


@pytest.mark.parametrize("name", ["gpkg_contents", "layer_styles", "Towns", "a b", ""])
def test_a_layer_cannot_take_a_name_of_the_formats_own(name, tmp_path):
    odd = content(sheets=(replace(towns(), id=name),), relations=())
    with pytest.raises(SchemaError, match="a sheet is called"):
        write_geopackage(odd, tmp_path / "x.gpkg")


def test_coordinates_that_would_be_dropped_are_refused(tmp_path):
    if not hasattr(shapely, "has_m"):
        pytest.skip("this shapely knows no M")
    shapes = [Point(1, 2), shapely.from_wkt("POINT M (1 2 3)"), None]
    table = towns().table.set_geometry(gpd.GeoSeries(shapes, crs=4326))
    odd = content(sheets=(replace(towns(), table=table),), relations=())
    with pytest.raises(SchemaError, match="towns: row 2 has an M coordinate"):
        write_geopackage(odd, tmp_path / "x.gpkg")


def test_heights_are_kept(tmp_path):
    shapes = [Point(1, 2, 3), Point(4, 5), None]
    table = towns().table.set_geometry(gpd.GeoSeries(shapes, crs=4326))
    high = content(sheets=(replace(towns(), table=table),), relations=())
    path, _ = write_geopackage(high, tmp_path / "x.gpkg")
    assert gpd.read_file(path, layer="towns").geometry[0].z == 3
    assert check_geopackage(path) == ()


def test_a_geometry_of_another_type_is_named(tmp_path):
    shapes = [Point(1, 2), LineString([(0, 0), (1, 1)]), None]
    table = towns().table.set_geometry(gpd.GeoSeries(shapes, crs=4326))
    odd = content(sheets=(replace(towns(), table=table),), relations=())
    with pytest.raises(SchemaError, match=r"towns: row 2 is a LineString; .* Point"):
        write_geopackage(odd, tmp_path / "x.gpkg")


def test_another_crs_is_refused(tmp_path):
    table = towns().table.to_crs(3857)
    odd = content(sheets=(replace(towns(), table=table),), relations=())
    with pytest.raises(CRSMismatchError, match="to_crs"):
        write_geopackage(odd, tmp_path / "x.gpkg")


def test_a_failure_leaves_the_old_files_and_nothing_else(written):
    before = {path: path.read_bytes() for path in written.parent.iterdir()}
    last = sheet("zz", pd.DataFrame({"id": ["a"], "odd": [["list"]]}))
    bad = content(sheets=(*content().sheets, last))
    with pytest.raises(SchemaError, match="zz: column 'odd', row 1"):
        write_geopackage(bad, written)
    assert {path: path.read_bytes() for path in written.parent.iterdir()} == before


def test_an_error_of_the_caller_leaves_the_old_files(written):
    before = {path: path.read_bytes() for path in written.parent.iterdir()}

    def stop(done, _):
        if done > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_geopackage(content(), written, progress=stop)
    assert {path: path.read_bytes() for path in written.parent.iterdir()} == before


def test_a_killed_process_leaves_the_old_file_whole(written):
    before = written.read_bytes()
    code = (
        "import os, runpy, signal, sys; from pathlib import Path\n"
        "content = runpy.run_path('tests/dressed.py')['content']\n"
        "from layers.export.geopackage import write_geopackage\n"
        "def end(done, total):\n"
        "    if done > 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_geopackage(content(title='New'), Path(sys.argv[1]), progress=end)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(written)], check=False, cwd=ROOT
    )
    assert done.returncode == -signal.SIGKILL
    assert written.read_bytes() == before
    seen = [p.name for p in written.parent.iterdir() if not p.name.startswith(".")]
    assert sorted(seen) == ["invented.gpkg", "invented.qgz"]
    write_geopackage(content(title="New"), written)
    assert check_geopackage(written) == ()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WriteError, match="cannot write"):
        write_geopackage(content(), tmp_path / "none" / "x.gpkg")


@pytest.mark.parametrize("name", ["x.sqlite", "x", "a|layername=b.gpkg"])
def test_a_name_that_no_reader_would_know_is_refused(name, tmp_path):
    with pytest.raises(WriteError, match="ends in"):
        write_geopackage(content(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_row_once(tmp_path):
    steps = []
    write_geopackage(
        content(), tmp_path / "x.gpkg", progress=lambda *s: steps.append(s)
    )
    total = sum(len(s.table) for s in content().sheets)
    assert steps[-1] == (total, total)
    assert steps == sorted(steps)


def test_an_export_without_sheets_is_refused(tmp_path):
    with pytest.raises(SchemaError, match="holds no sheets"):
        write_geopackage(content(sheets=()), tmp_path / "x.gpkg")


def test_a_file_of_tables_alone_is_dressed_too(tmp_path):
    tables = content(sheets=content().tables, relations=())
    path, _ = write_geopackage(tables, tmp_path / "tables.gpkg")
    assert check_geopackage(path) == ()


@settings(max_examples=25)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30),
        min_size=3,
        max_size=3,
    ).filter(lambda texts: "NaT" not in texts)
)
def test_any_text_is_kept_and_breaks_nothing(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("any") / "any.gpkg"
    hostile = with_column(texts, "words")
    first = replace(hostile.sheets[0], title=texts[0], rights=texts[1] or "us")
    write_geopackage(replace(hostile, sheets=(first,), title=texts[2]), path)
    kept = ask(path, "SELECT words FROM towns ORDER BY fid")
    assert [word for (word,) in kept] == texts
    assert not [p for p in check_geopackage(path) if "XML" in p or "unpack" in p]
