"""Words for sites: why one ranks as it does, and what all of them rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.solar_method import percent, span

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geo.raster.found import FoundSites
    from layers.siting.plan import SitingPlan

SYNTHETIC = "Synthetic terrain"
"""What every name, note and title says where the terrain is made up."""

_POORLY_KNOWN_KM = 5.0
"""From here on, reasons say how well the place of a feature is known. [km]"""


def title(plan: SitingPlan) -> str:
    """Return the title of a plan, marked where the terrain is made up.

    Parameters
    ----------
    plan
        The plan.

    Returns
    -------
    str
        Such as ``Synthetic terrain: solar sites …``.
    """
    return f"{SYNTHETIC}: {plan.title}" if plan.synthetic else plan.title


def note(plan: SitingPlan) -> str:
    """Say what a site is and is not.

    Parameters
    ----------
    plan
        The plan.

    Returns
    -------
    str
        Two or three sentences.
    """
    words = (
        f"Hypothetical: computed from the criteria in {plan.file}. No source names a "
        "site; ownership, ground and grid were not looked at on the spot."
    )
    if plan.synthetic:
        return f"{SYNTHETIC}: made up to try the method, no place on Earth. {words}"
    return words


def protocol(plan: SitingPlan, cell: str) -> str:
    """Say how the outline of a site was got.

    Parameters
    ----------
    plan
        The plan.
    cell
        Size of a cell in words.

    Returns
    -------
    str
        Two sentences.
    """
    return (
        f"Computed, not reported: the outline of cells of {cell} that meet {plan.file} "
        "and hang together. The uncertainty is half a cell's diagonal."
    )


def reasons(
    row: Mapping[str, float | str],
    *,
    labels: Mapping[str, str],
    features: Mapping[str, str],
    uncertainty_km: Mapping[str, float],
    synthetic: bool,
) -> str:
    """Say in plain words why a site ranks as it does.

    Parameters
    ----------
    row
        The site: ``slope_mean_deg``, ``slope_max_deg``, ``altitude_m``,
        ``ghi_kwh_per_m2``, ``score``, ``share_…`` and ``…_km``, with ``…_name`` where
        the feature has one.
    labels
        Words for each criterion with a share, by id.
    features
        Words for each feature that was measured to, by name.
    uncertainty_km
        How well the place of the nearest of each is known; said from 5 km. [km]
    synthetic
        Whether the terrain is made up.

    Returns
    -------
    str
        A sentence on the ground, one on distances, one on the score.
    """
    ground = (
        f"Mean slope {float(row['slope_mean_deg']):.1f}°, at most "
        f"{float(row['slope_max_deg']):.1f}°; altitude about "
        f"{round(float(row['altitude_m']) / 10) * 10} m; "
        f"{float(row['ghi_kwh_per_m2']):,.0f} kWh/m² a year."
    )
    away = []
    for name, label in features.items():
        called = str(row.get(f"{name}_name") or "")
        known = uncertainty_km.get(name, 0.0)
        doubt = (
            f", its place known to {known:.0f} km" if known >= _POORLY_KNOWN_KM else ""
        )
        what = f"{called} ({label}{doubt})" if called else f"the nearest {label}"
        away.append(f"{_km(float(row[f'{name}_km']))} from {what}")
    distances = f" {_listed(away)}." if away else ""
    shares = sorted(
        ((labels[k], float(row[f"share_{k}"])) for k in labels), key=lambda s: -s[1]
    )
    score = (
        f" Score {float(row['score']):.2f}, from "
        f"{', '.join(f'{k} {v:.2f}' for k, v in shares)}."
    )
    made_up = f"{SYNTHETIC}. " if synthetic else ""
    return f"{made_up}{ground}{distances}{score}"


def method(
    plan: SitingPlan, found: FoundSites, table: gpd.GeoDataFrame, cell: str
) -> dict[str, str]:
    """Put into words how the sites were found and what they would yield.

    Parameters
    ----------
    plan
        The plan.
    found
        What the search gave.
    table
        The sites, as they are described.
    cell
        Size of a cell in words.

    Returns
    -------
    dict
        Sentences under ``cells``, ``capacity``, ``sun``, ``energy`` and, where they
        have something to say, ``weights``, ``classes`` and ``synthetic``.
    """
    density, usable, sites = plan.density_mwp_per_km2, plan.usable_fraction, plan.sites
    joined = "at edges" if sites.connectivity == 4 else "at edges and corners"
    words = {
        "cells": (
            f"{found.cells:,} cells of {cell} were looked at by their centres; "
            f"{found.eligible_cells:,} ({found.eligible_area_m2 / 1e6:,.0f} km²) meet "
            f"every criterion. Joined {joined} they form {found.regions_found:,} "
            f"groups, of which {len(found.table):,} are at least {sites.min_km2:g} km² "
            f"and no more ragged than {sites.max_shape_index:g} times a square of the "
            f"same area. The best {len(table):,} are described. Slope is Horn's, with "
            "the width of cells in their own row."
        ),
        "capacity": (
            f"Capacity is the area inside a setback of {sites.setback_m:g} m, times "
            f"the part that could go inside a fence ({percent(usable.mid)}, range "
            f"{percent(usable.low)} to {percent(usable.high)}), times the modules on "
            f"such land ({density.mid:g} MW of modules on a square kilometre, range "
            f"{density.low:g} to {density.high:g}). Low goes with low, high with high."
        ),
        "sun": (
            "The year's irradiation is that of the raster"
            + (
                f" times {plan.bias.mid:g} (range {plan.bias.low:g} to "
                f"{plan.bias.high:g})"
                if (plan.bias.low, plan.bias.high) != (1, 1)
                else ""
            )
            + (
                f": {span(table['ghi_kwh_per_m2'])} kWh/m² at the sites"
                if len(table)
                else ""
            )
            + ". Its course over the months is that of the climatology that ships "
            "(MERRA-2), scaled to it."
        ),
        "energy": _energy(plan, table),
    }
    if plan.judged is not None:
        words["weights"] = (
            "Weights are the principal eigenvector of comparisons in pairs (Saaty); "
            f"their consistency ratio is {plan.judged.ratio:.3f}, where 0.10 is the "
            "most that is accepted."
        )
    if unknown := unknown_classes(plan, found):
        words["classes"] = unknown
    if plan.synthetic:
        words["synthetic"] = f"{SYNTHETIC}: nothing here is a place on Earth."
    return words


def rank_words(ranks: Mapping[str, Any]) -> str:
    """Say how the firmness of ranks was found.

    Parameters
    ----------
    ranks
        ``top_n``, ``draws``, ``seed``, ``weight_spread``, ``scenarios`` and
        ``not_in_it``.

    Returns
    -------
    str
        Some sentences.
    """
    others = [s["label"] for s in ranks["scenarios"][1:]]
    again = (
        f" The draws are shared out over {len(others) + 1} searches: as planned, "
        f"{', '.join(others)}. A site is the same in two searches when they have half "
        "of the smaller one in common; one that is gone counts as last."
        if others
        else " The search was not run again under other limits or on coarser cells."
    )
    return (
        f"{ranks['draws']:,} draws (seed {ranks['seed']}) of all weights, each "
        f"lognormal round the plan's with a spread of {ranks['weight_spread']:g}, and "
        "of one bias of the irradiation for all sites, uniform over its range."
        f"{again} Given are the share of draws in which a site is among the first "
        f"{ranks['top_n']}, and the 5th and 95th percentile of its rank. "
        f"{ranks['not_in_it']}"
    )


def unknown_classes(plan: SitingPlan, found: FoundSites) -> str:
    """Say how many cells are of classes that no legend knows.

    Parameters
    ----------
    plan
        The plan.
    found
        What the search gave.

    Returns
    -------
    str
        A sentence; empty where every class is known.
    """
    said = []
    for name, counts in found.codes.items():
        legend = plan.rasters[name].legend
        unknown = {code: n for code, n in counts.items() if code not in legend}
        if unknown:
            codes = ", ".join(map(str, sorted(unknown)))
            said.append(
                f"{sum(unknown.values()):,} cells of {name} are of classes that its "
                f"legend does not know ({codes}); they are excluded."
            )
    return " ".join(said)


def _energy(plan: SitingPlan, table: gpd.GeoDataFrame) -> str:
    plant, spread = plan.plant, plan.spread
    begin = (
        f"Energy is that of fixed racks ({plant.tilt_deg:g}° tilt) with "
        f"{plant.loss_percent:g} % losses"
    )
    if not len(table):
        return f"{begin}."
    ratio = (table["energy_gwh_p90"] / table["energy_gwh"]).min()
    return (
        f"{begin}: {span(table['yield_kwh_per_kwp'])} kWh for a kilowatt of modules. "
        f"P50 is the mean year; nine years in ten exceed P90, here {percent(ratio)} of "
        "it, from the range of the bias, the place "
        f"({percent(spread.resource, 1)}), the year ({percent(spread.interannual, 1)}) "
        f"and the model ({percent(spread.model, 1)}). The land is not in P90."
    )


def _km(value: float) -> str:
    return f"{value:.1f} km" if value < 10 else f"{value:.0f} km"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
