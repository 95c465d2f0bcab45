"""Files broken on purpose: each is refused, by a sentence of its own."""

import re
import sqlite3
from contextlib import closing

import pytest

from layers.errors import WriteError
from layers.export import geopackage, geopackage_check
from layers.export.geopackage import write_geopackage
from layers.export.geopackage_check import check_geopackage, check_written
from layers.export.qgis.project import project_document
from tests.dressed import content


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "invented.gpkg"
    write_geopackage(content(), path)
    return path


@pytest.fixture
def copy(whole, tmp_path):
    path = tmp_path / whole.name
    path.write_bytes(whole.read_bytes())
    return path


def run(path, *statements):
    """Change a file; GDAL's triggers need functions that only GDAL has."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA synchronous = OFF")
        triggers = file.execute(
            "SELECT name, sql FROM sqlite_master WHERE type='trigger'"
        )
        for name, _ in triggers.fetchall():
            file.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            file.execute(statement)


def replaced(column, table, old, new):
    return (
        f"UPDATE {table} SET {column} = replace({column}, '{old}', '{new}') "
        f"WHERE {column} LIKE '%{old}%'"
    )


def project_with(old, new):
    """Statement that puts a changed project into the file."""
    import io
    import zipfile

    text = project_document(content(), "invented.gpkg")
    assert old in text
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("invented.qgs", text.replace(old, new))
    return f"UPDATE qgis_projects SET content = '{out.getvalue().hex()}'"


BROKEN = {
    "style catalog NULL": (
        "UPDATE layer_styles SET f_table_catalog = NULL WHERE f_table_name = 'towns'",
        r"towns: the style's f_table_catalog and f_table_schema are None and ''",
    ),
    "style schema NULL": (
        "UPDATE layer_styles SET f_table_schema = NULL WHERE f_table_name = 'legs'",
        r"legs: the style's f_table_catalog and f_table_schema are '' and None",
    ),
    "style row missing": (
        "DELETE FROM layer_styles WHERE f_table_name = 'areas'",
        r"areas has 0 default styles; expected one",
    ),
    "style not the default": (
        "UPDATE layer_styles SET useAsDefault = 0 WHERE f_table_name = 'areas'",
        r"areas has 0 default styles; expected one",
    ),
    "style of another geometry column": (
        (
            "UPDATE layer_styles SET f_geometry_column = 'geometry' "
            "WHERE f_table_name = 'areas'"
        ),
        r"areas: the style is for the geometry column 'geometry'; expected 'geom'",
    ),
    "style cut short": (
        (
            "UPDATE layer_styles SET styleQML = substr(styleQML, 1, 900) "
            "WHERE f_table_name = 'areas'"
        ),
        r"areas: the style is no XML",
    ),
    "style as SLD only": (
        (
            "UPDATE layer_styles SET styleSLD = styleQML, styleQML = NULL "
            "WHERE f_table_name = 'areas'"
        ),
        r"areas: the style is no XML",
    ),
    "style by a column that is not there": (
        replaced("styleQML", "layer_styles", 'attr="mark"', 'attr="kind"'),
        r"towns: the style reads the column 'kind'; there is none",
    ),
    "mark that no category draws": (
        "UPDATE towns SET mark = 'volcano' WHERE fid = 1",
        r"towns: the style does not draw the marks volcano",
    ),
    "styles not listed": (
        "DELETE FROM gpkg_contents WHERE table_name = 'layer_styles'",
        r"layer_styles is not listed in gpkg_contents",
    ),
    "alias missing in the style": (
        replaced("styleQML", "layer_styles", 'name="Name ko"', 'name=""'),
        r"towns\.name_ko has no alias in the style",
    ),
    "alias missing in the schema": (
        "DELETE FROM gpkg_data_columns WHERE column_name = 'founded'",
        r"towns\.founded has no title in gpkg_data_columns",
    ),
    "credit line missing": (
        (
            "UPDATE gpkg_metadata SET metadata = replace(metadata, "
            "'<rights>Surveyors of towns</rights>', '<rights />')"
        ),
        r"towns: the metadata have no credit line",
    ),
    "licence missing": (
        (
            "UPDATE gpkg_metadata SET metadata = replace(metadata, "
            "'<license>CC-BY-4.0</license>', '') WHERE id = 2"
        ),
        r"legs: the metadata have no licence",
    ),
    "metadata of nothing": (
        "DELETE FROM gpkg_metadata_reference WHERE table_name = 'claims'",
        r"claims has 0 metadata documents; expected one",
    ),
    "project missing": (
        "DELETE FROM qgis_projects",
        r"There are 0 projects in the file; expected one",
    ),
    "project that cannot be unpacked": (
        "UPDATE qgis_projects SET content = '504b0304'",
        r"The project 'invented' cannot be unpacked",
    ),
    "project of another file": (
        project_with("./invented.gpkg|layername=towns", "./other.gpkg|layername=towns"),
        r"The project reads './other.gpkg\|layername=towns'; expected a layer of",
    ),
    "project of a folder on one machine": (
        project_with("./invented.gpkg|layername=legs", "/home/a/x.gpkg|layername=legs"),
        r"The project reads '/home/a/x.gpkg\|layername=legs'",
    ),
    "raster of the project in a folder on one machine": (
        project_with(
            "</projectlayers>",
            '<maplayer type="raster"><datasource>/home/a/score.tif</datasource>'
            "</maplayer></projectlayers>",
        ),
        r"The project reads the raster '/home/a/score.tif'; expected a GeoTIFF beside",
    ),
    "project without a layer": (
        project_with("layername=areas<", "layername=towns<"),
        r"areas is not in the project",
    ),
    "relation to a table that is not there": (
        project_with('referencedLayer="lodemap_sources"', 'referencedLayer="gone"'),
        r"The relation 'claims.source → sources' names the layer 'gone'",
    ),
    "relation by a column that is not there": (
        project_with('referencingField="source"', 'referencingField="book"'),
        r"The relation 'claims.source → sources' names claims.book; there is none",
    ),
    "extension of the metadata not declared": (
        "DELETE FROM gpkg_extensions WHERE extension_name = 'gpkg_metadata'",
        r"gpkg_extensions does not declare gpkg_metadata for gpkg_metadata_reference",
    ),
    "extension of the constraints not declared": (
        "DELETE FROM gpkg_extensions WHERE table_name = 'gpkg_data_column_constraints'",
        r"does not declare gpkg_schema for gpkg_data_column_constraints",
    ),
    "another CRS": (
        "UPDATE gpkg_geometry_columns SET srs_id = 0 WHERE table_name = 'areas'",
        r"areas is in NONE:0; expected EPSG:4326",
    ),
    "two CRSs": (
        "UPDATE gpkg_contents SET srs_id = -1 WHERE table_name = 'areas'",
        r"areas: gpkg_contents says CRS -1, its geometry 4326",
    ),
    "gap in the feature ids": (
        "UPDATE towns SET fid = 9 WHERE fid = 2",
        r"towns: feature ids go from 1 to 9; expected 1 to 3",
    ),
    "id that stands twice": (
        "UPDATE towns SET id = 'anju'",
        r"towns: 3 rows share 1 ids; expected one for each",
    ),
    "row without an id": (
        "UPDATE towns SET id = NULL WHERE fid = 2",
        r"towns: 1 rows have no id",
    ),
    "row that was deleted": (
        "DELETE FROM areas WHERE fid = 2",
        r"areas: gpkg_ogr_contents counts 2 rows; there are 1",
    ),
    "spatial index missing": (
        "DROP TABLE rtree_areas_geom",
        r"areas has no spatial index",
    ),
    "spatial index that lacks a feature": (
        "DELETE FROM rtree_areas_geom WHERE id = 1",
        r"areas: the spatial index has 1 entries for 2 geometries",
    ),
    "layer without a description": (
        "UPDATE gpkg_contents SET description = ' ' WHERE table_name = 'sources'",
        r"sources has no description in gpkg_contents",
    ),
    "layer without a title": (
        "UPDATE gpkg_contents SET identifier = NULL WHERE table_name = 'sources'",
        r"sources has no identifier in gpkg_contents",
    ),
    "layer that is only listed": (
        "DROP TABLE sources",
        r"sources is listed, but there is no such table",
    ),
    "table of styles missing": (
        "DROP TABLE layer_styles",
        r"Tables are missing: layer_styles",
    ),
    "style that holds entities": (
        replaced(
            "styleQML",
            "layer_styles",
            "<!DOCTYPE qgis PUBLIC",
            '<!DOCTYPE a [<!ENTITY b "c">]><!-- ',
        ),
        r"towns: the style is no XML",
    ),
}


@pytest.fixture(scope="module")
def said(whole, tmp_path_factory):
    """What the check says of each."""
    path = tmp_path_factory.mktemp("broken") / whole.name
    found = {}
    for what, (statement, _) in BROKEN.items():
        path.write_bytes(whole.read_bytes())
        run(path, statement)
        found[what] = check_geopackage(path)
    return found


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused_by_name(what, said):
    words = BROKEN[what][1]
    assert any(re.search(words, problem) for problem in said[what]), said[what]


def test_each_way_of_breaking_a_file_has_its_own_words(said):
    ways = {}
    for what, problems in said.items():
        first = next(p for p in problems if re.search(BROKEN[what][1], p))
        ways.setdefault(first, []).append(what)
    shared = [names for names in ways.values() if len(names) > 1]
    assert shared == [
        ["style row missing", "style not the default"],
        ["style cut short", "style as SLD only"],
    ]


def test_a_file_that_is_cut_off_is_refused(copy):
    data = copy.read_bytes()
    for size in (len(data) - 1, len(data) // 2, 4096):
        copy.write_bytes(data[:size])
        [problem] = check_geopackage(copy)
        assert "It is cut off" in problem
    copy.write_bytes(data[:50])
    assert check_geopackage(copy) == (
        "invented.gpkg is no SQLite database, so no GeoPackage.",
    )


def test_a_damaged_page_is_refused(copy):
    data = bytearray(copy.read_bytes())
    data[4096 * 8 : 4096 * 12] = b"\xaa" * (4096 * 4)
    copy.write_bytes(data)
    [problem] = check_geopackage(copy)
    assert problem.startswith("invented.gpkg is damaged")


def test_what_is_no_geopackage_is_refused(tmp_path):
    text = tmp_path / "text.gpkg"
    text.write_text("not a database" * 20)
    assert "no SQLite database" in check_geopackage(text)[0]
    plain = tmp_path / "plain.gpkg"
    with closing(sqlite3.connect(plain)) as file:
        file.execute("CREATE TABLE a (b)")
        file.commit()
    assert "does not say GPKG" in check_geopackage(plain)[0]
    assert "cannot be read" in check_geopackage(tmp_path / "none.gpkg")[0]


def test_checking_changes_nothing(copy):
    before = copy.read_bytes()
    assert check_geopackage(copy) == ()
    assert copy.read_bytes() == before
    assert [p.name for p in copy.parent.iterdir()] == ["invented.gpkg"]


DATA = {
    "credit line missing",
    "licence missing",
    "id that stands twice",
    "row without an id",
    "layer without a description",
    "layer without a title",
}
"""What a frame of one's own may well lack."""


@pytest.fixture(scope="module")
def said_at_once(whole, tmp_path_factory):
    """What the check before a file is given out says of each."""
    path = tmp_path_factory.mktemp("made") / whole.name
    found = {}
    for what, (statement, _) in BROKEN.items():
        path.write_bytes(whole.read_bytes())
        run(path, statement)
        found[what] = check_written(path, content())
    return found


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_not_given_out(what, said_at_once):
    assert bool(said_at_once[what]) == (what not in DATA), said_at_once[what]


def test_a_large_file_is_looked_at_in_its_parts(whole, copy, monkeypatch):
    monkeypatch.setattr(geopackage_check, "_SMALL", 0)
    assert check_written(whole, content()) == ()
    run(copy, BROKEN["mark that no category draws"][0])
    assert check_written(copy, content()) == ()
    for what in ("gap in the feature ids", "spatial index that lacks a feature"):
        copy.write_bytes(whole.read_bytes())
        run(copy, BROKEN[what][0])
        assert re.search(
            "towns: feature ids|areas: the spatial index",
            str(check_written(copy, content())),
        )


def test_a_column_that_is_lost_is_missed(copy):
    run(copy, "ALTER TABLE towns RENAME COLUMN founded TO lost")
    assert "towns: columns are missing: founded." in check_written(copy, content())


def test_a_file_that_is_cut_off_is_not_given_out(copy):
    copy.write_bytes(copy.read_bytes()[:-1])
    [problem] = check_written(copy, content())
    assert "It is cut off" in problem


def test_a_broken_file_takes_no_ones_place(whole, copy, monkeypatch):
    dress = geopackage.dress

    def half_dressed(what, path, *rest):
        dress(what, path, *rest)
        run(path, "DELETE FROM layer_styles WHERE f_table_name = 'areas'")

    monkeypatch.setattr(geopackage, "dress", half_dressed)
    with pytest.raises(WriteError, match="not whole: areas has 0 default styles"):
        write_geopackage(content(), copy)
    assert copy.read_bytes() == whole.read_bytes()
    assert [p.name for p in copy.parent.iterdir()] == ["invented.gpkg"]
