"""Every text of the page in every language, and a page that changes between them."""

import re
import tomllib
from collections import Counter
from importlib.resources import files

import pytest

import layers
import maps
from layers.evidence import CREDIBILITY, LIKELIHOOD, RELIABILITY, VERIFICATION
from layers.sanctions import EFFECTS
from layers.schema import PRECISION
from layers.symbology import GROUP_NOTES, GROUPS, LEG_WORDS, MARKS, leg_mark
from maps.page import EXTRAS, SCRIPTS, environment
from maps.popup import SEEN
from maps.words import (
    LANGUAGES,
    LanguageError,
    called,
    named,
    speaking,
    t,
    ta,
    tr,
    vocabulary,
)
from tests.browser import until

LETTERS = {"ko": re.compile("[가-힣]"), "zh": re.compile("[一-鿿]")}
LANGUAGE_FREE = {" of {0}", "{0} km", "US$ a watt", "{0}, {1}", "{0} to {1} MW"}
LANGUAGE_FREE |= {"{0} ({1})", "{0} {1}", "{0}. {1}", "{0}; {1}", "{0}.", "{0}: {1}"}


def asset(name):
    return files("maps").joinpath("assets", name).read_text("utf-8")


def test_every_text_stands_in_every_language():
    for english, word in vocabulary().items():
        assert tuple(word.texts) == tuple(LANGUAGES)
        for language, letters in LETTERS.items():
            text = word.texts[language]
            assert text, english
            assert english in LANGUAGE_FREE or letters.search(text), english


def test_every_text_takes_the_same_values_in_every_language():
    for english, word in vocabulary().items():
        places = Counter(re.findall(r"\{\d\}", english))
        for text in word.texts.values():
            assert Counter(re.findall(r"\{\d\}", text)) == places, english


def test_no_text_stands_twice_and_no_id():
    raw = tomllib.loads(files("maps.words").joinpath("words.toml").read_text("utf-8"))
    keys = [english for section in raw.values() for english in section]
    assert len(keys) == len(set(keys))
    assert len({word.id for word in vocabulary().values()}) == len(keys)


def test_every_text_that_scripts_and_templates_say_is_known():
    said = [text for script in SCRIPTS for text in called(asset(script))]
    for extra in ("overlay", "sites"):
        scripts = [name for name in EXTRAS[extra] if name.endswith(".js")]
        said += [text for script in scripts for text in called(asset(script))]
    loader = environment().loader
    for name in loader.list_templates():
        source = loader.get_source(environment(), name)[0]
        said += re.findall(r'\bt\("([^"]+)"', source)
        said += re.findall(r'\bta\("[a-z -]+", "([^"]+)"', source)
        said += re.findall(r'\bt\("[^"]+" if [^,]* else "([^"]+)"', source)
    assert len(said) > 150
    assert [text for text in said if text not in vocabulary()] == []


def test_what_the_layers_call_things_is_known():
    said = [*GROUPS, *GROUP_NOTES.values(), *RELIABILITY.values()]
    said += [*CREDIBILITY.values(), *VERIFICATION.values(), *LIKELIHOOD]
    said += [text.capitalize() for text in (*SEEN.values(), *EFFECTS.values())]
    said += [text for mark in MARKS.values() for text in (mark.label, mark.about)]
    said += [word for word, _ in LEG_WORDS.values()]
    said += [leg_mark(kind, side).label for kind in LEG_WORDS for side in ("in", "out")]
    unknown = [text for text in said if not tr(text).startswith("<span data-t")]
    assert unknown == []
    for code, text in PRECISION.items():
        assert tr(f"{text} (code {code})").startswith("<span data-t"), text


def test_what_is_put_in_is_escaped_and_keeps_its_language():
    bad = "<img src=x onerror=alert(1)>|'\""
    for made in (t("by {0}", bad), tr(bad), named(bad, bad, bad)):
        assert "<img" not in made
    assert 'lang="en"' in t("by {0}", "an official")
    assert "lang=" not in t("{0} months", 4)
    assert "onerror" not in re.sub(
        r'"[^"]*"', "", ta("aria-label", "{0}: values side by side", bad)
    )
    with speaking("zh"):
        assert t("{0} months", 4).startswith("<span data-t=")
        assert 'lang="zh">4 个月</span>' in t("{0} months", 4)


def test_an_unknown_language_is_refused(deal):
    with pytest.raises(LanguageError, match=r"'fr'.*en, ko, zh"):
        maps.exchange_map(deal, language="fr")


def test_a_page_in_another_language_says_so(deal, tmp_path):
    page = maps.exchange_map(deal, language="ko")
    text = maps.save(page, tmp_path / "ko.html").read_text("utf-8")
    assert text.startswith('<!DOCTYPE html>\n<html lang="ko">')
    assert f"<title>{deal.title_ko}</title>" in text
    assert ">보도된 내용</span></h2>" in text
    assert '<main class="story" id="story" tabindex="-1" lang="en">' in text


SPOKEN = """() => {
    const language = (el) => el.closest('[lang]').lang;
    const wrong = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const el = node.parentElement;
        if (el.closest('script, style, noscript, code')) continue;
        if (el.closest('[aria-hidden], .languages, q')) continue;
        const text = node.textContent;
        const lang = language(el);
        if (/[가-힣]/.test(text) && !/^ko/.test(lang)) wrong.push([lang, text]);
        if (/[一-鿿]/.test(text) && !/^(zh|ko|ja)/.test(lang)) wrong.push([lang, text]);
        if (/[a-z]{4}.*[a-z]{4}/.test(text) && /^(ko|zh)/.test(lang)
            && !/[가-힣一-鿿]/.test(text)) wrong.push([lang, text]);
    }
    return wrong.slice(0, 10);
}"""


@pytest.mark.browser
def test_languages_change_without_a_reload(page_file, open_page, deal):
    hub = deal.places[deal.places["layer"] == "trade-hubs"].iloc[0]
    with open_page(page_file, reduced_motion="reduce") as page:
        page.evaluate("window.same = true")
        english = page.locator("#story").inner_text()
        marks = page.locator(f'[data-key="{hub["ref"]}"]')
        for language, name, reported in (
            ("한국어", hub["name_ko"], "보도된 내용"),
            ("中文", hub["name_zh"], "报道内容"),
        ):
            page.get_by_role("button", name=language, exact=True).click()
            assert page.locator("#reported-title").inner_text().endswith(reported)
            assert name in marks.get_attribute("aria-label")
            assert (
                page.locator(f'#story a[data-mark="{hub["ref"]}"]').first.inner_text()
                == name
            )
            page.evaluate("key => lodemap.select(key)", hub["ref"])
            assert page.locator("#sheet h3").inner_text() == name
            assert hub["name"] in page.locator("#sheet .names").inner_text()
            assert page.evaluate(SPOKEN) == []
            page.keyboard.press("Escape")
        assert page.evaluate("document.documentElement.lang") == "zh"
        until(page, "location.hash.includes('lang=zh')")
        assert page.title() == deal.title_zh
        page.get_by_role("button", name="English", exact=True).click()
        assert page.locator("#story").inner_text() == english
        assert page.title() == deal.title
        assert page.evaluate("window.same")
        assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]


@pytest.mark.browser
@pytest.mark.parametrize("language", ["ko", "zh"])
def test_no_language_is_too_wide(page_file, open_page, language):
    with open_page(page_file, reduced_motion="reduce") as page:
        page.evaluate("language => lodemap.speak(language)", language)
        for width in (320, 390, 768, 1440, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            wide = "document.documentElement.scrollWidth - window.innerWidth"
            assert page.evaluate(wide) <= 0, width
            cut = page.evaluate(
                """() => [...document.querySelectorAll(
                    '#story [data-t], .languages button')].filter((el) => {
                    const box = el.getBoundingClientRect();
                    return box.width && !el.closest('.scroll, .sr')
                        && box.right > innerWidth + 0.5;
                }).map((el) => el.textContent)"""
            )
            assert cut == [], width


@pytest.mark.parametrize("name", layers.exchange_ids())
def test_every_exchange_is_told_in_chinese(name, tmp_path):
    page = maps.exchange_map(layers.load_exchange(name), language="zh")
    text = maps.save(page, tmp_path / "zh.html").read_text("utf-8")
    assert "报道内容" in text
