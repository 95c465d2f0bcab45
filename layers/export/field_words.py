"""Names for people of the columns of an export, and what those of our own hold."""

from __future__ import annotations

_ALIASES = {
    "id": "Id",
    "ref": "Reference",
    "name_ko": "Name, Korean",
    "name_zh": "Name, Chinese",
    "uncertainty_m": "Uncertainty",
    "precision_code": "Precision code (IATI)",
    "georeference_protocol": "How it was located",
    "boundary_uncertainty_m": "Uncertainty of the boundary",
    "iso_3166_2": "ISO 3166-2",
    "url": "Link",
    "hs": "HS codes",
    "sha256": "SHA-256",
    "ghi_kwh_per_m2": "GHI",
    "ghi_low_kwh_per_m2": "GHI, low",
    "ghi_high_kwh_per_m2": "GHI, high",
    "ghi_clear_sky_kwh_per_m2": "GHI, clear sky",
    "yield_kwh_per_kwp": "Specific yield",
    "energy_gwh": "Energy",
    "energy_gwh_p90": "Energy, P90",
    "external_ids": "Ids elsewhere",
    "coast_km": "Distance to the coast",
    "plant_km": "Distance to a power plant",
    "town_km": "Distance to a town",
    "distance_min_m": "Distance, least",
    "distance_max_m": "Distance, most",
    "share_relief_m": "Share of relief in the score",
    "share_ghi_kwh_per_m2": "Share of irradiance in the score",
    "share_plant_km": "Share of the nearness of a plant in the score",
    "share_town_km": "Share of the nearness of a town in the score",
    "share_land_cover": "Share of land cover in the score",
}

_UNITS = (
    ("_gwh_p90", "GWh"),
    ("_kwh_per_kwp", "kWh/kWp"),
    ("_kwh_per_m2", "kWh/m²"),
    ("_mw_low", "MW"),
    ("_mw_high", "MW"),
    ("_km2", "km²"),
    ("_gwh", "GWh"),
    ("_deg", "°"),
    ("_mw", "MW"),
    ("_km", "km"),
    ("_m", "m"),
)
"""Endings of names that say the unit, the longest first."""

_ABOUT = {
    "id": "Text that names the row; unique in its layer or table.",
    "ref": "Feature as layer/id.",
    "layer": "Layer of the catalogue.",
    "named": "yes if the exchange names it, no if it is context.",
    "part_played": "Its part in the exchange.",
    "drawn_as": "Mark that its kind calls for.",
    "mark": "Mark that draws it, a key of the legend; empty where nothing is drawn.",
    "leg": "Leg of the exchange.",
    "leg_kind": "What moves, in one word.",
    "what": "What moves.",
    "giver": "Who gives it.",
    "receiver": "Who receives it.",
    "from_id": "Where it starts, as layer/id.",
    "to_id": "Where it ends, as layer/id.",
    "from_name": "Name of the start.",
    "to_name": "Name of the end.",
    "direction": "out: from the party that gives the resource; in: towards it.",
    "basis": "reported by a source, or inferred by us.",
    "drawn": "yes if the page draws it.",
    "goods": "Goods by nature.",
    "hs": "Codes of the Harmonized System with their edition.",
    "claims": "Ids of claims, separated by spaces.",
    "sources": "Ids of sources, separated by spaces.",
    "note": "Doubts and limits, in words.",
    "distance_m": "Along the geodesic on WGS 84.",
    "distance_min_m": "Least that the uncertainty of both ends allows.",
    "distance_max_m": "Most that the uncertainty of both ends allows.",
    "azimuth_deg": "Clockwise from north, at the start.",
    "probability": "Share of the draws of both places, or of a place's disc.",
    "relation": "How the two are related.",
    "uncertainty_m": "Radius of the smallest circle that holds the whole location.",
    "precision_code": "IATI geographical precision, 1 (exact) to 9 (unclear).",
    "rank": "1 is the best score.",
    "score": "Weighted mean of the criteria, 0 to 1.",
    "reasons": "Why it stands where it does, in words.",
    "area_km2": "Geodesic area.",
    "measure": "Id of the measure.",
    "effect": "What the measure does to the leg.",
    "in_force": "yes if it was in force on the day asked about.",
    "as_of": "The day asked about.",
    "claim": "Id of a claim.",
    "source": "Id of a source, or the citation.",
    "sheet": "Layer of this file.",
}


def alias(name: str) -> str:
    """Name of a column for people.

    Examples
    --------
    >>> alias("capacity_mw_low"), alias("name_ko"), alias("asserted_by")
    ('Capacity, low', 'Name, Korean', 'Asserted by')
    """
    if name in _ALIASES:
        return _ALIASES[name]
    plain = name
    for ending, _ in _UNITS:
        if name.endswith(ending) and name != ending:
            qualifier = ending.rpartition("_")[2]
            plain = name.removesuffix(ending)
            if qualifier in {"low", "high", "p90"}:
                plain += f", {qualifier.replace('p90', 'P90')}"
            break
    words = plain.replace("_", " ")
    return words[:1].upper() + words[1:]


def about(name: str) -> tuple[str, str]:
    """Say what a column of our own holds, and its unit.

    Returns
    -------
    tuple of str
        A sentence, made from the name where there is none of its own, and the unit;
        an empty one for text and for numbers whose name says none.

    Examples
    --------
    >>> about("distance_m")
    ('Along the geodesic on WGS 84.', 'm')
    """
    if name.startswith("share_"):
        return "Part of the score that comes from this criterion, 0 to 1.", "1"
    unit = next((unit for ending, unit in _UNITS if name.endswith(ending)), "")
    return _ABOUT.get(name, f"{alias(name)}."), unit
