"""Plans for sites: what is read, and what is refused."""

from dataclasses import replace

import pytest

from geo.errors import CriteriaError
from layers.siting.plan import plan_ids, read_plan
from tests.pyongan import plan_text, write_plan


@pytest.fixture(scope="module")
def plan():
    return read_plan("pyongan")


def refused(tmp_path, *swaps):
    """The message with which the changed plan is refused."""
    with pytest.raises(CriteriaError) as caught:
        read_plan(write_plan(tmp_path, *swaps))
    message = str(caught.value)
    assert message.startswith("mine.toml: ")
    assert "\n" not in message
    return message


def test_every_plan_that_ships_is_read_and_says_where_its_data_come_from():
    for name in plan_ids():
        plan = read_plan(name)
        for entry in (*plan.rasters.values(), *plan.vectors.values(), plan.region):
            assert entry.credit.source
            assert entry.credit.licence
            assert entry.credit.url


def test_a_product_brings_its_unit_source_and_licence(plan):
    ghi = plan.rasters["ghi"]
    assert (ghi.unit, ghi.factor) == ("kWh/m²/day", 365.25)
    assert ghi.credit.licence == "CC-BY-4.0"
    assert ghi.files == ("global-solar-atlas-ghi/*.tif",)


def test_weights_come_from_the_comparisons(plan):
    weights = {c.id: c.weight for c in plan.criteria if c.weight}
    assert sum(weights.values()) == pytest.approx(1)
    assert max(weights, key=weights.get) == "slope_deg"
    assert min(weights, key=weights.get) == "ghi"
    assert plan.judged.ratio < 0.1


def test_without_roads_the_others_keep_their_comparisons(plan):
    less = plan.without(["road"])
    assert "road" not in less.vectors
    assert [c.id for c in less.criteria] == [
        c.id for c in plan.criteria if c.id != "road_m"
    ]
    assert sum(c.weight for c in less.criteria) == pytest.approx(1)
    assert plan.without([]) is plan


def test_a_plan_of_ones_own_gives_weights_itself(tmp_path):
    text = plan_text()
    start, end = text.index("[ahp]"), text.index("# ── From cells to sites")
    text = text[:start] + text[end:]
    path = tmp_path / "own.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(CriteriaError, match="no weight is above zero"):
        read_plan(path)
    slope = "score = { down = [1, 5] }"
    path.write_text(text.replace(slope, f"{slope}\nweight = 2"), "utf-8")
    plan = read_plan(path)
    assert [c.id for c in plan.criteria if c.weight] == ["slope_deg"]
    assert plan.judged is None
    assert plan.folder == tmp_path.resolve()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "pyongan"', 'id = "pyongan"\nidd = 1', "file.idd: unknown key; did you"),
        ("exchange =", "synthetic = 1\nexchange =", "expected true or false"),
        ('"natural-earth", ', '"natural-eart", ', "did you mean natural-earth"),
        ("[rasters.ghi]", "[rasters.sun]", "rasters.ghi: missing"),
        ('product = "global-solar-atlas-ghi"', "", "rasters.ghi.files: missing"),
        ('product = "global-solar-atlas-ghi"', 'product = "solar-atlas"', "no product"),
        ('layer = "base-coast"', 'layer = "coasts"', "did you mean base-coast"),
        ('layer = "base-coast"', "", "either file or layer"),
        ('licence = "ODbL-1.0"', "", "vectors.road.licence: missing"),
        ('file = "roads.fgb"', 'file = "../roads.fgb"', "leads out of the folder"),
        ('file = "roads.fgb"', 'file = "/etc/passwd"', "leads out of the folder"),
        ('file = "roads.fgb"', 'file = "C:/roads.fgb"', "leads out of the folder"),
        ("optional = true", 'optional = "yes"', "expected true or false"),
        ('id = "coast_m"', 'id = "coasts_m"', "'coasts_m' is no measure"),
        ('"60" = 1.0,', '"61" = 1.0,', "not in rasters.land_cover.legend"),
        ('"60" = "bare', '"x" = "bare', "expected a class code"),
        (
            'classes = { "60" = 1.0, "30" = 1.0, "20" = 0.9, "40" = 0.5 }',
            "min = 3",
            "only excludes",
        ),
        ('["slope_deg", "land_cover", 1]', '["slope_deg", "x", 1]', "'x' is no crit"),
        ('["slope_deg", "land_cover", 1]', '["slope_deg", "coast_m", 1]', "a score"),
        ('["slope_deg", "land_cover", 1]', '["slope_deg", 1]', "expected lists such"),
        ('    ["slope_deg", "land_cover", 1],\n', "", "missing: slope_deg with land"),
        ('["slope_deg", "land_cover", 1]', '["slope_deg", "land_cover", 10]', "0.11"),
        ('["slope_deg", "ghi", 5]', '["slope_deg", "ghi", 0.12]', "contradict"),
        (
            "score = { up = [1300, 1500] }",
            "weight = 1\nscore = { up = [1, 2] }",
            "drop",
        ),
        ("connectivity = 4", "connectivity = 6", "expected 4 or 8"),
        ("keep = 200", "keep = 5", "top_n: 10 is more than sites.keep, 5"),
        ("keep = 200", "keep = 5.5", "expected a whole number"),
        ("low = 0.96", "low = 1.1", "expected low <= mid <= high"),
        ("reruns = 4", "reruns = 0.5", "expected a whole number"),
        ("low = 4\n", "low = 6\n", "leaves out what the plan says itself, 5"),
        ("high = 8\n", "high = 3\n", "expected low < high"),
        ('key = "min_km2"', 'key = "keep"', "expected one of min_km2"),
        ('id = "coast_m"\nkey = "min"', 'id = "coast_m"\nkey = "mid"', "min or max"),
        ('id = "elevation"\nkey', 'id = "altitude"\nkey', "expected sites, or a"),
        ("tilt_deg = 30", "tilt_deg = 300", "plant.tilt_deg"),
        ('reason = "The two', 'reason = "" # "The two', "expected a text"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(tmp_path, old, new, said):
    assert said in refused(tmp_path, (old, new))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ('["../dem.tif"]', "leads out of the folder"),
        ('["dem/../../x.tif"]', "leads out of the folder"),
        ('["/data/dem.tif"]', "leads out of the folder"),
        ('["..\\\\dem.tif"]', "leads out of the folder"),
        ('["\\\\\\\\host\\\\dem.tif"]', "leads out of the folder"),
        ("[]", "expected one path or more"),
        ('"dem.tif"', "expected one path or more"),
    ],
)
def test_no_path_leads_out_of_the_folder(tmp_path, files, said):
    own = f'files = {files}\nunit = "m"\nsource = "me"\nurl = "x"\nlicence = "CC0-1.0"'
    message = refused(tmp_path, ('product = "copernicus-glo-30"', own))
    assert said in message
    assert "rasters.elevation.files" in message


@pytest.mark.parametrize("unit", ["feet", "km", ""])
def test_heights_are_in_metres_or_feet(tmp_path, unit):
    own = f'files = ["d.tif"]\nunit = "{unit}"\nsource = "geonames"'
    message = refused(tmp_path, ('product = "copernicus-glo-30"', own))
    assert "rasters.elevation.unit" in message


def test_a_source_that_ships_is_credit_enough(tmp_path):
    own = 'files = ["dem/*.tif"]\nunit = "ft"\nsource = "natural-earth"'
    plan = read_plan(write_plan(tmp_path, ('product = "copernicus-glo-30"', own)))
    elevation = plan.rasters["elevation"]
    assert elevation.credit.licence == "LicenseRef-public-domain"
    assert elevation.factor == 0.3048


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(CriteriaError, match="give the path of a TOML file, or one of"):
        read_plan(tmp_path / "nowhere.toml")
    with pytest.raises(CriteriaError, match="no plan can be read"):
        read_plan("a\0b")
    broken = tmp_path / "broken.toml"
    broken.write_text("id = ", "utf-8")
    with pytest.raises(CriteriaError, match=r"broken\.toml: not TOML"):
        read_plan(broken)
    broken.write_bytes(b"id = '\xff'")
    with pytest.raises(CriteriaError, match="expected UTF-8 text"):
        read_plan(broken)


def test_the_plan_is_a_record(plan):
    assert replace(plan, title="x").title == "x"
    with pytest.raises(AttributeError):
        plan.title = "x"
