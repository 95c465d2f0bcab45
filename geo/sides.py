"""One side of a join: a layer that was checked, as the arrays that the kernels take."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal

import numpy as np

from geo.crs import require_lonlat
from geo.errors import ColumnError, GeometryError, GeometryTypeError
from geo.uncertainty import uncertainties

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

EdgeKind = Literal["straight", "geodesic"]
"""What the way between two vertices is: straight in longitude and latitude, or the
shortest way on the ellipsoid."""

_KINDS = (
    *("Point", "LineString", "LinearRing", "Polygon"),
    *("MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"),
)
"""Shapely's names of the geometry types, at their ids."""

POINT, RING, MULTIPOINT, COLLECTION = 0, 2, 4, 7
LINES = (1, 2, 5)
AREAS = (3, 6)
ANYTHING = (0, 1, 2, 3, 4, 5, 6)

_RADII = ("uncertainty_m", "boundary_uncertainty_m")
"""Columns of radii."""

_VALID_CHUNK = 20_000


@dataclass(frozen=True, kw_only=True)
class Side:
    """A layer in longitude and latitude whose geometries can be used."""

    shapes: Shapes
    """Geometries, shape ``(n,)``; edges straight in longitude and latitude."""
    kinds: Ints
    """Shapely's id of the type of each, shape ``(n,)``."""
    reach_m: Floats
    """How far each may be from where it is drawn, shape ``(n,)``. [m]"""

    def lonlat(self, rows: Ints | slice = slice(None)) -> Floats:
        """Longitude and latitude of the points among ``rows``, shape ``(p, 2)``."""
        import shapely

        return np.asarray(shapely.get_coordinates(self.shapes[rows]))

    def rows(self, rows: Ints) -> Side:
        """Only some rows of the side."""
        return Side(
            shapes=self.shapes[rows],
            kinds=self.kinds[rows],
            reach_m=self.reach_m[rows],
        )

    @property
    def all_points(self) -> bool:
        """Whether each geometry is a single point."""
        return bool((self.kinds == POINT).all())


def side(
    gdf: gpd.GeoDataFrame,
    name: str,
    edges: EdgeKind,
    *,
    kinds: Collection[int] = ANYTHING,
    columns: Collection[str] = _RADII,
) -> Side:
    """Check a layer and take out what a join needs.

    Parameters
    ----------
    gdf
        Features in EPSG:4326, shape ``(n,)``.
    name
        What to call the layer in a message.
    edges
        Whether the ways between vertices are ``straight`` or ``geodesic``.
    kinds
        Shapely's ids of the geometry types that the join takes.
    columns
        Columns of radii of which the largest counts, a missing one is 0; the other of
        the two is checked all the same. [m]

    Returns
    -------
    Side
        With pieces in place of geodesic edges, within a millimetre, and without parts
        that are empty.

    Raises
    ------
    CRSMissingError, CRSMismatchError, AxisOrderError, GeometryError
        If the layer is not in EPSG:4326, holds a missing, empty, infinite or invalid
        geometry, or an edge that cannot be a geodesic; if ``edges`` is neither kind.
    GeometryTypeError
        If it is no GeoDataFrame, or holds another kind of geometry.
    ColumnError
        If an uncertainty is not a length, or an index label occurs twice.
    """
    import shapely

    from geo.kernels.edges import densified

    if edges not in {"straight", "geodesic"}:
        raise GeometryError(f"edges is {edges!r}; expected 'straight' or 'geodesic'")
    require_frame(gdf, name)
    require_lonlat(gdf, name)
    _require_distinct_labels(gdf, name)
    shapes = gdf.geometry.to_numpy()
    found = np.asarray(shapely.get_type_id(shapes), dtype=np.intp)
    _require_kinds(gdf, name, found, kinds)
    _require_valid(gdf, name, shapes, found)
    shapes = _without_empty_parts(shapes, found)
    if edges == "geodesic":
        bent = densified(shapes, rows=gdf.index.to_list())
        if bent is not shapes:
            _require_valid(gdf, f"{name}, edges taken as geodesics", bent, found)
        shapes = bent
    radii = {column: uncertainties(gdf, name, column) for column in _RADII}
    reach_m = np.maximum.reduce([radii[column] for column in columns])
    return Side(shapes=shapes, kinds=found, reach_m=reach_m)


def require_count(name: str, value: object) -> None:
    """Refuse an option that is no whole number above 0.

    Parameters
    ----------
    name
        What to call it in a message.
    value
        What was given.

    Raises
    ------
    GeometryError
        If it is no integer, or below 1.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise GeometryError(f"{name} is {value!r}; expected a whole number, 1 or more")


def require_length(name: str, value: object) -> None:
    """Refuse an option that is no length.

    Parameters
    ----------
    name
        What to call it in a message.
    value
        What was given. [m]

    Raises
    ------
    GeometryError
        If it is no number, or below 0.
    """
    if (
        isinstance(value, (bool, np.bool_))
        or not isinstance(value, Real)
        or not float(value) >= 0
    ):
        raise GeometryError(
            f"{name} is {value!r}; expected a length as a number, 0 or more [m]"
        )


def require_frame(gdf: gpd.GeoDataFrame, name: str) -> None:
    """Refuse what is no GeoDataFrame, and one without an active geometry.

    Parameters
    ----------
    gdf
        What was given.
    name
        What to call it in a message.

    Raises
    ------
    GeometryTypeError
        If it is no GeoDataFrame.
    GeometryError
        If it has no active geometry.
    """
    import geopandas

    if isinstance(gdf, geopandas.GeoSeries):
        raise GeometryTypeError(
            f"{name} is a GeoSeries; expected a GeoDataFrame: {name}.to_frame()"
        )
    if not isinstance(gdf, geopandas.GeoDataFrame):
        raise GeometryTypeError(
            f"{name} is a {type(gdf).__name__}; expected a GeoDataFrame: "
            f"geopandas.GeoDataFrame({name}, geometry=…, crs=4326)"
        )
    if gdf.active_geometry_name is None or gdf.active_geometry_name not in gdf:
        raise GeometryError(
            f"{name} has no active geometry column; choose one: {name}.set_geometry(…)"
        )


def _require_distinct_labels(gdf: gpd.GeoDataFrame, name: str) -> None:
    """Refuse an index in which a label occurs twice: a match could not be traced."""
    if gdf.index.is_unique:
        return
    twice = gdf.index.duplicated()
    second = int(twice.argmax())
    label = gdf.index[[second]].tolist()[0]
    raise ColumnError(
        f"{name}, row {second}: the index label {label!r} occurs twice, so "
        f"a match could not be traced back. Number the rows: "
        f"{name}.reset_index(drop=True)"
    )


def _without_empty_parts(shapes: Shapes, kinds: Ints) -> Shapes:
    """Copy the shapes of which a part or hole is empty without it."""
    import shapely

    several = (kinds >= MULTIPOINT) | (shapely.get_num_interior_rings(shapes) > 0)
    rows = np.flatnonzero(several)
    parts, owner = shapely.get_parts(shapes[rows], return_index=True)
    holed = np.flatnonzero(shapely.get_num_interior_rings(parts) > 0)
    rings, part = shapely.get_rings(parts[holed], return_index=True)
    hollow = np.append(
        owner[shapely.is_empty(parts)], owner[holed[part]][shapely.is_empty(rings)]
    )
    if not len(hollow):
        return shapes
    out = shapes.copy()
    for row in rows[np.unique(hollow)]:
        out[row] = _solid(shapes[row])
    return out


def _solid(shape: BaseGeometry) -> BaseGeometry:
    """Copy a shape that is not empty without its empty parts and holes."""
    import shapely
    from shapely import MultiLineString, MultiPoint, MultiPolygon, Polygon

    if isinstance(shape, Polygon):
        outer, *holes = shapely.get_rings(shape)
        return Polygon(outer, [hole for hole in holes if not hole.is_empty])
    if isinstance(shape, (MultiPoint, MultiLineString, MultiPolygon)):
        collected: Callable[..., BaseGeometry] = type(shape)
        return collected([_solid(part) for part in shape.geoms if not part.is_empty])
    return shape


def _require_valid(
    gdf: gpd.GeoDataFrame, name: str, shapes: Shapes, kinds: Ints
) -> None:
    """Refuse polygons that cross themselves and lines of no length, naming one."""
    import shapely

    from geo.parallel import run_chunks

    made = np.flatnonzero((kinds != POINT) & (kinds != MULTIPOINT))
    chunks = run_chunks(
        lambda start, stop: shapely.is_valid(shapes[made[start:stop]]),
        len(made),
        chunk=_VALID_CHUNK,
    )
    valid = np.concatenate([*chunks, np.empty(0, dtype=bool)])
    if valid.all():
        return
    first = made[int(valid.argmin())]
    raise GeometryError(
        f"{name}, row {gdf.index[first]}: the geometry is invalid "
        f"({shapely.is_valid_reason(shapes[first])}). Mend it first: "
        f"{name.partition(',')[0]}.make_valid()"
    )


def _require_kinds(
    gdf: gpd.GeoDataFrame, name: str, found: Ints, kinds: Collection[int]
) -> None:
    """Refuse geometries of another kind, naming the first."""
    wrong = ~np.isin(found, tuple(kinds))
    if not wrong.any():
        return
    first = int(wrong.argmax())
    named = [_KINDS[k] for k in sorted(kinds) if k != RING]
    expected = (
        ", ".join(named[:-1]) + " or " + named[-1] if len(named) > 1 else named[0]
    )
    mend = ""
    if found[first] in {MULTIPOINT, COLLECTION}:
        mend = f". Take it apart first: {name}.explode(ignore_index=True)"
    elif set(kinds) == {POINT}:
        mend = "; geo.point_radius turns areas into points with a radius"
    raise GeometryTypeError(
        f"{name}, row {gdf.index[first]}: a {_KINDS[found[first]]}; expected "
        f"{expected}{mend}"
    )
