"""An export as what pygeoapi serves: a configuration, and GeoJSON with text ids.

GeoJSON, since of pygeoapi's providers this one gives every feature back, knows how many
there are and never writes: its SQLite provider changes the GeoPackage that it serves,
its Parquet provider turns pages wrongly in some versions, and its OGR provider needs
GDAL's own Python package.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from layers.export import catalogue_losses
from layers.export.columns import row_ids, values_of
from layers.export.folders import files_in, replacing_folder
from layers.export.geojson import bounds_of, write_collection
from layers.export.licences import copy_licences, spdx_page, web_address
from layers.export.names import check_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from layers.export.content import Content, Sheet
    from layers.export.values import Values

LOSSES = catalogue_losses.PYGEOAPI
"""What the format changes."""

CONFIGURATION = "pygeoapi.yml"
"""Name of the configuration in the folder."""

PAGE = 1000
"""Features a page, unless a client asks for another number."""

LARGEST_PAGE = 10_000

_URL = "http://127.0.0.1:5000"
_README = """{title}

{abstract}

pygeoapi serves this folder as OGC API Features. In this folder:

    pip install pygeoapi gunicorn
    export PYGEOAPI_CONFIG={configuration} PYGEOAPI_OPENAPI=openapi.yml
    pygeoapi openapi generate {configuration} --output-file openapi.yml
    gunicorn --bind 127.0.0.1:5000 pygeoapi.flask_app:APP

Do not publish it with "pygeoapi serve", which runs with a debugger. Before others are
to reach it, write the address that they use into server.url of {configuration}.
pygeoapi's HTML pages load scripts and styles from unpkg.com and other hosts; what QGIS
reads is JSON and loads nothing. "lodemap serve" forbids the pages to load any.
"""


def write_pygeoapi(
    content: Content,
    path: Path,
    *,
    url: str = _URL,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, ...]:
    """Write all sheets as a folder that pygeoapi serves.

    Parameters
    ----------
    content
        What to write. Sheets without rows and rasters are left out: the provider
        reads no empty collection.
    path
        Folder; one that an earlier export wrote is replaced whole or not at all.
    url
        Address that clients will use.
    progress
        Takes sheets written and sheets in all.

    Returns
    -------
    tuple of pathlib.Path
        The configuration, then the other files.

    Raises
    ------
    WriteError
        If the folder cannot be written, or holds other files.
    SchemaError
        If a name is no plain one, or an id is missing or stands twice.
    geo.errors.CRSMismatchError
        If a layer is not in EPSG:4326.
    """
    check_names(content)
    with replacing_folder(path) as folder:
        (folder / "data").mkdir()
        copy_licences((sheet.licence for sheet in content.sheets), folder)
        resources = {}
        for done, (id_, values) in enumerate(values_of(content).items(), start=1):
            if values.rows:
                file = folder / "data" / f"{id_}.geojson"
                with file.open("wb") as stream:
                    write_collection(values, stream, ids=row_ids(values), served=True)
                resources[id_] = _resource(content, values)
            if progress is not None:
                progress(done, len(content.sheets))
        settings = {**_service(content, url), "resources": resources}
        _save("\n".join(_yaml(settings)) + "\n", folder / CONFIGURATION)
        _save(
            _README.format(
                title=content.title,
                abstract=content.abstract,
                configuration=CONFIGURATION,
            ),
            folder / "README.txt",
        )
    first = path / CONFIGURATION
    return first, *(file for file in files_in(path) if file != first)


def _service(content: Content, url: str) -> dict[str, Any]:
    """Set the server up, and say what it is."""
    licences = sorted({sheet.licence for sheet in content.sheets if sheet.licence})
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": 5000},
            "url": url,
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "gzip": True,
            "language": "en-US",
            "cors": False,
            "pretty_print": False,
            "admin": False,
            "limits": {
                "default_items": PAGE,
                "max_items": LARGEST_PAGE,
                "on_exceed": "throttle",
            },
            # No tiles: what is drawn does not depend on another host.
            "map": {"url": "about:blank", "attribution": ""},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": content.title,
                "description": content.abstract or content.title,
                "keywords": [content.id],
                "keywords_type": "theme",
                "terms_of_service": "Licences stand with each collection: "
                + (", ".join(licences) or "none given")
                + ".",
                "url": url,
            },
            "license": {"name": ", ".join(licences) or "none given", "url": url},
            "provider": {"name": "Lodemap", "url": url},
            "contact": {"name": "Lodemap", "email": "", "url": url},
        },
    }


def _resource(content: Content, values: Values) -> dict[str, Any]:
    """Describe one collection."""
    sheet = values.sheet
    said = {
        "Source": sheet.source,
        "Rights": sheet.rights,
        "Licence": sheet.licence,
        "Retrieved": sheet.retrieved.isoformat() if sheet.retrieved else "",
    }
    lines = [sheet.abstract or sheet.title]
    lines += [f"{name}: {text}" for name, text in said.items() if text]
    return {
        "type": "collection",
        "title": sheet.title,
        "description": "\n".join(lines),
        "keywords": [word for word in (content.id, sheet.group) if word],
        "links": _links(sheet),
        "extents": {
            "spatial": {
                "bbox": list(bounds_of(values) or content.bbox),
                "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            }
        },
        "providers": [
            {
                "type": "feature",
                "name": "GeoJSON",
                "data": f"data/{sheet.id}.geojson",
                "id_field": "id",
                "editable": False,
                **({"title_field": "name"} if "name" in values.columns else {}),
            }
        ],
    }


def _links(sheet: Sheet) -> list[dict[str, str]]:
    """Links of a collection; QGIS shows the title of that of the licence."""
    links = []
    source = web_address(sheet.url)
    if sheet.licence and (href := spdx_page(sheet.licence) or source):
        links.append(
            {
                "type": "text/html",
                "rel": "license",
                "title": sheet.licence,
                "href": href,
            }
        )
    if source:
        links.append(
            {
                "type": "text/html",
                "rel": "via",
                "title": sheet.source or sheet.title,
                "href": source,
            }
        )
    return links


def _yaml(value: Any, indent: str = "") -> list[str]:
    """Write nested settings as YAML; text is quoted, so that it is nothing but text.

    pygeoapi puts environment variables in where plain text names them, and does not
    where text is quoted.
    """
    lines: list[str] = []
    if isinstance(value, dict):
        pairs = ((f"{indent}{key}:", part) for key, part in value.items())
    else:
        pairs = ((f"{indent}-", part) for part in value)
    for head, part in pairs:
        if isinstance(part, dict | list) and part:
            lines += [head, *_yaml(part, indent + "  ")]
        else:
            lines.append(f"{head} {json.dumps(part)}")
    return lines


def _save(text: str, file: Path) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")
