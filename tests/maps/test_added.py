import re

import geopandas as gpd
import pytest
from shapely.geometry import (
    GeometryCollection,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
    box,
)

import layers
import maps
from geo.errors import (
    AxisOrderError,
    CRSMismatchError,
    CRSMissingError,
    GeometryError,
    GeometryTypeError,
)
from layers.evidence import sources
from maps.added import MOST_FEATURES, MOST_LABELS
from maps.legend import legend_html
from maps.page import PageError


@pytest.fixture
def page(deal):
    return maps.exchange_map(deal)


def points(*lonlats, crs=4326, **columns):
    shapes = [Point(p) for p in lonlats]
    return gpd.GeoDataFrame(columns, index=range(len(shapes)), geometry=shapes, crs=crs)


def test_columns_become_facts_of_a_card(page):
    layer = points(
        (125, 39), name=["갱 '1'"], tonnes=[1200.0], seen=[None], sources="s"
    )
    maps.add_layer(page, layer, name="pits")
    card = page.cards[-1]
    assert card.name == "갱 '1'"
    assert ("tonnes", "1200") in card.facts
    assert "seen" not in dict(card.facts)
    assert page.marks["added:1"].label == "pits"


def test_layers_come_in_their_order_with_their_style(page):
    layer = points((125, 39), sources="s")
    maps.add_layer(page, layer, name="a")
    maps.add_layer(page, layer, name="b", style={"symbol": "cross", "colour": "plant"})
    assert [m.label for k, m in page.marks.items() if k.startswith("added")] == [
        "a",
        "b",
    ]
    assert page.marks["added:2"].symbol == "cross"


def test_extra_layers_are_added_at_once(deal):
    page = maps.exchange_map(deal, extra_layers=[("mine", points((125, 39)))])
    assert page.cards[-1].name == "mine 1"


def test_the_first_view_takes_in_the_layer(page):
    maps.add_layer(page, points((135, 35)), name="far")
    (south, _), (_, east) = page.first_view
    assert south <= 35
    assert east >= 135


def test_many_points_in_one_are_drawn_one_by_one(page):
    before = len(page.cards)
    layer = gpd.GeoDataFrame(geometry=[MultiPoint([(125, 39), (126, 40)])], crs=4326)
    maps.add_layer(page, layer, name="pairs")
    assert len(page.cards) == before + 2


def test_only_points_are_taken_apart(page):
    before = len(page.cards)
    squares = MultiPolygon([box(125, 39, 126, 40), box(127, 39, 128, 40)])
    layer = gpd.GeoDataFrame(
        geometry=[squares, MultiPoint([(125, 39), (126, 40)])], crs=4326
    ).rename_geometry("shape")
    maps.add_layer(page, layer, name="mixed")
    assert len(page.cards) == before + 3


@pytest.mark.parametrize("column", [{}, {"sources": [None]}, {"sources": "  "}])
def test_a_layer_without_a_source_says_so(page, column):
    maps.add_layer(page, points((125, 39), **column), name="mine")
    card = page.cards[-1]
    assert card.badge == "no source named"
    assert "It names no source." in card.intro
    assert ("Where", "uncertainty not stated") in card.facts
    assert page.marks["added:1"].label == "mine (no source named)"
    assert "no source named" in legend_html(page.marks.values())


def test_the_legend_counts_features_without_a_source(page):
    layer = points((125, 39), (126, 39), sources=["Smith 1999", ""], status="reported")
    maps.add_layer(page, layer, name="mine")
    assert page.marks["added:1"].label == "mine (1 of 2 name no source)"
    named, bare = page.cards[-2:]
    assert "names no source" not in named.intro
    assert "It names no source." in bare.intro
    assert bare.badge == "reported"


def test_evidence_columns_show_as_evidence(page):
    known = next(iter(sources().values()))
    layer = points(
        (125, 39),
        (126, 39),
        sources=[known.id, f"{known.id} Smith 1999, p. 4"],
        uncertainty_m=12_000.0,
        precision_code=2,
    )
    maps.add_layer(page, layer, name="mine")
    first, second = page.cards[-2:]
    assert [s.title for s in first.sources] == [known.title]
    assert "Sources, as given" not in dict(first.facts)
    assert "Smith 1999, p. 4" in dict(second.facts)["Sources, as given"]
    assert "12 km" in dict(first.facts)["Where"]
    assert "(code 2)" in dict(first.facts)["Precision"]


@pytest.mark.parametrize("radius", [-5.0, 0.0, float("inf"), 1e99, "far", None])
def test_a_radius_that_is_none_draws_no_ring(page, radius):
    maps.add_layer(page, points((125, 39), uncertainty_m=[radius]), name="mine")
    assert dict(page.cards[-1].facts)["Where"] == "uncertainty not stated"


def test_an_area_says_how_far_it_may_be_off(page):
    layer = gpd.GeoDataFrame(
        {"uncertainty_m": [4500.0]}, geometry=[box(125, 39, 126, 40)], crs=4326
    )
    maps.add_layer(page, layer, name="mine")
    assert dict(page.cards[-1].facts)["Where"] == "may be off by 4.5 km"


def test_controls_and_turns_of_direction_are_taken_out(page):
    text = "a\u202eb\x00c\x1b[31m\u2066d"
    maps.add_layer(page, points((125, 39), name=[text], own=[text]), name=f"n{text}")
    card = page.cards[-1]
    shown = f"{card.name}{card.intro}{dict(card.facts)['own']}"
    assert not re.search("[\\x00-\\x1f\u202a-\u202e\u2066-\u2069]", shown)
    assert card.name.startswith("a b c")


def test_a_long_name_is_cut(page):
    maps.add_layer(page, points((125, 39), name=["ק" * 3000]), name="n" * 3000)
    assert len(page.cards[-1].name) < 250
    assert len(page.marks["added:1"].label) < 250


def test_an_edge_over_the_antimeridian_is_refused(page):
    leap = Polygon([(179, 50), (-179, 50), (-179, 52), (179, 52)])
    layer = gpd.GeoDataFrame(geometry=[box(125, 39, 126, 40), leap], crs=4326)
    with pytest.raises(GeometryError, match=r"feature 2.*antimeridian"):
        maps.add_layer(page, layer, name="mine")
    cut = MultiPolygon([box(179, 50, 180, 52), box(-180, 50, -179, 52)])
    world = box(-180, -80, 180, 80)
    maps.add_layer(page, gpd.GeoDataFrame(geometry=[cut, world], crs=4326), name="mine")


@pytest.mark.browser
def test_a_full_layer_opens_without_naming_every_point(tmp_path, open_page):
    deal = layers.load_exchange("sicomines-2008")
    spots = [(124 + i % 100 / 50, 39 + i // 100 / 50) for i in range(MOST_FEATURES)]
    page = maps.exchange_map(deal, extra_layers=[("many", points(*spots))])
    file = maps.save(page, tmp_path / "many.html")
    with open_page(file) as opened:
        assert int(opened.locator("html").get_attribute("data-ready")) < 8_000
        assert opened.evaluate("lodemap.marks.size") > MOST_FEATURES
        assert opened.locator(".label-added").count() <= MOST_LABELS


@pytest.mark.parametrize(
    ("layer", "error", "words"),
    [
        (points((125, 39), crs=None), CRSMissingError, "mine"),
        (points((125, 39)).to_crs(3857), CRSMismatchError, "3857"),
        (points((39, 125)), AxisOrderError, "mine"),
        (points(), GeometryError, "empty"),
        (
            gpd.GeoDataFrame(geometry=[GeometryCollection([Point(1, 1)])], crs=4326),
            GeometryTypeError,
            "explode",
        ),
        (points(*[(125, 39)] * (MOST_FEATURES + 1)), PageError, "at most"),
    ],
    ids=["no CRS", "other CRS", "swapped axes", "empty", "collection", "too large"],
)
def test_bad_layers_are_refused(page, layer, error, words):
    before = len(page.cards)
    with pytest.raises(error, match=words):
        maps.add_layer(page, layer, name="mine")
    assert len(page.cards) == before


@pytest.mark.parametrize("style", [{"colour": "pink"}, {"size": "9"}, {"symbol": "x"}])
def test_an_unknown_style_is_refused(page, style):
    with pytest.raises(PageError, match="expected one of"):
        maps.add_layer(page, points((125, 39)), name="mine", style=style)


def test_another_map_is_refused():
    import folium

    with pytest.raises(PageError, match=r"maps\.exchange_map"):
        maps.add_layer(folium.Map(), points((125, 39)), name="mine")
