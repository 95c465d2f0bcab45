import pandas as pd
import pyarrow as pa
import pyogrio
import pytest

from layers.errors import ReadError

KOREAN = "광산명,위치\n철산 희토류 광산,평안북도 철산군\n무산광산,함경북도 무산군\n"


@pytest.fixture
def sheet(tmp_path, rows_of):
    def read(content, name="pits.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return rows_of(path, **options)

    return read


def test_every_cell_stays_as_it_stands(sheet):
    raw, rows = sheet('id,n,"a, b"\r\n007, 1.50 ,"x\ny"\r\n')
    assert rows == [{"id": "007", "n": " 1.50 ", "a, b": "x\ny"}]
    assert set(raw.arrow.types) == {pa.string()}
    assert (raw.kind, raw.layer, raw.crs, raw.crs_by) == ("CSV", "pits", None, "")
    assert (raw.has_geometry, raw.encoding) == (False, "utf-8")
    assert raw.notes == ()


@pytest.mark.parametrize(
    ("delimiter", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")]
)
def test_delimiters(sheet, delimiter, word):
    text = f"id{delimiter}lon{delimiter}lat\na{delimiter}124,6{delimiter}39,8\n"
    raw, rows = sheet(text)
    assert rows == [{"id": "a", "lon": "124,6", "lat": "39,8"}]
    assert raw.notes == (f"Its cells are parted by {word}.",)


def test_tsv_and_the_line_of_excel(sheet):
    raw, rows = sheet("a\tb, c\n1\t2, 3\n", "pits.tsv")
    assert (raw.kind, rows) == ("TSV", [{"a": "1", "b, c": "2, 3"}])
    assert sheet("sep=;\na;b,c\n1;2\n")[1] == [{"a": "1", "b,c": "2"}]
    assert sheet("name\n철산\n")[1] == [{"name": "철산"}]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_encodings_that_prove_themselves(sheet, codec):
    raw, rows = sheet(KOREAN.encode(codec))
    assert rows[0] == {"광산명": "철산 희토류 광산", "위치": "평안북도 철산군"}
    assert raw.encoding == codec.removesuffix("-sig")
    assert bool(raw.notes) == (codec == "cp949")


def test_a_flag_settles_what_the_bytes_leave_open(sheet):
    french = "nom\nÎle\n".encode("cp1252")
    with pytest.raises(ReadError, match=r"pits.csv is not UTF-8.*cp1252 gives 'Île"):
        sheet(french)
    assert sheet(french, encoding="windows-1252")[1] == [{"nom": "Île"}]
    assert (
        sheet(KOREAN.encode("utf-16"), encoding="utf-16")[1][1]["광산명"] == "무산광산"
    )
    with pytest.raises(ReadError, match="no text in cp949"):
        sheet(KOREAN.encode(), encoding="cp949")
    with pytest.raises(ReadError, match="no encoding is called 'klingon'"):
        sheet(french, encoding="klingon")


def test_the_proof_looks_beyond_the_first_megabytes(sheet):
    head = b"id,name\n" + b"1,plain\n" * 700_000
    raw, rows = sheet(head + KOREAN.partition("\n")[2].encode("cp949"))
    assert rows[-1] == {"id": "무산광산", "name": "함경북도 무산군"}
    assert raw.encoding == "cp949"


def test_blank_records_and_columns(sheet):
    raw, rows = sheet("a,b,\n\n1,2,\n,,\n3,4,\n")
    assert rows == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert raw.notes == ("1 records without content were left out.",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,b\n1,2,3\n", "line 2: 3 cells under 2 column names"),
        ("a,b\n1,2\n1\n", "line 3: 1 cells under 2 column names"),
        ("a,a\n1,2\n", "column a is there twice"),
        ("a,\n1,2\n", "column 2 has content and no name"),
        ('a,b\n"1,2\n', "is no CSV: line 2"),
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\0\n1,2\n", "zero bytes"),
    ],
)
def test_refused(sheet, text, why):
    with pytest.raises(ReadError, match=why):
        sheet(text)


@pytest.mark.parametrize(("driver", "ending"), [("XLSX", "xlsx"), ("ODS", "ods")])
def test_spreadsheets(tmp_path, rows_of, driver, ending):
    path = tmp_path / f"pits.{ending}"
    days = pd.to_datetime(["2019-10-15", "2020-01-01"]).date
    table = pd.DataFrame(
        {"이름": ["철산", "무산"], "n": [1, 2], "x": [0.5, 1], "day": days}
    )
    pyogrio.write_dataframe(table, path, driver=driver, layer="광산", use_arrow=True)
    raw, rows = rows_of(path)
    assert (raw.kind, raw.layer, raw.has_geometry) == (driver, "광산", False)
    assert [row["이름"] for row in rows] == ["철산", "무산"]
    assert [row["n"] for row in rows] == [1, 2]
    assert rows[0]["day"].isoformat() == "2019-10-15"
    pyogrio.write_dataframe(table, path, driver=driver, layer="둘", append=True)
    with pytest.raises(ReadError, match=r"2 sheets \(광산, 둘\).*--layer"):
        rows_of(path)
    assert rows_of(path, layer="둘")[0].layers == ("광산", "둘")


def test_first_row_is_the_header_even_if_all_is_text(tmp_path, rows_of):
    table = pd.DataFrame({"이름": ["철산"], "곳": ["평북"]})
    pyogrio.write_dataframe(table, tmp_path / "a.xlsx", driver="XLSX")
    assert rows_of(tmp_path / "a.xlsx")[1] == [{"이름": "철산", "곳": "평북"}]


def test_an_old_spreadsheet_is_named(sheet):
    with pytest.raises(ReadError, match=r"old Office file; save it as .xlsx"):
        sheet(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "pits.xls")
