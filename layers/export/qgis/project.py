"""A project of QGIS: the layers in their order, their groups, the first view."""

from __future__ import annotations

import io
import math
import zipfile
from typing import TYPE_CHECKING

from layers.export.geopackage_relations import valid_relations
from layers.export.qgis.backdrops import backdrop_layer
from layers.export.qgis.elements import document, element, texts
from layers.export.qgis.labels import LANGUAGE, OTHERS, labelling
from layers.export.qgis.layout import layout
from layers.export.qgis.metadata import metadata_elements, spatial_reference
from layers.export.qgis.qml import RADIUS, VERSION, relation_id, style_elements
from layers.symbology import BASE_MAP, GROUPS, LIGHT

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence

    from layers.export.content import Backdrop, Content, Relation, Sheet

MAP_CRS = 3857
"""EPSG code of the project's CRS: that of the page."""

TABLES = "Evidence and tables"
"""Group of the sheets without places."""

_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_HIGHEST = 85.05112878
_WIDGET = {"Point": "Point", "LineString": "Line", "Polygon": "Polygon"}


def project_document(content: Content, file: str) -> str:
    """Write a project whose layers stand in a GeoPackage beside it.

    Parameters
    ----------
    content
        The export.
    file
        Name of the GeoPackage, without its folder.

    Returns
    -------
    str
        XML of a ``.qgs``.
    """
    view = _extent(content)
    root = element(
        "qgis",
        {
            "projectname": content.title,
            "version": VERSION,
            "saveDateTime": f"{content.dated.isoformat()}T00:00:00",
            "saveUser": "",
            "saveUserFull": "",
        },
        element("homePath", {"path": ""}),
        element("title", text=content.title),
        element("projectCrs", None, spatial_reference(MAP_CRS)),
        _tree(content, file),
        element(
            "mapcanvas",
            {"name": "theMapCanvas", "annotationsVisible": 1},
            element("units", text="meters"),
            view,
            element("rotation", text="0"),
            element("destinationsrs", None, spatial_reference(MAP_CRS)),
        ),
        element(
            "projectlayers",
            None,
            *(_layer(s, content, file) for s in content.sheets),
            *(backdrop_layer(b, layer_id(b.id)) for b in content.backdrops),
        ),
        element(
            "layerorder", None, *(element("layer", {"id": i}) for i in _drawn(content))
        ),
        _properties(),
        element("relations", None, *map(_relation, valid_relations(content))),
        element("Layouts", None, layout(content, _view(content), MAP_CRS)),
        _project_metadata(content),
        element(
            "ProjectViewSettings",
            {"UseProjectScales": 0, "rotation": 0},
            element("Scales"),
            _rectangle("DefaultViewExtent", content),
        ),
    )
    return document(root, _DOCTYPE)


def project_archive(content: Content, file: str) -> bytes:
    """Pack the project, the same for the same content.

    Parameters
    ----------
    content
        The export.
    file
        Name of the GeoPackage, without its folder.

    Returns
    -------
    bytes
        A ``.qgz``: a ZIP of one ``.qgs``.
    """
    day = content.dated
    name = file.removesuffix(".gpkg") + ".qgs"
    moment = (max(day.year, 1980), day.month, day.day, 0, 0, 0)
    entry = zipfile.ZipInfo(name, date_time=moment)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(entry, project_document(content, file))
    return out.getvalue()


def source(file: str, sheet_id: str) -> str:
    """Name a layer of a GeoPackage beside the project.

    Parameters
    ----------
    file
        Name of the GeoPackage.
    sheet_id
        Name of the layer in it.

    Returns
    -------
    str
        As the provider of QGIS reads it.
    """
    return f"./{file}|layername={sheet_id}"


def layer_id(sheet_id: str) -> str:
    """Id of a sheet's layer in the project; QGIS replaces ids of a few letters.

    Parameters
    ----------
    sheet_id
        Name of the layer in the file.

    Returns
    -------
    str
        The same in every project of ours, so that expressions can name it.
    """
    return f"lodemap_{sheet_id}"


def _tree(content: Content, file: str) -> ET.Element:
    """Group the layers as the legend does; they are drawn in their own order."""
    root = element("layer-tree-group", None, element("customproperties"))
    headings = dict.fromkeys([*GROUPS, *(s.group for s in content.layers)])
    ordered = [h for h in headings if h != BASE_MAP] + [BASE_MAP]
    for heading in ordered:
        sheets = [s for s in content.layers if s.group == heading]
        under = [b for b in content.backdrops if b.group == heading]
        if sheets or under:
            folded = heading == BASE_MAP
            group = _group(heading or "Layers", sheets, file, folded=folded)
            group.extend(map(_backdrop, under))
            root.append(group)
    if content.tables:
        root.append(_group(TABLES, content.tables, file, folded=True))
    order = element("custom-order", {"enabled": 1})
    order.extend(element("item", text=i) for i in _drawn(content))
    root.append(order)
    return root


def _drawn(content: Content) -> list[str]:
    """Ids of what is drawn, the top first: marks, what lies under them, the ground."""
    above = [s.id for s in content.layers if s.group != BASE_MAP]
    ground = [s.id for s in content.layers if s.group == BASE_MAP]
    under = [b.id for b in content.backdrops]
    return [layer_id(name) for name in (*above, *under, *ground)]


def _backdrop(backdrop: Backdrop) -> ET.Element:
    """Make the row of a raster in the layer tree."""
    return element(
        "layer-tree-layer",
        {
            "id": layer_id(backdrop.id),
            "name": backdrop.title,
            "source": f"./{backdrop.file}",
            "providerKey": "gdal",
            "checked": "Qt::Checked",
            "expanded": 1,
        },
        element("customproperties"),
    )


def _group(
    name: str, sheets: Sequence[Sheet], file: str, *, folded: bool
) -> ET.Element:
    """One group of the layer tree."""
    return element(
        "layer-tree-group",
        {"name": name, "checked": "Qt::Checked", "expanded": int(not folded)},
        element("customproperties"),
        *(
            element(
                "layer-tree-layer",
                {
                    "id": layer_id(s.id),
                    "name": s.title,
                    "source": source(file, s.id),
                    "providerKey": "ogr",
                    "checked": "Qt::Checked" if s.on else "Qt::Unchecked",
                    "expanded": int(not folded and bool(s.geometry)),
                },
                element("customproperties"),
            )
            for s in sheets
        ),
    )


def _layer(sheet: Sheet, content: Content, file: str) -> ET.Element:
    """One layer of the project, dressed as the file dresses it."""
    attributes: dict[str, str | int | float | bool] = {
        "type": "vector",
        "geometry": _WIDGET.get(sheet.geometry.removeprefix("Multi"), "No geometry"),
        "labelsEnabled": int(labelling(sheet) is not None),
        "autoRefreshEnabled": 0,
        "readOnly": 0,
        "hasScaleBasedVisibilityFlag": 0,
        "minScale": 100000000,
        "maxScale": 0,
        "simplifyDrawingHints": 0 if sheet.geometry.endswith("Point") else 1,
        "simplifyDrawingTol": 1,
        "simplifyMaxScale": 1,
        "simplifyLocal": 1,
        "simplifyAlgorithm": 0,
    }
    srs = element("srs")
    if sheet.geometry:
        srs.append(spatial_reference())
    return element(
        "maplayer",
        attributes,
        element("id", text=layer_id(sheet.id)),
        element("datasource", text=source(file, sheet.id)),
        element("keywordList", None, element("value")),
        element("layername", text=sheet.title),
        element("abstract", text=sheet.abstract),
        srs,
        element("resourceMetadata", None, *metadata_elements(sheet, content)),
        element("provider", {"encoding": "UTF-8"}, text="ogr"),
        element(
            "flags",
            None,
            element("Identifiable", text="1"),
            element("Removable", text="1"),
            element("Searchable", text="1"),
        ),
        *style_elements(sheet, content),
    )


def _properties() -> ET.Element:
    """Set paths beside it, the colour of the sea, the language of labels."""
    sea = [int(LIGHT["sea"][place : place + 2], 16) for place in (1, 3, 5)]
    parts = zip(("Red", "Green", "Blue"), sea, strict=True)
    gui = element(
        "Gui",
        None,
        *(
            element(f"CanvasColor{part}Part", {"type": "int"}, text=str(value))
            for part, value in parts
        ),
    )
    strings = {"type": "QStringList"}
    variables = element("Variables")
    for tag, values in (
        ("variableNames", (LANGUAGE, OTHERS)),
        ("variableValues", ("en", "yes")),
    ):
        listed = texts(tag, "value", values)
        listed.attrib.update(strings)
        variables.append(listed)
    return element(
        "properties",
        None,
        gui,
        element(
            "Measurement",
            None,
            element("DistanceUnits", {"type": "QString"}, text="kilometers"),
            element("AreaUnits", {"type": "QString"}, text="km2"),
        ),
        element(
            "Measure",
            None,
            element("Ellipsoid", {"type": "QString"}, text="EPSG:7030"),
        ),
        element(
            "PAL",
            None,
            element("PlacementEngineVersion", {"type": "int"}, text="1"),
            element("CandidatesLinePerCM", {"type": "double"}, text="10"),
            element("CandidatesPolygonPerCM", {"type": "double"}, text="10"),
        ),
        element("Paths", None, element("Absolute", {"type": "bool"}, text="false")),
        element(
            "SpatialRefSys",
            None,
            element("ProjectionsEnabled", {"type": "int"}, text="1"),
        ),
        variables,
    )


def _relation(relation: Relation) -> ET.Element:
    """One relation of the project."""
    return element(
        "relation",
        {
            "id": relation_id(relation),
            "name": f"{relation.child}.{relation.child_field} → {relation.parent}",
            "referencingLayer": layer_id(relation.child),
            "referencedLayer": layer_id(relation.parent),
            "strength": "Association",
        },
        element(
            "fieldRef",
            {
                "referencingField": relation.child_field,
                "referencedField": relation.parent_field,
            },
        ),
    )


def _project_metadata(content: Content) -> ET.Element:
    """Say what the project as a whole is."""
    day = f"{content.dated.isoformat()}T00:00:00"
    return element(
        "projectMetadata",
        None,
        element("identifier", text=content.id),
        element("parentidentifier"),
        element("language", text="ENG"),
        element("type", text="dataset"),
        element("title", text=content.title),
        element("abstract", text=content.abstract),
        element("links"),
        element("author", text=f"Lodemap {content.version}"),
        element("creation", text=day),
    )


def _view(content: Content) -> tuple[float, float, float, float]:
    """First view, in the CRS of the map: xmin, ymin, xmax, ymax."""
    west, south, east, north = content.bbox
    return _x(west), _y(south), _x(east), _y(north)


def _extent(content: Content) -> ET.Element:
    """First view, as the canvas keeps it."""
    values = zip(_SIDES, _view(content), strict=True)
    return element("extent", None, *(element(k, text=f"{v:.3f}") for k, v in values))


def _rectangle(tag: str, content: Content) -> ET.Element:
    """First view with its CRS, as newer projects keep it."""
    values = zip(_SIDES, _view(content), strict=True)
    return element(tag, {k: f"{v:.3f}" for k, v in values}, spatial_reference(MAP_CRS))


def _x(lon: float) -> float:
    """Give the Web Mercator x of a longitude, in metres."""
    return math.radians(lon) * RADIUS


def _y(lat: float) -> float:
    """Give the Web Mercator y of a latitude, in metres, the poles left out."""
    inside = max(-_HIGHEST, min(_HIGHEST, lat))
    return math.asinh(math.tan(math.radians(inside))) * RADIUS
