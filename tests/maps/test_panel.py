import re

import pytest
from markupsafe import Markup

import layers
from layers.catalogue import catalogue
from maps.exchange import build


def parts(page):
    """Titles of the story's parts, in their order."""
    found = re.findall(
        r'<h2 id="[a-z]+-title"><span class="n">\d</span>(.*?)</h2>', page.story
    )
    return [Markup(title).striptags() for title in found]


def test_the_story_is_told_in_order(deal):
    assert parts(build(deal)) == [
        "What was reported",
        "How far it is to be believed",
        "The arithmetic",
        "Its legs and the sanctions",
        "Candidate areas",
        "What is not known",
        "Comparable deals",
        "Sources and method",
    ]


@pytest.mark.parametrize("name", ["pobeda-2014", "sicomines-2008"])
def test_a_smaller_exchange_leaves_parts_out(name):
    page = build(layers.load_exchange(name))
    titles = parts(page)
    assert titles[:2] == ["What was reported", "How far it is to be believed"]
    assert "Candidate areas" not in titles
    assert titles[-1] == "Sources and method"
    assert "Cholsan" not in page.story


def test_the_chain_starts_at_its_origin(deal):
    story = build(deal).story
    chain = story.index('<ol class="chain">')
    first = story[chain : story.index("</li>", chain)]
    assert 'class="is-origin"' in first
    assert story.count('class="is-origin"') == 1
    assert deal.reported.isoformat() in first


def test_likelihood_and_confidence_stand_in_sentences_of_their_own(deal):
    story = build(deal).story
    for judgement in deal.assessments:
        assert f"<strong>{judgement.statement}</strong>" in story
        assert f"<p>{judgement.confidence}</p>" in story


def test_both_readings_stand_side_by_side(deal):
    story = build(deal).story
    table = story[story.index('<table class="readings" lang="en"') :]
    head = table[: table.index("</thead>")]
    head = Markup(head).striptags()
    assert re.findall(r"Reading ([A-Z]):", head) == [r.id for r in deal.readings]
    for reading in deal.readings:
        assert f">{reading.capacity_mw.text()}</td>" in table


def test_every_leg_stands_with_its_measures(deal):
    story = build(deal).story
    for leg in deal.legs["id"].unique():
        assert f'data-leg="{leg}"' in story
    pairs = deal.leg_measures[["leg", "measure"]].drop_duplicates()
    assert story.count("data-measure=") == len(pairs)
    assert "No legal advice" in story
    assert "Text: " not in story


def test_areas_are_said_to_be_hypothetical(deal):
    story = build(deal).story
    section = story[story.index('id="areas"') :]
    assert "areas, not sites" in section
    assert section.count('class="rank"') == deal.areas["rank"].notna().sum()


def test_the_price_is_no_forecast(deal):
    story = build(deal).story
    assert "no forecast" in story
    assert 'value="1000"' in story


def test_every_layer_and_licence_is_credited(deal):
    page = build(deal)
    for name in deal.places["layer"].unique():
        entry = catalogue()[name]
        assert entry.title in page.story
        assert entry.licence in page.story
