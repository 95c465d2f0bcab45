"""Symbols as PNG pictures, for programs that draw no SVG."""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np

from layers.symbology import SIDE, symbol_drawing

if TYPE_CHECKING:
    from collections.abc import Iterator

PIXELS = 64
"""Width and height of a picture."""

_FINE = 8
_TOKEN = re.compile(r"[MLHVZhvz]|-?\d+(?:\.\d+)?")


def symbol_png(name: str, *, colour: str, ground: str) -> bytes:
    """Draw a symbol as a PNG with a clear ground.

    Parameters
    ----------
    name
        A key of :data:`layers.symbology.SYMBOLS`.
    colour, ground
        Colours as ``#rrggbb``: its own, and that of the edge that sets it off.

    Returns
    -------
    bytes
        :data:`PIXELS` wide and high; the same bytes for the same symbol.

    Examples
    --------
    >>> symbol_png("dot", colour="#5a5f63", ground="#fffdf8")[1:4]
    b'PNG'
    """
    svg = f"<svg>{symbol_drawing(name, colour=colour, ground=ground)}</svg>"
    picture = np.zeros((PIXELS, PIXELS, 4))
    for element in ET.fromstring(svg):  # noqa: S314, RUF100 - our own drawing
        style = dict(
            pair.split(":") for pair in element.get("style", "").split(";") if pair
        )
        shape = _shape(element)
        width = float(style.get("stroke-width", "1"))
        for paint, drawn in (
            (style.get("fill", "#000000"), shape),
            (style.get("stroke", "none"), _stroked(shape, width)),
        ):
            if paint != "none":
                _lay(picture, drawn, paint)
    return _png(np.rint(picture * 255).astype(np.uint8))


def _stroked(shape: Any, width: float) -> Any:
    outline = shape.boundary if shape.geom_type == "Polygon" else shape
    joins = "mitre" if shape.geom_type == "Polygon" else "round"
    return outline.buffer(width / 2, cap_style="flat", join_style=joins)


def _shape(element: ET.Element) -> Any:
    """Geometry of an element of SVG, in its box, y downwards."""
    import shapely

    number = {
        name: float(v) for name, v in element.items() if name not in {"style", "d"}
    }
    if element.tag == "circle":
        middle = shapely.Point(number["cx"], number["cy"])
        return middle.buffer(number["r"], quad_segs=32)
    if element.tag == "rect":
        x, y = number["x"], number["y"]
        return shapely.box(x, y, x + number["width"], y + number["height"])
    lines = list(_lines(element.get("d", "")))
    if len(lines) == 1 and lines[0][0] == lines[0][-1]:
        return shapely.Polygon(lines[0])
    return shapely.MultiLineString(lines)


def _lines(path: str) -> Iterator[list[tuple[float, float]]]:
    """Lines of a path that is made of straight pieces."""
    tokens = _TOKEN.findall(path)
    line: list[tuple[float, float]] = []
    command, i = "M", 0
    while i < len(tokens):
        if tokens[i].isalpha():
            command, i = tokens[i], i + 1
            if command in "Zz":
                line.append(line[0])
            continue
        value = float(tokens[i])
        x, y = line[-1] if line else (0.0, 0.0)
        if command in "ML":
            if command == "M" and line:
                yield line
                line = []
            line.append((value, float(tokens[i + 1])))
            command, i = "L", i + 2
            continue
        step = {"H": (value, y), "h": (x + value, y), "V": (x, value)}
        line.append(step.get(command, (x, y + value)))
        i += 1
    yield line


def _lay(picture: np.ndarray, shape: Any, colour: str) -> None:
    """Lay a shape of one colour over a picture, in place."""
    from rasterio.features import rasterize
    from rasterio.transform import Affine

    fine = PIXELS * _FINE
    scale = SIDE / fine
    down = Affine(scale, 0, 0, 0, scale, 0)
    inside = rasterize([(shape, 1)], out_shape=(fine, fine), transform=down)
    share = inside.reshape(PIXELS, _FINE, PIXELS, _FINE).mean(axis=(1, 3))
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    below = picture[..., 3] * (1 - share)
    alpha = share + below
    mixed = share[..., None] * rgb + below[..., None] * picture[..., :3]
    picture[..., :3] = mixed / np.maximum(alpha, 1e-9)[..., None]
    picture[..., 3] = alpha


def _png(picture: np.ndarray) -> bytes:
    """Write red, green, blue and alpha as a PNG."""
    height, width, _ = picture.shape
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + name
        + data
        + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
