"""What a page may load: its content security policy, and what it would ask for."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOADS = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
}
_REMOTE = re.compile(r"^\s*(?:https?:|ftp:|wss?:)?//", re.IGNORECASE)
_TILE_CALL = re.compile(
    r"(?:tileLayer(?:\.wms)?|imageOverlay)\(\s*[\"'](?P<url>(?:https?:)?//[^\"']+)"
)
_STYLE_URL = re.compile(r"url\(\s*[\"']?(?P<url>(?:https?:)?//[^\"')]+)", re.IGNORECASE)


def remote_references(html: str) -> list[str]:
    """Return every address from which a browser would load something by itself.

    Parameters
    ----------
    html
        A document. Links that a reader may follow do not count.

    Returns
    -------
    list of str
        Addresses in the order of the document.
    """
    finder = _Loads()
    finder.feed(html)
    finder.close()
    return finder.urls


class _Loads(HTMLParser):
    """Collects addresses that a page loads by itself."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.urls: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        is_data = values.get("type") == "application/json"
        self._inside = tag if tag in {"script", "style"} and not is_data else ""
        loaded = values.get(_LOADS.get(tag, ""), "")
        if _REMOTE.match(loaded):
            self.urls.append(loaded.strip())
        self._add(_STYLE_URL, values.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self._add(_TILE_CALL, data)
        elif self._inside == "style":
            self._add(_STYLE_URL, data)

    def _add(self, pattern: re.Pattern[str], text: str) -> None:
        self.urls.extend(found["url"] for found in pattern.finditer(text))


def policy(
    scripts: Sequence[str], hosts: Sequence[str] = (), *, beside: bool = False
) -> str:
    """Content security policy under which only the given scripts run.

    Parameters
    ----------
    scripts
        Text of each script, as it stands between its tags.
    hosts
        Origins from which pictures may come.
    beside
        Whether the page may read files of the host it comes from, as tiles are.

    Returns
    -------
    str
        Value of the ``Content-Security-Policy`` header. [1]_

    References
    ----------
    .. [1] W3C, Content Security Policy Level 3. https://www.w3.org/TR/CSP3/

    Examples
    --------
    >>> policy([""]).split("; ")[:2]  # doctest: +ELLIPSIS
    ["default-src 'none'", "script-src 'sha256-47DEQpj8HBSa+/TImW+...='"]
    """
    digests = [hashlib.sha256(script.encode("utf-8")).digest() for script in scripts]
    hashes = " ".join(f"'sha256-{base64.b64encode(d).decode()}'" for d in digests)
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {hashes}",
            "style-src 'unsafe-inline'",
            " ".join(["img-src data:", *hosts]),
            *(["connect-src 'self'"] if beside else []),
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
