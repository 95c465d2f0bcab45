"""Debian's QGIS opens what we write, dressed, and finds what our joins find."""

import hashlib
import json
import shutil
import sqlite3
import subprocess
import warnings
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.errors import NotGeoreferencedWarning

import geo
import layers
from layers.catalogue import load
from layers.export.exchange_content import exchange_content
from layers.export.geopackage import write_geopackage
from layers.symbology import LIGHT, MARKS
from maps.exchange import build
from tests.dressed import content, sheet
from tests.qgis import PYTHON, QGIS, NoQGISError

HERE = Path(__file__).parent
DEALS = ("cholsan-2019", "pobeda-2014", "sicomines-2008")


@pytest.fixture(scope="session")
def qgis(tmp_path_factory):
    try:
        return QGIS(tmp_path_factory.mktemp("profile"))
    except NoQGISError as error:
        pytest.skip(f"{error}: what QGIS sees is not tested")


def opened(qgis, path, project=""):
    """What QGIS finds in a file, and in the project stored in it."""
    said = qgis.script(HERE / "pyqgis_open.py", path, project or path)
    return json.loads(said)


@pytest.fixture(scope="module", params=DEALS)
def deal(qgis, request, tmp_path_factory):
    """An exchange that ships, exported, and what QGIS finds in it."""
    found = exchange_content(layers.load_exchange(request.param))
    path = tmp_path_factory.mktemp(request.param) / "export.gpkg"
    write_geopackage(found, path)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    seen = opened(qgis, path, f"geopackage:{path}?projectName={found.id}")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    return found, path, seen


@pytest.fixture(scope="module")
def invented(qgis, tmp_path_factory):
    path = tmp_path_factory.mktemp("invented") / "invented.gpkg"
    write_geopackage(content(), path)
    return path, opened(qgis, path, f"geopackage:{path}?projectName=invented")


def test_every_layer_opens_alone_in_its_own_style(deal):
    found, _, seen = deal
    for one in found.sheets:
        layer = seen["layers"][one.id]
        assert layer["valid"], one.id
        assert layer["features"] == len(one.table)
        if not one.geometry:
            continue
        assert layer["crs"] == "EPSG:4326"
        assert (layer["renderer"], layer["attribute"]) == ("categorizedSymbol", "mark")
        drawn = [(c["value"], c["label"]) for c in layer["categories"]]
        assert drawn == [(m.key, m.label) for m in one.style.marks]
        assert all(c["layers"] or c["value"] == "x" for c in layer["categories"])


def test_every_column_has_its_name_and_unit(deal):
    found, _, seen = deal
    for one in found.sheets:
        aliases = seen["layers"][one.id]["aliases"]
        assert list(aliases)[:2] == ["fid", "id"]
        for name, field in one.fields.items():
            unit = f" [{field.unit}]" if field.unit not in ("", "1") else ""
            assert aliases[name] == f"{field.alias}{unit}", (one.id, name)


def test_every_layer_says_its_licence_source_and_credit(deal):
    found, _, seen = deal
    for group in ("layers", "project"):
        for one in found.sheets:
            layer = (
                seen["layers"][one.id]
                if group == "layers"
                else seen["project"]["layers"][f"lodemap_{one.id}"]
            )
            assert layer["title"] == one.title
            assert layer["abstract"] == one.abstract
            assert layer["licences"] == [one.licence]
            assert layer["rights"] == [one.rights]
            assert layer["links"] == ([one.url] if one.url else [])
            assert any(one.source in line for line in layer["history"])


def test_the_project_inside_has_the_pages_groups_order_and_sea(deal):
    found, _, seen = deal
    project = seen["project"]
    assert project["read"]
    assert project["bad"] == []
    assert project["title"] == found.title
    assert project["crs"] == "EPSG:3857"
    assert project["background"] == LIGHT["sea"]
    assert project["order"] == [f"lodemap_{s.id}" for s in found.layers]
    assert set(project["groups"][:-2]) == {s.group for s in found.layers[:-1]} - {
        "Base map"
    }
    assert project["groups"][-2:] == ["Base map", "Evidence and tables"]
    assert project["variables"]["lodemap_language"] == "en"
    assert len(project["relations"]) == len(found.relations)
    assert all(project["relations"].values()), project["relations"]


def test_a_layout_prints_every_credit_by_itself(deal):
    found, _, seen = deal
    assert seen["project"]["trouble"] == ""
    for one in found.layers:
        assert one.rights in seen["project"]["credits"]


def test_the_project_beside_the_file_is_the_same(invented, qgis):
    path, seen = invented
    beside = opened(qgis, path, path.with_suffix(".qgz"))
    assert beside["project"] == seen["project"]


def test_a_moved_pair_of_files_still_opens(qgis, tmp_path):
    for path in write_geopackage(content(), tmp_path / "철산 & map's.gpkg"):
        moved = tmp_path / "moved by hand" / path.name
        moved.parent.mkdir(exist_ok=True)
        shutil.move(path, moved)
    seen = opened(qgis, moved.with_suffix(".gpkg"), moved)
    assert seen["project"]["bad"] == []
    assert len(seen["project"]["layers"]) == len(content().sheets)


def test_names_are_in_the_language_asked_for_or_else_in_english(invented):
    _, seen = invented
    towns = seen["layers"]["towns"]
    assert towns["trouble"] == ""
    assert towns["names"] == {
        "en": ["Anju", "Haeju & 'sons' <b>", "Unplaced"],
        "ko": ["안주", "Haeju & 'sons' <b>", "모름"],
        "zh": ["安州", "海州", "Unplaced"],
    }
    assert all("CJK" in family for family in towns["families"])


def test_days_are_dates(invented):
    _, seen = invented
    types = seen["layers"]["towns"]["types"]
    assert (types["founded"], types["seen"]) == ("Date", "DateTime")


def test_legs_bend_as_on_the_page(qgis, tmp_path):
    exchange = layers.load_exchange("cholsan-2019")
    _, project = write_geopackage(exchange_content(exchange), tmp_path / "x.gpkg")
    said = json.loads(qgis.script(HERE / "pyqgis_bends.py", project))
    page = build(exchange)
    drawn = [
        entry["geometry"]["coordinates"]
        for child in page._children.values()
        if str(getattr(child, "data", {}).get("mark", "")).startswith("leg-")
        for entry in child.data["features"]
    ]
    assert len(drawn) > 5
    lines = [
        shapely.from_wkt(text) for text in said.values() if text and "EMPTY" not in text
    ]
    for coordinates in drawn:
        ours = np.array(coordinates)
        # The page rounds to four decimals, some ten metres.
        apart = [
            np.abs(shapely.get_coordinates(line) - ours).max()
            for line in lines
            if shapely.get_num_points(line) == len(ours)
        ]
        assert min(apart) < 2e-4, min(apart)


def read(picture):
    """Colours of a picture, shape (rows, columns, 3)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(picture) as image:
            return np.moveaxis(image.read([1, 2, 3]), 0, 2).astype(int)


def painted(qgis, project, target, *more):
    qgis.script(HERE / "pyqgis_render.py", project, target, *more)
    return read(target)


def blended(*coats):
    """Colour of coats of paint, the lowest first: colour and opacity."""
    ground = np.zeros(3)
    for colour, opacity in coats:
        paint = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])
        ground = ground * (1 - opacity) + paint * opacity
    return ground


def share(picture, colour, tolerance=3):
    near = np.abs(picture - colour).max(axis=2) <= tolerance
    return float(near.mean())


def test_the_picture_has_the_pages_colours(qgis, tmp_path):
    found = exchange_content(layers.load_exchange("cholsan-2019"))
    path, _ = write_geopackage(found, tmp_path / "cholsan.gpkg")
    project = f"geopackage:{path}?projectName={found.id}"
    picture = painted(qgis, project, tmp_path / "en.png", 1400, 1170)
    land = blended((LIGHT["land"], 1))
    region = blended((LIGHT["land"], 1), (LIGHT["region"], 0.75))
    assert share(picture, blended((LIGHT["sea"], 1))) > 0.05
    assert share(picture, land) > 0.3
    assert share(picture, region) > 0.05
    for role, least in (("out", 3e-4), ("in", 6e-4), ("hypothetical", 2e-4)):
        assert share(picture, blended((LIGHT[role], 1)), 12) > least, role
    for key in ("hub", "plant", "crossing"):
        assert share(picture, blended((LIGHT[MARKS[key].role], 1)), 12) > 1e-4, key
    korean = painted(qgis, project, tmp_path / "ko.png", 1400, 1170, "ko")
    changed = (np.abs(picture - korean).max(axis=2) > 30).mean()
    assert 0.0005 < changed < 0.2


def test_without_the_empty_schema_qgis_leaves_a_layer_undressed(qgis, tmp_path):
    path, project = write_geopackage(content(), tmp_path / "invented.gpkg")
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE layer_styles SET f_table_schema = NULL")
        file.commit()
    seen = opened(qgis, path, project)
    assert seen["layers"]["towns"]["renderer"] == "singleSymbol"


def test_gdals_own_validator_has_nothing_to_say(deal, qgis):
    _, path, _ = deal
    done = subprocess.run(
        [PYTHON, "-m", "osgeo_utils.samples.validate_gpkg", "-k", str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=qgis.environment,
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture(scope="module")
def joined(qgis, tmp_path_factory):
    """Points, some on corners and edges, provinces, and the joins of QGIS."""
    provinces = load("provinces")
    keep = provinces[["id", "name", "geometry"]].assign(mark="region")
    random = np.random.default_rng(11)
    west, south, east, north = keep.total_bounds
    xy = random.uniform((west, south), (east, north), (4000, 2))
    corners = shapely.get_coordinates(keep.geometry.array)
    xy = np.vstack([xy, corners[random.integers(0, len(corners), 200)]])
    towns = load("places")
    shapes = [*shapely.points(xy), *towns.geometry]
    points = gpd.GeoDataFrame(
        {"id": [f"p{n}" for n in range(len(xy))] + [f"town-{i}" for i in towns["id"]]},
        geometry=shapes,
        crs=4326,
    )
    export = content(
        sheets=(
            sheet("points", points, geometry="Point"),
            sheet("provinces", keep, geometry="MultiPolygon"),
        ),
        relations=(),
    )
    folder = tmp_path_factory.mktemp("join")
    path, _ = write_geopackage(export, folder / "join.gpkg")
    found = {}
    for name, predicate in (("intersects", 0), ("within", 5)):
        out = folder / f"{name}.csv"
        qgis.run(
            "native:joinattributesbylocation",
            INPUT=f"{path}|layername=points",
            JOIN=f"{path}|layername=provinces",
            PREDICATE=predicate,
            JOIN_FIELDS="id",
            METHOD=0,
            DISCARD_NONMATCHING="true",
            PREFIX="province_",
            OUTPUT=out,
        )
        table = pd.read_csv(out, dtype=str)
        found[name] = sorted(zip(table["id"], table["province_id"], strict=True))
    left = gpd.read_file(path, layer="points")
    right = gpd.read_file(path, layer="provinces")
    return left, right, found


@pytest.mark.parametrize("name", ["within", "intersects"])
def test_qgis_joins_the_same_rows_as_we_do(name, joined):
    left, right, found = joined
    ours = getattr(geo, name)(left[["id", "geometry"]], right[["id", "geometry"]])
    pairs = sorted(zip(ours["id_left"], ours["id_right"], strict=True))
    assert len(pairs) > 1500
    assert pairs == found[name]
    assert sum(one.startswith("town-") for one, _ in pairs) >= 5


def test_the_layout_prints_with_the_pages_ground_and_marks(qgis, tmp_path):
    found = exchange_content(layers.load_exchange("cholsan-2019"))
    _, project = write_geopackage(found, tmp_path / "cholsan.gpkg")
    target = tmp_path / "sheet.png"
    said = qgis.script(HERE / "pyqgis_print.py", project, target)
    assert said == "Map with legend and credits"
    sheet_ = read(target)
    assert share(sheet_, blended((LIGHT["land"], 1))) > 0.2
    assert share(sheet_, blended((LIGHT["sea"], 1))) > 0.03
    # The legend stands right of the map, the credits below it.
    tall, wide = sheet_.shape[:2]
    legend = sheet_[: int(tall * 0.86), int(wide * 0.755) :]
    for role in ("out", "in", "plant", "hub"):
        assert share(legend, blended((LIGHT[role], 1)), 12) > 5e-5, role
    assert share(sheet_[int(tall * 0.88) :], blended((LIGHT["ink"], 1)), 90) > 0.01


def test_the_layer_tree_shows_legs_in_their_colours(qgis, tmp_path):
    found = exchange_content(layers.load_exchange("cholsan-2019"))
    _, project = write_geopackage(found, tmp_path / "cholsan.gpkg")
    target = tmp_path / "swatches.png"
    qgis.script(HERE / "pyqgis_swatches.py", project, "lodemap_legs", target)
    [legs] = [s for s in found.sheets if s.id == "legs"]
    swatches = np.split(read(target), len(legs.style.marks))
    for mark, swatch in zip(legs.style.marks, swatches, strict=True):
        colour = blended((LIGHT[mark.role], 1))
        assert share(swatch, colour, 12) > 0.05, mark.key


def test_gdal_finds_the_relations_in_the_file(deal, qgis):
    found, path, _ = deal
    code = (
        "import json, sys; from osgeo import gdal; gdal.UseExceptions(); "
        "file = gdal.OpenEx(sys.argv[1]); "
        "ways = map(file.GetRelationship, file.GetRelationshipNames()); "
        "print(json.dumps([[w.GetRightTableName(), *w.GetRightTableFields(), "
        "w.GetLeftTableName(), *w.GetLeftTableFields()] for w in ways]))"
    )
    done = subprocess.run(
        [PYTHON, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env=qgis.environment,
    )
    ways = {tuple(way) for way in json.loads(done.stdout)}
    declared = {
        (r.child, r.child_field, r.parent, r.parent_field) for r in found.relations
    }
    assert ways == {way for way in declared if way[1] != "ref"}
    assert len(ways) > 2
