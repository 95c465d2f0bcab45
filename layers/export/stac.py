"""An export as a static STAC catalogue: one Collection a layer, with its files.

Files are assets of the collections themselves; there are no items, since a layer is
one thing and no series of scenes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from layers.export import catalogue_losses
from layers.export.cog import STATISTICS, entry_of, save_raster
from layers.export.columns import row_ids, values_of
from layers.export.folders import files_in, replacing_folder, sha256
from layers.export.geojson import bounds_of, write_collection
from layers.export.licences import (
    FOLDER,
    copy_licences,
    credit,
    on_spdx,
    spdx_page,
    web_address,
)
from layers.export.names import check_names
from layers.export.tables import write_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from layers.export.content import Content
    from layers.export.values import Values

LOSSES = catalogue_losses.STAC
"""What the format changes."""

VERSION = "1.1.0"
"""Version of STAC."""

CATALOGUE = "catalog.json"
README = "README.md"

_DESCRIBED = {"rel": "describedby", "href": f"./{README}", "type": "text/markdown"}

_EXTENSION = "https://stac-extensions.github.io/{}/schema.json"
_FILE = _EXTENSION.format("file/v2.1.0")
_TABLE = _EXTENSION.format("table/v1.2.0")
_CITED = _EXTENSION.format("scientific/v1.0.0")
_RASTER = _EXTENSION.format("raster/v2.0.0")
_PLACED = _EXTENSION.format("projection/v2.0.0")

_STATISTICS = {
    "minimum": "MINIMUM",
    "maximum": "MAXIMUM",
    "mean": "MEAN",
    "stddev": "STDDEV",
    "valid_percent": "VALID_PERCENT",
}
"""STAC's names of a band's statistics, and GDAL's."""

_SHA256 = "1220"
"""How a multihash of 32 bytes of SHA-256 begins."""

_MARKED = re.compile(r"[\\`*_{}\[\]<>#|!&~$]")
"""What means something in Markdown, HTML in it included."""

_DOI = re.compile(r"\b10\.\d{4,9}/[^\s,;)]+[^\s,;.)]")


def write_stac(
    content: Content,
    path: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, ...]:
    """Write all sheets and rasters as a static STAC catalogue.

    Layers are written as GeoJSON, tables as CSV, rasters as COGs. Links are relative,
    so the folder can be moved or published as it is. The extent in time of a layer
    ends on the day its source was read; it has no beginning, since none is known.

    Parameters
    ----------
    content
        What to write.
    path
        Folder; one that an earlier export wrote is replaced whole or not at all.
    progress
        Takes collections written and collections in all.

    Returns
    -------
    tuple of pathlib.Path
        The catalogue, then the other files.

    Raises
    ------
    WriteError
        If the folder cannot be written, or holds other files.
    SchemaError
        If a name is no plain one, or an id is missing or stands twice.
    geo.errors.CRSMismatchError, geo.errors.CRSMissingError, geo.errors.GridError
        If a layer is not in EPSG:4326, or a raster cannot be read or placed.
    """
    check_names(content)
    whole, done = len(content.sheets) + len(content.rasters), 0

    def tell() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, whole)

    with replacing_folder(path) as folder:
        collections = []
        for values in values_of(content).values():
            collections.append(_sheet(content, values, folder))
            tell()
        for raster_id, source in content.rasters.items():
            collections.append(_raster(content, raster_id, source, folder))
            tell()
        for collection in collections:
            _save(collection, folder / collection["id"] / "collection.json")
            _describe(collection, folder / collection["id"] / README)
        catalogue = _catalogue(content, collections)
        _save(catalogue, folder / CATALOGUE)
        _describe(catalogue, folder / README)
    first = path / CATALOGUE
    return first, *(file for file in files_in(path) if file != first)


def _catalogue(content: Content, collections: list[dict[str, Any]]) -> dict[str, Any]:
    """Describe the whole."""
    links = [
        {"rel": "root", "href": f"./{CATALOGUE}", "type": "application/json"},
        _DESCRIBED,
    ]
    links += [
        {
            "rel": "child",
            "href": f"./{collection['id']}/collection.json",
            "type": "application/json",
            "title": collection["title"],
        }
        for collection in collections
    ]
    return {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": content.id,
        "title": content.title,
        "description": content.abstract or content.title,
        "links": links,
    }


def _sheet(content: Content, values: Values, folder: Path) -> dict[str, Any]:
    """Write a layer or table and describe it."""
    sheet = values.sheet
    (folder / sheet.id).mkdir()
    ending = "geojson" if sheet.geometry else "csv"
    file = folder / sheet.id / f"{sheet.id}.{ending}"
    with file.open("wb") as stream:
        if sheet.geometry:
            write_collection(values, stream, ids=row_ids(values))
        else:
            write_rows(values, stream, exact=True)
    columns = []
    for name, kind in values.kinds.items():
        column: dict[str, str] = {"name": name, "type": kind}
        if (words := sheet.fields.get(name)) is not None:
            unit = f" [{words.unit}]" if words.unit not in {"", "1"} else ""
            column["description"] = f"{words.alias}{unit}: {words.about}"
        columns.append(column)
    asset = {
        **_asset(file, "application/geo+json" if sheet.geometry else "text/csv"),
        "table:columns": columns,
        "table:row_count": values.rows,
    }
    return _collection(
        sheet.id,
        title=sheet.title,
        about=sheet.abstract,
        licence=sheet.licence,
        source=sheet.source,
        named=credit(sheet),
        url=sheet.url,
        until=sheet.retrieved or content.dated,
        bounds=bounds_of(values) or content.bbox,
        assets={"data": asset},
        extensions=[_FILE, _TABLE],
        folder=folder,
    )


def _raster(
    content: Content, raster_id: str, source: Path, folder: Path
) -> dict[str, Any]:
    """Write a raster and describe it."""
    import rasterio
    from rasterio.warp import transform_bounds

    (folder / raster_id).mkdir()
    file = folder / raster_id / f"{raster_id}.tif"
    save_raster(raster_id, source, file)
    entry = entry_of(raster_id)
    with rasterio.open(file) as made:
        bounds = transform_bounds(made.crs, "EPSG:4326", *made.bounds)
        code = made.crs.to_epsg()
        placed: dict[str, Any] = {
            "proj:shape": list(made.shape),
            "proj:transform": list(made.transform)[:6],
            "proj:code": f"EPSG:{code}" if code else None,
        }
        if not code:
            placed["proj:wkt2"] = made.crs.to_wkt()
        bands = [_band(made, number) for number in made.indexes]
    media = "image/tiff; application=geotiff; profile=cloud-optimized"
    return _collection(
        raster_id,
        title=entry.title if entry else raster_id,
        about=entry.method if entry else "",
        licence=entry.licence if entry else "",
        source=entry.source if entry else "",
        named=entry.source if entry else "",
        url=entry.url if entry else "",
        until=entry.retrieved if entry else content.dated,
        bounds=bounds,
        assets={"data": {**_asset(file, media), **placed, "bands": bands}},
        extensions=[_FILE, _PLACED, _RASTER],
        folder=folder,
    )


def _band(raster: Any, number: int) -> dict[str, Any]:
    """Describe one band."""
    place = number - 1
    band: dict[str, Any] = {"name": f"band_{number}"}
    if raster.descriptions[place]:
        band["description"] = raster.descriptions[place]
    band["data_type"] = str(raster.dtypes[place])
    if (nodata := raster.nodatavals[place]) is not None:
        band["nodata"] = nodata if nodata == nodata else "nan"  # noqa: PLR0124
    tags = raster.tags(number)
    statistics = {
        name: float(tags[STATISTICS + theirs])
        for name, theirs in _STATISTICS.items()
        if STATISTICS + theirs in tags
    }
    if statistics:
        band["statistics"] = statistics
    if raster.units[place]:
        band["unit"] = raster.units[place]
    scale, offset = raster.scales[place], raster.offsets[place]
    if (scale, offset) != (1.0, 0.0):
        band |= {"raster:scale": scale, "raster:offset": offset}
    return band


def _collection(
    id_: str,
    *,
    title: str,
    about: str,
    licence: str,
    source: str,
    named: str,
    url: str,
    until: date,
    bounds: tuple[float, float, float, float],
    assets: dict[str, Any],
    extensions: list[str],
    folder: Path,
) -> dict[str, Any]:
    """Describe a collection; its licence's text is put beside it."""
    links = [
        {"rel": "root", "href": f"../{CATALOGUE}", "type": "application/json"},
        {"rel": "parent", "href": f"../{CATALOGUE}", "type": "application/json"},
        _DESCRIBED,
    ]
    texts = copy_licences([licence], folder / id_) if licence else {}
    if licence in texts:
        href = f"./{FOLDER}/{licence}.txt"
        links.append(
            {"rel": "license", "href": href, "type": "text/plain", "title": licence}
        )
    if page := spdx_page(licence):
        links.append(
            {"rel": "license", "href": page, "type": "text/html", "title": licence}
        )
    if address := web_address(url):
        links.append({"rel": "via", "href": address, "title": "Source"})
    providers: list[dict[str, Any]] = []
    if named:
        providers.append({"name": named, "roles": ["licensor", "producer"]})
        if address:
            providers[0]["url"] = address
    providers.append({"name": "Lodemap", "roles": ["processor"]})
    collection: dict[str, Any] = {
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": extensions,
        "id": id_,
        "title": title,
        "description": about.strip() or title,
        "license": licence if on_spdx(licence) else "other",
        "providers": providers,
        "extent": {
            "spatial": {"bbox": [list(bounds)]},
            "temporal": {"interval": [[None, f"{until.isoformat()}T23:59:59Z"]]},
        },
        "links": links,
        "assets": assets,
    }
    if source:
        collection["stac_extensions"] = [*extensions, _CITED]
        collection["sci:citation"] = source
        if found := _DOI.search(url):
            collection["sci:doi"] = found.group()
            links.append({"rel": "cite-as", "href": f"https://doi.org/{found.group()}"})
    return collection


def _asset(file: Path, media: str) -> dict[str, Any]:
    """Describe a file beside the collection's record."""
    return {
        "href": f"./{file.name}",
        "type": media,
        "title": file.name,
        "roles": ["data"],
        "file:size": file.stat().st_size,
        "file:checksum": f"{_SHA256}{sha256(file)}",
    }


def _describe(record: dict[str, Any], file: Path) -> None:
    """Say in Markdown, for people, what a record says for programs."""
    lines = [f"# {_plain(record['title'])}", "", _plain(record["description"]), ""]
    lines += [
        f"* [{_plain(link['title'])}](<{link['href']}>)"
        for link in record["links"]
        if link["rel"] == "child"
    ]
    licences = [li["title"] for li in record["links"] if li["rel"] == "license"]
    said = {
        "Licence": next(iter(licences), record.get("license", "")),
        "Source": record.get("sci:citation", ""),
        "Credit": ", ".join(p["name"] for p in record.get("providers", ())),
    }
    lines += [f"* {word}: {_plain(text)}" for word, text in said.items() if text]
    for asset in record.get("assets", {}).values():
        lines += [f"* File: [{asset['title']}](<{asset['href']}>)"]
        columns = asset.get("table:columns", ())
        lines += ["", "| column | holds | about |", "|---|---|---|"] if columns else []
        for column in columns:
            name, about = column["name"], column.get("description", "")
            lines.append(f"| {_plain(name)} | {column['type']} | {_plain(about)} |")
    text = "\n".join(lines).rstrip() + "\n"
    file.write_text(text, encoding="utf-8", newline="\n")


def _plain(text: str) -> str:
    """Text in which Markdown sees nothing but text."""
    return _MARKED.sub(r"\\\g<0>", " ".join(text.split()))


def _save(record: dict[str, Any], file: Path) -> None:
    text = json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8", newline="\n")
