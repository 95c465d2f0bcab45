"""Rasters beside a GeoPackage as layers of its project, coloured as on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.export.qgis.elements import element
from layers.symbology import FAINTEST, OVERLAY

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from layers.export.content import Backdrop


def backdrop_layer(backdrop: Backdrop, layer_id: str) -> ET.Element:
    """Make a raster a layer of a project.

    Parameters
    ----------
    backdrop
        The raster.
    layer_id
        Id of the layer in the project.

    Returns
    -------
    Element
        ``<maplayer>``. QGIS does not ask the file for its CRS, so that stands here.
    """
    return element(
        "maplayer",
        {"type": "raster", "hasScaleBasedVisibilityFlag": 0, "autoRefreshEnabled": 0},
        element("id", text=layer_id),
        element("datasource", text=f"./{backdrop.file}"),
        element("layername", text=backdrop.title),
        element("abstract", text=backdrop.abstract),
        element(
            "srs",
            None,
            element("spatialrefsys", None, element("wkt", text=backdrop.crs)),
        ),
        element("provider", text="gdal"),
        element(
            "flags",
            None,
            element("Identifiable", text="1"),
            element("Removable", text="1"),
            element("Searchable", text="0"),
        ),
        element(
            "pipe",
            None,
            _renderer(backdrop),
            element("brightnesscontrast", {"brightness": 0, "contrast": 0}),
            element("huesaturation", {"saturation": 0, "grayscaleMode": 0}),
            element("rasterresampler", {"maxOversampling": 2}),
        ),
        element("blendMode", text="0"),
    )


def _renderer(backdrop: Backdrop) -> ET.Element:
    """One hue, from faint to full, as the key of the page has it."""
    ends = {"minimumValue": backdrop.low, "maximumValue": backdrop.high}
    shader = element(
        "colorrampshader",
        {
            "colorRampType": "INTERPOLATED",
            "classificationMode": 1,
            "clip": 0,
            "labelPrecision": 2,
            **ends,
        },
        *(
            element(
                "item",
                {
                    "value": value,
                    "label": f"{value:g}",
                    "color": OVERLAY,
                    "alpha": round(255 * opacity),
                },
            )
            for value, opacity in ((backdrop.low, FAINTEST), (backdrop.high, 1.0))
        ),
    )
    return element(
        "rasterrenderer",
        {
            "type": "singlebandpseudocolor",
            "band": 1,
            "opacity": 1,
            "alphaBand": -1,
            "nodataColor": "",
            "classificationMin": backdrop.low,
            "classificationMax": backdrop.high,
        },
        element("rasterTransparency"),
        element("rastershader", None, shader),
    )
