import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import ReadError
from layers.importing.kml import plain_text
from tests.layers.importing.extents import bounds_of

OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2" '
    'xmlns:gx="http://www.google.com/kml/ext/2.2"><Document><name>Everything</name>'
)
CLOSE = "</Document></kml>"
POINT = "<Point><coordinates>124.6,39.8</coordinates></Point>"
RING = "<LinearRing><coordinates>{}</coordinates></LinearRing>"

FULL = f"""{OPEN}
<Schema name="s" id="s"><SimpleField type="string" name="광종"/>
<SimpleField type="int" name="t"/><SimpleField type="double" name="grade"/>
<SimpleField type="bool" name="ok"/></Schema>
<Folder><name>광산</name>
 <Folder><name>희토류</name>
 <Placemark id="p1"><name>철산</name>
  <description><![CDATA[<b>Reported</b> in&nbsp;2019<br/>by RFA<script>x()</script>]]>
  </description><styleUrl>#mine</styleUrl>
  <TimeStamp><when>2019-10-15</when></TimeStamp>
  <ExtendedData><Data name="이름"><value>철산 광산</value></Data>
  <Data name="name"><value>other</value></Data><Data name="none"/></ExtendedData>
  {POINT}</Placemark>
 </Folder>
 <Placemark><name>무산</name><ExtendedData><SchemaData schemaUrl="#s">
  <SimpleData name="광종">철</SimpleData><SimpleData name="t">12</SimpleData>
  <SimpleData name="grade">0.5</SimpleData><SimpleData name="ok">1</SimpleData>
  </SchemaData></ExtendedData><TimeSpan><begin>1935</begin><end>2020-01-01</end>
  </TimeSpan></Placemark>
</Folder>
<NetworkLink><Link><href>http://127.0.0.1:9/a.kml</href></Link></NetworkLink>
<NetworkLink><Link><href>b.kml</href></Link></NetworkLink>
<GroundOverlay><name>scan</name><Icon><href>c.png</href></Icon></GroundOverlay>
{CLOSE}"""


@pytest.fixture
def kml(tmp_path, rows_of):
    def read(text, **options):
        path = tmp_path / "field.kml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return rows_of(path, **options)

    return read


def placed(kml, *places):
    marks = "".join(f"<Placemark>{place}</Placemark>" for place in places)
    raw, rows = kml(f"{OPEN}{marks}{CLOSE}")
    return raw, [row["geometry"] for row in rows]


def test_folders_fields_times_and_words(kml):
    raw, (one, two) = kml(FULL)
    assert (raw.kind, raw.layer, raw.layers) == ("KML", "field", ("field",))
    assert (raw.crs, raw.crs_by) == ("EPSG:4326", "format")
    assert one["folder"] == "광산/희토류"
    assert one["이름"] == "철산 광산"
    assert one["name"] == "철산"
    assert one["data_name"] == "other"
    assert one["description"] == "Reported in 2019\nby RFA"
    assert one["style_url"] == "#mine"
    assert one["timestamp"] == "2019-10-15"
    assert one["geometry"] == "POINT (124.6 39.8)"
    assert two["folder"] == "광산"
    assert (two["광종"], two["t"], two["grade"], two["ok"]) == ("철", 12, 0.5, True)
    assert (two["begin"], two["end"]) == ("1935", "2020-01-01")
    assert two["geometry"] is None
    assert "none" not in raw.columns
    assert raw.notes == (
        "NetworkLinks not followed: 2.",
        "GroundOverlays (pictures) left out: 1.",
        "Fields called as KML's own became data_…: name.",
    )
    assert bounds_of([one, two]) == (124.6, 39.8, 124.6, 39.8)


def test_a_kmz_says_the_same(tmp_path, rows_of, kml):
    with zipfile.ZipFile(tmp_path / "field.kmz", "w") as box:
        box.writestr("files/other.kml", OPEN + CLOSE)
        box.writestr("doc.kml", FULL)
    raw, rows = rows_of(tmp_path / "field.kmz")
    assert rows == kml(FULL)[1]
    assert raw.kind == "KMZ"
    assert raw.notes[-1] == "Only doc.kml was read, not files/other.kml."


def test_every_kind_of_place(kml):
    ring = RING.format("0,0 4,0 4,4 0,4 0,0")
    hole = RING.format("1,1 2,1 2,2 1,1")
    outer = f"<outerBoundaryIs>{ring}</outerBoundaryIs>"
    inner = f"<innerBoundaryIs>{hole}</innerBoundaryIs>"
    polygon = f"<Polygon>{outer}{inner}</Polygon>"
    line = "<LineString><coordinates>0,0\n 1 , 1  2,2</coordinates></LineString>"
    track = (
        "<gx:Track><when>2020-01-01T00:00:00Z</when><when>2020-01-02T00:00:00Z</when>"
        "<gx:coord>124 39 0</gx:coord><gx:coord>125 40 0</gx:coord></gx:Track>"
    )
    raw, found = placed(
        kml,
        polygon,
        line,
        f"<MultiGeometry>{POINT}{POINT}</MultiGeometry>",
        f"<MultiGeometry>{POINT}{line}</MultiGeometry>",
        f"<MultiGeometry>{polygon}{polygon}</MultiGeometry>",
        track,
        f"<gx:MultiTrack>{track}{track}</gx:MultiTrack>",
        "<Point><coordinates/></Point>",
        "<Model><Location/></Model>",
        ring,
    )
    area = "(0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 1)"
    assert found == [
        f"POLYGON ({area})",
        "LINESTRING (0 0, 1 1, 2 2)",
        "MULTIPOINT ((124.6 39.8), (124.6 39.8))",
        "GEOMETRYCOLLECTION (POINT (124.6 39.8), LINESTRING (0 0, 1 1, 2 2))",
        f"MULTIPOLYGON (({area}), ({area}))",
        "LINESTRING (124 39, 125 40)",
        "MULTILINESTRING ((124 39, 125 40), (124 39, 125 40))",
        None,
        None,
        "LINESTRING (0 0, 4 0, 4 4, 0 4, 0 0)",
    ]
    assert raw.notes == ("Models (3D bodies) left out: 1.",)


def test_track_times(kml):
    _, [row] = kml(
        f"{OPEN}<Placemark><gx:Track><when>2020</when><gx:coord>1 2 3</gx:coord>"
        f"<when>2021</when><gx:coord>2 3 4</gx:coord></gx:Track></Placemark>{CLOSE}"
    )
    assert (row["begin"], row["end"]) == ("2020", "2021")
    assert row["geometry"] == "LINESTRING Z (1 2 3, 2 3 4)"


def test_altitude_is_kept_where_there_is_one(kml):
    high = "<Point><coordinates>1,2,30</coordinates></Point>"
    flat = "<Point><coordinates>1,2,0</coordinates></Point>"
    raw, found = placed(kml, high, flat)
    assert found == ["POINT Z (1 2 30)", "POINT (1 2)"]
    assert raw.notes == ("Places with an altitude, which is kept: 1.",)


def test_open_rings_are_closed_and_counted(kml):
    border = "<outerBoundaryIs>{}</outerBoundaryIs>"
    ring = border.format(RING.format("0,0 4,0 4,4"))
    raw, found = placed(kml, f"<Polygon>{ring}</Polygon>", f"<Polygon>{ring}</Polygon>")
    assert found == ["POLYGON ((0 0, 4 0, 4 4, 0 0))"] * 2
    assert dict(raw.mended) == {"open rings closed": 2}


@pytest.mark.parametrize(
    "wrong", ["a,b", "1", "1,2,3,4", "nan,1", "1,inf", "1;2", "1,,2"]
)
def test_coordinates_that_are_none(kml, wrong):
    with pytest.raises(
        ReadError, match=r"field.kml: the coordinates .* not two or three"
    ):
        placed(kml, f"<Point><coordinates>{wrong}</coordinates></Point>")


def test_a_type_that_the_values_belie_becomes_text(kml):
    schema = '<Schema name="s"><SimpleField type="int" name="t"/></Schema>'
    cell = (
        '<Placemark><ExtendedData><SchemaData><SimpleData name="t">{}</SimpleData>'
        "</SchemaData></ExtendedData></Placemark>"
    )
    _, rows = kml(f"{OPEN}{schema}{cell.format(7)}{cell.format('many')}{CLOSE}")
    assert [row["t"] for row in rows] == ["7", "many"]
    _, rows = kml(f"{OPEN}{schema}{cell.format(7)}{cell.format(10**30)}{CLOSE}")
    assert [row["t"] for row in rows] == ["7", str(10**30)]


def test_encodings_of_xml(kml):
    korean = f"<Placemark><name>철산</name>{POINT}</Placemark>"
    body = OPEN.partition("?>")[2] + korean + CLOSE
    for label, codec in (("EUC-KR", "cp949"), ("utf-16", "utf-16"), ("GBK", "gb18030")):
        text = f'<?xml version="1.0" encoding="{label}"?>{body}'
        assert kml(text.encode(codec))[1][0]["name"] == "철산"
    with pytest.raises(ReadError, match="no text in utf-8"):
        kml(body.encode("cp949"))
    with pytest.raises(ReadError, match=r"klingon.*not known"):
        kml(f'<?xml version="1.0" encoding="klingon"?>{body}')


def test_no_namespace_and_an_empty_file_of_marks(kml):
    _, [row] = kml(f"<kml><Placemark><name>a</name>{POINT}</Placemark></kml>")
    assert row == {"name": "a", "geometry": "POINT (124.6 39.8)"}
    raw, rows = kml(OPEN + CLOSE)
    assert (raw.rows, rows) == (0, [])


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_truncated(kml, share):
    with pytest.raises(ReadError, match=r"no whole KML|no XML"):
        kml(FULL[: int(len(FULL) * share)])


def test_depth_is_bounded(kml):
    with pytest.raises(ReadError, match="more than 100 deep"):
        kml(OPEN + "<Folder>" * 5000)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="<>b/&;a!- \n'\"=script", max_size=60))
def test_descriptions_of_any_text_end(text):
    assert "<script" not in plain_text(text)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="<>&", codec="utf-8")))
def test_words_without_tags_stay(text):
    assert plain_text(text).split() == text.split()


def test_ten_thousand_marks_in_batches(kml):
    marks = "".join(
        f"<Placemark><name>{i}</name><Point><coordinates>{i / 100},1</coordinates>"
        "</Point></Placemark>"
        for i in range(10_000)
    )
    _, rows = kml(OPEN + marks + CLOSE)
    assert [row["name"] for row in rows] == [str(i) for i in range(10_000)]
    assert bounds_of(rows) == (0, 1, 99.99, 1)
