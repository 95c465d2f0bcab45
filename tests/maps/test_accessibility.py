"""axe-core finds nothing wrong: in each language, light and dark, panels open."""

import pytest

from tests.axe import find_axe

pytestmark = pytest.mark.browser

STATES = {
    "as it opens": "",
    "card open": "lodemap.select([...lodemap.marks.keys()][20])",
    "dates": "document.querySelector('[data-do=\"time\"]').click()",
    "measuring": "document.querySelector('[data-do=\"measure\"]').click()",
    "explained": "document.querySelector('[data-do=\"explain\"]').click()",
}


@pytest.fixture(scope="module")
def axe():
    """The text of axe-core."""
    script = find_axe()
    if script is None:
        pytest.skip("axe-core is not installed: run python tests/axe.py")
    return script.read_text("utf-8")


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en", "light", 1440), ("ko", "dark", 1440), ("zh", "light", 390)],
)
def test_axe_finds_no_violation(page_file, open_page, axe, language, scheme, width):
    options = {
        "viewport": {"width": width, "height": 900},
        "color_scheme": scheme,
        "reduced_motion": "reduce",
        "bypass_csp": True,
    }
    with open_page(page_file, **options) as page:
        page.evaluate("language => lodemap.speak(language)", language)
        page.evaluate("source => { (0, eval)(source); }", axe)
        for state, action in STATES.items():
            page.evaluate(f"{{ {action}; }}")
            found = page.evaluate(
                """async () => (await axe.run(document,
                    { resultTypes: ['violations'] })).violations.map((v) =>
                    [v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120))])"""
            )
            assert found == [], state
