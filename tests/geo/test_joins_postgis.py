"""The joins beside PostGIS, which shares no code with ours.

PostGIS' geography measures between points by GeographicLib. It takes edges as great
circles of a sphere, metres away from the geodesics of the ellipsoid; its geometry takes
them as straight in longitude and latitude, hundreds of metres away.
"""

import os

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, box

import geo
from tests.postgis import NoPostGISError, Server


@pytest.fixture(scope="module")
def database():
    try:
        server = Server()
    except NoPostGISError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{error}; on Debian: apt install postgresql-postgis")
    with server.connect() as connection:
        yield connection
    server.stop()


def uniform(rng, n, bounds):
    west, south, east, north = bounds
    lon = (rng.uniform(west, east, n) + 180) % 360 - 180
    return np.column_stack([lon, rng.uniform(south, north, n)])


def layer(shapes):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=4326)


def points(lonlat):
    return layer(shapely.points(lonlat))


def stored(database, table, gdf, kind):
    database.execute(f"DROP TABLE IF EXISTS {table}")
    database.execute(f"CREATE TEMP TABLE {table} (id bigint, g {kind})")
    with database.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row, text in enumerate(shapely.to_wkb(gdf.geometry.to_numpy(), hex=True)):
            copy.write(f"{row}\t{text}\n")


WHERE = {
    "Pyongan": (124.0, 39.0, 127.0, 41.0),
    "Svalbard": (10.0, 77.0, 30.0, 81.0),
    "Fiji": (177.0, -20.0, 183.0, -15.0),
}


@pytest.mark.parametrize("bounds", WHERE.values(), ids=WHERE.keys())
def test_points_within_a_distance_are_those_of_postgis(database, bounds):
    rng = np.random.default_rng(1)
    left, right = (points(uniform(rng, 400, bounds)) for _ in range(2))
    stored(database, "p", left, "geography")
    stored(database, "q", right, "geography")
    rows = database.execute(
        "SELECT p.id, q.id, ST_Distance(p.g, q.g) FROM p JOIN q "
        "ON ST_DWithin(p.g, q.g, 60000)"
    ).fetchall()
    got = geo.within_distance(left, right, 60_000)
    ours = dict(
        zip(zip(got.index, got["index_right"], strict=True), got["distance_m"],
            strict=True)
    )  # fmt: skip
    theirs = {(i, j): metres for i, j, metres in rows}
    assert len(theirs) > 100
    assert ours.keys() == theirs.keys()
    for pair, metres in theirs.items():
        assert ours[pair] == pytest.approx(metres, abs=1e-3)


def test_nearest_points_are_those_that_postgis_measures(database):
    rng = np.random.default_rng(2)
    left, right = (points(uniform(rng, n, WHERE["Pyongan"])) for n in (200, 500))
    stored(database, "p", left, "geography")
    stored(database, "q", right, "geography")
    rows = database.execute(
        "SELECT DISTINCT ON (p.id) p.id, q.id, ST_Distance(p.g, q.g) AS d "
        "FROM p CROSS JOIN q ORDER BY p.id, d"
    ).fetchall()
    got = geo.nearest(left, right)
    assert got["index_right"].tolist() == [j for _, j, _ in rows]
    np.testing.assert_allclose(got["distance_m"], [d for *_, d in rows], atol=1e-3)


def test_geodesic_lines_are_as_far_as_postgis_says(database):
    rng = np.random.default_rng(3)
    left = points(uniform(rng, 60, WHERE["Pyongan"]))
    ends = uniform(rng, 80, WHERE["Pyongan"]).reshape(40, 2, 2)
    right = layer([LineString(way) for way in ends])
    stored(database, "p", left, "geography")
    stored(database, "q", right, "geography")
    rows = database.execute(
        "SELECT p.id, q.id, ST_Distance(p.g, q.g) FROM p CROSS JOIN q"
    ).fetchall()
    theirs = np.zeros((60, 40))
    for i, j, metres in rows:
        theirs[i, j] = metres
    got = geo.nearest(left, right, k=40, edges="geodesic")
    ours = np.zeros((60, 40))
    ours[got.index, got["index_right"]] = got["distance_m"]
    np.testing.assert_allclose(ours, theirs, atol=5)
    straight = geo.nearest(left, right, k=40)
    other = np.zeros((60, 40))
    other[straight.index, straight["index_right"]] = straight["distance_m"]
    assert np.abs(other - theirs).max() > 100


@pytest.mark.parametrize("predicate", ["ST_Intersects", "ST_Contains"])
def test_predicates_are_those_of_postgis(database, predicate):
    """On a lattice, so that touches and shared borders are common."""
    rng = np.random.default_rng(4)
    corners = rng.integers(0, 8, (120, 2))
    sizes = rng.integers(1, 4, (120, 2))
    areas = layer(box(*c, *(c + s)) for c, s in zip(corners, sizes, strict=True))
    spots = points(rng.integers(0, 17, (300, 2)) / 2)
    stored(database, "p", spots, "geometry")
    stored(database, "q", areas, "geometry")
    rows = database.execute(
        f"SELECT p.id, q.id FROM p JOIN q ON {predicate}(q.g, p.g)"
    ).fetchall()
    join = geo.intersects if predicate == "ST_Intersects" else geo.within
    got = join(spots, areas)
    assert set(zip(got.index, got["index_right"], strict=True)) == set(rows)
