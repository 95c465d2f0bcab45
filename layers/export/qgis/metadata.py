"""Metadata of QGIS: what a layer is, whose, since when and under which licence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyproj import CRS

from layers.export.qgis.elements import document, element

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from layers.export.content import Content, Sheet

SCHEMA = "http://mrcc.com/qgis.dtd"
"""What QGIS calls the schema of its metadata."""

WGS84 = "EPSG:4326"

_DOCTYPE = f"<!DOCTYPE qgis PUBLIC '{SCHEMA}' 'SYSTEM'>"
_MERCATOR_PROJ = (
    "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 "
    "+units=m +nadgrids=@null +wktext +no_defs"
)


def metadata_document(sheet: Sheet, content: Content) -> str:
    """Write the metadata of a sheet as QGIS keeps them.

    Parameters
    ----------
    sheet
        A layer or a table.
    content
        The export that it stands in.

    Returns
    -------
    str
        XML: title, abstract, licence, credit line, link, history, CRS.
    """
    root = element(
        "qgis", {"version": "3.22.16-Białowieża"}, *metadata_elements(sheet, content)
    )
    return document(root, _DOCTYPE)


def metadata_elements(sheet: Sheet, content: Content) -> list[ET.Element]:
    """Make the parts of the metadata, which a project holds as well.

    Parameters
    ----------
    sheet
        A layer or a table.
    content
        The export that it stands in.

    Returns
    -------
    list of Element
        In the order in which QGIS writes them.
    """
    history = []
    if sheet.source:
        history.append(f"Source: {sheet.source}")
    if sheet.retrieved:
        history.append(f"Retrieved {sheet.retrieved.isoformat()}.")
    history.append(
        f"Written by Lodemap {content.version} from data of "
        f"{content.dated.isoformat()}."
    )
    links = element("links")
    if sheet.url:
        links.append(
            element(
                "link",
                {
                    "name": "Source",
                    "type": "WWW:LINK",
                    "url": sheet.url,
                    "description": sheet.source[:200],
                    "format": "",
                    "mimeType": "",
                    "size": "",
                },
            )
        )
    parts = [
        element("identifier", text=f"{content.id}/{sheet.id}"),
        element("parentidentifier", text=content.id),
        element("language", text="ENG"),
        element("type", text="dataset"),
        element("title", text=sheet.title),
        element("abstract", text=sheet.abstract),
        links,
        element("dates", None, element("date", dated(content))),
        *(element("history", text=line) for line in history),
        element("fees"),
        element("rights", text=sheet.rights),
        element("license", text=sheet.licence),
        element("encoding", text="UTF-8"),
    ]
    if sheet.geometry:
        parts.append(element("crs", None, spatial_reference()))
    return parts


def dated(content: Content) -> dict[str, str | int | float | bool]:
    """Day of an export as QGIS names it."""
    return {"type": "Published", "value": f"{content.dated.isoformat()}T00:00:00Z"}


def spatial_reference(code: int = 4326) -> ET.Element:
    """Name a CRS as QGIS does.

    Parameters
    ----------
    code
        4326, WGS 84, or 3857, the map's Web Mercator.

    Returns
    -------
    Element
        ``<spatialrefsys>``.
    """
    geographic = code == 4326
    return element(
        "spatialrefsys",
        None,
        element("wkt", text=CRS.from_epsg(code).to_wkt()),
        element(
            "proj4",
            text="+proj=longlat +datum=WGS84 +no_defs"
            if geographic
            else _MERCATOR_PROJ,
        ),
        element("srsid", text="3452" if geographic else "3857"),
        element("srid", text=str(code)),
        element("authid", text=f"EPSG:{code}"),
        element("description", text="WGS 84" if geographic else "Pseudo-Mercator"),
        element("projectionacronym", text="longlat" if geographic else "merc"),
        element("ellipsoidacronym", text="EPSG:7030"),
        element("geographicflag", text="true" if geographic else "false"),
    )
