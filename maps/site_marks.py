"""Sites on the map: their outlines, their numbers and their cards."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.symbology import MARKS
from maps.facts import feature_facts, length, plain, rough
from maps.layer import feature
from maps.panel import maker
from maps.popup import Card, Share, dom_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from layers.siting.sites import SolarSites

MOST_SITES = 200
"""Sites that a page draws; the best ones."""

MOST_VERTICES = 15_000
"""Vertices of all outlines together; above, they are simplified further."""

SYNTHETIC = "Synthetic terrain"

_STEPS_M = (20.0, 40.0, 60.0, 100.0, 150.0, 250.0, 400.0, 600.0, 1000.0)
_ROUNDING_M = 10.0
_DEGREE_M = 111_320.0


@dataclass(frozen=True, kw_only=True)
class SiteMarks:
    """Sites ready to be drawn.

    Attributes
    ----------
    features, cards
        What the page's script draws, the best last and so on top; and their cards,
        the best first.
    keys
        Key of each site's mark, by its id.
    shown, numbered
        How many are drawn, and how many of these carry their rank.
    off_m
        By how much the outlines are simplified at most. [m]
    """

    features: tuple[dict[str, Any], ...]
    cards: tuple[Card, ...]
    keys: Mapping[str, str]
    shown: int
    numbered: int
    off_m: float


def site_marks(found: SolarSites, regions: Mapping[str, str]) -> SiteMarks:
    """Make outlines, numbers and cards of the best sites.

    Parameters
    ----------
    found
        From :func:`layers.siting.sites.sites` or read from a folder.
    regions
        Names of regions by their id.

    Returns
    -------
    SiteMarks
        Of :data:`MOST_SITES` sites or fewer.
    """
    table = found.table.head(MOST_SITES)
    numbered = min(int(found.ranks["top_n"]), len(table))
    shapes, off = simplified(list(table.geometry))
    labels = share_labels(found)
    features, cards, keys = [], [], {}
    for place, row in enumerate(table.drop(columns="geometry").to_dict("records")):
        card = _card(found, row, regions=regions, labels=labels, off_m=off)
        shape = shapes[place]
        point = shape.representative_point()
        cards.append(card)
        keys[str(row["id"])] = card.key
        features.append(
            feature(
                key=card.key,
                card=card.dom_id,
                name=card.name,
                say=f"{card.name}, hypothetical site, rank {row['rank']}",
                anchor=(point.x, point.y),
                geometry=shape,
                label=str(row["rank"]) if place < numbered else "",
                name_ko=card.name_ko,
                name_zh=card.name_zh,
            )
        )
    return SiteMarks(
        features=tuple(reversed(features)),
        cards=tuple(cards),
        keys=keys,
        shown=len(table),
        numbered=numbered,
        off_m=off,
    )


def share_labels(found: SolarSites) -> dict[str, str]:
    """Words for each part of the score.

    Parameters
    ----------
    found
        Sites; the weighted criteria stand in the order of the columns.

    Returns
    -------
    dict
        Label by column, such as ``share_slope_deg``.
    """
    columns = [str(c) for c in found.table.columns if str(c).startswith("share_")]
    named = [rule.label for rule in found.rules if rule.weight > 0]
    if len(named) != len(columns):
        named = [c.removeprefix("share_").replace("_", " ") for c in columns]
    return dict(zip(columns, named, strict=True))


def simplified(shapes: Sequence[Any]) -> tuple[list[Any], float]:
    """Outlines with no more vertices than a page can bear.

    Parameters
    ----------
    shapes
        Polygons in EPSG:4326.

    Returns
    -------
    shapes : list
        Polygons of :data:`MOST_VERTICES` vertices in all, or at the last step more.
        Holes too small to show at that step are filled.
    off_m : float
        No vertex that is left out lies farther from the outline drawn; the rounding of
        coordinates is in it. [m]
    """
    import shapely

    for off in _STEPS_M:
        found = [_simpler(shape, off - _ROUNDING_M) for shape in shapes]
        if int(np.sum(shapely.get_num_coordinates(found))) <= MOST_VERTICES:
            break
    return found if len(shapes) else [], off


def _simpler(shape: Any, tolerance_m: float) -> Any:
    """One outline simplified in a plane in which metres are metres there."""
    import shapely

    middle = shape.centroid
    across = _DEGREE_M * math.cos(math.radians(middle.y))
    scale = np.array([across, _DEGREE_M])

    def to_plane(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        moved: NDArray[np.float64] = (lonlat - [middle.x, middle.y]) * scale
        return moved

    def from_plane(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        back: NDArray[np.float64] = xy / scale + [middle.x, middle.y]
        return back

    flat = shapely.transform(shape, to_plane)
    parts = []
    for part in getattr(flat, "geoms", [flat]):
        # All at once: an outline may have thousands of holes.
        rings = shapely.get_rings(part)
        areas = np.asarray(shapely.area(shapely.polygons(rings)))
        large = areas > (3 * tolerance_m) ** 2
        parts.append(shapely.polygons(rings[0], holes=rings[1:][large[1:]]))
    whole = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return shapely.transform(whole.simplify(tolerance_m), from_plane)


def _card(
    found: SolarSites,
    row: Mapping[Any, Any],
    *,
    regions: Mapping[str, str],
    labels: Mapping[str, str],
    off_m: float,
) -> Card:
    """Card of one site."""
    key = f"sites/{row['id']}"
    region = plain(row.get("region"))
    note, score = plain(row.get("note")), float(row["score"])
    outline = (
        f"of cells, good to about {length(float(row['uncertainty_m']))}; drawn here "
        f"simplified, at most {length(off_m)} off, small holes filled"
    )
    return Card(
        key=key,
        dom_id=dom_id(key),
        role=MARKS["site"].role,
        kind=f"Hypothetical site{f', {SYNTHETIC.lower()}' if found.synthetic else ''}",
        name=plain(row["name"]) or str(row["id"]),
        name_ko=plain(row.get("name_ko")),
        name_zh=plain(row.get("name_zh")),
        badge=plain(row.get("status")),
        warning=(note if SYNTHETIC in note else f"{SYNTHETIC}. {note}")
        if found.synthetic
        else "",
        intro="" if found.synthetic else note,
        facts=(
            *_rank_facts(found, row),
            *_ground_facts(row, regions.get(region, region)),
            ("Outline", outline),
            *(f for f in feature_facts(row) if f[0] != "Where"),
            ("Why it ranks so", plain(row.get("reasons"))),
        ),
        distances=_distances(found, row),
        shares=tuple(
            Share(
                label=label[:1].upper() + label[1:],
                text=f"{float(row[column]):.3f}",
                percent=round(100 * float(row[column]) / score, 1) if score > 0 else 0,
            )
            for column, label in labels.items()
        ),
        inputs=tuple(_input(entry) for entry in found.inputs),
    )


def _input(entry: Mapping[str, Any]) -> str:
    """One input in a line: what it is, who made it, its licence."""
    source = maker(plain(entry["source"]))
    return f"{input_label(entry)}: {source} ({plain(entry['licence'])})"


def input_label(entry: Mapping[str, Any]) -> str:
    """Name an input for people.

    Parameters
    ----------
    entry
        Of ``SolarSites.inputs``.

    Returns
    -------
    str
        With a capital letter; the abbreviation GHI in capitals.
    """
    label = plain(entry["label"]) or plain(entry["name"])
    return label.upper() if label == "ghi" else f"{label[:1].upper()}{label[1:]}"


def _rank_facts(
    found: SolarSites, row: Mapping[Any, Any]
) -> tuple[tuple[str, str], ...]:
    """Rank, and how firm it is."""
    top_n, draws = int(found.ranks["top_n"]), int(found.ranks["draws"])
    return (
        ("Rank", f"{row['rank']} of {found.totals['sites']:,} found"),
        (
            f"Among the first {top_n}",
            f"{chance(float(row['top_probability']))} of {draws:,} draws",
        ),
        ("Range of its rank", f"{row['rank_low']} to {row['rank_high']} (5–95 %)"),
        ("Score", f"{float(row['score']):.2f} of 1"),
    )


def _ground_facts(row: Mapping[Any, Any], region: str) -> tuple[tuple[str, str], ...]:
    """Say what it holds and what the ground is like."""
    n = {str(k): float(v) for k, v in row.items() if isinstance(v, (int, float))}
    area = f"{n['area_km2']:,.1f} km², {n['net_area_km2']:,.1f} km² inside the setback"
    low, high = rough(n["capacity_mw_low"]), rough(n["capacity_mw_high"])
    power = f"about {rough(n['capacity_mw'])} MW ({low} to {high} MW by land use)"
    p50, p90 = rough(n["energy_gwh"]), rough(n["energy_gwh_p90"])
    slope = f"mean {n['slope_mean_deg']:.1f}°, worst {n['slope_max_deg']:.1f}°"
    facts = (
        ("Region", region),
        ("Area", area),
        ("Capacity", power),
        ("Energy in a year", f"P50 about {p50} GWh, P90 about {p90} GWh"),
        ("Yield", f"{n['yield_kwh_per_kwp']:,.0f} kWh/kWp"),
        ("Irradiation, level", f"{n['ghi_kwh_per_m2']:,.0f} kWh/m² a year"),
        ("Slope", slope),
        ("Altitude", f"about {rough(n['altitude_m'])} m"),
        ("Shape index", f"{n['shape_index']:.1f} (1 is a square)"),
    )
    return tuple((label, text) for label, text in facts if text)


def _distances(found: SolarSites, row: Mapping[Any, Any]) -> tuple[str, ...]:
    """Distance to the nearest of each feature, with bounds where it is uncertain."""
    labels = {
        plain(entry["name"]): plain(entry["label"])
        for entry in found.inputs
        if entry["kind"] == "vector"
    }
    said = []
    for name, label in labels.items():
        if plain(row.get(f"{name}_km")) == "":
            continue
        text = length(1000 * float(row[f"{name}_km"]))
        if plain(row.get(f"{name}_min_km")):
            near, far = (
                1000 * float(row[f"{name}_{end}_km"]) for end in ("min", "max")
            )
            text += f" ({length(near)} to {length(far)})"
        called = plain(row.get(f"{name}_name"))
        what = label[:1].upper() + label[1:]
        said.append(f"{what}{f' {called}' if called else ''}: {text}")
    return tuple(said)


def chance(probability: float) -> str:
    """Write the share of draws in per cent; certainty only where it is certain.

    Parameters
    ----------
    probability
        From 0 to 1.

    Returns
    -------
    str
        Such as ``84 %``.

    Examples
    --------
    >>> chance(0.842), chance(0.9996), chance(0.0004), chance(1)
    ('84 %', 'over 99 %', 'under 1 %', '100 %')
    """
    if 0.995 <= probability < 1:
        return "over 99 %"
    if 0 < probability < 0.005:
        return "under 1 %"
    return f"{100 * probability:.0f} %"
