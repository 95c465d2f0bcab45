"""The rows of the table: what is joined, who does it, and how far we want to be."""

from __future__ import annotations

from dataclasses import dataclass

import ours
from engines import (
    Engine,
    balltree_nearest,
    duckdb_join,
    duckdb_nearest,
    geopandas_join,
    geopandas_nearest,
    geopandas_nearest_degrees,
    geopandas_within_distance,
    polars_join,
    sedona_join,
)
from geographies import postgis_join, postgis_nearest

BOX_M2 = 142_000e6  # about
NEAR_M = 5_000.0


@dataclass(frozen=True, kw_only=True)
class Task:
    """One join, and the engines that do it, ours first."""

    title: str
    left: str
    right: str
    judge: str = ""  # a function of the judge's; none where only ours answers
    engines: tuple[Engine, ...]
    goal: tuple[str, float] | None = None  # at most so many times that engine's time
    group: str  # the letter by which --only names it


def _join(left: str, right: str, predicate: str) -> tuple[Engine, ...]:
    condition = f"ST_{predicate.capitalize()}(p.g, q.g)"
    call = {"within": ours.within, "intersects": ours.intersects}[predicate]
    return (
        call(left, right),
        ours.whole_frame(predicate, left, right),
        geopandas_join(left, right, predicate),
        sedona_join(left, right, condition, about_s=3),
        polars_join(left, right, predicate),
        duckdb_join(left, right, condition),
        postgis_join(left, right, condition),
        ours.floor(left, right),
    )


_NEAR = f"ST_DWithin(p.g, q.g, {NEAR_M})"
_KNN = "ST_KNN(p.g, q.g, 1, false)"

TASKS = {
    "a": Task(
        title="1 M points within 5,000 polygons of 50 vertices",
        left="points",
        right="polygons",
        judge="within",
        engines=_join("points", "polygons", "within"),
        goal=("SedonaDB", 0.6),
        group="a",
    ),
    "b": Task(
        title="100,000 × 100,000 polygons of 20 vertices intersect",
        left="left_polygons",
        right="right_polygons",
        judge="intersects",
        engines=_join("left_polygons", "right_polygons", "intersects"),
        goal=("SedonaDB", 1.0),
        group="b",
    ),
    "c": Task(
        title="1 M points → nearest of 100,000 points",
        left="points",
        right="targets",
        judge="nearest_point",
        engines=(
            ours.nearest("points", "targets"),
            ours.whole_frame("nearest", "points", "targets"),
            geopandas_nearest("points", "targets", about_s=8),
            geopandas_nearest_degrees("points", "targets"),
            sedona_join("points", "targets", _KNN, about_s=8),
            duckdb_nearest("points", "targets"),
            balltree_nearest("points", "targets"),
            postgis_nearest("points", "targets", sample=20_000),
            ours.floor("points", "targets"),
        ),
        goal=("DuckDB", 0.5),
        group="c",
    ),
    "d": Task(
        title="200,000 points → nearest of 20,000 lines (580,000 segments)",
        left="queries",
        right="lines",
        judge="nearest_line",
        engines=(
            ours.nearest_shapes("queries", "lines"),
            ours.whole_frame("nearest", "queries", "lines"),
            geopandas_nearest("queries", "lines", about_s=45),
            sedona_join("queries", "lines", _KNN, about_s=20),
            duckdb_nearest("queries", "lines"),
            postgis_nearest("queries", "lines", sample=5_000),
            ours.floor("queries", "lines"),
        ),
        goal=("DuckDB", 0.5),
        group="d",
    ),
    "e": Task(
        title="200,000 × 200,000 points within 5 km",
        left="left_points",
        right="right_points",
        judge="within_5_km",
        engines=(
            ours.within_distance("left_points", "right_points", NEAR_M),
            ours.whole_frame("within_distance", "left_points", "right_points", NEAR_M),
            geopandas_within_distance("left_points", "right_points", NEAR_M),
            sedona_join("left_points", "right_points", _NEAR, about_s=6),
            polars_join("left_points", "right_points", "dwithin", NEAR_M),
            duckdb_join("left_points", "right_points", _NEAR),
            postgis_join("left_points", "right_points", _NEAR, sample=10_000),
            ours.floor("left_points", "right_points"),
        ),
        goal=("DuckDB", 0.5),
        group="e",
    ),
    "u": Task(
        title="uncertain within: 1 M discs, one in twenty across a border",
        left="points",
        right="polygons",
        engines=(
            ours.uncertain_within("points", "polygons"),
            ours.within("points", "polygons"),
            ours.uncertain_frame("points", "polygons"),
            ours.whole_frame("within", "points", "polygons"),
            ours.floor("points", "polygons"),
        ),
        goal=(ours.OURS, 2.0),
        group="u",
    ),
}
"""By name; the growth and the huge ones follow below."""


def _reach_m(rows: int) -> float:
    """Distance within which each of so many points in the box has about ten."""
    return round((10 * BOX_M2 / (3.14159 * rows)) ** 0.5, 1)


for _power in (5, 6, 7):
    _points, _spread = f"grown_{_power}", f"spread_{_power}"
    _targets, _far = f"sparse_{_power - 1}", _reach_m(10**_power)
    for _title, _left, _right, _own in (
        ("within", _points, "polygons", ours.within(_points, "polygons")),
        ("nearest", _points, _targets, ours.nearest(_points, _targets)),
        (
            "within_distance",
            _spread,
            f"{_spread}_too",
            ours.within_distance(_spread, f"{_spread}_too", _far),
        ),
    ):
        TASKS[f"{_title} {_power}"] = Task(
            title=f"{_title}, 10^{_power} points",
            left=_left,
            right=_right,
            engines=(_own, ours.floor(_left, _right)),
            group="g",
        )

for _title, _right, _what, _judge, _own in (
    ("within", "parcels", "polygons", "within", ours.within("grown_7", "parcels")),
    (
        *("nearest", "sparse_6", "points", "nearest_point"),
        ours.nearest("grown_7", "sparse_6"),
    ),
):
    TASKS[f"{_title} huge"] = Task(
        title=f"{_title}, 10 M points × 1 M {_what}",
        judge=_judge,
        left="grown_7",
        right=_right,
        engines=(_own, ours.whole_frame(_title, "grown_7", _right)),
        group="h",
    )
