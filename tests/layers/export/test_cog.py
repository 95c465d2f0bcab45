"""COGs hold the same cells, say whose they are, and satisfy GDAL's own judge."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio

from geo.errors import CRSMissingError, GridError
from layers.errors import SchemaError, WriteError
from layers.export.catalogue_content import catalogue_content
from layers.export.cog import save_cog, write_cog
from tests.layers.export.small import raster, small

RASTERS = ("altitude", "irradiance", "land-cover", "linke-turbidity")


@pytest.fixture(scope="module")
def judge():
    """GDAL's validator, with the Python of the system."""
    command = [
        *("/usr/bin/python3", "-m"),
        "osgeo_utils.samples.validate_cloud_optimized_geotiff",
    ]
    if not Path(command[0]).exists():
        pytest.skip("no /usr/bin/python3 with GDAL; python tests/qgis.py brings it")
    asked = [command[0], "-c", "import osgeo_utils.samples"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("no GDAL for Python here; python tests/qgis.py brings it")

    def judged(path):
        done = subprocess.run(
            [*command, str(path)], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    return judged


def same(a, b):
    with rasterio.open(a) as one, rasterio.open(b) as two:
        assert np.array_equal(one.read(), two.read(), equal_nan=True)
        for name in ("crs", "transform", "nodatavals", "dtypes"):
            assert getattr(one, name) == getattr(two, name), name
        for name in ("units", "descriptions", "scales", "offsets", "colorinterp"):
            assert getattr(one, name) == getattr(two, name), name
        return two.tags(), two.overviews(1)


def test_the_catalogue_is_written_with_its_credits(tmp_path, judge):
    content = catalogue_content(RASTERS)
    seen = []
    out = tmp_path / "cogs"
    files = write_cog(content, out, progress=lambda *s: seen.append(s))
    assert seen[-1] == (4, 4)
    assert {f.name for f in files if f.suffix == ".tif"} == {
        f"{name}.tif" for name in RASTERS
    }
    for name in RASTERS:
        tags, _ = same(content.rasters[name], out / f"{name}.tif")
        assert "valid cloud optimized GeoTIFF" in judge(out / f"{name}.tif")
        assert "Licence: " in tags["TIFFTAG_COPYRIGHT"]
        assert tags["TIFFTAG_IMAGEDESCRIPTION"]
    assert tags["TIFFTAG_COPYRIGHT"].startswith("LinkeTurbidities.h5 of")
    with rasterio.open(out / "land-cover.tif") as made:
        assert made.tags()["CLASS_12"] == "Croplands"
    assert (out / "licences" / "BSD-3-Clause.txt").is_file()
    before = [file.read_bytes() for file in files]
    assert [file.read_bytes() for file in write_cog(content, out)] == before


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_any_raster_gets_overviews_and_keeps_the_rest(tmp_path, judge, dtype):
    source = raster(tmp_path / "source.tif", dtype=dtype)
    files = write_cog(small(rasters={"height": source}), tmp_path / "height.tif")
    assert files == (tmp_path / "height.tif",)
    tags, overviews = same(source, files[0])
    assert tags["PLACE"] == "nowhere"
    assert overviews == [2]
    assert "valid cloud optimized GeoTIFF" in judge(files[0])
    with rasterio.open(files[0], overview_level=0) as half, rasterio.open(source) as s:
        seen = half.read(1)[100:]
        means = not np.isin(seen, s.read(1)).all()
    assert means == (dtype == "float32")


def test_a_plain_geotiff_is_no_cog(tmp_path, judge):
    assert "NOT a valid" in judge(raster(tmp_path / "source.tif"))


def test_what_cannot_be_written_says_so(tmp_path):
    source = raster(tmp_path / "source.tif")
    with pytest.raises(SchemaError, match="these rasters: none"):
        write_cog(small(), tmp_path / "x.tif")
    with pytest.raises(SchemaError, match="Name a folder"):
        write_cog(small(rasters={"a": source, "b": source}), tmp_path / "x.tif")
    with pytest.raises(SchemaError, match="cannot name a file"):
        write_cog(small(rasters={"../a": source}), tmp_path / "out")
    with pytest.raises(WriteError, match="No such file"):
        save_cog(source, tmp_path / "none" / "x.tif")
    with pytest.raises(CRSMissingError, match="names no CRS"):
        save_cog(raster(tmp_path / "bare.tif", crs=None), tmp_path / "x.tif")
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(GridError, match="cannot be read"):
        save_cog(tmp_path / "text.tif", tmp_path / "x.tif")
    assert not (tmp_path / "x.tif").exists()


def test_a_damaged_source_leaves_what_stood_there(tmp_path):
    source = raster(tmp_path / "source.tif", dtype="float32")
    save_cog(source, tmp_path / "x.tif")
    before = (tmp_path / "x.tif").read_bytes()
    cells = source.read_bytes()
    half = len(cells) // 2
    source.write_bytes(cells[:half] + bytes(5000) + cells[half + 5000 :])
    with pytest.raises(WriteError):
        save_cog(source, tmp_path / "x.tif")
    assert (tmp_path / "x.tif").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["source.tif", "x.tif"]
