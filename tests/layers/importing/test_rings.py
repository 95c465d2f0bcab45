import struct

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.importing.rings import close_rings

coordinate = st.integers(-9, 9).map(float)


@st.composite
def polygons(draw):
    """Polygons with rings closed and open, and how many are open."""
    z = draw(st.booleans())
    size = 3 if z else 2
    point = st.tuples(*[coordinate] * size)
    order = draw(st.sampled_from("<>"))
    rings, opened = [], 0
    for _ in range(draw(st.integers(1, 3))):
        ring = draw(st.lists(point, min_size=3, max_size=6, unique=True))
        if draw(st.booleans()):
            opened += 1
        else:
            ring.append(ring[0])
        rings.append(ring)
    return wkb(rings, z, order), rings, opened


def wkb(rings, z, order):
    out = struct.pack(f"{order}BII", order == "<", 1003 if z else 3, len(rings))
    for ring in rings:
        out += struct.pack(f"{order}I", len(ring))
        for point in ring:
            out += struct.pack(f"{order}{len(point)}d", *point)
    return out


def collection(parts, kind=6):
    return struct.pack("<BII", 1, kind, len(parts)) + b"".join(parts)


@settings(max_examples=100, deadline=None)
@given(st.lists(polygons(), min_size=1, max_size=3), st.integers(0, 3))
def test_every_ring_ends_where_it_began_and_no_other_point_changes(found, depth):
    whole = collection([part for part, _, _ in found])
    for _ in range(depth):
        whole = collection([whole], kind=7)
    closed, count = close_rings(whole)
    assert count == sum(opened for _, _, opened in found)
    geometry = shapely.from_wkb(closed)
    for _ in range(depth):
        [geometry] = geometry.geoms
    for polygon, (_, rings, _) in zip(geometry.geoms, found, strict=True):
        read = [polygon.exterior, *polygon.interiors]
        for ring, points in zip(read, rings, strict=True):
            expected = points if points[0] == points[-1] else [*points, points[0]]
            assert list(ring.coords) == expected
    assert close_rings(closed) == (closed, 0)


@pytest.mark.parametrize(
    "geometry",
    [
        "POINT Z (1 2 3)",
        "LINESTRING (1 2, 3 4)",
        "MULTIPOINT ((1 2), (3 4))",
        "POINT EMPTY",
        "POLYGON EMPTY",
        "GEOMETRYCOLLECTION (POINT (1 2), POLYGON ((0 0, 1 0, 1 1, 0 0)))",
    ],
)
def test_what_has_no_open_ring_stays(geometry):
    for srid in (None, 4326):
        shape = shapely.from_wkt(geometry)
        shape = shape if srid is None else shapely.set_srid(shape, srid)
        text = shapely.to_wkb(shape, include_srid=srid is not None)
        assert close_rings(text) == (text, 0)


@settings(max_examples=150, deadline=None)
@given(polygons(), st.data())
def test_cut_or_spoilt_wkb_is_told(polygon, data):
    text = polygon[0]
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(ValueError, match="WKB"):
        close_rings(text[:cut])
    with pytest.raises(ValueError, match="bytes too many"):
        close_rings(text + b"x")
    try:
        close_rings(text[:5] + b"\xff\xff\xff\xff" + text[9:])
    except ValueError as error:
        assert "WKB" in str(error)  # noqa: PT017


def test_depth_is_bounded():
    text = b"\x01\x07\0\0\0\x01\0\0\0" * 5000
    with pytest.raises(ValueError, match="no WKB"):
        close_rings(text)
