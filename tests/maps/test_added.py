import re

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import (
    GeometryCollection,
    LineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
    box,
    shape,
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
from maps.added import MOST_DRAWN, MOST_LABELS, MOST_MARKS
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


def drawn(page, number=1):
    """Features of an added layer that are marks of the document."""
    layers_ = [c for c in page._children.values() if getattr(c, "call", "")]
    data = [c.data for c in layers_ if c.data.get("mark") == f"added:{number}"]
    return [feature for one in data for feature in one.get("features", ())]


def test_an_edge_over_the_antimeridian_goes_the_shorter_way(page):
    hole = [(179.5, 50.5), (179.8, 50.5), (179.8, 51), (179.5, 51)]
    leap = Polygon([(179, 50), (-179, 50), (-179, 52), (179, 52)], [hole])
    cut = MultiPolygon([box(179, 50, 180, 52), box(-180, 50, -179, 52)])
    world = box(-180, -80, 180, 80)
    line = LineString([(-179, 10), (179, 11)])
    layer = gpd.GeoDataFrame(geometry=[leap, cut, world, line], crs=4326)
    maps.add_layer(page, layer, name="mine")
    leaped, kept, whole, crossed = (shape(f["geometry"]) for f in drawn(page))
    assert leaped.bounds == (179, 50, 181, 52)
    assert leaped.area == pytest.approx(4 - 0.15)
    assert kept.equals(cut)
    assert whole.equals(world)
    assert crossed.bounds == (-181, 10, -179, 11)


def test_a_polygon_round_a_pole_is_refused(page):
    cap = Polygon([(-120, 80), (0, 80), (120, 80)])
    layer = gpd.GeoDataFrame(geometry=[cap], crs=4326)
    with pytest.raises(GeometryError, match=r"row 0.*pole"):
        maps.add_layer(page, layer, name="mine")


@pytest.mark.parametrize("draw", ["marks", "canvas"])
def test_rows_without_a_place_are_counted_and_not_drawn(page, draw):
    shapes = [Point(125, 39), None, Point(), Point(np.nan, 1), Point(np.inf, 1)]
    shapes += [Point(10, 89), LineString([(1, 2), (3, np.inf)])]
    layer = gpd.GeoDataFrame(geometry=shapes, crs=4326)
    maps.add_layer(page, layer, name="mine", draw=draw)
    about = page.marks["added:1"].about
    assert "6 of 7 have no place on the map, 1 of them beyond 85°" in about


@pytest.mark.parametrize("draw", ["marks", "canvas"])
def test_a_layer_of_nothing_says_so(page, draw):
    maps.add_layer(page, points(), name="mine", draw=draw, column=None)
    assert page.marks["added:1"].label == "mine (no features)"


def test_the_size_chooses_how_a_layer_is_drawn(page):
    few = points(*[(125, 39)] * MOST_MARKS)
    before = len(page.cards)
    maps.add_layer(page, few, name="few")
    assert len(page.cards) == before + MOST_MARKS
    assert "many" not in page.extras
    maps.add_layer(page, points(*[(125, 39)] * (MOST_MARKS + 1)), name="many")
    assert len(page.cards) == before + MOST_MARKS
    assert "many" in page.extras
    assert "rounded to 1 m" in page.marks["added:2"].about


def test_as_many_marks_as_a_page_bears(page):
    layer = points(*[(125, 39)] * (MOST_DRAWN + 1))
    with pytest.raises(PageError, match="at most 5,000"):
        maps.add_layer(page, layer, name="mine", draw="marks")


def test_classes_have_rows_and_colours(page):
    spots = [(125 + i / 10, 39) for i in range(6)]
    layer = points(*spots, cap_mw=[1.0, 2, 3, 4, None, 6], sources="s")
    maps.add_layer(page, layer, name="mine", column="cap_mw", k=2)
    rows = [m for key, m in page.marks.items() if key.startswith("added:1")]
    assert [m.label for m in rows] == ["1–3 (3)", "3–6 (2)", "no value (1)"]
    assert (rows[0].title, rows[0].unit) == ("mine", "MW")
    assert "Quantiles" in rows[0].method
    html = page.get_root().render()
    assert ".role-added-1-2{--mark:#" in html


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"draw": "big"}, "auto, marks or canvas"),
        ({"column": "x"}, "expected a column of the layer: a"),
        ({"column": "geometry"}, "expected a column"),
        ({"resolution_m": 0.0}, "metres"),
        ({"resolution_m": float("nan")}, "metres"),
        ({"column": "a", "scheme": "jenks"}, "scheme is 'jenks'"),
        ({"column": "a", "palette": "pink"}, "palette is 'pink'"),
        ({"column": "a", "k": 9}, "2 to 8"),
    ],
)
def test_options_that_mean_nothing_are_refused(page, options, words):
    with pytest.raises(PageError, match=words):
        maps.add_layer(page, points((125, 39), a=[1.0]), name="mine", **options)
    assert "added:1" not in page.marks


@pytest.mark.browser
def test_a_full_layer_opens_without_naming_every_point(tmp_path, open_page):
    deal = layers.load_exchange("sicomines-2008")
    spots = [(124 + i % 100 / 50, 39 + i // 100 / 50) for i in range(MOST_MARKS)]
    page = maps.exchange_map(deal, extra_layers=[("many", points(*spots))])
    file = maps.save(page, tmp_path / "many.html")
    with open_page(file) as opened:
        assert int(opened.locator("html").get_attribute("data-ready")) < 8_000
        assert opened.evaluate("lodemap.marks.size") > MOST_MARKS
        assert opened.locator(".label-added").count() <= MOST_LABELS


@pytest.mark.parametrize(
    ("layer", "error", "words"),
    [
        (points((125, 39), crs=None), CRSMissingError, "mine"),
        (points((125, 39)).to_crs(3857), CRSMismatchError, "3857"),
        (points((39, 125)), AxisOrderError, "mine"),
        (
            gpd.GeoDataFrame(geometry=[GeometryCollection([Point(1, 1)])], crs=4326),
            GeometryTypeError,
            "explode",
        ),
    ],
    ids=["no CRS", "other CRS", "swapped axes", "collection"],
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
