import re

import pytest

from layers.evidence import CREDIBILITY, RELIABILITY, corroboration, find_claim
from layers.symbology import MARKS, leg_mark
from maps.facts import details, feature_facts, leg_readings, length, plain, quantity
from maps.legend import legend_html
from maps.popup import (
    Card,
    ClaimView,
    Evidence,
    SourceView,
    card_html,
    dom_id,
    split_conflicts,
    support,
)


def source(**changes):
    values = {
        "id": "paper",
        "title": "광산 <보도>",
        "by": "A. Writer, The Paper",
        "short": "The Paper 2019",
        "published": "2019-10-15",
        "url": "https://example.org/a?b=1&c=2",
        "language": "ko",
        "reliability": "C",
        "reliability_words": RELIABILITY["C"],
        "seen": "text read",
        "note": "",
    }
    return SourceView(**{**values, **changes})


def claim(claim_id="c1", **changes):
    values = {
        "id": claim_id,
        "subject": "deposits/a",
        "property": "Grade",
        "value": "much higher",
        "verbatim": "much higher content",
        "reading": "",
        "by": "an official",
        "source": source(),
        "locator": "opening",
        "credibility": "3",
        "credibility_words": CREDIBILITY["3"],
        "status": "accepted",
        "verification": "text seen in the source",
        "support": "1 origin, told in 14 texts",
        "note": "A seller's words.",
    }
    return ClaimView(**{**values, **changes})


def test_a_card_is_the_same_as_reviewed(golden):
    differing = (
        claim("c2", property="Amount", value="2.5 GW", reading="A"),
        claim(
            "c3",
            property="Amount",
            value="2.5 MW",
            status="disputed",
            source=source(id="copy", title="A copy", url="", language="en"),
        ),
    )
    alone, conflicts = split_conflicts((claim(), *differing))
    card = Card(
        key="deposits/a",
        dom_id=dom_id("deposits/a"),
        role="out",
        kind="Reported mine",
        name="Mine <A>",
        name_ko="광산 '가'",
        name_zh="矿山",
        badge="reported",
        intro="The mine on offer.",
        facts=(("Where", "39.7° N, 124.7° E, somewhere within 15 km"),),
        distances=("Nearest crossing: B, 42 km (26 km to 58 km) NW, 100 %",),
        claims=alone,
        conflicts=conflicts,
        readings=("Act 7 restricts it (read so by: our reading)",),
        sources=(source(),),
        note="Never a pin.",
    )
    golden("maps/card.html", card_html(card))


def test_a_legend_is_the_same_as_reviewed(golden):
    marks = [
        MARKS[key] for key in ("tie", "subject", "candidate", "hub", "uncertainty")
    ]
    golden("maps/legend.html", legend_html([*marks, leg_mark("ore", "out")]))


def test_every_card_names_a_source_and_rates_its_claims(deal):
    from maps.exchange import build

    page = build(deal)
    for card in page.cards:
        if card.key.startswith("links/"):
            continue
        assert card.sources, card.key
        for one in (*card.claims, *(c for x in card.conflicts for c in x.claims)):
            assert one.source.reliability_words
            assert one.credibility_words
            assert re.match(r"(\d+ origins?|No origin)\b", one.support)


def test_copies_of_one_report_are_one_origin(deal):
    evidence = Evidence(deal)
    (headline,) = evidence.claims(deal.headline_claims[0])
    found = re.fullmatch(r"1 origin, told in (\d+) texts", headline.support)
    assert int(found[1]) >= 7


def test_conflicting_values_stand_side_by_side(deal):
    evidence = Evidence(deal)
    alone, conflicts = split_conflicts(evidence.about(f"exchange:{deal.id}"))
    assert len(conflicts) >= 5
    assert {c.id for c in alone}.isdisjoint(
        c.id for conflict in conflicts for c in conflict.claims
    )
    for conflict in conflicts:
        assert len({(c.value, c.reading) for c in conflict.claims}) > 1


@pytest.mark.parametrize(
    ("origins", "articles", "against", "text"),
    [
        (1, 1, 0, "1 origin"),
        (1, 9, 0, "1 origin, told in 9 texts"),
        (2, 5, 0, "2 origins, told in 5 texts"),
        (0, 1, 1, "No origin: a retelling, and its own origin says otherwise"),
        (0, 3, 1, "No origin: told in 3 texts, and their own origin says otherwise"),
        (0, 3, 2, "No origin: told in 3 texts, and their own origins say otherwise"),
        (1, 3, 1, "1 origin, told in 3 texts; 1 more says otherwise"),
        (1, 3, 2, "1 origin, told in 3 texts; 2 more say otherwise"),
    ],
)
def test_support_counts_origins_first(origins, articles, against, text):
    assert support(origins, articles, against) == text


def test_an_origin_does_not_stand_behind_what_it_says_otherwise(deal):
    evidence = Evidence(deal)
    drifted = 0
    for claim in evidence.everything():
        behind = corroboration(claim.id)
        against = {find_claim(c).source for c in behind.origin_says_otherwise}
        if against >= set(behind.origins):
            drifted += 1
            assert claim.support.startswith("No origin: ")
            assert "otherwise" in claim.support
        else:
            assert re.match(rf"{len(set(behind.origins) - against)} ", claim.support)
    assert drifted > 0


def test_a_leg_says_what_each_measure_does_to_it(deal):
    words = {"restricts it", "may restrict it: read both ways", "exempts it in part"}
    for leg in deal.legs["id"].unique():
        for line in leg_readings(deal, leg):
            assert any(f" {effect} (read so by: " in line for effect in words), line


def test_positions_have_no_more_digits_than_they_support(deal):
    for row in deal.places.to_dict("records"):
        where = dict(feature_facts(row))["Where"]
        digits = len(re.match(r"\d+\.?(\d*)°", where)[1])
        shift_m = 111_320 * 0.5 * 10**-digits
        assert digits <= 7
        assert shift_m * 20 >= row["uncertainty_m"] or digits == 0
        assert shift_m <= row["uncertainty_m"] * 1.01


def test_a_semicolon_in_a_text_does_not_part_it():
    row = {
        "layer": "comparable-deals",
        "details": "deal: A; terms: so much; a second part: of it; outcome: open",
    }
    assert details(row) == {
        "deal": "A",
        "terms": "so much; a second part: of it",
        "outcome": "open",
    }


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("2500000", "kW", "2,500,000 kW"),
        ("2019", "", "2019"),
        ("1200.0", "", "1200"),
        ("250000", "US$", "US$250,000"),
        ("7661", "MW", "7,661 MW"),
        ("", "km", ""),
        ("about 5", "", "about 5"),
    ],
)
def test_quantities(value, unit, text):
    assert quantity(value, unit) == text


def test_lengths_and_missing_values():
    assert [length(v) for v in (999, 1000, 9_949, 9_951, 251_493)] == [
        "999 m",
        "1 km",
        "9.9 km",
        "10 km",
        "251 km",
    ]
    assert [plain(v) for v in (None, float("nan"), "x", 3)] == ["", "", "x", "3"]


def test_ids_of_cards_are_distinct_and_safe():
    keys = ["a/b", "a-b", "a_b", "a/b c", "<a>", "갱"]
    ids = [dom_id(key) for key in keys]
    assert len(set(ids)) == len(keys)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", i) for i in ids)
