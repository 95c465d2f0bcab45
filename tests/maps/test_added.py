import geopandas as gpd
import pytest
from shapely.geometry import GeometryCollection, MultiPoint, Point

import maps
from geo.errors import (
    AxisOrderError,
    CRSMismatchError,
    CRSMissingError,
    GeometryError,
    GeometryTypeError,
)
from maps.added import MOST_FEATURES
from maps.page import PageError


@pytest.fixture
def page(deal):
    return maps.exchange_map(deal)


def points(*lonlats, crs=4326, **columns):
    return gpd.GeoDataFrame(columns, geometry=[Point(p) for p in lonlats], crs=crs)


def test_columns_become_facts_of_a_card(page):
    layer = points((125, 39), name=["갱 '1'"], tonnes=[1200.0], seen=[None])
    maps.add_layer(page, layer, name="pits")
    card = page.cards[-1]
    assert card.name == "갱 '1'"
    assert ("tonnes", "1200") in card.facts
    assert "seen" not in dict(card.facts)
    assert page.marks["added:1"].label == "pits"


def test_layers_come_in_their_order_with_their_style(page):
    maps.add_layer(page, points((125, 39)), name="a")
    maps.add_layer(
        page, points((125, 39)), name="b", style={"symbol": "cross", "colour": "plant"}
    )
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
