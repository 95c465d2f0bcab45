import dataclasses
from datetime import date

import numpy as np
import pytest

import geo
import layers


@pytest.fixture(scope="module")
def cholsan():
    return layers.load_exchange("cholsan-2019")


@pytest.fixture
def made(tmp_path):
    """Load a small exchange of one's own, with more lines at its end."""

    def load(*lines, place="trade-hubs/dandong", **keys):
        path = tmp_path / "made.toml"
        top = {"id": "made", "measures": [], "context": []} | keys
        path.write_text(
            "\n".join(
                [
                    "format = 1",
                    *(f"{key} = {value!r}" for key, value in top.items()),
                    'title = "Made"\nstatus = "reported"\ntarget = "KP"\nsummary = "x"',
                    "reported = 2019-10-15\nas_of = 2019-10-31",
                    f'[[places]]\nfeature = "{place}"\nrole = "x"',
                    '[[parties]]\nid = "one"\nname = "One"\nrole = "other"',
                    *lines,
                ]
            ),
            encoding="utf-8",
        )
        return layers.load_exchange(path)

    return load


LEG = """[[legs]]
id = "leg"
kind = "ore"
what = "Ore"
giver = "one"
receiver = "one"
from = "trade-hubs/dandong"
to = ["trade-hubs/sinuiju"]
direction = "out"
basis = "inferred"
"""


def row(frame, **where):
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1, where
    return frame.iloc[0]


# Golden values from another compilation of the case, which measured them with its own
# program from town points a few hundred metres off ours: 122 km to Pyongyang and 252 km
# to Shenyang, to the kilometre.
def test_distances_from_the_county_point(cholsan):
    mine = row(cholsan.places, id="cholsan-reported").geometry
    for hub, km in (("pyongyang", 122), ("shenyang", 252)):
        there = row(cholsan.places, id=hub).geometry
        metres = geo.distance(mine.x, mine.y, there.x, there.y).item()
        assert metres / 1000 == pytest.approx(km, abs=1)


def test_it_is_frozen(cholsan):
    with pytest.raises(dataclasses.FrozenInstanceError):
        cholsan.title = "other"


def test_the_mine_is_tied_to_its_nearest_crossing_with_bounds(cholsan):
    link = row(
        cholsan.links,
        from_id="deposits/cholsan-reported",
        relation="nearest border crossing",
    )
    crossings = layers.load("crossings")
    mine = row(cholsan.places, id="cholsan-reported")
    every = geo.distance(
        mine.geometry.x, mine.geometry.y, crossings.geometry.x, crossings.geometry.y
    )
    nearest = crossings.iloc[int(every.argmin())]
    assert link.to_id == f"crossings/{nearest.id}"
    assert link.distance_m == pytest.approx(every.min())
    slack = mine.uncertainty_m + nearest.uncertainty_m
    assert link.distance_max_m - link.distance_m == pytest.approx(slack)
    assert link.distance_min_m == pytest.approx(max(link.distance_m - slack, 0))
    assert 0 < link.azimuth_deg < 360
    length = geo.length([link.geometry]).item()
    assert length == pytest.approx(link.distance_m, rel=1e-6)


def test_the_mine_lies_in_north_pyongan_as_far_as_its_disc_does(cholsan):
    rows = cholsan.memberships
    rows = rows[rows["id"] == "deposits/cholsan-reported"]
    assert rows["region_id"].tolist() == ["provinces/north-pyongan"]
    assert 0.5 < rows["probability"].item() < 0.9
    assert rows["relation"].item() == "possible"


def test_every_candidate_area_is_tied_and_hypothetical(cholsan):
    areas = cholsan.areas
    assert len(areas) >= 5
    assert set(areas["status"]) == {"hypothetical"}
    assert areas["rank"].tolist() == list(range(1, len(areas) + 1))
    for relation in ("nearest hub named in the report", "nearest power plant"):
        tied = cholsan.links[cholsan.links["relation"] == relation]
        assert set(tied["from_id"]) == set(areas["ref"])
    inside = cholsan.memberships[cholsan.memberships["id"].isin(areas["ref"])]
    best = inside.sort_values("probability").groupby("id").last()
    assert set(best["region_id"]) <= set(cholsan.regions["ref"])


def test_the_legs_run_from_giver_to_receiver_as_geodesics(cholsan):
    ore = row(cholsan.legs, id="ore")
    ends = np.array(ore.geometry.coords)[[0, -1]]
    mine = row(cholsan.places, ref=ore.from_id).geometry
    hub = row(cholsan.places, ref=ore.to_id).geometry
    np.testing.assert_allclose(ends, [[mine.x, mine.y], [hub.x, hub.y]])
    assert ore.direction == "out"
    funds = cholsan.legs[cholsan.legs["id"] == "investment"]
    assert set(funds["to_id"]) == set(cholsan.regions["ref"])
    assert set(funds["direction"]) == {"in"}


def test_every_leg_meets_the_measures_in_force_on_the_day(cholsan):
    before = layers.load_exchange("cholsan-2019", as_of=date(2006, 1, 1))
    assert not before.leg_measures["in_force_on_as_of"].any()
    rows = cholsan.leg_measures
    for leg in ("rights", "investment", "equipment", "ore", "payment"):
        there = rows[(rows["leg"] == leg) & rows["in_force_on_as_of"]]
        assert "restricts" in set(there["effect"]), leg


def test_both_readings_are_worked_out_and_cited(cholsan):
    by_id = {reading.id: reading for reading in cholsan.readings}
    assert by_id["A"].fits
    assert not by_id["B"].fits
    assert by_id["A"].cost_usd_per_w.mid == pytest.approx(1.0)
    for reading in cholsan.readings:
        assert set(reading.claims) <= set(layers.claims())
        assert reading.claims


def test_the_judgement_weighs_the_later_offer(cholsan):
    ahead = next(a for a in cholsan.assessments if a.id == "went-ahead")
    assert ahead.likelihood == "very unlikely"
    assert {"agreed", "later-offer", "later-offer-answer"} <= set(ahead.basis)


def test_the_ore_leg_rests_on_what_the_report_is_quoted_to_say(cholsan):
    ore = row(cholsan.legs, id="ore")
    assert ore.basis == "reported"
    assert "mined-ore-rfa" in ore.claims.split()
    assert row(cholsan.claims, id="mined-ore-rfa").source == "rfa-ko-2019-10-15"


def test_the_field_of_1951_reaches_the_limit_of_its_last_square():
    deposits = layers.load("deposits").set_index("id")
    field, last = (deposits.loc[f"cholsan-1951-{name}"] for name in ("field", "d"))
    limit = geo.distance(
        field.geometry.x, field.geometry.y, last.geometry.x, 39.82
    ).item()
    assert 9_000 < limit <= field.uncertainty_m


def test_nothing_is_cited_that_is_not_there(cholsan):
    claims, sources = set(cholsan.claims["id"]), set(cholsan.sources["id"])
    for table in (cholsan.places, cholsan.areas, cholsan.comparables, cholsan.legs):
        assert {c for ids in table["claims"] for c in ids.split()} <= claims
    assert set(cholsan.claims["source"]) <= sources
    parents = {p for ids in cholsan.sources["derived_from"] for p in ids.split()}
    assert parents <= sources
    assert set(cholsan.headline_claims) <= claims


def test_a_coarse_place_is_never_exact(cholsan):
    mine = row(cholsan.places, id="cholsan-reported")
    assert mine.precision_code == 3
    assert mine.uncertainty_m == 15_000
    assert mine.status == "reported"


def test_it_is_the_same_every_time(cholsan):
    again = layers.load_exchange("cholsan-2019")
    assert again.areas.equals(cholsan.areas)
    assert again.links.equals(cholsan.links)


@pytest.mark.parametrize("exchange_id", ["pobeda-2014", "sicomines-2008"])
def test_a_quite_different_deal_goes_through_the_same_code(exchange_id):
    deal = layers.load_exchange(exchange_id)
    assert len(deal.places)
    assert deal.areas.empty
    assert deal.readings == ()
    assert deal.repayment is None
    assert len(deal.sources)


def test_in_2014_most_measures_were_still_to_come():
    deal = layers.load_exchange("pobeda-2014")
    assert not deal.leg_measures["in_force_on_as_of"].any()
    later = layers.load_exchange("pobeda-2014", as_of=date(2019, 10, 31))
    assert later.leg_measures["in_force_on_as_of"].any()


def test_criteria_of_ones_own(tmp_path):
    from importlib.resources import files

    text = (files("layers") / "data/criteria/solar-areas.toml").read_text("utf-8")
    own = tmp_path / "own.toml"
    assert "min = 20" in text
    own.write_text(text.replace("min = 20", "min = 60", 1), encoding="utf-8")
    deal = layers.load_exchange("cholsan-2019", criteria=own)
    assert (deal.areas["coast_km"] >= 55).all()


# ── What it rests on ─────────────────────────────────────────────────────────


def test_sources_are_followed_to_the_last(made):
    note = '[[unknowns]]\ntext = "x"\nsources = ["{}"]'
    hub = "trade-hubs/sinuiju"
    bare = made(note.format("general-knowledge"), place=hub).sources["id"]
    chain = ["upi-2019-10-24", "ferroalloy-2019-10-24", "rfa-ko-2019-10-15"]
    assert not bare.isin(chain).any()
    assert set(chain) <= set(made(note.format(chain[0]), place=hub).sources["id"])


def test_the_sources_of_its_measures_are_there_and_no_other_measures(made):
    without = made(LEG)
    assert without.leg_measures.empty
    assert "mofcom-2016-11" not in set(without.sources["id"])
    one = made(LEG, measures=["mofcom-2016-11-ii"])
    assert one.leg_measures["measure"].tolist() == ["mofcom-2016-11-ii"]
    assert "mofcom-2016-11" in set(one.sources["id"])


def test_every_claim_about_it_is_there_cited_or_not(made):
    about = {
        c.id for c in layers.claims().values() if c.subject == "exchange:cholsan-2019"
    }
    assert not about <= set(made().claims["id"])
    assert about <= set(made(id="cholsan-2019").claims["id"])


def test_a_place_keeps_its_own_claims(made):
    own = set(layers.load("deposits").set_index("id")["claims"]["hamhung-jv"].split())
    deal = made(place="deposits/hamhung-jv")
    assert own
    assert set(row(deal.places, id="hamhung-jv").claims.split()) == own
    assert own <= set(deal.claims["id"])


# ── What is measured ─────────────────────────────────────────────────────────


def test_as_many_links_as_the_file_asks_for(cholsan):
    hubs = cholsan.links[cholsan.links["relation"] == "hub named in the report"]
    assert set(hubs["from_id"]) == {"deposits/cholsan-reported"}
    assert hubs["to_id"].tolist() == ["trade-hubs/dandong", "trade-hubs/shenyang"]
    assert hubs["distance_m"].is_monotonic_increasing


def test_an_area_is_measured_with_its_radius(cholsan):
    from geo.uncertainty import point_radius

    radius = point_radius(cholsan.areas).set_index(cholsan.areas["ref"])
    plants = layers.load("power-plants").set_index("id")["uncertainty_m"]
    tied = cholsan.links[cholsan.links["relation"] == "nearest power plant"]
    for link in tied.itertuples():
        slack = radius["uncertainty_m"][link.from_id]
        slack += plants[link.to_id.partition("/")[2]]
        assert slack > 5_000
        assert link.distance_max_m - link.distance_m == pytest.approx(slack)


def test_a_feature_is_not_the_nearest_to_itself(made):
    hubs = layers.load("trade-hubs").set_index("id")
    links = made(
        """[[links]]
from = ["trade-hubs/dandong", "trade-hubs"]
to = ["trade-hubs"]
relation = "nearest hub"
k = 2
"""
    ).links
    assert (links["from_id"] != links["to_id"]).all()
    assert len(links) == 2 * (len(hubs) + 1)
    every = hubs.drop("dandong").geometry
    here = hubs.geometry["dandong"]
    metres = geo.distance(here.x, here.y, every.x, every.y)
    mine = links[links["from_id"] == "trade-hubs/dandong"]
    assert mine["distance_m"].min() == pytest.approx(metres.min())


def test_a_link_to_itself_alone_is_none(made):
    own = made(
        """[[links]]
from = ["trade-hubs/dandong"]
to = ["trade-hubs/dandong"]
relation = "nearest"
"""
    )
    assert own.links.empty


# ── What it would mean ───────────────────────────────────────────────────────


def test_the_readings_are_in_megawatts_and_take_the_yield_of_the_areas(cholsan):
    by_id = {reading.id: reading for reading in cholsan.readings}
    assert by_id["A"].capacity_mw.mid == 2500
    assert by_id["C"].capacity_mw.mid == 2.5
    made, ghi = cholsan.areas["yield_kwh_per_kwp"], cholsan.areas["ghi_kwh_per_m2"]
    low = (made * cholsan.areas["ghi_low_kwh_per_m2"] / ghi).min()
    high = (made * cholsan.areas["ghi_high_kwh_per_m2"] / ghi).max()
    energy = by_id["A"].energy_gwh_per_year
    expected = [2.5 * v for v in (low, made.median(), high)]
    assert [energy.low, energy.mid, energy.high] == pytest.approx(expected)
    assert energy.low < 0.99 * energy.mid < 0.98 * energy.high


def test_a_reading_cites_what_its_yield_rests_on(cholsan):
    for reading in cholsan.readings:
        cited = set(reading.claims)
        assert {"solar-site", "why-inland", "yield-computed", "cost-rfa"} <= cited
        assert {"capacity-2017", "output-2017", "land-default", "price-world"} <= cited


def test_repayment_has_all_that_the_file_says(cholsan):
    debt = cholsan.repayment
    assert (debt.throughput_good, debt.peak_month) == ("monazite", "2014-06")
    assert (debt.reo_share.low, debt.reo_share.unit) == (pytest.approx(55), "%")
    assert debt.amount_range.mid == debt.amount_usd == 2.5e9
    at = debt.at(price_usd_per_t=5000)
    assert at.oxide_tonnes.text() == "280,000–300,000 t"


def test_the_note_on_the_system_says_which_and_when(cholsan):
    assert cholsan.notes["system"].startswith("Power system of the DPRK, 2017. Estim")
    assert cholsan.target == "KP"


def test_details_write_numbers_out(made, monkeypatch):
    plants = layers.load("power-plants")
    plants["capacity_mw"] = 1_234_567.0
    monkeypatch.setattr(
        "layers.exchange.load",
        lambda i: plants.copy() if i == "power-plants" else layers.load(i),
    )
    details = made(context=["power-plants"]).places["details"]
    assert details.str.contains("capacity: 1234567 MW").sum() == len(plants)
