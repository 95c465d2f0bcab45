import io
import struct
import zipfile
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import WriteError
from layers.export.dbf import cut_bytes, short_names, write_dbf
from layers.export.formats import FORMATS
from tests.layers.export.hard_values import SHAPES, of_names, of_shapes
from tests.layers.export.small import small

NAMES = st.lists(st.text(max_size=14), unique=True, max_size=12)


@given(NAMES)
def test_short_names_fit_and_differ(names):
    short = short_names(names)
    assert list(short) == names
    assert all(0 < len(s.encode()) <= 10 for s in short.values())
    assert len({s.lower() for s in short.values()}) == len(names)


def test_a_name_that_fits_is_not_taken_from_its_owner():
    short = short_names(["tonnage_reported", "tonnage_re"])
    assert short == {"tonnage_reported": "tonnage__2", "tonnage_re": "tonnage_re"}


def test_names_are_such_as_arcgis_takes():
    wanted = {
        "2019": "f_2019",
        "_mine": "f_mine",
        "a b-c": "a_b_c",
        "Shape": "Shape_",
        "OBJECTID": "OBJECTID_",
        "___": "f_",
        "매장량": "매장량",
    }
    assert short_names(wanted) == wanted
    assert short_names(["1", "f_1"]) == {"1": "f_1_2", "f_1": "f_1"}
    assert short_names(["fid", "fid_"]) == {"fid": "fid__2", "fid_": "fid_"}


@given(st.text(), st.integers(0, 20))
def test_texts_are_cut_between_characters(text, most):
    cut = cut_bytes(text, most)
    assert text.startswith(cut)
    assert len(cut.encode()) <= most


def fields(data):
    """Read a header: name, letter, width and decimals of each column."""
    rows, head, length = struct.unpack("<IHH", data[4:12])
    found = []
    for start in range(32, head - 1, 32):
        name, letter, width, decimals = struct.unpack(
            "<11sc4xBB14x", data[start : start + 32]
        )
        found.append((name.rstrip(b"\0").decode(), letter.decode(), width, decimals))
    assert data[head - 1 : head] == b"\r"
    assert len(data) == head + rows * length + 1
    return found


def dbf(**columns):
    stream = io.BytesIO()
    made = {name: pa.chunked_array([pa.array(v)]) for name, v in columns.items()}
    write_dbf(stream, made, date(2026, 11, 23))
    return stream.getvalue()


def test_the_header_says_what_the_rows_hold():
    data = dbf(a=["철", None], b=[-12, 3], c=[0.5, None], d=[True, None])
    assert data[:4] == bytes([3, 126, 11, 23])
    assert fields(data) == [
        ("a", "C", 3, 0),
        ("b", "N", 3, 0),
        ("c", "F", 24, 15),
        ("d", "L", 1, 0),
    ]
    assert data.endswith(
        b" " + "철".encode() + b"-12" + b"0.5".rjust(24) + b"T"
        b"    " + b"  3" + b" " * 24 + b"?\x1a"
    )


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_digit_of_a_number_is_kept(value):
    data = dbf(v=[value])
    assert float(data[-25:-1]) == value


def test_a_text_has_254_bytes():
    assert fields(dbf(v=["a" * 254, "a" * 300])) == [("v", "C", 254, 0)]
    assert fields(dbf(v=["가" * 84 + "a", "가" * 300])) == [("v", "C", 253, 0)]


def test_more_columns_than_fit_are_refused():
    with pytest.raises(WriteError, match="holds 255 columns; this layer has 256"):
        dbf(**{f"c{i}": [1] for i in range(256)})


def test_the_readme_tells_short_names(tmp_path):
    path = tmp_path / "a.shp.zip"
    FORMATS["shapefile"].write(of_names(["tonnage_reported_t"]), path)
    with zipfile.ZipFile(path) as archive:
        said = archive.read("README.txt").decode()
    assert "tonnage_re  tonnage_reported_t" in said
    assert "1 name was shortened (hard)" in said


def test_each_kind_of_geometry_has_its_files(tmp_path):
    path = tmp_path / "a.shp.zip"
    FORMATS["shapefile"].write(of_shapes(SHAPES["mixed"]), path)
    with zipfile.ZipFile(path) as archive:
        names = {name for name in archive.namelist() if name.endswith(".shp")}
    assert names == {"hard_points.shp", "hard_lines.shp", "hard_areas.shp"}


def test_tables_are_csv_and_all_stand_at_the_root(tmp_path):
    path = tmp_path / "a.shp.zip"
    assert FORMATS["shapefile"].write(small(), path) == (path,)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    endings = ("cpg", "dbf", "prj", "shp", "shx")
    shapes = {f"{n}.{e}" for n in ("mines", "counties") for e in endings}
    assert set(names) == shapes | {"claims.csv", "mine_claims.csv", "README.txt"}
