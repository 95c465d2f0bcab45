from datetime import date

import pytest

import layers
from layers.evidence import (
    LIKELIHOOD,
    Assessment,
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
