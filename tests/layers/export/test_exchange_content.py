import geopandas as gpd
import pandas as pd
import pytest

import layers
from geo.geodesy import area
from layers.catalogue import catalogue
from layers.errors import LayerNotFoundError
from layers.export.catalogue_content import catalogue_content
from layers.export.exchange_content import exchange_content
from layers.schema import AREA_PRECISION


@pytest.fixture(scope="module", params=layers.exchange_ids())
def deal(request):
    return layers.load_exchange(request.param)


@pytest.fixture(scope="module")
def content(deal):
    return exchange_content(deal)


def by_id(content):
    return {sheet.id: sheet for sheet in content.sheets}


def test_every_place_of_the_exchange_is_in_one_layer_once(deal, content):
    refs = pd.concat([s.table["ref"] for s in content.sheets if s.geometry == "Point"])
    assert sorted(refs) == sorted({*deal.places["ref"], *deal.comparables["ref"]})


def test_ids_are_texts_that_name_one_row_and_come_first(content):
    for sheet in content.sheets:
        assert sheet.table.columns[0] == "id", sheet.id
        assert sheet.table["id"].is_unique, sheet.id
        assert all(type(one) is str for one in sheet.table["id"]), sheet.id


def test_every_column_is_described_and_no_value_is_a_truth_or_a_list(content):
    for sheet in content.sheets:
        columns = [c for c in sheet.table.columns if c != "geometry"]
        assert list(sheet.fields) == columns, sheet.id
        for name in columns:
            values = sheet.table[name].dropna()
            assert not values.map(lambda v: isinstance(v, bool | list | tuple)).any()
            assert sheet.fields[name].alias
            assert sheet.fields[name].about


def test_every_mark_in_a_column_is_in_the_style_and_the_other_way_round(content):
    for sheet in content.layers:
        there = set(sheet.table["mark"]) - {""}
        assert there == {mark.key for mark in sheet.style.marks}, sheet.id


def test_what_is_known_to_a_county_or_worse_is_never_a_point(content):
    sheets = by_id(content)
    rings = pd.concat(
        [sheets[n].table for n in sheets if n.startswith("uncertainty")]
    ).set_index("ref")
    for sheet in content.sheets:
        if sheet.geometry != "Point":
            continue
        coarse = sheet.table["precision_code"] >= AREA_PRECISION
        assert (sheet.table["mark"][coarse] == "").all()
        assert (sheet.table["mark"][~coarse] != "").all()
        drawn = rings.loc[list(sheet.table["ref"][coarse]), "mark"]
        assert list(drawn) == list(sheet.table["drawn_as"][coarse])
        assert set(sheet.table["ref"]) <= set(rings.index)


def test_discs_have_the_area_of_their_radius(content):
    for name, sheet in by_id(content).items():
        if not name.startswith("uncertainty"):
            continue
        rows = sheet.table[sheet.table["uncertainty_m"] < 50_000]
        ratio = area(rows.geometry) / (3.14159265 * rows["uncertainty_m"] ** 2)
        assert ratio.between(0.999, 1.001).all()


def test_all_layers_are_valid_and_in_wgs_84(content):
    for sheet in content.layers:
        assert isinstance(sheet.table, gpd.GeoDataFrame)
        assert sheet.table.crs == "EPSG:4326"
        kinds = {k.removeprefix("Multi") for k in sheet.table.geom_type}
        assert kinds == {sheet.geometry.removeprefix("Multi")}
    for sheet in content.tables:
        assert not isinstance(sheet.table, gpd.GeoDataFrame)


def test_relations_hold(content):
    sheets = by_id(content)
    for relation in content.relations:
        child = sheets[relation.child].table[relation.child_field]
        parent = sheets[relation.parent].table[relation.parent_field]
        assert parent.is_unique, relation
        if relation.child_field != "ref":
            assert set(child) <= set(parent), relation


def test_sources_that_others_derive_from_are_there(content):
    table = by_id(content)["sources"].table
    parents = {one for text in table["derived_from"] for one in str(text).split()}
    assert parents <= set(table["id"])


def test_every_claim_and_source_that_a_feature_cites_is_there(content):
    sheets = by_id(content)
    cited = sheets["feature_sources"].table
    assert set(cited["source"]) <= set(sheets["sources"].table["id"])
    assert set(sheets["feature_claims"].table["claim"]) <= set(
        sheets["claims"].table["id"]
    )
    for sheet in content.sheets:
        if "sources" in sheet.table and "ref" in sheet.table:
            named = {s for text in sheet.table["sources"] for s in str(text).split()}
            if not sheet.id.startswith("uncertainty"):
                own = cited[cited["sheet"] == sheet.id]
                assert set(own["source"]) == named


def test_the_first_view_holds_the_named_places(content):
    west, south, east, north = content.bbox
    assert -180 <= west < east <= 180
    assert -90 <= south < north <= 90
    for sheet in content.sheets:
        if sheet.geometry == "Point":
            named = sheet.table[sheet.table["named"] == "yes"].geometry
            assert named.x.between(west, east).all()
            assert named.y.between(south, north).all()


def test_every_sheet_says_its_licence_and_whom_to_credit(content):
    for sheet in content.sheets:
        assert sheet.licence
        assert sheet.rights
        assert sheet.abstract
    assert set(by_id(content)["layers"].table["id"]) <= set(by_id(content))


def test_the_whole_catalogue_is_there_as_it_ships():
    content = catalogue_content()
    sheets = by_id(content)
    for layer_id, entry in catalogue().items():
        if entry.kind == "raster":
            assert content.rasters[layer_id].is_file()
            continue
        sheet = sheets[layer_id.replace("-", "_")]
        read = layers.load if entry.kind == "vector" else layers.load_table
        assert len(sheet.table) == len(read(layer_id))
        assert {n: f.unit for n, f in sheet.fields.items() if n in entry.columns} == {
            n: c.unit for n, c in entry.columns.items() if n not in {"lon", "lat"}
        }


def test_some_layers_stand_in_the_order_asked_for():
    content = catalogue_content(["trade-hubs", "deposits", "trade-hubs"])
    assert [s.id for s in content.layers] == ["trade_hubs", "deposits"]


@pytest.mark.parametrize("ids", [["trade-hub"], []])
def test_what_is_not_in_the_catalogue_is_told(ids):
    with pytest.raises(LayerNotFoundError, match="trade-hubs"):
        catalogue_content(ids)


def test_no_border_is_drawn_twice(content):
    for sheet in content.sheets:
        if sheet.id.startswith("base_"):
            assert "zone-limit" not in set(sheet.table["kind"])
