"""COGs hold the same cells, say whose they are, and satisfy GDAL's own judge."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp

from geo.errors import CRSMissingError, GridError
from layers.errors import SchemaError, WriteError
from layers.export.catalogue_content import catalogue_content
from layers.export.cog import STATISTICS, save_cog, write_cog
from layers.export.losses import loss_report
from tests.cogs import NoJudgeError, judged, require_judge
from tests.layers.export.small import raster, small

RASTERS = ("altitude", "irradiance", "land-cover", "linke-turbidity")


@pytest.fixture(scope="module")
def judge():
    """GDAL's validator."""
    try:
        require_judge()
    except NoJudgeError as error:
        pytest.skip(str(error))
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


GRID = Affine(100, 0, 900_000, 0, -100, 2_100_000)
HARD = np.full((60, 70), 1 / 3)
HARD[0, :5] = [np.nan, np.inf, -0.0, 5e-324, 1e308]


def _named(made):
    made.descriptions, made.units = ("Höhe 철",), ("m",)
    made.scales, made.offsets = (0.1,), (5.0,)
    made.update_tags(PLACE="x", LINES="a\nb", AREA_OR_POINT="Point")
    made.update_tags(1, DEPTH="y")


def _colours(made):
    made.write_colormap(1, {0: (255, 0, 0, 255), 1: (0, 255, 0, 255), 2: (0, 0, 9, 0)})


def _masked(made):
    made.write_mask(np.arange(60 * 70).reshape(60, 70) % 3 > 0)


def _private(made):
    made.update_tags(ns="MINE", DEEP="z")


RASTERS_OF_ALL_KINDS = {
    **{
        kind: {"dtype": kind}
        for kind in (
            *("uint8", "int8", "uint16", "int16", "uint32", "int32"),
            *("int64", "uint64", "float32", "float64", "complex64"),
        )
    },
    "hard numbers": {"dtype": "float64", "cells": HARD},
    "nan is missing": {"dtype": "float64", "cells": HARD, "nodata": np.nan},
    "largest": {
        "dtype": "int64",
        "cells": np.full((60, 70), 2**63 - 1),
        "nodata": -(2**63) + 1,
    },
    "nothing": {"dtype": "int16", "cells": np.full((60, 70), -1), "nodata": -1},
    "four bits": {"dtype": "uint8", "cells": np.ones((60, 70)), "nbits": 4},
    "names": {"dtype": "int16", "nodata": -9999, "then": _named},
    "colours": {"dtype": "uint8", "then": _colours},
    "mask": {"dtype": "uint8", "then": _masked},
    "alpha": {"dtype": "uint8", "count": 4, "photometric": "RGB", "alpha": "YES"},
    "bands": {"dtype": "float32", "count": 3},
    "turned": {
        "dtype": "uint8",
        "transform": Affine(100, 20, 900_000, 20, -100, 2_100_000),
    },
    "own CRS": {"dtype": "uint8", "crs": "+proj=laea +lat_0=40 +lon_0=125 +units=m"},
    "private tags": {"dtype": "uint8", "then": _private},
}


def made(path, *, dtype, cells=None, then=None, count=1, **how):
    rng = np.random.default_rng(1)
    how = {"crs": "EPSG:5179", "transform": GRID, **how}
    with rasterio.open(
        path, "w", driver="GTiff", height=60, width=70, count=count, dtype=dtype, **how
    ) as raster:
        for band in range(1, count + 1):
            found = 100 * rng.random((60, 70)) if cells is None else cells
            raster.write(found.astype(dtype), band)
        if then:
            then(raster)
    return path


def everything(path):
    """All that a raster holds; statistics that were put beside it are left out."""
    with rasterio.open(path) as raster:
        names = (
            *("dtypes", "nodatavals", "crs", "transform", "descriptions", "units"),
            *("scales", "offsets", "colorinterp", "mask_flag_enums", "shape"),
        )
        found = {name: repr(getattr(raster, name)) for name in names}
        found["cells"] = raster.read().tobytes()
        found["masks"] = raster.read_masks().tobytes()
        found["tags"] = raster.tags()
        for band in raster.indexes:
            tags = raster.tags(band).items()
            found[band] = {k: v for k, v in tags if not k.startswith(STATISTICS)}
            if raster.colorinterp[band - 1] == ColorInterp.palette:
                found[band, "colours"] = raster.colormap(band)
        own = {"IMAGE_STRUCTURE", "DERIVED_SUBDATASETS"}
        spaces = set(raster.tag_namespaces()) - own
        private = sum(len(raster.tags(ns=space)) for space in spaces)
    return found, private


@pytest.mark.parametrize("kind", RASTERS_OF_ALL_KINDS)
def test_what_changes_is_what_is_declared(kind, tmp_path):
    source = made(tmp_path / "source.tif", **RASTERS_OF_ALL_KINDS[kind])
    content = small(sheets=(), relations=(), rasters={"a": source})
    write_cog(content, tmp_path / "a.tif")
    (before, private), (after, kept) = map(everything, (source, tmp_path / "a.tif"))
    assert after == before
    counts = {"private tags": private - kept} if private > kept else {}
    assert loss_report(content, "cog").counts == counts
    assert bool(counts) == (kind == "private tags")


def test_statistics_are_those_of_the_valid_cells(tmp_path):
    source = made(tmp_path / "source.tif", **RASTERS_OF_ALL_KINDS["mask"])
    save_cog(source, tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as raster:
        cells, tags = raster.read(1, masked=True), raster.tags(1)
    assert float(tags["STATISTICS_STDDEV"]) == pytest.approx(cells.std())
    assert float(tags["STATISTICS_MEAN"]) == pytest.approx(cells.mean())
    assert float(tags["STATISTICS_VALID_PERCENT"]) == pytest.approx(200 / 3)
    for kind in ("hard numbers", "nothing", "complex64"):
        source = made(tmp_path / f"{kind}.tif", **RASTERS_OF_ALL_KINDS[kind])
        save_cog(source, tmp_path / "a.tif")
        with rasterio.open(tmp_path / "a.tif") as raster:
            assert not [k for k in raster.tags(1) if k.startswith(STATISTICS)]


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
    with pytest.raises(GridError, match="cannot be read"):
        save_cog(source, tmp_path / "x.tif")
    assert (tmp_path / "x.tif").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["source.tif", "x.tif"]
