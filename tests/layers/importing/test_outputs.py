"""Layers written as they come: whole or not at all, in the formats that hold them."""

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely

from layers.errors import WriteError
from layers.importing.outputs import check_output, write_rows

SQUARE = shapely.box(125, 39, 126, 40)
TWO = shapely.MultiPolygon([SQUARE, shapely.box(127, 39, 128, 40)])


def tables(*batches):
    for shapes in batches:
        yield pa.table(
            {
                "id": [f"a-{i}" for i in range(len(shapes))],
                "precision_code": pa.array([None] * len(shapes), pa.int64()),
                "이름": ["운산"] * len(shapes),
                "geometry": pa.array(shapely.to_wkb(np.array(shapes)), pa.binary()),
            }
        )


@pytest.mark.parametrize("ending", [".gpkg", ".fgb", ".geojson", ".parquet"])
def test_each_format_holds_several_batches(tmp_path, ending):
    path = tmp_path / f"areas{ending}"
    write_rows(
        tables([SQUARE], [TWO, SQUARE]), path, geometry_type="MultiPolygon", about="us"
    )
    read = gpd.read_parquet if ending == ".parquet" else gpd.read_file
    found = read(path)
    assert len(found) == 3
    assert set(found.geom_type) == {"MultiPolygon"}
    assert found["이름"].unique().tolist() == ["운산"]
    assert sorted(shapely.area(found.geometry)) == [1, 1, 2]
    assert found.crs.equals("EPSG:4326", ignore_axis_order=True)
    assert [f.name for f in tmp_path.iterdir()] == [path.name]


def test_a_geopackage_says_who_made_it(tmp_path):
    path = tmp_path / "areas.gpkg"
    write_rows(tables([SQUARE]), path, geometry_type="MultiPolygon", about="src; MIT")
    info = pyogrio.read_info(path)
    assert info["layer_metadata"]["DESCRIPTION"] == "src; MIT"
    assert info["layer_name"] == "areas"


@pytest.mark.parametrize("ending", [".gpkg", ".parquet"])
def test_what_stood_there_stays_when_rows_go_wrong(tmp_path, ending):
    path = tmp_path / f"areas{ending}"
    path.write_bytes(b"before")

    def rows():
        yield from tables([SQUARE])
        raise WriteError("no more")

    with pytest.raises(WriteError, match="no more"):
        write_rows(rows(), path, geometry_type="MultiPolygon", about="")
    assert path.read_bytes() == b"before"
    assert [f.name for f in tmp_path.iterdir()] == [path.name]


def test_a_name_that_says_no_format_is_refused_before_anything_is_read(tmp_path):
    for name in ("areas", "areas.shp", "areas.csv"):
        with pytest.raises(WriteError, match=r"ends in \.gpkg, \.fgb"):
            check_output(tmp_path / name)
    with pytest.raises(WriteError, match="no such folder"):
        check_output(tmp_path / "no" / "areas.gpkg")
