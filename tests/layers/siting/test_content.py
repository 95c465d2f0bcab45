"""Sites as a GeoPackage that opens dressed: what is in the file, and what QGIS sees."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import rasterio

from layers.export.geopackage import write_geopackage
from layers.siting.content import sites_content
from layers.solar import sites
from layers.symbology import OVERLAY
from maps.facts import number
from maps.overlay import read_overlay
from tests.pyongan import write_world
from tests.qgis import QGIS, NoQGISError

SCRIPTS = Path(__file__).parents[1] / "export" / "qgis"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    world = write_world(tmp_path_factory.mktemp("world"))
    folder = tmp_path_factory.mktemp("rasters")
    return sites("pyongan", data=world, keep=5, draws=50, reruns=False, folder=folder)


@pytest.fixture(scope="module")
def written(found, tmp_path_factory):
    path = tmp_path_factory.mktemp("out") / "sites.gpkg"
    write_geopackage(sites_content(found), path)
    for raster in found.outputs:
        shutil.copy(raster, path.parent)
    return path


@pytest.fixture(scope="module")
def seen(written, tmp_path_factory):
    try:
        qgis = QGIS(tmp_path_factory.mktemp("profile"))
    except NoQGISError as error:
        pytest.skip(f"{error}: what QGIS sees of sites is not tested")
    said = qgis.script(SCRIPTS / "pyqgis_open.py", written, written.with_suffix(".qgz"))
    return json.loads(said)


def rows(path, query):
    with closing(sqlite3.connect(path)) as file:
        return file.execute(query).fetchall()


def test_the_content_says_of_each_column_what_it_holds(found):
    layer = sites_content(found).layers[0]
    assert set(layer.fields) == set(layer.table.columns) - {"geometry"}
    assert layer.fields["town_km"].alias == "Distance to town"
    assert layer.fields["town_km"].unit == "km"
    assert layer.fields["plant_name"].alias == "Nearest power plant"
    assert layer.fields["share_ghi"].alias == "Share of irradiation in the score"
    assert "computed, not reported" in layer.fields["precision_code"].about


def test_licence_and_credit_name_all_that_it_was_computed_from(found):
    layer = sites_content(found).layers[0]
    assert layer.licence == "CC-BY-4.0"
    for entry in found.inputs:
        assert (entry["notice"] or entry["source"]) in layer.rights
        assert (entry["notice"] or entry["source"]) in layer.source


def test_what_is_said_of_the_sites_stands_in_tables(found, written):
    assert rows(written, "select id, text from method") == list(found.method.items())
    criteria = rows(written, "select id, weight, reason, source from criteria")
    assert criteria == [(r.id, r.weight, r.reason, r.source) for r in found.rules]
    data = rows(written, "select id, source, url, licence from data")
    assert data == [
        tuple(e[k] for k in ("name", "source", "url", "licence")) for e in found.inputs
    ]
    held = rows(written, "select portfolio, site from portfolio_sites")
    assert held == [
        (f"{p.reading}-{p.land_use}", site)
        for p in found.portfolios
        for site in p.sites
    ]
    cited = {one for text in found.table["sources"] for one in text.split()}
    assert {row[0] for row in rows(written, "select id from sources")} == cited
    assert rows(written, "select count(*) from scenarios") == [(1,)]


def test_no_site_is_written_too(found, tmp_path):
    none = replace(found, table=found.table.iloc[:0], portfolios=())
    write_geopackage(sites_content(none), tmp_path / "none.gpkg")
    assert rows(tmp_path / "none.gpkg", "select count(*) from sites") == [(0,)]


def test_the_same_sites_give_the_same_bytes(found, written, tmp_path):
    again = tmp_path / "sites.gpkg"
    write_geopackage(sites_content(found), again)
    assert again.read_bytes() == written.read_bytes()


def test_qgis_opens_the_sites_dressed(seen, found):
    layer = seen["layers"]["sites"]
    assert layer["valid"]
    assert layer["features"] == 5
    assert layer["crs"] == "EPSG:4326"
    assert [c["value"] for c in layer["categories"]] == ["site"]
    assert [c["label"] for c in layer["categories"]] == ["Hypothetical site"]
    assert layer["names"]["en"] == [str(rank) for rank in found.table["rank"]]
    assert layer["aliases"]["energy_gwh_p90"] == "Energy, P90 [GWh]"
    assert layer["licences"] == ["CC-BY-4.0"]
    assert "WorldCover" in layer["rights"][0]
    assert "hypothetical" in layer["abstract"]


def test_qgis_opens_the_project_with_base_map_relations_and_credit(seen):
    project = seen["project"]
    assert project["read"]
    assert project["bad"] == []
    assert project["order"][:2] == ["lodemap_sites", "lodemap_suitability"]
    assert "lodemap_base_coast" in project["order"]
    assert project["groups"][0] == "What we computed"
    assert len(project["relations"]) == 2
    assert all(project["relations"].values())
    assert "Copernicus" in project["credits"]
    assert project["trouble"] == ""


def test_qgis_shows_the_scores_under_the_sites_as_the_page_does(seen, found):
    score = next(path for path in found.outputs if path.name == "score.tif")
    overlay = read_overlay(score, name="Suitability")
    raster = seen["project"]["rasters"]["lodemap_suitability"]
    with rasterio.open(score) as file:
        assert raster["crs"] == str(file.crs)
    low, high = raster["stops"]
    assert number(low["value"]) == overlay.scale.low
    assert number(high["value"]) == overlay.scale.high
    assert {low["colour"], high["colour"]} == {OVERLAY}
    alphas = [float(c.split("/")[1].strip(" )")) for c in overlay.scale.colours]
    assert low["alpha"] == pytest.approx(alphas[0], abs=0.005)
    assert high["alpha"] == alphas[-1] == 1


def test_without_a_raster_of_scores_the_project_has_none(found):
    assert len(sites_content(found).backdrops) == 1
    assert sites_content(replace(found, outputs=())).backdrops == ()
