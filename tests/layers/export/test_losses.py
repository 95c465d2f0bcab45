"""What each format loses is what it says that it loses: counted, both ways."""

import datetime as dt
import math

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
from tests.layers.export.reading_back import READERS

ASPECTS = {
    "names": {"names numbered", "names shortened"},
    "files": {"layers split"},
    "rows": {"rows without a place left out"},
    "order": {"order"},
    "shapes": {
        "collections taken apart",
        "cut at 180 degrees",
        "empty geometries",
        "heights dropped",
        "heights of 0 added",
        "made multi-part",
        "measures dropped",
        "rings turned",
        "single parts",
    },
    "values": {
        "bytes as text",
        "characters replaced",
        "dates as text",
        "decimals as text",
        "empty bytes",
        "empty texts",
        "formulas defused",
        "infinite numbers",
        "large numbers as text",
        "lists as text",
        "missing texts",
        "negative zeros",
        "spaces at the ends",
        "texts cut",
        "times as text",
        "times cut to milliseconds",
        "truth values as text",
        "unpaired surrogates",
        "values reworded",
    },
}
OF_THE_WHOLE = {
    "dashes",
    "links undeclared",
    "rasters left out",
    "style",
    "symbols",
    "tables left out",
}


def declared(content, key):
    """Losses that are declared, by aspect, in the numbers in which they happen."""
    counts = loss_report(content, key).counts
    return {
        aspect: sum(counts.get(kind, 0) for kind in kinds)
        for aspect, kinds in ASPECTS.items()
    }


def measured(content, key, folder):
    """Losses that are found when the file is read back."""
    [sheet] = content.sheets
    ending, read = READERS[key]
    path = folder / f"hard{ending}"
    FORMATS[key].write(content, path)
    back = read(path)
    table = sheet.table
    names = [c for c in table.columns if c != "geometry"]
    ids = list(table["id"])
    wanted = ["" if n == "" else n for n in names]
    kept = [i for i in ids if i in back.rows]
    found = dict.fromkeys(ASPECTS, 0)
    found["rows"] = len(ids) - len(kept)
    found["files"] = back.files - 1
    if kept:
        found["names"] = sum(
            a != b for a, b in zip(wanted, _names(back, key), strict=True)
        )
    for i, row in enumerate(table.to_dict("records")):
        if row["id"] not in back.rows:
            continue
        cells = list(back.rows[row["id"]].values())
        found["values"] += sum(
            not same(row[n], v) for n, v in zip(names, cells, strict=True)
        )
        shapes = back.shapes[row["id"]]
        found["shapes"] += shapes != [None] and not (
            len(shapes) == 1 and same_shape(table.geometry.iloc[i], shapes[0])
        )
        found["shapes"] += shapes == [None] and table.geometry.iloc[i] is not None
    if back.files == 1:
        found["order"] = sum(a != b for a, b in zip(kept, back.rows, strict=True))
    return found


def _names(back, key):
    """Names of columns as they came back; CSV's defused ones as they were."""
    if key == "csv":
        return [n.removeprefix("'") if n[1:2] == "=" else n for n in back.names]
    return back.names


def same(before, after):
    """Tell whether a value came back: the same type, the same digits."""
    if missing(before) or missing(after):
        return missing(before) and missing(after)
    if isinstance(before, np.generic):
        before = before.item()
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    if isinstance(before, dt.datetime) and isinstance(after, dt.datetime):
        return instant(before) == instant(after)
    if isinstance(before, int | float) and isinstance(after, int | float):
        return before == after and math.copysign(1, before) == math.copysign(1, after)
    if isinstance(before, list | np.ndarray):
        return list(before) == after
    return type(before) is type(after) and before == after


def instant(moment):
    """Tell a moment in UTC; one without zone is as it is."""
    zone = moment.tzinfo
    utc = moment.astimezone(dt.UTC) if zone else moment
    return utc.replace(tzinfo=None)


def missing(value):
    return value is None or (not isinstance(value, list | dict) and value != value)


def same_shape(before, after):
    """Tell whether a geometry came back, vertex by vertex."""
    if before is None or after is None:
        return before is after
    return shapely.to_wkb(before, flavor="iso") == shapely.to_wkb(after, flavor="iso")


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
