"""Each trap gives its message, and the flag in the message mends it.

A file is made for each; it is refused in one line, read again with exactly the flag
that the line names, and its places are then held against pyproj's, to the metre.
"""

import re
import shlex
import zipfile

import geopandas as gpd
import mgrs
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod, Transformer

import layers
from layers.errors import ReadError
from layers.importing.china import to_datum

NAMES = ["운산", "온성", "검덕", "무산"]
LON = np.array([125.2134, 129.9871, 128.7702, 129.2356])
LAT = np.array([39.7412, 42.9563, 41.0044, 42.2381])
TRUE = gpd.GeoDataFrame(
    {"name": NAMES}, geometry=gpd.points_from_xy(LON, LAT), crs=4326
)

_SWITCHES = {"swap-xy", "coarse", "drop-unplaced", "unsourced"}
_MENDS = re.compile(
    r"(--(?:crs EPSG:\d+|swap-xy|encoding [\w-]+|coarse|near anywhere|drop-unplaced|"
    r"uncertainty-m \d+|unsourced|lon \S+ --lat \S+))(?=[\s;,.)]|$)"
)


def keywords(flag):
    """Keywords for what a message tells one to type."""
    words, found = iter(shlex.split(flag)), {}
    for word in words:
        name = word.removeprefix("--")
        value = True if name in _SWITCHES else next(words)
        found[name.replace("-", "_")] = float(value) if "uncertainty" in name else value
    return found


def mended(path, *said, flag=None, **known):
    """Refused with these words; read again with the flag that the line names."""
    known = {"unsourced": True} | known
    with pytest.raises(ReadError) as caught:
        layers.read(path, **known)
    line = str(caught.value)
    assert "\n" not in line
    for words in said:
        assert words in line
    named = list(getattr(caught.value, "flags", ())) or _MENDS.findall(line)
    assert named, line
    chosen = named[0] if flag is None else flag
    assert chosen in named
    return layers.read(path, **(known | keywords(chosen)))


def assert_right(imported, *, lon=LON, lat=LAT, within_m=1.0):
    points = imported.layer.geometry
    off = Geod(ellps="WGS84").inv(points.x, points.y, lon, lat)[2]
    assert np.max(off) < within_m
    assert imported.layer.crs == "EPSG:4326"


def save(path, code, *, swap=False, **options):
    """A file in a CRS, its x and y swapped or not."""
    there = TRUE.to_crs(code)
    if swap:
        there.geometry = gpd.points_from_xy(
            there.geometry.y, there.geometry.x, crs=code
        )
    there.to_file(path, **options)
    return path


def table(path, columns):
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("traps")


@pytest.mark.parametrize("code", [5179, 5186])
def test_no_crs(folder, code):
    path = save(folder / f"bare{code}.shp", code, encoding="utf-8")
    path.with_suffix(".prj").unlink()
    found = mended(
        path,
        "names no CRS",
        "look like metres",
        "all 4 rows",
        flag=f"--crs EPSG:{code}",
    )
    assert_right(found)
    assert found.report.crs_by == "--crs"
    assert found.report.crs_stated is None


def test_geojson_in_metres(folder):
    path = folder / "metres.geojson"
    text = save(folder / "there.geojson", 5179).read_text()
    path.write_text(re.sub(r'"crs": \{.*?\} \},', "", text))
    assert_right(mended(path, "in degrees, but its values are metres", "EPSG:5178"))


def test_latitude_first(folder):
    path = folder / "swapped.geojson"
    TRUE.set_geometry(gpd.points_from_xy(LAT, LON, crs=4326)).to_file(path)
    assert_right(mended(path, "axes look swapped", "--swap-xy"), within_m=0.01)


def test_gml_whose_axes_are_not_those_of_its_urn(folder):
    path = folder / "wrong.gml"
    members = "".join(
        f'<gml:featureMember><mine gml:id="m{i}"><place><gml:Point srsName="urn:ogc:'
        f'def:crs:EPSG::4326"><gml:pos>{x} {y}</gml:pos></gml:Point></place></mine>'
        "</gml:featureMember>"
        for i, (x, y) in enumerate(zip(LON, LAT, strict=True))
    )
    path.write_text(
        '<?xml version="1.0"?><gml:FeatureCollection '
        f'xmlns:gml="http://www.opengis.net/gml">{members}</gml:FeatureCollection>'
    )
    assert_right(mended(path, "axes look swapped"), within_m=0.01)


@pytest.mark.parametrize("code", [5179, 5174])
def test_northing_first_as_the_registry_has_it(folder, code):
    path = save(folder / f"north{code}.gpkg", code, swap=True)
    found = mended(path, "axes look swapped")
    assert_right(found)
    assert found.report.swap_xy


def test_a_wrong_crs_in_the_file(folder):
    path = folder / "wrong.gpkg"
    TRUE.to_crs(5179).set_crs(5186, allow_override=True).to_file(path)
    found = mended(path, "in EPSG:5186", "no row lies inside", flag="--crs EPSG:5179")
    assert_right(found)
    assert found.report.crs_stated.startswith("EPSG:5186")


def test_a_text_that_is_not_utf_8(folder):
    path = save(folder / "korean.shp", 4326, encoding="cp949")
    path.with_suffix(".cpg").unlink()
    found = layers.read(path, unsourced=True)  # so much Hangul proves itself
    assert found.layer["name"].tolist() == NAMES
    assert found.report.encoding == "cp949"
    short = folder / "short.shp"
    TRUE.head(1).assign(name="뷁").to_file(short, encoding="cp949")
    short.with_suffix(".cpg").unlink()
    with pytest.raises(ReadError, match=r"--encoding .*cp949"):
        layers.read(short, unsourced=True)
    found = layers.read(short, unsourced=True, encoding="cp949")
    assert found.layer["name"].tolist() == ["뷁"]


def test_several_layers(folder):
    path = save(folder / "many.gpkg", 4326, layer="mines")
    TRUE.head(1).to_file(path, layer="ports")
    with pytest.raises(ReadError, match=r"mines, ports.*such as --layer mines$"):
        layers.read(path, unsourced=True)
    found = layers.read(path, unsourced=True, layer="mines")
    assert_right(found, within_m=0.01)
    assert (found.report.layer, found.report.layers) == ("mines", ("mines", "ports"))


def test_several_files_in_a_zip(folder):
    path = folder / "both.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("mines", "ports"):
            save(folder / f"{name}.geojson", 4326)
            archive.write(folder / f"{name}.geojson", f"data/{name}.geojson")
    with pytest.raises(ReadError, match=r"such as --layer data/mines\.geojson$"):
        layers.read(path, unsourced=True)
    found = layers.read(path, unsourced=True, layer="data/mines.geojson")
    assert_right(found, within_m=0.01)


def test_two_pairs_of_columns(folder):
    path = table(
        folder / "pairs.csv", {"경도": LON, "위도": LAT, "x": LON + 1, "y": LAT + 1}
    )
    assert_right(
        mended(path, "places in 2 ways", "--lon 경도 --lat 위도", "--lon x --lat y")
    )


def test_columns_that_are_swapped(folder):
    path = table(
        folder / "turned.csv",
        {"lon": [f"북위 {y}" for y in LAT], "lat": [f"동경 {x}" for x in LON]},
    )
    found = mended(path, "column lon holds latitudes", flag="--lon lat --lat lon")
    assert_right(found, within_m=0.01)


def test_columns_without_a_name_that_says_so(folder):
    path = table(folder / "odd.csv", {"a": LON, "b": LAT})
    with pytest.raises(
        ReadError, match=r"no columns of places; it has a, b\. .* --lon"
    ):
        layers.read(path, unsourced=True)
    assert_right(layers.read(path, lon="a", lat="b", unsourced=True), within_m=0.01)


def test_a_cell_that_is_no_coordinate(folder):
    path = table(folder / "cells.csv", {"lon": [*LON, "미상"], "lat": [*LAT, 39.5]})
    found = mended(path, "row 5: '미상' is no coordinate", "--drop-unplaced")
    assert_right(found, within_m=0.01)
    kind = found.report.dropped["place that cannot be read"]
    assert (kind.count, kind.rows[0].row) == (1, 5)
    assert "'미상'" in kind.rows[0].why


def test_rows_elsewhere(folder):
    path = table(
        folder / "strays.csv",
        {"name": [*NAMES, "먼 곳"], "lon": [*LON, 12.5], "lat": [*LAT, 41.9]},
    )
    found = mended(path, "1 of 5 rows lie outside", "row 5", flag="--drop-unplaced")
    assert_right(found, within_m=0.01)
    (kind,) = found.report.dropped.values()
    assert (kind.rows[0].row, kind.rows[0].id) == (5, "먼 곳")
    stays = mended(path, flag="--near anywhere")
    assert len(stays.layer) == 5


def test_all_rows_elsewhere(folder):
    path = table(folder / "rome.csv", {"lon": [12.5], "lat": [41.9]})
    found = mended(path, "longitude 12.5 to 12.5", "--near anywhere")
    assert_right(found, lon=12.5, lat=41.9)


def test_a_coarse_grid_reference(folder):
    path = table(folder / "coarse.csv", {"mgrs": ["52SBJ", "52SBJ12"]})
    found = mended(path, "2 grid references have fewer than 4 digits", "--coarse")
    assert found.layer["uncertainty_m"].between([70_000, 7_000], [72_000, 7_200]).all()


def test_a_datum_of_which_proj_says_no_accuracy(folder):
    path = save(folder / "old.gpkg", 21421)
    found = mended(path, "EPSG:21421", "no grid or formula", "--uncertainty-m 500")
    assert (found.layer["uncertainty_m"] == 500).all()
    assert found.report.accuracy_m is None
    assert "PROJ states no accuracy" in str(found.report)


def test_a_file_of_nobody(folder):
    path = table(folder / "nobody.csv", {"lon": LON, "lat": LAT})
    found = mended(
        path, "who made it", "--licence SPDX", flag="--unsourced", unsourced=False
    )
    assert found.report.unsourced
    assert (found.layer["sources"] == "").all()
    known = layers.read(path, source="src-1", licence="CC-BY-4.0")
    assert known.layer["sources"].unique().tolist() == ["src-1"]
    assert known.layer.attrs["licence"] == "CC-BY-4.0"
    with pytest.raises(ReadError, match="no SPDX identifier"):
        layers.read(path, source="src-1", licence="free for all")


def test_the_tokyo_datum_carries_its_accuracy(folder):
    path = table(folder / "tokyo.csv", {"lon": LON, "lat": LAT})
    found = layers.read(path, crs="EPSG:4301", unsourced=True)
    there = Transformer.from_crs(4301, 4326, always_xy=True).transform(LON, LAT)
    assert_right(found, lon=there[0], lat=there[1], within_m=0.01)
    plain = layers.read(path, unsourced=True)
    assert found.report.accuracy_m == 9
    more = found.layer["uncertainty_m"] - plain.layer["uncertainty_m"]
    assert more.tolist() == pytest.approx([9] * 4, abs=0.01)
    assert "the accuracy of the change of datum" in found.report.uncertainty_from


@pytest.mark.parametrize("datum", ["GCJ-02", "BD-09"])
def test_a_chinese_map_is_shifted_back_when_told_and_only_then(folder, datum):
    x, y = to_datum(LON, LAT, datum)
    path = table(folder / f"{datum}.csv", {"lon": x, "lat": y})
    found = layers.read(path, datum=datum, unsourced=True)
    assert_right(found, within_m=0.01)
    assert "half a kilometre off" in str(found.report)
    assert_right(layers.read(path, unsourced=True), lon=x, lat=y, within_m=0.01)


def test_a_column_may_say_which_rows_are_shifted(folder):
    x, y = to_datum(LON, LAT, "GCJ-02")
    rows = np.array([True, False, True, False])
    path = table(
        folder / "mixed.csv",
        {
            "lon": np.where(rows, x, LON),
            "lat": np.where(rows, y, LAT),
            "datum": np.where(rows, "gcj02", "WGS 84"),
        },
    )
    found = layers.read(path, unsourced=True)
    assert_right(found, within_m=0.01)
    assert "column datum" in found.report.datum
    path = table(folder / "nad.csv", {"lon": LON, "lat": LAT, "datum": ["NAD27"] * 4})
    with pytest.raises(ReadError, match="column datum says 'NAD27'"):
        layers.read(path, unsourced=True)


SQUARE = shapely.box(125, 39, 126, 40)


def test_geometries_are_mended_counted_and_measured(folder):
    bow = shapely.Polygon([(125, 39), (126, 40), (126, 39), (125, 40)])
    flat = shapely.Polygon([(125, 39), (126, 39), (127, 39)])
    path = folder / "bad.gpkg"
    gpd.GeoDataFrame(
        {"name": ["square", "bow", "flat", "none"]},
        geometry=[SQUARE, bow, flat, None],
        crs=4326,
    ).to_file(path)
    found = layers.read(path, unsourced=True)
    report = found.report
    assert (report.rows_in, report.rows_out) == (4, 2)
    assert found.layer.geometry.is_valid.all()
    kind = report.repaired["Self-intersection"]
    assert (kind.count, kind.rows[0].row, kind.rows[0].id) == (1, 2, "bow")
    assert kind.area_before_km2 < 100 < 4000 < kind.area_after_km2
    assert {k: v.rows[0].id for k, v in report.dropped.items()} == {
        "collapsed: nothing of its dimension remains": "flat",
        "no geometry": "none",
    }
    assert "Self-intersection: 1 row: 2 (bow); area" in str(report)
    with pytest.raises(ReadError, match=r"row 2: Self-intersection.*drop --no-repair"):
        layers.read(path, unsourced=True, repair=False)


def test_shapes_are_transformed_with_their_holes(folder):
    ring = shapely.Polygon(
        SQUARE.exterior, [shapely.box(125.2, 39.2, 125.4, 39.4).exterior]
    )
    path = folder / "ring.gpkg"
    gpd.GeoDataFrame(geometry=[ring], crs=4326).to_crs(5186).to_file(path)
    found = layers.read(path, unsourced=True).layer.geometry.iloc[0]
    assert found.equals_exact(ring, 1e-7, normalize=True)


def test_digits_become_an_uncertainty(folder):
    path = table(
        folder / "digits.csv",
        {
            "lon": ["125.2", "125.2134", "동경 125° 12′ 48″"],
            "lat": ["39.7", "39.7412", "북위 39° 44′ 28″"],
            "uncertainty_m": ["", "50", ""],
        },
    )
    radius = layers.read(path, unsourced=True).layer["uncertainty_m"]
    assert radius[0] == pytest.approx(7_010, abs=10)
    assert radius[1] == pytest.approx(50 + 7.0, abs=0.1)
    assert radius[2] == pytest.approx(19.5, abs=0.2)


def test_a_pair_in_one_cell(folder):
    path = table(
        folder / "pair.csv",
        {"좌표": [f"{y}, {x}" for x, y in zip(LON, LAT, strict=True)]},
    )
    assert_right(mended(path, "axes look swapped"), within_m=0.01)
    named = [f"N{y} E{x}" for x, y in zip(LON, LAT, strict=True)]
    path = table(folder / "named.csv", {"좌표": named})
    assert_right(layers.read(path, unsourced=True), within_m=0.01)


def test_grid_references_and_well_known_text(folder):
    squares = [mgrs.MGRS().toMGRS(y, x) for x, y in zip(LON, LAT, strict=True)]
    path = table(folder / "mgrs.csv", {"MGRS": squares})
    found = layers.read(path, unsourced=True)
    assert_right(found, within_m=0.75)
    assert found.layer["uncertainty_m"].between(0.7, 0.72).all()
    path = table(
        folder / "wkt.csv", {"wkt": [p.wkt for p in TRUE.to_crs(5179).geometry]}
    )
    assert_right(mended(path, "names no CRS", flag="--crs EPSG:5179"))


def test_what_is_read_may_be_written_and_read_again(folder):
    path = table(folder / "again.csv", {"name": NAMES, "lon": LON, "lat": LAT})
    first = layers.read(path, source="src-1", licence="CC0-1.0")
    for ending in (".gpkg", ".geojson", ".parquet"):
        target = folder / f"again{ending}"
        report = layers.import_file(path, target, source="src-1", licence="CC0-1.0")
        assert report == first.report
        again = layers.read(target)
        assert again.report.source == {}
        pd.testing.assert_frame_equal(
            first.layer.drop(columns="geometry"),
            again.layer.drop(columns="geometry"),
            check_dtype=False,
        )
        assert_right(again, within_m=0.02)
        assert target.with_suffix(".import.json").read_text("utf-8") == report.to_json()
        assert str(report) in target.with_suffix(".import.txt").read_text("utf-8")


def test_nothing_is_written_when_something_is_refused(folder):
    path = table(folder / "half.csv", {"lon": LON, "lat": LAT, "status": ["?"] * 4})
    target = folder / "half.gpkg"
    target.write_bytes(b"what stood there")
    before = sorted(f.name for f in folder.iterdir())
    with pytest.raises(ReadError, match=r"status '\?' is none of reported"):
        layers.import_file(path, target, unsourced=True)
    assert target.read_bytes() == b"what stood there"
    assert sorted(f.name for f in folder.iterdir()) == before


def test_progress_ends_where_it_said(folder):
    path = table(folder / "steps.csv", {"lon": LON, "lat": LAT})
    steps = []
    layers.read(path, unsourced=True, progress=lambda *step: steps.append(step))
    assert steps == sorted(steps)
    assert steps[-1] == (12, 12)
