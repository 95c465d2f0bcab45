"""Files that go into every page: Leaflet, and our own scripts, styles and templates."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import PackageLoader

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment

_COMMENT = re.compile(
    r"^[ \t]*(?:/\*(?:(?!\*/).)*\*/[ \t]*|//[^\n]*)\n", re.MULTILINE | re.DOTALL
)
_INDENT = re.compile(r"^[ \t]+", flags=re.MULTILINE)


class Templates(PackageLoader):
    """Templates without the indentation of their lines, which no browser shows."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool] | None]:
        """Return a template, its file, and what tells whether it is still current."""
        text, file, current = super().get_source(environment, template)
        return _INDENT.sub("", text), file, current


@cache
def asset(name: str) -> str:
    """One of our own files, without what only its authors read.

    Parameters
    ----------
    name
        Of the file in ``assets``.

    Returns
    -------
    str
        Its text.
    """
    return lean(files("maps").joinpath("assets", name).read_text("utf-8"))


def lean(text: str) -> str:
    r"""Take comments on lines of their own, and the indentation, out of a text.

    Parameters
    ----------
    text
        JavaScript or CSS in which no text goes over more than one line.

    Returns
    -------
    str
        The same; lines stay lines.

    Examples
    --------
    >>> lean("/** Add one. */\nfunction f(a) {\n  return a + 1;\n}\n")
    'function f(a) {\nreturn a + 1;\n}\n'
    """
    return _INDENT.sub("", _COMMENT.sub("", text))


@cache
def leaflet_script() -> str:
    """Leaflet's script, from the installed package.

    Notes
    -----
    Leaflet tries ``document.namespaces``, which browsers have not had for long. What is
    thrown there makes them read the whole script twice more to note where, so the
    script finds one that does nothing.
    """
    text = re.sub(r"//# sourceMappingURL=.*\s*$", "", _leaflet("leaflet.js"))
    return f"document.namespaces={{add(){{}}}};\n{text}\ndelete document.namespaces;\n"


@cache
def leaflet_style() -> str:
    """Leaflet's style sheet without its pictures, which the page does not use."""
    return re.sub(r"background-image:\s*url\([^)]*\);?", "", _leaflet("leaflet.css"))


def _leaflet(name: str) -> str:
    from maps.page import PageError

    try:
        folder = files("js_lib_leaflet").joinpath("static", "js_lib_leaflet")
        text = folder.joinpath(name).read_text("utf-8")
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise PageError(
            f"Leaflet's file {name} is not installed ({error}); expected it in the "
            "package django-js-lib-leaflet. Install that package."
        ) from error
    return text.replace("\r\n", "\n")
