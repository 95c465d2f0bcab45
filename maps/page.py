"""A folium map as one HTML file that needs no network.

Leaflet comes from the installed package ``django-js-lib-leaflet``; it and our own
scripts and styles are written into the file. A content security policy names each
script by its hash, so that nothing else can run, and allows no request.
"""

from __future__ import annotations

import json
import logging
import os
import re
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import folium
from branca.element import Element, Figure
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from geo.errors import GeoError
from layers.files import replacing
from layers.symbology import MARKS, SIDE, SYMBOLS, symbol_drawing
from maps.legend import legend_groups
from maps.policy import policy, remote_references
from maps.shipped import Templates, asset, leaflet_script, leaflet_style
from maps.style import stylesheet
from maps.words import (
    LANGUAGES,
    SOURCE,
    foreign,
    known_language,
    named,
    page_words,
    speaking,
    spoken,
    t,
    ta,
    tr,
    vocabulary,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.symbology import Mark
    from maps.beside import Large
    from maps.popup import Card

logger = logging.getLogger(__name__)

SCRIPTS = (
    "words.js",
    "geodesic.js",
    "page.js",
    "draw.js",
    "cards.js",
    "link.js",
    "labels.js",
    "search.js",
    "measure.js",
    "story.js",
    "time.js",
    "compare.js",
)
"""Our scripts, in the order in which they run; Leaflet runs before them."""

EXTRAS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "overlay": ("overlay.js", "overlay.css"),
        "sites": ("sites.js", "sites.css"),
        "classes": ("classes.css",),
        "many": (
            *("many-data.js", "many-shape.js", "many-draw.js", "many.js"),
            *("many-cards.js", "many-filter.js", "many-keys.js", "many-tools.js"),
            "many-labels.js",
            "many.css",
        ),
        "few": (
            *("many-data.js", "many-filter.js", "many-tools.js", "few.js"),
            "many.css",
        ),
        "tiled": ("archive.js", "pieces.js", "names.js", "tiled.js"),
    }
)
"""Scripts and style sheets of what only some pages have; see ``ExchangeMap.needs``."""

TILES = {
    "url": "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
    "host": "https://tile.openstreetmap.org",
    "credit": "© OpenStreetMap contributors",
}
"""Online base map, used only when it is asked for by name."""

LARGE = 40_000_000
"""Size of a page from which on tiles are advised. [bytes]"""

FRAME_HEIGHT = 720
"""Height of the page in a notebook. [px]"""

_CUT = (
    "This file is damaged: its end is missing, so the map cannot be drawn, and what "
    "can be read here is not all of it. Get the file again."
)
_IDLE = (
    "The map could not be drawn: a script of this page was changed, or this browser "
    "refused it. The story and the cards can be read below."
)
_WORDS = "<!--words-->"


class PageError(GeoError, ValueError):
    """A map asks for something that a page without network cannot have."""


@cache
def environment() -> Environment:
    """Templates of the page, in which every value is escaped.

    Returns
    -------
    jinja2.Environment
        With autoescape on and unknown names an error.
    """
    templates = Environment(
        loader=Templates("maps", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {
        "symbols": SYMBOLS,
        "symbol_drawing": symbol_drawing,
        "symbol_side": SIDE,
        "foreign": foreign,
        "languages": LANGUAGES,
        "named": named,
        "spoken": spoken,
        "t": t,
        "ta": ta,
        "tr": tr,
        "within": within,
    }
    return templates


class ExchangeMap(folium.Map):
    """A folium map with a story, evidence cards and a legend round it.

    Everything that folium can add to a map can be added to this one; what would need
    the network is refused when the page is saved.

    Parameters
    ----------
    title, title_ko, title_zh
        Titles of the page.
    bounds
        First view, ``(west, south, east, north)``. [degrees]
    story
        Finished HTML of the panel, from a template with autoescape.
    attribution
        Plain text for the corner of the map.
    online_basemap
        Whether the page may ask OpenStreetMap for tiles.
    language
        Language in which the page opens, a key of :data:`maps.words.LANGUAGES`; the
        story is in the same one.

    Raises
    ------
    maps.words.LanguageError
        If the page cannot be read in that language.
    """

    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - folium's own attribute
    default_css: list[tuple[str, str]] = []  # noqa: RUF012

    _template = Template("")

    def __init__(
        self,
        *,
        title: str,
        bounds: tuple[float, float, float, float],
        story: Markup,
        title_ko: str = "",
        title_zh: str = "",
        attribution: str = "",
        online_basemap: bool = False,
        language: str = SOURCE,
    ) -> None:
        west, south, east, north = bounds
        super().__init__(location=[(south + north) / 2, (west + east) / 2], tiles=None)
        self.title, self.title_ko, self.title_zh = title, title_ko, title_zh
        self.first_view = [[south, west], [north, east]]
        self.story = story
        self.attribution = attribution
        self.online_basemap = online_basemap
        self.language = known_language(language)
        self.made: dict[str, Any] = {}
        self.cards: list[Card] = []
        self.marks: dict[str, Mark] = {}
        self.extras: list[str] = []
        self.says: set[str] = set()
        self.archives: list[Path] = []
        self.archives_used: list[dict[str, Any]] = []
        self.large: list[Large] = []
        self.credits: list[Mapping[str, str]] = []
        self._id = "main"
        self._parent = None  # type: ignore[assignment]
        _Page(self).add_child(self)

    def needs(self, extra: str) -> None:
        """Give the page a script and a style sheet that most pages do without.

        Parameters
        ----------
        extra
            A key of :data:`EXTRAS`.
        """
        if extra not in self.extras:
            self.extras.append(extra)

    def show_mark(self, mark: Mark) -> None:
        """Let the legend explain a mark that the map now draws.

        Parameters
        ----------
        mark
            One of :data:`layers.symbology.MARKS`, or one made for a layer.
        """
        self.marks.setdefault(mark.key, mark)
        if mark.shape == "symbol" or mark.key in MARKS:
            self.marks.setdefault("names", MARKS["names"])

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Origins that the page may ask for pictures."""
        return (TILES["host"],) if self.online_basemap else ()

    def _repr_html_(self, **_kwargs: object) -> str:
        """Return the whole page in a frame of its own, as a notebook shows it.

        Returns
        -------
        str
            An ``iframe`` whose scripts run, and which can reach neither the notebook
            nor the network.
        """
        return str(
            Markup(
                '<iframe title="{}" srcdoc="{}" sandbox="allow-scripts allow-popups" '
                'style="width:100%;height:{}px;border:1px solid #999" '
                'allow="fullscreen" loading="lazy"></iframe>'
            ).format(self.title, self.get_root().render(), FRAME_HEIGHT)
        )

    def page_options(self) -> dict[str, Any]:
        """Return what ``lodemap.start`` in ``assets/page.js`` takes.

        Returns
        -------
        dict
            JSON-ready.
        """
        found: dict[str, Any] = {
            "bounds": self.first_view,
            "attribution": str(Markup.escape(self.attribution)),
        }
        if self.online_basemap:
            found["tiles"] = {"url": TILES["url"]}
            found["attribution"] += f" · {TILES['credit']}"
        return found


class _Page(Figure):
    """The whole document round an :class:`ExchangeMap`."""

    def __init__(self, owner: ExchangeMap) -> None:
        super().__init__(title=owner.title)
        self.header._children.clear()  # the template says the character set itself
        self.owner = owner
        self.tail = Element()
        """Data that come after the scripts: the map is there while they are read."""

    def render(self, **kwargs: object) -> str:
        """Return the HTML document."""
        from maps.layer import to_json
        from maps.provenance import CLOSING, OPENING, with_provenance

        for child in self._children.values():
            child.render(**kwargs)
        owner = self.owner
        name = owner.get_name()
        body = (
            f'var {name} = lodemap.start("{name}", {to_json(owner.page_options())});\n'
            f"{self.script.render(**kwargs)}\nlodemap.ready();\n"
        )
        extras = list(
            dict.fromkeys(file for extra in owner.extras for file in EXTRAS[extra])
        )
        own_scripts = [*SCRIPTS, *(file for file in extras if file.endswith(".js"))]
        own_scripts_text = [asset(script) for script in own_scripts]
        scripts = [leaflet_script(), *own_scripts_text, body]
        for script in scripts:
            if re.search(r"</script", script, re.IGNORECASE):
                raise PageError(
                    "a script of the page holds '</script', which would end it; "
                    "expected elements that write '<' as \\u003c. Use maps.add_layer "
                    "for data."
                )
        with speaking(owner.language):
            html = (
                environment()
                .get_template("page.html")
                .render(
                    map=owner,
                    map_id=name,
                    policy=policy(
                        [head_script(), *scripts],
                        owner.allowed_hosts,
                        beside=bool(owner.archives),
                    ),
                    head_script=Markup(head_script()),
                    cut=_CUT,
                    styles=[
                        Markup(leaflet_style()),
                        Markup(stylesheet()),
                        Markup(asset("page.css")),
                        *(Markup(asset(f)) for f in extras if f.endswith(".css")),
                    ],
                    header=Markup(_children(self.header, **kwargs)),
                    html=Markup(_children(self.html, **kwargs)),
                    tail=Markup(_children(self.tail, **kwargs)),
                    scripts=[Markup(script) for script in scripts],
                    legend=legend_groups(owner.marks.values()),
                    provenance=Markup(f"{OPENING}{CLOSING}"),
                )
            )
        words = page_words(html, own_scripts_text, owner.says)
        block = f'<script type="application/json" id="words">{to_json(words)}</script>'
        made = owner.made | {"archives": owner.archives_used}
        return with_provenance(html.replace(_WORDS, block, 1), made)


def _children(part: Element, **kwargs: object) -> str:
    """Text of what elements put into a part of the figure."""
    return "".join(child.render(**kwargs) for child in part._children.values())


def save(page: folium.Map, path: str | os.PathLike[str]) -> Path:
    """Write a map as one HTML file that needs no network.

    Parameters
    ----------
    page
        A map from :func:`maps.exchange_map`, with whatever was added to it.
    path
        File to write. A file that stands there is replaced whole or not at all.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    PageError
        If the page would ask the network for anything it was not allowed, or an
        archive of tiles that it reads stands in another folder.
    layers.errors.WriteError
        If the file cannot be written: no such folder, no permission, no room.

    Notes
    -----
    The page is written to a new file in the same folder, flushed to the disk, and
    renamed; a process that dies on the way leaves what stood there.
    """
    html = page.get_root().render()
    allowed = page.allowed_hosts if isinstance(page, ExchangeMap) else ()
    for url in remote_references(html):
        if not url.startswith(tuple(f"{host}/" for host in allowed)):
            raise PageError(
                f"the page asks the network for {url[:200]}; expected nothing but what "
                "is in the file. Build the map with maps.exchange_map and add data "
                "with maps.add_layer."
            )
    target = Path(path)
    archives = page.archives if isinstance(page, ExchangeMap) else []
    for archive in archives:
        if archive.resolve().parent != target.resolve().parent:
            raise PageError(
                f"the page reads {archive.name} from beside itself, which stands in "
                "another folder; expected both in one. Save the page there, or give "
                "the archive another path."
            )
    text = html.encode("utf-8")
    if len(text) > LARGE:
        logger.warning(
            "%s takes %.0f MB, which is much for a phone; large layers can stand in "
            'tiles beside it: maps.save(…, tiles="auto"), lodemap map --tiles-auto',
            target.name[:80],
            len(text) / 1e6,
        )
    with replacing(target) as stream:
        stream.write(text)
    return target


def safe_url(url: str) -> str:
    """Return an address that a link may lead to, or an empty text.

    Parameters
    ----------
    url
        Anything.

    Returns
    -------
    str
        The address if it is http or https with a host; else empty.

    Examples
    --------
    >>> safe_url("https://example.org/a"), safe_url("javascript:alert(1)")
    ('https://example.org/a', '')
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme in {"http", "https"} and parts.netloc else ""


@cache
def head_script() -> str:
    """Script that runs first and says so if the rest of the page is not there."""
    said = {"cut": _CUT, "idle": _IDLE}
    texts = {
        name: list(vocabulary()[text].texts.values()) for name, text in said.items()
    }
    start = "'use strict';\n"
    spoken_texts = json.dumps(texts, ensure_ascii=False)
    return asset("head.js").replace(start, f"{start}const TEXTS = {spoken_texts};\n", 1)
