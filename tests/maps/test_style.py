import re
from pathlib import Path

import maps
from layers.symbology import DARK, LIGHT, SYMBOLS
from maps.page import environment
from maps.style import stylesheet

HERE = Path(maps.__file__).parent


def test_both_palettes_have_the_same_roles_and_reach_the_style_sheet():
    assert set(LIGHT) == set(DARK)
    css = stylesheet()
    for role, colour in LIGHT.items():
        assert f"--{role}:{colour};" in css
        assert f"--{role}:{DARK[role]};" in css
    page = (HERE / "assets" / "page.css").read_text("utf-8")
    used = set(re.findall(r"var\(--([a-z0-9-]+)", page))
    own = {"mark", "sans", "serif", "shadow"}
    assert used - own <= set(LIGHT)


def test_every_symbol_stands_on_the_page():
    page = environment().get_template("symbols.html").render()
    assert re.findall(r'id="symbol-([a-z]+)"', page) == list(SYMBOLS)


def test_no_name_or_place_is_wired_into_the_code(deal):
    """Nothing in the code knows one exchange: other deals are data."""
    names = {deal.id, *deal.places["id"], *deal.sources["id"], *deal.claims["id"]}
    names |= {name.split(",")[0] for name in deal.places["name"]}
    names |= {*deal.regions["name"], *deal.regions["id"], "Cholsan", "DPRK"}
    names = {name for name in names if re.search(r"[A-Z0-9-]", name)}
    files = [*HERE.glob("*.py"), *HERE.glob("assets/*"), *HERE.glob("templates/*")]
    found = [
        (file.name, name)
        for file in files
        if file.name != "defaults.py"
        for name in names
        if re.search(
            rf"(?<![\w-]){re.escape(name)}(?![\w-])",
            re.sub(r">>>.*|\.\.\. .*", "", file.read_text("utf-8")),
        )
    ]
    assert found == []
