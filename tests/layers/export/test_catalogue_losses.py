"""What catalogues and databases change is counted before it happens."""

import json
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import layers
from layers.errors import SchemaError
from layers.export.content import Sheet
from layers.export.datapackage import write_datapackage
from layers.export.formats import FORMATS
from layers.export.losses import loss_report
from layers.export.postgis import write_postgis
from layers.export.stac import write_stac
from maps.serve import serving
from tests.apart import FRICTIONLESS, NoProgramsError
from tests.layers.export.hard_values import (
    NAMES,
    SHAPES,
    VALUES,
    of_names,
    of_shapes,
    of_values,
)
from tests.layers.export.measuring import ASPECTS, OF_THE_WHOLE, by_aspect, changes
from tests.layers.export.reading_catalogues import (
    read_datapackage,
    read_postgis,
    read_served,
    read_stac,
)
from tests.layers.export.small import counties, raster, small
from tests.postgis import NoPostGISError, Server

LONGEST = ["길" * 21, "길" * 21 + "가", "길" * 21 + "나", "길" * 22]
KEYS = ("postgis", "stac", "datapackage", "pygeoapi")


def _sheets():
    """Every hard value, name and geometry, as a layer each; values as tables too."""
    found = {}
    for word, kinds, content in (
        ("values", VALUES, of_values),
        ("names", NAMES | {"longest names": LONGEST}, of_names),
        ("shapes", SHAPES, of_shapes),
    ):
        for kind, hard in kinds.items():
            if kind == "hostile names":
                hard = [name for name in hard if name]  # noqa: PLW2901
            [sheet] = content(hard).sheets
            id_ = f"{word}_{kind}".replace(" ", "_")
            found[id_] = replace(sheet, id=id_)
            if word == "values":
                table = pd.DataFrame(sheet.table.drop(columns="geometry"))
                other = f"rows_{kind}".replace(" ", "_")
                found[other] = replace(sheet, id=other, table=table, geometry="")
    fine = pd.to_datetime(pd.Series([1, None, 1000, 1001, None]), unit="ns")
    [sheet] = of_values(fine).sheets
    found["values_nanoseconds"] = replace(sheet, id="values_nanoseconds")
    return found


SHEETS = _sheets()
LAYERS = [id_ for id_, sheet in SHEETS.items() if sheet.geometry]


@pytest.fixture(scope="module")
def content():
    return small(sheets=tuple(SHEETS.values()), relations=())


@pytest.fixture(scope="module")
def postgis(content):
    import psycopg

    try:
        server = Server()
    except NoPostGISError as error:
        pytest.skip(f"{error}; python tests/postgis.py brings one")
    url = f"postgresql://lodemap@/postgres?host={server.folder}"
    try:
        write_postgis(content, url, schema="hard")
        with psycopg.connect(url) as connection:
            yield read_postgis(connection, "hard")
    finally:
        server.stop()


@pytest.fixture(scope="module")
def stac(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("stac")
    write_stac(content, path)
    return read_stac(path)


@pytest.fixture(scope="module")
def package(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("package")
    write_datapackage(content, path)
    return path


@pytest.fixture(scope="module")
def datapackage(package):
    return read_datapackage(package)


@pytest.fixture(scope="module")
def pygeoapi(content):
    with serving(content, port=0) as (address, _):
        yield read_served(address, SHEETS)


@pytest.fixture(scope="module")
def counted(content):
    """What is declared, by format, sheet and kind of loss."""
    found = {}
    for key in KEYS:
        for item in loss_report(content, key).found:
            counts = found.setdefault((key, item.sheet), {})
            counts[item.loss.kind] = item.count
    return found


# A column of a database is the same with a place beside it and without.
@pytest.mark.parametrize(
    ("key", "id_"),
    [(k, id_) for k in KEYS for id_ in (LAYERS if k == "postgis" else SHEETS)],
)
def test_what_changes_is_what_is_declared(key, id_, counted, request):
    back = request.getfixturevalue(key)[id_]
    assert changes(SHEETS[id_], back, key) == by_aspect(counted.get((key, id_), {}))


@pytest.mark.parametrize("key", KEYS)
def test_every_declared_loss_happens_to_some_value(key, counted):
    happened = {k for (form, _), kinds in counted.items() if form == key for k in kinds}
    declared = {loss.kind for loss in FORMATS[key].losses}
    assert declared - OF_THE_WHOLE == happened - OF_THE_WHOLE
    assert declared <= OF_THE_WHOLE.union(*ASPECTS.values())


def test_frictionless_reads_every_hard_value_by_its_type(package):
    try:
        FRICTIONLESS.versions()
    except NoProgramsError as error:
        pytest.skip(str(error))
    done = FRICTIONLESS.run(
        "frictionless", "validate", "--json", package / "datapackage.json"
    )
    report = json.loads(done.stdout)
    assert [e for task in report["tasks"] for e in task["errors"]] == []
    assert report["valid"]
    assert report["stats"]["tasks"] == len(SHEETS) + len(LAYERS)


@pytest.mark.parametrize("key", KEYS[1:])
def test_a_column_without_a_name_is_refused(key, tmp_path):
    with pytest.raises(SchemaError, match="has no name"):
        FORMATS[key].write(of_names(["a", ""]), tmp_path / "out")


def odd():
    """A layer that has everything that a format may not take."""
    table = gpd.GeoDataFrame(
        {
            "id": ["a", "b"],
            "길" * 22: ["x\0", ""],
            "far": [float("inf"), 1.0],
            "fine": pd.to_datetime(["2026-01-01T00:00:00.000000001", None]),
            "list": [["a"], None],
        },
        geometry=[counties().table.geometry[0], shapely.Polygon()],
        crs=4326,
    )
    return Sheet(id="odd", title="", abstract="", table=table, geometry="Polygon")


def test_each_loss_is_counted(tmp_path):
    empty = replace(counties(), table=counties().table.iloc[:0], id="empty")
    base = small()
    content = small(
        sheets=(*base.sheets, odd(), empty), rasters={"h": raster(tmp_path / "h.tif")}
    )
    found = {
        key: loss_report(content, key).counts
        for key in ("postgis", "datapackage", "stac", "pygeoapi", "cog")
    }
    assert found["postgis"] == {
        "names shortened": 1,
        "characters replaced": 1,
        "times cut": 1,
        "made multi-part": 1,
        "links undeclared": 1,
        "rasters left out": 1,
    }
    # Empty texts: one claim of the mines, one value of the claims, one of the odd.
    assert found["datapackage"] == {
        "empty texts": 3,
        "characters replaced": 1,
        "style": 3,
        "links undeclared": 1,
    }
    assert found["stac"] == {
        "empty texts": 1,
        "infinite numbers": 1,
        "dates as text": 2,
        "times as text": 2,
        "rings turned": 2,
        "empty geometries": 1,
        "style": 3,
        "links undeclared": 3,
    }
    assert found["pygeoapi"] == {
        **{k: v for k, v in found["stac"].items() if k != "empty texts"},
        "empty sheets left out": 1,
        "rasters left out": 1,
    }
    assert found["cog"] == {"sheets left out": 6}


@pytest.mark.parametrize("key", ["stac", "datapackage", "pygeoapi", "cog"])
def test_an_export_with_its_report_can_be_made_again(tmp_path, key):
    content = small(rasters={"h": raster(tmp_path / "h.tif")})
    first = layers.write(content, tmp_path / "out", to=key)
    assert first.report == tmp_path / "out" / "losses.json"
    assert layers.write(content, tmp_path / "out", to=key) == first
    assert FORMATS[key].losses
