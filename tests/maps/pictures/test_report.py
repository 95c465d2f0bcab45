import dataclasses
import re

import pytest
from pypdf import PdfReader

import layers
from layers.evidence import corroboration, find_claim
from maps.exchange import build
from maps.pictures.figure import map_figure
from maps.pictures.order import Order
from maps.pictures.report import report_data
from maps.pictures.writing import write_picture
from maps.popup import Evidence
from tests.maps.conftest import poison

EXCHANGES = ("cholsan-2019", "pobeda-2014", "sicomines-2008")


def bare(text):
    """Text without blanks, soft hyphens and the hyphens of broken words."""
    return re.sub(r"[\s\u00ad\u2010-]", "", text)


@pytest.fixture(scope="module")
def made(pages, fonts, tmp_path_factory):
    """Report, its data and its text by page, of each exchange."""
    found = {}
    for name in EXCHANGES:
        order = Order(path=tmp_path_factory.mktemp(name) / "a.pdf", report=True)
        path = write_picture(*pages[name], order, fonts=fonts)
        drawn = map_figure(pages[name][1], fonts=fonts, width=870, height=560)
        data = report_data(pages[name][0], drawn, order, fonts=fonts)
        reader = PdfReader(path)
        found[name] = (reader, data, [p.extract_text() for p in reader.pages])
    return found


@pytest.mark.parametrize("name", EXCHANGES)
def test_every_headline_claim_stands_with_its_source_and_who_disagrees(
    made, pages, name
):
    deal, _ = pages[name]
    _, data, texts = made[name]
    text = bare(" ".join(texts))
    evidence = Evidence(deal)
    numbers = {s["n"]: s["title"] for s in data["sources"]}
    claims = evidence.claims(deal.headline_claims)
    assert [c["id"] for c in data["claims"]] == [c.id for c in claims]
    assert len(claims) == len(deal.headline_claims) > 0
    for row, claim in zip(data["claims"], claims, strict=True):
        (cite,) = row["cites"]
        assert numbers[cite["n"]] == claim.source.title
        assert bare(claim.value) in text
        assert bare(f"{claim.by}{cite['n']}") in text
        assert row["rating"] == f"{claim.source.reliability}{claim.credibility}"
        against = evidence.claims(corroboration(find_claim(claim.id)).disputed_by)
        cited = {c["title"] for o in row["otherwise"] for c in o["cites"]}
        assert cited == {other.source.title for other in against}
        for other in against:
            assert bare(other.value) in text


@pytest.mark.parametrize("name", EXCHANGES)
def test_footnotes_count_up_and_match_the_list_of_sources(made, name):
    reader, data, texts = made[name]
    numbers = [s["n"] for s in data["sources"]]
    assert numbers == list(range(1, len(numbers) + 1))
    pages_of = [bare(t) for t in texts]
    listed = max(i for i, t in enumerate(pages_of) if "Thetextsanddatasets" in t)
    for source in data["sources"]:
        start = bare(f"{source['n']}{source['title']}")
        before = [i for i, t in enumerate(pages_of[: listed + 1]) if start in t]
        after = [i for i, t in enumerate(pages_of[listed:]) if start in t]
        assert before, source
        assert after, source
    links = {
        a.get_object()["/A"]["/URI"]
        for page in reader.pages
        for a in page.get("/Annots", [])
        if a.get_object().get("/A", {}).get("/S") == "/URI"
    }
    assert {s["url"] for s in data["sources"] if s["url"]} <= links


def test_each_leg_has_every_measure_in_force_and_no_other(made, pages):
    deal, _ = pages["cholsan-2019"]
    _, data, texts = made["cholsan-2019"]
    text = bare(" ".join(texts))
    legs = deal.legs.drop_duplicates("id").to_dict("records")
    assert [one["what"] for one in data["legs"]] == [leg["what"] for leg in legs]
    for row, leg in zip(data["legs"], legs, strict=True):
        table = deal.leg_measures
        table = table[(table["leg"] == leg["id"]) & table["in_force_on_as_of"]]
        assert len(row["measures"]) == table["measure"].nunique() > 0
        assert sum(len(m["readings"]) for m in row["measures"]) == len(table)
        assert bare(leg["what"]) in text
        for measure in row["measures"]:
            assert bare(measure["name"]) in text
            assert bare(measure["title"]) in text
            assert measure["since"] in text or bare(measure["since"]) in text


def test_another_day_has_other_measures(fonts, tmp_path):
    deal = layers.load_exchange("cholsan-2019", as_of="2017-01-01")
    page = build(deal)
    drawn = map_figure(page, fonts=fonts, width=870, height=560)
    order = Order(path=tmp_path / "a.pdf", report=True)
    data = report_data(deal, drawn, order, fonts=fonts)
    since = [m["since"] for leg in data["legs"] for m in leg["measures"]]
    assert since
    assert max(since) <= "2017-01-01"
    equipment = next(one for one in data["legs"] if one["word"] == "Equipment")
    assert not any("2397" in m["name"] for m in equipment["measures"])
    assert "--as-of 2017-01-01" in data["command"]


def test_a_leg_without_measures_says_that_it_may_not_be_allowed(made):
    _, data, texts = made["pobeda-2014"]
    assert not any(leg["measures"] for leg in data["legs"])
    text = bare(" ".join(texts))
    said = bare("None of the measures found was in force on 2014-10-31.")
    assert text.count(said) == len(data["legs"])


def test_readings_areas_and_places_are_printed_no_finer_than_they_are_known(
    made, pages
):
    deal, _ = pages["cholsan-2019"]
    _, data, texts = made["cholsan-2019"]
    text = bare(" ".join(texts))
    for reading in deal.readings:
        assert bare(reading.verdict) in text
        assert bare(reading.capacity_mw.text()) in text
    assert [a["rank"] for a in data["areas"]] == [str(n + 1) for n in range(12)]
    for area in data["areas"]:
        assert bare(area["name"]) in text
        assert re.fullmatch(r"\d+\.\d{2}° N, \d+\.\d{2}° E", area["where"])
    subject = data["places"][0]
    assert re.match(r"\d+\.\d° N, \d+\.\d° E, somewhere within 15 km", subject["where"])


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_report_is_tagged_titled_and_counts_its_pages(made, pages, name):
    reader, _, texts = made[name]
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en-GB"
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    assert reader.metadata.title == pages[name][0].title
    for number, text in enumerate(texts, 1):
        assert f"{number} / {len(texts)}" in text
        assert "No legal advice." in text
        page = reader.pages[number - 1].mediabox
        assert (round(page.width), round(page.height)) == (595, 842)
    assert len(reader.outline) >= 5


@pytest.mark.parametrize("name", EXCHANGES)
def test_layers_licences_version_and_command_stand_at_the_end(made, name):
    _, data, texts = made[name]
    text = bare(" ".join(texts))
    assert bare(f"lodemap picture {name} --report") in text
    for credit in data["credits"]:
        assert bare(credit["title"]) in text
        assert bare(f"{credit['licence']}; retrieved {credit['retrieved']}") in text


def test_the_same_report_has_the_same_bytes(pages, fonts, tmp_path):
    order = Order(path=tmp_path / "a.pdf", report=True)
    first = write_picture(*pages["pobeda-2014"], order, fonts=fonts).read_bytes()
    second = write_picture(*pages["pobeda-2014"], order, fonts=fonts).read_bytes()
    assert first == second


def test_hostile_data_are_set_as_text(pages, fonts, tmp_path):
    deal = dataclasses.replace(
        pages["cholsan-2019"][0],
        headline_claims=("mine-site", "amount-rfa"),  # rows longer than half a page
        leg_measures=pages["cholsan-2019"][0].leg_measures.head(4),
        unknowns=(),
        disputes=(),
    )
    deal = poison(deal)
    order = Order(path=tmp_path / "a.pdf", report=True)
    path = write_picture(deal, build(deal), order, fonts=fonts)
    text = bare(" ".join(p.extract_text() for p in PdfReader(path).pages))
    assert "<script>alert(2)</script>" in text
    assert "{{7*7}}" in text
