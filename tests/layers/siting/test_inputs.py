"""From a plan to a search: files found, placed and put together."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from geo.errors import CriteriaError, CRSMissingError, GeoError
from geo.raster import Grid
from layers.siting.inputs import prepare
from layers.siting.plan import read_plan
from tests.pyongan import sunlight, write, write_plan, write_world

GRID = '[grid]\ncrs = "EPSG:32651"\nresolution_m = 500\nreason = "R."\nsource = "S."\n'


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def data(tmp_path):
    """A world of one's own to break."""
    return write_world(tmp_path / "data")


@pytest.fixture(scope="module")
def prepared(world):
    return prepare(read_plan("pyongan"), data=world)


def refused(plan, data):
    with pytest.raises(GeoError) as caught:
        prepare(plan if not isinstance(plan, str) else read_plan(plan), data=data)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_cells_are_those_of_the_elevation_under_the_region(prepared, world):
    grid = prepared.siting.grid
    tile = Grid.of(next((world / "copernicus-glo-30").glob("*N39*E125*")))
    assert (grid.dx, grid.dy, grid.crs) == (tile.dx, tile.dy, tile.crs)
    for own, tiles in ((grid.west, tile.west), (grid.north, tile.north)):
        assert (own - tiles) / grid.dx == pytest.approx(
            round((own - tiles) / grid.dx), abs=1e-6
        )
    west, south, east, north = prepared.regions.total_bounds
    left, bottom, right, top = grid.bounds
    assert left <= west < left + grid.dx
    assert bottom <= south < bottom + grid.dy
    assert right - grid.dx < east <= right
    assert top - grid.dy < north <= top


def test_only_tiles_that_meet_the_region_are_used(data):
    far = data / "copernicus-glo-30" / "Copernicus_DSM_COG_10_N45_00_E140_00_DEM.tif"
    write(
        far,
        west=140.0,
        north=46.0,
        side=1 / 120,
        values=lambda x, _: np.full(x.shape, 5, dtype="float32"),
        cells=120,
    )
    made = prepare(read_plan("pyongan"), data=data)
    names = {p.name for p in made.siting.rasters["elevation"].paths}
    assert "Copernicus_DSM_COG_10_N39_00_E125_00_DEM.tif" in names
    assert far.name not in names
    assert made.siting.grid.bounds[2] < 128


def test_a_days_sum_becomes_a_years(prepared):
    assert prepared.siting.rasters["ghi"].scale == pytest.approx(365.25)
    assert prepared.siting.rasters["elevation"].scale is None
    assert prepared.siting.rasters["land_cover"].resampling == "nearest"


def test_the_middle_of_the_bias_is_in_the_irradiation(world, tmp_path):
    path = write_plan(tmp_path, ("mid = 1.0\nhigh = 1.04", "mid = 0.98\nhigh = 1.04"))
    scale = prepare(read_plan(path), data=world).siting.rasters["ghi"].scale
    assert scale == pytest.approx(365.25 * 0.98)


def test_where_keeps_the_rows_that_count(prepared):
    towns, plants = prepared.features["town"], prepared.features["plant"]
    assert towns["population"].min() >= 10000
    assert (plants["uncertainty_m"] <= 15000).all()
    assert plants["capacity_mw"].isna().any()
    assert not plants["fuel"].str.contains("solar").any()


def test_what_is_told_of_a_site_is_measured_though_nothing_depends_on_it(
    world, tmp_path
):
    text = write_plan(tmp_path).read_text("utf-8")
    start = text.index('[[criteria]]\nid = "elevation"')
    end = text.index("[[criteria]]", start + 5)
    text = text[:start] + text[end:]
    start = text.index('[[uncertainty.thresholds]]\nid = "elevation"')
    end = text.index("[[uncertainty", start + 5)
    (tmp_path / "mine.toml").write_text(text[:start] + text[end:], "utf-8")
    made = prepare(read_plan(tmp_path / "mine.toml"), data=world)
    extra = {c.id: c for c in made.siting.criteria}["elevation"]
    assert (extra.weight, extra.minimum, extra.maximum) == (0, -np.inf, np.inf)


def test_optional_roads_count_when_they_are_there(data):
    roads = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(125, 39), (126, 40)])], crs=4326
    )
    roads.to_file(data / "roads.fgb", driver="FlatGeobuf")
    made = prepare(read_plan("pyongan"), data=data)
    assert made.left_out == ()
    assert "road_m" in [c.id for c in made.siting.criteria]
    assert "road" in made.siting.features


def test_features_that_no_criterion_is_about_are_only_measured_to(prepared):
    assert "crossing" in prepared.features
    assert "crossing" not in prepared.siting.features


def test_another_grid_may_be_asked_for(world, tmp_path):
    plan = read_plan(write_plan(tmp_path, ("[region]\n", f"{GRID}\n[region]\n")))
    grid = prepare(plan, data=world).siting.grid
    assert (grid.crs, grid.dx, grid.dy) == ("EPSG:32651", 500, 500)
    assert grid.west % 500 == 0


def test_a_grid_that_is_none_is_refused(world, tmp_path):
    text = GRID.replace("EPSG:32651", "EPSG:999999")
    plan = read_plan(write_plan(tmp_path, ("[region]\n", f"{text}\n[region]\n")))
    assert "is no CRS" in refused(plan, world)


def test_a_missing_folder_and_missing_files_are_named(tmp_path):
    assert "there is no folder of data" in refused("pyongan", tmp_path / "x")
    message = refused("pyongan", tmp_path)
    assert "copernicus-glo-30/*.tif" in message
    assert "lodemap fetch gets copernicus-glo-30" in message


def test_no_overlap_is_refused_with_both_places(data):
    for path in (data / "global-solar-atlas-ghi").iterdir():
        path.unlink()
    write(
        data / "global-solar-atlas-ghi" / "GHI.tif",
        west=10.0,
        north=50.0,
        side=0.05,
        values=lambda x, y: sunlight(x, y).astype("float32"),
        cells=20,
    )
    message = refused("pyongan", data)
    assert "rasters.ghi: none of 1 files meets the region" in message
    assert "10.0" in message


def test_a_raster_without_crs_is_refused(data):
    path = data / "global-solar-atlas-ghi" / "GHI.tif"
    write(
        path,
        west=122.0,
        north=43.0,
        side=0.05,
        values=lambda x, y: sunlight(x, y).astype("float32"),
        cells=140,
        crs=None,
    )
    with pytest.raises(CRSMissingError, match=r"GHI\.tif names no CRS"):
        prepare(read_plan("pyongan"), data=data)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><body>404</body></html>", "a page of a web server"),
        (b"<VRTDataset rasterXSize='1'>", "a page of a web server"),
        (b"", "is empty"),
        (b"II*\0", "cannot be opened"),
        (b'{"type": "x"}', "no TIFF"),
    ],
)
def test_what_is_no_tiff_is_refused_whatever_its_name(data, content, said):
    path = next((data / "esa-worldcover-2021").iterdir())
    path.write_bytes(content)
    message = refused("pyongan", data)
    assert path.name in message
    assert said in message


def test_a_truncated_tile_is_refused(data):
    path = data / "copernicus-glo-30" / "Copernicus_DSM_COG_10_N39_00_E125_00_DEM.tif"
    path.write_bytes(path.read_bytes()[:-20_000])
    assert "truncated" in refused("pyongan", data)


def test_links_do_not_lead_out_of_the_folder(data, tmp_path):
    secret = tmp_path / "elsewhere.tif"
    path = data / "global-solar-atlas-ghi" / "GHI.tif"
    path.rename(secret)
    path.symlink_to(secret)
    assert "leads out of" in refused("pyongan", data)


def test_whole_numbers_with_a_scale_keep_it_in_the_change_of_unit(data):
    path = data / "global-solar-atlas-ghi" / "GHI.tif"
    with rasterio.open(path) as source:
        values, profile = source.read(1), source.profile
    profile.update(dtype="int16", nodata=-1)
    with rasterio.open(path, "w", **profile) as out:
        out.write(np.round(values * 1000).astype("int16"), 1)
        out.scales = (0.001,)
    band = prepare(read_plan("pyongan"), data=data).siting.rasters["ghi"]
    assert band.scale == pytest.approx(0.36525)


def test_an_offset_is_in_the_unit_of_the_file(world, tmp_path):
    own = 'product = "global-solar-atlas-ghi"\nscale = 0.5\noffset = 2'
    plan = write_plan(tmp_path, ('product = "global-solar-atlas-ghi"', own))
    band = prepare(read_plan(plan), data=world).siting.rasters["ghi"]
    assert (band.scale, band.offset) == (182.625, pytest.approx(730.5))


def test_files_that_differ_in_scale_cannot_change_unit_together(data):
    folder = data / "global-solar-atlas-ghi"
    with rasterio.open(folder / "GHI.tif") as source:
        values, profile = source.read(1), source.profile
    with rasterio.open(folder / "GHI2.tif", "w", **profile) as out:
        out.write(values * 10, 1)
        out.scales = (0.1,)
    assert "its files differ in scale" in refused("pyongan", data)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("population = { min = 10000 }", "people = { min = 1 }", "no such column"),
        ("population = { min = 10000 }", "name = { min = 1 }", "is no number"),
        ("population = { min = 10000 }", "population = { min = 1e9 }", "none of"),
        ('ids = ["north-pyongan"', 'ids = ["pyongan"', "no pyongan; there are"),
    ],
)
def test_rows_that_cannot_be_chosen_are_refused(world, tmp_path, old, new, said):
    plan = read_plan(write_plan(tmp_path, (old, new)))
    with pytest.raises(CriteriaError, match=said):
        prepare(plan, data=world)


def test_unknown_classes_by_the_dozen_are_refused(data):
    for path in (data / "esa-worldcover-2021").iterdir():
        with rasterio.open(path, "r+") as out:
            values = out.read(1)
            values[:, ::4] = 12
            out.write(values, 1)
    assert "does not know (12)" in refused("pyongan", data)


def test_a_region_of_ones_own_may_be_a_file(world, tmp_path):
    box = shapely.box(125.2, 39.4, 125.6, 39.7)
    region = gpd.GeoDataFrame(geometry=[box], crs=4326)
    region.to_file(tmp_path / "here.geojson")
    path = write_plan(
        tmp_path,
        (
            'layer = "provinces"\nids = ["north-pyongan", "south-pyongan"]\n',
            'file = "here.geojson"\nsource = "me"\nurl = "none"\nlicence = "CC0-1.0"\n',
        ),
    )
    # Rasters from the folder of data too, so all stands there.
    with pytest.raises(GeoError, match=r"here\.geojson"):
        prepare(read_plan(path), data=world)
    (world / "here.geojson").write_bytes((tmp_path / "here.geojson").read_bytes())
    made = prepare(read_plan(path), data=world)
    assert made.regions["id"].tolist() == ["region-1"]
    assert made.siting.grid.shape[0] < 50
