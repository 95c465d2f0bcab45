"""Places are proved from the data and the study area, or refused with the flag."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer

import layers
from layers.errors import ImportRefusedError
from layers.importing.candidates import STUDY_AREA, on_earth
from layers.importing.placing import Question, parse_crs, place

MINES = np.array([[125.21, 39.74], [126.05, 40.31], [127.38, 38.61], [124.66, 39.73]])


def boxes(xy):
    return np.column_stack([xy, xy]).astype(float)


def metres(code, lonlat=MINES):
    there = Transformer.from_crs(4326, code, always_xy=True)
    return np.column_stack(there.transform(*lonlat.T))


def ask(xy, **changed):
    known = {
        "name": "mines.shp",
        "boxes": lambda: iter([boxes(xy)[:2], boxes(xy)[2:]]),
        "stated": None,
        "stated_by": "",
        "asked": None,
        "swap_xy": False,
        "near": STUDY_AREA,
        "table": False,
        "drop_unplaced": False,
        "uncertainty_m": None,
    }
    return Question(**{**known, **changed})


def refused(xy, **changed):
    with pytest.raises(ImportRefusedError) as caught:
        place(ask(xy, **changed))
    message = str(caught.value)
    assert "\n" not in message
    for flag in caught.value.flags:
        assert flag in message or flag.startswith("--crs")
    return caught.value


def off_m(placement, xy, lonlat=MINES):
    lon, lat = placement.lonlat(*np.asarray(xy, float).T)
    return np.hypot((lon - lonlat[:, 0]) * 86_000, (lat - lonlat[:, 1]) * 111_000).max()


def test_the_study_area_holds_what_ships():
    for layer in ("provinces", "places", "deposits", "crossings"):
        west, south, east, north = layers.load(layer).total_bounds
        assert STUDY_AREA[0] <= west
        assert STUDY_AREA[1] <= south
        assert STUDY_AREA[2] >= east
        assert STUDY_AREA[3] >= north


def test_places_what_states_its_crs():
    for code in (4326, 5179, 5186, 32652, 3857):
        found = place(ask(metres(code), stated=CRS(code), stated_by="file"))
        assert off_m(found, metres(code)) < 0.1
        assert found.crs_by == "file"
        assert found.seen.inside == 4


def test_without_a_crs_it_names_those_that_would_do_and_how_far_apart():
    error = refused(metres(5179))
    assert error.trap == "no CRS"
    assert error.flags[0] == "--crs EPSG:5179"
    assert "--crs EPSG:5178" in error.flags
    assert "puts all 4 rows inside the study area 118,33,132,47" in str(error)
    assert "EPSG:5178 (Korean 1985 / Unified CS), 35" in str(error)  # about 358 m
    assert "does not choose" in str(error)


def test_korean_belts_are_told_apart_by_the_distance_between_them():
    error = refused(metres(5186))
    assert {"--crs EPSG:5186", "--crs EPSG:5181"} <= set(error.flags)
    assert "100 km away" in str(error)


def test_without_a_crs_degrees_of_a_vector_file_may_be_several_datums():
    error = refused(MINES)
    assert "look like degrees" in str(error)
    assert {"--crs EPSG:4326", "--crs EPSG:4301"} <= set(error.flags)


def test_degrees_of_a_table_are_wgs_84_by_convention():
    assert place(ask(MINES, table=True)).crs_by == "convention"
    assert refused(metres(5179), table=True).trap == "no CRS"


def test_a_format_that_claims_degrees_for_metres_is_not_believed():
    error = refused(metres(5179), stated=CRS(4326), stated_by="format")
    assert error.trap == "metres as degrees"
    assert "is by its format in degrees, but its values are metres" in str(error)
    assert error.flags[0] == "--crs EPSG:5179"


def test_swapped_degrees_are_named_and_mended():
    swapped = MINES[:, ::-1]
    error = refused(swapped, stated=CRS(4326), stated_by="format")
    assert error.flags == ("--swap-xy",)
    found = place(ask(swapped, stated=CRS(4326), stated_by="format", swap_xy=True))
    assert off_m(found, swapped) == 0


@pytest.mark.parametrize("code", [5179, 5186, 5174])
def test_northing_before_easting_is_named_and_mended(code):
    swapped = metres(code)[:, ::-1]
    error = refused(swapped, stated=CRS(code), stated_by="file")
    assert error.flags == ("--swap-xy",)
    found = place(ask(swapped, stated=CRS(code), stated_by="file", swap_xy=True))
    assert off_m(found, swapped) < 0.1


def test_swapping_what_stood_right_is_named_too():
    error = refused(MINES, stated=CRS(4326), stated_by="file", swap_xy=True)
    assert error.flags == ("drop --swap-xy",)


def test_a_stated_crs_that_lands_elsewhere_is_held_against_its_siblings():
    error = refused(metres(5179), stated=CRS(32652), stated_by="file")
    assert error.trap == "wrong CRS"
    assert "in EPSG:32652" in str(error)
    assert "--crs EPSG:5179" in error.flags


def test_what_lies_elsewhere_in_the_world_is_let_through_when_told():
    fiji = np.array([[178.4, -18.1], [179.9, -17.5]])
    error = refused(fiji, stated=CRS(4326), stated_by="file")
    assert error.flags == ("--near anywhere",)
    assert "longitude 178.4 to 179.9, latitude -18.1 to -17.5" in str(error)
    for near in ("anywhere", (177, -20, 180, -16), (177, -20, -178, -16)):
        assert place(ask(fiji, stated=CRS(4326), stated_by="file", near=near))


def test_some_rows_elsewhere_are_counted_and_named():
    mixed = np.vstack([MINES, [[12.5, 41.9]], [[39.1, 125.7]]])
    error = refused(mixed, stated=CRS(4326), stated_by="file")
    assert "2 of 6 rows lie outside the study area 118,33,132,47: rows 5, 6" in str(
        error
    )
    assert error.flags == ("--drop-unplaced",)
    found = place(ask(mixed, stated=CRS(4326), stated_by="file", drop_unplaced=True))
    assert found.expected(boxes(mixed)).tolist() == [True] * 4 + [False] * 2


def test_some_rows_elsewhere_on_the_globe_may_stay():
    mixed = np.vstack([MINES, [[12.5, 41.9]]])
    error = refused(mixed, stated=CRS(4326), stated_by="file")
    assert error.flags == ("--drop-unplaced", "--near anywhere")
    found = place(ask(mixed, stated=CRS(4326), stated_by="file", near="anywhere"))
    assert found.expected(boxes(mixed)).all()


def test_the_accuracy_that_proj_states_is_kept():
    found = place(ask(MINES, asked=CRS(4301)))
    assert found.change.accuracy_m == 9
    assert "Tokyo to WGS 84" in found.change.operation
    assert place(ask(MINES, asked=CRS(4326))).change.accuracy_m is None
    korean = place(ask(metres(5174), asked=CRS(5174)))
    assert korean.change.accuracy_m == 1
    assert any("lie outside it" in note for note in korean.change.notes)


def test_a_datum_of_unknown_accuracy_is_refused_until_somebody_states_it():
    error = refused(metres(21421), asked=CRS(21421))
    assert error.flags == ("--uncertainty-m 500",)
    found = place(ask(metres(21421), asked=CRS(21421), uncertainty_m=500.0))
    assert found.change.accuracy_m is None
    assert "no accuracy" in found.change.notes[-1]


def test_the_chinese_system_is_that_of_gps_to_a_metre():
    found = place(ask(metres(4549), asked=CRS(4549)))
    assert found.change.accuracy_m == 1
    assert "ITRS" in found.change.notes[-1]


def test_rows_without_a_place_are_no_rows_elsewhere():
    some = np.vstack([MINES, [[np.nan, np.nan]]])
    assert place(ask(some, asked=CRS(4326))).seen.placed == 4
    assert refused(np.full((2, 2), np.nan), asked=CRS(4326)).trap == "no place"


def test_shapes_are_judged_by_their_boxes():
    box = np.array([[100.0, 35.0, 121.0, 36.0]])  # a river that reaches in
    found = place(ask(MINES, boxes=lambda: iter([box]), asked=CRS(4326)))
    assert found.seen.all_inside


def test_what_is_no_crs_is_said_to_be_none():
    with pytest.raises(ImportRefusedError, match="--crs 'EPSG:99999': PROJ knows no"):
        parse_crs("EPSG:99999")
    local = CRS.from_wkt(
        'LOCAL_CS["mine grid",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'
    )
    assert refused(MINES, stated=local, stated_by="file").trap == "unusable CRS"


NUMBER = st.sampled_from([-180.0, 180.0, 90.0, 90.1, 181.0, np.nan, np.inf, 0.0, 125.5])


@given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER), max_size=5), st.booleans())
def test_what_is_in_degrees_stays_where_it_is_on_the_globe(rows, swap_xy):
    given_boxes = np.array(rows, dtype=float).reshape(-1, 4)
    before = given_boxes.copy()
    found = on_earth(given_boxes, CRS.from_epsg(4326), swap_xy=swap_xy)
    np.testing.assert_array_equal(given_boxes, before)
    for box, row in zip(found, rows, strict=True):
        west, south, east, north = (
            row[i] for i in ((1, 0, 3, 2) if swap_xy else range(4))
        )
        there = max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90
        there = there and not np.isnan(row).any()
        expected = (west, south, east, north) if there else (np.nan,) * 4
        np.testing.assert_array_equal(box, expected)
