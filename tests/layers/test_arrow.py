"""Arrow tables to frames: numbers that no detour changes, and the CRS."""

import json

import pyarrow as pa
import pytest
import shapely
from pyproj import CRS

from layers.arrow import from_arrow
from layers.errors import QueryError
from tests.layers.opened import watched


def located(crs):
    """A table of one point in a CRS."""
    about = {
        "ARROW:extension:name": "geoarrow.wkb",
        "ARROW:extension:metadata": json.dumps({"crs": crs}),
    }
    field = pa.field("place", pa.binary(), metadata=about)
    wkb = shapely.to_wkb(shapely.Point(500_000, 4_400_000))
    return pa.table([pa.array([wkb])], schema=pa.schema([field]))


@pytest.mark.filterwarnings("ignore:.*init")
@pytest.mark.parametrize(
    "crs",
    [
        "+init=FOLDER/init:42",
        "+proj=longlat +nadgrids=FOLDER/init +type=crs",
        "FOLDER/init",
        {"proj": "longlat", "nadgrids": "FOLDER/init"},
    ],
    ids=str,
)
def test_a_crs_that_could_name_a_file_is_refused_unopened(crs, tmp_path):
    (tmp_path / "init").write_text("<42> +proj=utm +zone=51 +datum=WGS84\n")
    named = json.loads(json.dumps(crs).replace("FOLDER", str(tmp_path)))
    with watched(tmp_path) as opened:
        with pytest.raises(
            QueryError, match=r"column place names the CRS .*EPSG:32651"
        ):
            from_arrow(located(named))
        assert opened() == []


def test_a_crs_by_code_or_written_out_is_kept():
    utm = CRS(32651)
    for named in ("EPSG:32651", utm.to_wkt(), utm.to_json(), utm.to_json_dict()):
        assert from_arrow(located(named)).crs == utm
    assert from_arrow(located(None)).crs is None


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint64()])
def test_whole_numbers_beside_missing_ones_stay_whole(kind):
    most = 2**63 - 1 if kind.bit_width == 64 else 127
    table = pa.table({"n": pa.chunked_array([[1, None], [most, 0], []], kind)})
    frame = from_arrow(table)
    assert str(frame["n"].dtype) == "Int64"
    assert frame["n"].isna().tolist() == [False, True, False, False]
    assert frame["n"].dropna().tolist() == [1, most, 0]


def test_whole_numbers_of_64_bits_without_sign_are_not_cut():
    table = pa.table({"n": pa.array([None, 2**63], pa.uint64())})
    with pytest.raises((OverflowError, ValueError, TypeError)):
        from_arrow(table)
