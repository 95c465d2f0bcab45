from datetime import date

import pytest

import layers
from layers.evidence import (
    LIKELIHOOD,
    Assessment,
    Claim,
    Source,
    claims,
    corroboration,
    find_claim,
    origins,
    sources,
)


def source(name, *parents):
    return Source(
        id=name,
        title=name,
        publisher="",
        author="",
        published="",
        url="",
        language="en",
        licence="",
        reliability="C",
        derived_from=parents,
        seen="read",
        note="",
    )


def known(*records):
    return {record.id: record for record in records}


def test_copies_of_one_report_are_one_origin():
    web = known(
        source("wire"), source("daily", "wire"), source("blog", "daily", "wire")
    )
    assert origins(["blog", "daily", "wire"], web) == ("wire",)


def test_a_text_with_two_parents_has_two_origins():
    web = known(source("a"), source("b"), source("both", "a", "b"))
    assert origins(["both"], web) == ("a", "b")


def test_a_circle_is_refused_and_shown():
    web = known(source("a", "b"), source("b", "c"), source("c", "b"))
    with pytest.raises(layers.EvidenceError, match="b → c → b"):
        origins(["a"], web)


def test_an_unknown_parent_is_refused():
    with pytest.raises(layers.EvidenceError, match="no source 'lost', named by a"):
        origins(["a"], known(source("a", "lost")))


def test_the_outlets_of_october_2019_are_one_origin():
    behind = corroboration("offer-made")
    assert behind.origins == ("rfa-ko-2019-10-15",)
    assert len(behind.retellings) >= 6
    assert "offer-made" in behind.claims


def test_repayment_in_ore_goes_back_to_the_one_origin():
    behind = corroboration("mined-ore")
    assert behind.origins == ("rfa-ko-2019-10-15",)
    assert {"acrei-2019-10-24", "munhwa-2019-10"} <= set(behind.retellings)


def test_the_later_offer_is_a_report_of_its_own():
    assert origins(["esolarfirst-fish-farms", "actionrecoveryservice-fish-farms"]) == (
        "rfa-fish-farms",
    )
    assert find_claim("later-offer").verification == "second-hand"


def test_conflicting_claims_stand_side_by_side():
    behind = corroboration("mine-site")
    others = {claims()[c].value for c in behind.disputed_by}
    assert any("Pyongyang" in value for value in others)
    assert set(behind.claims).isdisjoint(behind.disputed_by)


def test_a_comment_that_an_outlet_gathered_itself_is_its_own_origin():
    assert corroboration("wishful").origins != ("rfa-ko-2019-10-15",)


@pytest.mark.parametrize("claim_id", claims())
def test_every_claim_can_be_traced(claim_id):
    behind = corroboration(claim_id)
    assert behind.origins
    assert claim_id in behind.claims


def test_what_is_not_verified_says_so():
    for claim in claims().values():
        seen = sources()[claim.source].seen
        if claim.verification == "verified":
            assert seen == "read", claim.id
        if claim.verification == "unverified":
            assert claim.note, claim.id


def test_no_retelling_is_older_than_what_it_retells():
    for source in sources().values():
        for parent in (sources()[p] for p in source.derived_from):
            shared = min(len(source.published), len(parent.published))
            assert source.published[:shared] >= parent.published[:shared], source.id


def test_retellings_never_raise_the_credibility():
    for claim in claims().values():
        if claim.credibility == "1":
            assert len(corroboration(claim).origins) > 1, claim.id


def test_an_unknown_claim_names_close_ones():
    with pytest.raises(layers.EvidenceError, match="did you mean offer-made"):
        find_claim("offer-mad")


def judged(**changes):
    fields = {
        "statement": "It is very unlikely that this happened.",
        "likelihood": "very unlikely",
        "confidence": "Our confidence is moderate.",
        "basis": (),
        "alternatives": "",
        "author": "us",
        "date": date(2026, 1, 1),
    }
    return Assessment(**{**fields, **changes})


def test_an_assessment_keeps_likelihood_and_confidence_apart():
    assert LIKELIHOOD[judged().likelihood] == (5, 20)
    with pytest.raises(layers.EvidenceError, match="statement speaks of confidence"):
        judged(statement="With low confidence, it is very unlikely.")
    with pytest.raises(layers.EvidenceError, match="confidence names a likelihood"):
        judged(confidence="It is very likely that we are right.")
    with pytest.raises(layers.EvidenceError, match="no ICD 203 term"):
        judged(likelihood="probable")


def test_ten_thousand_retellings_in_a_row_lead_to_one_origin():
    web = known(source("0"), *(source(str(n), str(n - 1)) for n in range(1, 10_001)))
    assert origins(["10000"], web) == ("0",)


def test_many_ways_to_one_origin_take_no_longer():
    """Forty rows of two that each copy both above: 2^40 ways."""
    rows = [(source("0a"), source("0b"))]
    for n in range(1, 41):
        above = (f"{n - 1}a", f"{n - 1}b")
        rows.append((source(f"{n}a", *above), source(f"{n}b", *above)))
    web = known(*(one for row in rows for one in row))
    assert origins(["40a"], web) == ("0a", "0b")


def test_a_circle_below_a_fork_is_found():
    web = known(
        source("a", "b", "c"), source("b"), source("c", "b", "d"), source("d", "c")
    )
    with pytest.raises(layers.EvidenceError, match="circle: c → d → c"):
        origins(["b", "a"], web)


def claim(name, source_id, value, **changes):
    fields = dict.fromkeys(Claim.__dataclass_fields__, "")
    fields |= {"subject": "exchange:x", "property": "amount", "status": "accepted"}
    return Claim(
        **(fields | {"id": name, "source": source_id, "value": value} | changes)
    )


@pytest.fixture
def told(monkeypatch):
    """Let these claims be the ones that ship: wire, daily and blog copy the report."""
    web = known(
        source("report"),
        source("wire", "report"),
        source("daily", "wire"),
        source("other"),
    )

    def tell(*records):
        by_id = {record.id: record for record in records}
        monkeypatch.setattr("layers.evidence.claims", lambda: by_id)
        monkeypatch.setattr("layers.evidence.sources", lambda: web)
        return corroboration(records[0])

    return tell


@pytest.mark.parametrize("status", ["superseded", "retracted"])
def test_what_was_withdrawn_neither_agrees_nor_disputes(told, status):
    behind = told(
        claim("a", "wire", "5", unit="t"),
        claim("b", "other", "5", unit="t", status=status),
        claim("c", "other", "6", unit="t", status=status),
        claim("d", "other", "7", unit="t", status="disputed"),
    )
    assert behind.claims == ("a",)
    assert behind.origins == ("report",)
    assert behind.disputed_by == ("d",)


def test_unit_and_reading_make_another_statement(told):
    behind = told(
        claim("a", "wire", "5", unit="t", interpretation="A"),
        claim("b", "other", "5", unit="km", interpretation="A"),
        claim("c", "other", "5", unit="t", interpretation="B"),
    )
    assert behind.claims == ("a",)
    assert behind.disputed_by == ("b", "c")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("2.5", "GW"), ("2500000", "kW"), True),
        (("2.5", "GW"), ("2,500", "MW"), True),
        (("2.5", "GWh a day"), ("2500", "MWh a day"), True),
        (("2.50", "Mt"), ("2.5", "Mt"), True),
        (("1500", "m"), ("1.5", "km"), True),
        (("5", "US$"), ("5", "USD"), True),
        (("2.5", "MW"), ("2.5", "mW"), False),
        (("2.5", "GW"), ("2500000", "kWh"), False),
        (("2.5", "GW"), ("2.5", "MW"), False),
        (("2.5", "GW"), ("2500", "MW a day"), False),
        (("2.5 or so", "GW"), ("2500 or so", "MW"), False),
    ],
)
def test_one_amount_in_two_units_is_no_dispute(told, one, other, same):
    behind = told(
        claim("a", "wire", one[0], unit=one[1]),
        claim("b", "other", other[0], unit=other[1]),
    )
    assert (behind.claims == ("a", "b")) is same
    assert (behind.disputed_by == ()) is same


def test_an_origin_that_says_otherwise_is_shown(told):
    drifted = claim("a", "daily", "a Chinese official")
    own, retold = claim("b", "report", "delegates"), claim("c", "wire", "delegates")
    behind = told(drifted, own, retold, claim("d", "other", "a minister"))
    assert behind.origins == ("report",)
    assert behind.origin_says_otherwise == ("b",)
    assert behind.disputed_by == ("b", "c", "d")
    both = told(drifted, own, claim("e", "report", "a Chinese official"))
    assert both.origin_says_otherwise == ()


def test_the_drift_of_october_2019_is_not_laid_at_the_origins_door():
    behind = corroboration("speaker-upi")
    assert behind.origins == ("rfa-ko-2019-10-15",)
    assert behind.origin_says_otherwise == ("speaker-rfa",)
    assert corroboration("speaker-rfa").origin_says_otherwise == ()


def test_two_ways_to_print_the_capacity_are_no_dispute():
    behind = corroboration("amount-pv")
    assert {"amount-pv", "amount-world-energy", "amount-taiyang"} <= set(behind.claims)
    assert "amount-reuters" in behind.disputed_by
