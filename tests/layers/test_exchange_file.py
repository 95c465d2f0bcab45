from importlib.resources import files

import pytest

import layers
from layers.exchange_file import read_exchange_file

TEXT = (files("layers") / "data/exchanges/cholsan-2019.toml").read_text("utf-8")


@pytest.fixture
def spoiled(tmp_path):
    """Write the Cholsan file with one thing changed."""

    def write(old, new):
        assert old in TEXT
        path = tmp_path / "spoiled.toml"
        path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format = 1", "format = 2", r"spoiled\.toml: format: "),
        ("reported = 2019-10-15", "reported = 'autumn'", r"reported: .*date"),
        ("reported = 2019-10-15", "reported = 2019-10-32", r"no valid TOML.*line"),
        ("as_of = 2019-10-31\n", "", r"missing required field `as_of`"),
        ('unit = "GW"', 'unit = "kW"', r"readings\[\d*\]?.*unit: Invalid enum value"),
        ('kind = "ore"', 'kind = "gold"', r"legs.*kind: Invalid enum value 'gold'"),
        ('direction = "out"', 'direction = "up"', r"direction: Invalid enum value"),
        ("quantity = 2.5", "quantity = -2.5", r"quantity: Expected `float` > 0"),
        ("quantity = 2.5", 'quantity = "much"', r"quantity: Expected `float`"),
        ('statement = "The', 'statment = "The', r"unknown field `statment`|missing"),
        ("low = 35, mid = 50", "low = 60, mid = 50", r"low <= mid <= high"),
        ('likelihood = "likely"', 'likelihood = "sure"', r"no ICD 203 term"),
        ('id = "cholsan-2019"', 'id = "../etc"', r"id: Expected `str` matching"),
        ('target = "KP"', 'target = "Korea"', r"target: "),
        ("quantity = 2.5", "quantity = inf", r"quantity: Expected `float` <= "),
        ("quantity = 2.5", "quantity = nan", r"quantity: Expected `float` "),
        (
            "quantity = 2.5",
            f"quantity = 1{'0' * 400}",
            r"holds what no number|quantity",
        ),
        ("quantity = 2.5", f"quantity = 1{'0' * 5000}", r"no valid TOML: "),
        ("low = 1200, mid", "low = 1200, hi = 1, mid", r"yield.kwh_per_kwp: .*`hi`"),
        (
            "high = 1500 }",
            "high = inf }",
            r"yield.kwh_per_kwp.high: Expected `float` <=",
        ),
        ('id = "cholsan-2019"', 'id = "cholsan-2019\\n"', r"id: Expected `str` match"),
        (
            '"deposits/cholsan-reported"\nrole',
            '"deposits/x\\n"\nrole',
            r"feature: .*matc",
        ),
        ('id = "A"', 'id = "A\\n"', r"id: Expected `str` matching"),
        ('target = "KP"', 'target = "KP\\n"', r"target: Expected `str` matching"),
        ('"2014-06"', '"2014-06\\n"', r"peak_month: Expected `str` matching"),
        ('"2014-06"', '"2014-13"', r"peak_month: Expected `str` matching"),
    ],
)
def test_a_wrong_key_unit_or_date_is_named(spoiled, old, new, message):
    with pytest.raises(layers.ExchangeError, match=message):
        read_exchange_file(spoiled(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"offer-made", "agreed"',
            '"ofer-made", "agreed"',
            r"headline_claims: no claim 'ofer-made'; did you mean offer-made",
        ),
        (
            '"unscr-2270-30"',
            '"unscr-2270-99"',
            r"measures: no measure 'unscr-2270-99'; did you mean",
        ),
        (
            'feature = "trade-hubs/dandong"',
            'feature = "trade-hubs/dandon"',
            r"places\[1\].feature: no feature 'trade-hubs/dandon'; did you mean",
        ),
        (
            'feature = "trade-hubs/dandong"',
            'feature = "trade-hub/dandong"',
            r"no layer 'trade-hub'; there are (?!.*base-).*trade-hubs",
        ),
        (
            'context = ["crossings"',
            'context = ["base-coast"',
            r"no layer 'base-coast'; there are (?!.*base-).*trade-hubs",
        ),
        (
            'context = ["crossings"',
            'context = ["deposits"',
            r"context: deposits is there twice",
        ),
        (
            'context = ["crossings"',
            'context = ["provinces"',
            r"context\[0\]: 'provinces' holds .*Polygon; expected a layer of Points",
        ),
        (
            'feature = "trade-hubs/dandong"',
            'feature = "provinces/north-pyongan"',
            r"places\[1\].feature: 'provinces' holds .*Polygon; expected a layer of Po",
        ),
        (
            'party = "dprk-side"',
            'party = "nobody"',
            r"gives\[0\].party: no party 'nobody'",
        ),
        (
            'id = "ore"\nkind',
            'id = "rights"\nkind',
            r"legs: rights is there twice",
        ),
        (
            'sources = ["rfa-ko-2019-10-15"]',
            'sources = ["rfa"]',
            r"unknowns\[0\].sources: no source 'rfa'",
        ),
        (
            'criteria = "solar-areas.toml"',
            'criteria = "../../../etc/passwd"',
            r"solar.criteria: no file '../../../etc/passwd'",
        ),
    ],
)
def test_an_unknown_id_is_named_with_its_key(spoiled, old, new, message):
    with pytest.raises(layers.ExchangeError, match=message):
        layers.load_exchange(spoiled(old, new))


def test_what_is_no_exchange_is_refused(tmp_path):
    with pytest.raises(layers.ExchangeError, match="no exchange 'cholsan'; there are"):
        read_exchange_file("cholsan")
    with pytest.raises(layers.ExchangeError, match="there is no file"):
        read_exchange_file(tmp_path / "absent.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"id = \xff\xfe")
    with pytest.raises(layers.ExchangeError, match="is not UTF-8"):
        read_exchange_file(binary)
    empty = tmp_path / "empty.toml"
    empty.write_text("")
    with pytest.raises(layers.ExchangeError, match="missing required field"):
        read_exchange_file(empty)


@pytest.mark.parametrize("exchange_id", layers.exchange_ids())
def test_what_ships_reads(exchange_id):
    name, file = read_exchange_file(exchange_id)
    assert name == f"{exchange_id}.toml"
    assert file.id == exchange_id


@pytest.mark.parametrize(
    "hostile", ["a = " + "[" * 100_000, "a = 1" + "0" * 5000, "a = 1\x00"]
)
def test_a_hostile_file_is_one_clear_line(tmp_path, hostile):
    from geo.errors import CriteriaError
    from layers.solar_criteria import load_solar_criteria

    path = tmp_path / "hostile.toml"
    path.write_text(hostile)
    with pytest.raises(
        layers.ExchangeError, match=r"hostile\.toml is no val"
    ) as caught:
        read_exchange_file(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(CriteriaError, match=r"hostile\.toml: not TOML") as caught:
        load_solar_criteria(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["a\0.toml", "a" * 5000 + ".toml", "a\nb.toml"])
def test_a_path_that_is_none_is_one_clear_line(path):
    from geo.errors import CriteriaError
    from layers.solar_criteria import load_solar_criteria

    with pytest.raises(layers.ExchangeError, match=r"is no path|no file") as caught:
        read_exchange_file(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(CriteriaError, match="no criteria can be read") as caught:
        load_solar_criteria(path)
    assert "\n" not in str(caught.value)
