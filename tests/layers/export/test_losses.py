"""What each format loses is what it says that it loses: counted, both ways."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import SchemaError, WriteError
from layers.export.formats import FORMATS
from layers.export.losses import loss_report
from tests.layers.export.hard_values import (
    NAMES,
    SHAPES,
    VALUES,
    content_of,
    of_names,
    of_shapes,
    of_values,
)
from tests.layers.export.measuring import (
    ASPECTS,
    OF_THE_WHOLE,
    declared,
    measured,
)
from tests.layers.export.reading_back import READERS


def check(content, key, folder):
    said, found = declared(content, key), measured(content, key, folder)
    if said["order"]:
        said["order"] = found["order"]  # rows may be moved, and which is not said
    assert found == said


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("key", READERS)
def test_values_change_as_declared(key, kind, tmp_path):
    check(of_values(VALUES[kind]), key, tmp_path)


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("key", READERS)
def test_names_change_as_declared(key, kind, tmp_path):
    check(of_names(NAMES[kind]), key, tmp_path)


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("key", READERS)
def test_geometries_change_as_declared(key, kind, tmp_path):
    if (key, kind) == ("geopackage", "collection"):
        with pytest.raises(SchemaError, match="row 1 is a GeometryCollection"):
            measured(of_shapes(SHAPES[kind]), key, tmp_path)
        return
    check(of_shapes(SHAPES[kind]), key, tmp_path)


def test_every_loss_has_an_aspect_in_which_it_is_measured():
    known = OF_THE_WHOLE.union(*ASPECTS.values())
    for key in READERS:
        kinds = [loss.kind for loss in FORMATS[key].losses]
        assert set(kinds) <= known
        assert len(kinds) == len(set(kinds))
        for loss in FORMATS[key].losses:
            assert (loss.in_sheet is None) != (loss.in_content is None)


@pytest.mark.parametrize("key", READERS)
def test_every_declared_loss_happens_to_some_value(key):
    cases = [
        *map(of_values, VALUES.values()),
        *map(of_names, NAMES.values()),
        *map(of_shapes, SHAPES.values()),
    ]
    happened = set().union(*(loss_report(case, key).counts for case in cases))
    kinds = {loss.kind for loss in FORMATS[key].losses} - OF_THE_WHOLE
    assert happened == kinds


def test_flatgeobuf_moves_rows(tmp_path):
    shuffled = [shapely.Point(i * 37 % 101 - 50, i * 53 % 89 - 44) for i in range(60)]
    found = measured(of_shapes(shuffled), "flatgeobuf", tmp_path)
    assert found["order"] > 0
    assert declared(of_shapes(shuffled), "flatgeobuf")["order"] == 60


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**63) + 1, 2**63 - 1)
LON, LAT = st.floats(-180, 180), st.floats(-90, 90)


@pytest.mark.parametrize("key", READERS)
@given(data=st.data())
@settings(max_examples=15)
def test_any_row_changes_as_declared(key, data, tmp_path_factory):
    rows = st.lists(
        st.tuples(
            *(st.none() | kind for kind in (TEXTS, WHOLE, NUMBERS, st.booleans())),
            LON,
            LAT,
        ),
        min_size=1,
        max_size=4,
    )
    columns = list(zip(*data.draw(rows), strict=True))
    texts, whole, numbers, truth, lon, lat = columns
    frame = gpd.GeoDataFrame(
        {"text": np.array(texts, dtype=object)},
        geometry=gpd.points_from_xy(lon, lat),
        crs=4326,
    )
    frame.insert(1, "whole", _typed(whole, "Int64"))
    frame.insert(2, "number", np.array(numbers, dtype=float))
    frame.insert(3, "truth", _typed(truth, "boolean"))
    content = content_of(frame)
    said = declared(content, key)
    found = measured(content, key, tmp_path_factory.mktemp("any"))
    counts = loss_report(content, key).counts
    several = {"characters replaced", "formulas defused", "spaces at the ends"}
    if len(several & counts.keys()) > 1:  # one text may suffer both
        assert 0 < found["values"] <= said["values"]
        said["values"] = found["values"]
    if said["order"]:
        said["order"] = found["order"]
    assert found == said


def _typed(values, dtype):
    import pandas as pd

    return pd.array(list(values), dtype=dtype)


def test_report_says_it_in_words():
    report = loss_report(of_names(NAMES["long names"]), "shapefile")
    assert report.lines == ("2 names were shortened (hard)",)
    assert report.text == "shapefile: 2 names were shortened (hard)"
    [record] = report.as_records()
    assert record["words"] == "2 names were shortened"
    assert record["count"] == 2


def test_unknown_formats_are_refused():
    with pytest.raises(WriteError, match="no format 'dwg'; there are geopackage"):
        loss_report(of_names(["a"]), "dwg")
