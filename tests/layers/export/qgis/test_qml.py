import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.export.content import Field
from layers.export.qgis.elements import clean, document, element, quoted_text
from layers.export.qgis.labels import labelling, name_expression
from layers.export.qgis.layout import layout
from layers.export.qgis.metadata import metadata_document
from layers.export.qgis.project import project_archive, project_document
from layers.export.qgis.qml import alias, renderer, style_document
from layers.export.qgis.symbols import symbol
from layers.symbology import BASE_MAP, GROUPS, MARKS, base_mark, leg_mark
from tests.dressed import content, towns


def by_id(name):
    return next(s for s in content().sheets if s.id == name)


def settings_of(layer):
    return {o.get("name"): o.get("value") for o in layer.find("Option")}


def test_categories_follow_the_legend_and_say_its_words():
    found = renderer(by_id("legs")).findall("categories/category")
    marks = by_id("legs").style.marks
    assert [(c.get("value"), c.get("label")) for c in found] == [
        (m.key, m.label) for m in marks
    ]


def test_a_mark_that_the_page_opens_without_is_off():
    off = MARKS["tie-area"]
    one = by_id("legs")
    shown = replace(one, style=replace(one.style, marks=(MARKS["tie"], off)))
    found = renderer(shown).findall("categories/category")
    assert [c.get("render") for c in found] == ["true", "false"]
    # Where the whole layer is off, switching it on shows it.
    hidden = renderer(replace(shown, on=False)).findall("categories/category")
    assert [c.get("render") for c in hidden] == ["true", "true"]


def test_a_layer_without_marks_is_drawn_by_one_symbol():
    found = renderer(replace(towns(), style=None))
    assert found.get("type") == "singleSymbol"
    assert labelling(replace(towns(), style=None)) is None


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
@pytest.mark.parametrize("geometry", ["Point", "MultiLineString", "Polygon"])
def test_every_mark_can_draw_every_kind_of_geometry(mark, geometry):
    drawn = symbol(mark, geometry)
    assert len(drawn) > 0 or mark.shape == "switch"
    kinds = {"Point": "marker", "MultiLineString": "line", "Polygon": "fill"}
    assert drawn.get("type") == kinds[geometry]


def test_dashes_and_widths_are_in_points():
    casing, ink, head = symbol(leg_mark("investment", "in"), "LineString")
    assert settings_of(casing)["line_width"] == "4.2"
    assert settings_of(ink)["line_width"] == "1.95"
    assert settings_of(ink)["customdash"] == "7.5;3.75"
    assert settings_of(ink)["line_color"] == "0,96,156,255"
    assert head.get("class") == "MarkerLine"
    assert settings_of(head)["placement"] == "lastvertex"


def test_a_bent_line_is_drawn_straight_in_swatches_only():
    curve, *straight = symbol(leg_mark("ore", "out"), "LineString", drawn_as="f($x)")
    assert curve.get("class") == "GeometryGenerator"
    assert [one.get("class") for one in straight] == [
        one.get("class") for one in curve.find("symbol").findall("layer")
    ]
    for one in straight:
        said = {o.get("name"): o.get("value") for o in one.iter("Option")}
        assert said["expression"] == "false"
        assert one.find(".//Option[@name='enabled'][@type='Map']") is not None


def test_names_of_columns_have_their_unit_in_brackets():
    assert alias("a", Field(alias="Area", about="", unit="km²")) == "Area [km²]"
    assert alias("n", Field(alias="Count", about="", unit="1")) == "Count"
    assert alias("n", None) == "n"


def test_languages_that_a_layer_lacks_are_not_asked_for():
    table = towns().table.drop(columns=["name_zh"])
    text = name_expression(replace(towns(), table=table), "name")
    assert "name_ko" in text
    assert "zh" not in text
    plain = table.drop(columns=["name_ko"])
    assert name_expression(replace(towns(), table=plain), "name") == '"name"'


def test_rings_and_the_ground_have_no_names_of_their_own():
    one = towns()
    marks = (MARKS["uncertainty"],)
    assert labelling(replace(one, style=replace(one.style, marks=marks))) is None


def test_lesser_names_wait_for_a_larger_scale():
    rules = labelling(towns(), 500_000).findall("rules/rule")
    late = [r for r in rules if r.get("scalemaxdenom") == "500000"]
    assert [r.get("description") for r in late] == [MARKS["place"].label]
    silent = [r for r in rules if r.find("settings/rendering").get("drawLabels") == "0"]
    assert [r.get("scalemindenom") for r in silent] == ["500000"]


def test_the_project_reads_files_beside_it_and_nothing_else():
    root = ET.fromstring(project_document(content(), "a b.gpkg"))
    sources = [one.text for one in root.iter("datasource")]
    assert sources == [f"./a b.gpkg|layername={s.id}" for s in content().sheets]
    assert root.findtext("properties/Paths/Absolute") == "false"


def test_layers_stand_in_the_groups_of_the_legend_and_keep_their_order():
    root = ET.fromstring(project_document(content(), "x.gpkg"))
    groups = [g.get("name") for g in root.findall("layer-tree-group/layer-tree-group")]
    named = [g for g in GROUPS if g in groups]
    assert groups == [*named, "Base map", "Evidence and tables"]
    order = [item.text for item in root.findall("layer-tree-group/custom-order/item")]
    assert order == [f"lodemap_{s.id}" for s in content().layers]


def test_a_relation_to_what_is_not_there_is_left_out():
    less = content(sheets=content().sheets[:-1])
    root = ET.fromstring(project_document(less, "x.gpkg"))
    assert [r.get("referencedLayer") for r in root.iter("relation")] == [
        "lodemap_towns"
    ]


def test_the_archive_carries_the_day_of_the_content_and_one_file():
    packed = project_archive(content(), "x.gpkg")
    assert packed == project_archive(content(), "x.gpkg")
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        [entry] = archive.infolist()
        assert entry.filename == "x.qgs"
        assert entry.date_time == (2026, 3, 1, 0, 0, 0)


@given(st.text(max_size=40))
def test_any_text_is_safe_in_xml(text):
    one = element("a", {"b": text}, text=text)
    read = ET.fromstring(document(one))
    shown = clean(text).replace("\r\n", "\n").replace("\r", "\n")
    assert read.text in (shown or None, shown)


@settings(max_examples=25)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_hostile_words_stay_words(text):
    words = replace(towns(), title=text, abstract=text, rights=text, source=text)
    one = content(sheets=(words,), title=text, abstract=text, relations=())
    for xml in (
        style_document(words, one),
        metadata_document(words, one),
        project_document(one, "x.gpkg"),
    ):
        root = ET.fromstring(xml)
        assert root.tag == "qgis"
    read = ET.fromstring(metadata_document(words, one)).findtext("rights")
    shown = clean(text).replace("\r\n", "\n").replace("\r", "\n")
    assert read == shown


def test_a_quote_cannot_end_an_expression():
    assert quoted_text("a' || 1 || '\\") == "'a'' || 1 || ''\\\\'"


def test_a_printed_legend_leaves_the_ground_out():
    one = by_id("legs")
    assert one.style.marks[0].group != BASE_MAP
    for marks, order in (
        ((base_mark("provinces"), *one.style.marks[:1]), "1"),
        (one.style.marks, None),
    ):
        legs = replace(one, style=replace(one.style, marks=marks))
        legend = layout(content(sheets=(legs,)), (0, 0, 1, 1), 3857)
        layer = legend.find(".//layer-tree-layer[@id='lodemap_legs']")
        assert (
            settings_of(layer.find("customproperties")).get("legend/node-order")
            == order
        )
