"""Sites as an export holds them: dressed, described, with all that they rest on."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from layers.catalogue import catalogue, load_table
from layers.export.content import Content, Field, Relation, Style
from layers.export.exchange_tables import layer_table
from layers.export.sheets import (
    catalogue_sheet,
    first_view,
    ground_entries,
    newest,
    own_sheet,
    vector_sheet,
)
from layers.siting.backdrop import score_backdrop
from layers.symbology import MARKS

if TYPE_CHECKING:
    import pandas as pd

    from layers.export.content import Sheet
    from layers.siting.sites import SolarSites

LAYER = "sites"
"""Name of the layer of outlines."""

MARK = "mark"
"""Column of that layer that the table of sites does not have: what draws a site."""

_UNDRAWN = "zone-limit"  # a border whose line stands in the layer another time

_ABOUT = {
    "kind": "solar_site.",
    "precision_code": "5, estimated: a site is computed, not reported, and IATI has no "
    "code for that. How well its outline is known says the uncertainty.",
    "uncertainty_m": "Half the diagonal of a cell: the outline follows cells.",
    "status": "hypothetical: computed by us, claimed by nobody.",
    "region": "Region in which a point inside the site lies.",
    "area_km2": "Area on the ellipsoid, holes left out.",
    "net_area_km2": "Area inside the setback.",
    "capacity_mw": "Modules on the net area, at middle land use.",
    "capacity_mw_low": "The same at low land use.",
    "capacity_mw_high": "The same at high land use.",
    "energy_gwh": "Energy of a mean year (P50) at middle land use.",
    "energy_gwh_p90": "Energy that nine years in ten exceed, at middle land use.",
    "yield_kwh_per_kwp": "Energy of a mean year for a kilowatt of modules.",
    "ghi_kwh_per_m2": "Irradiation of a year on the level, bias corrected.",
    "slope_mean_deg": "Mean slope of the cells.",
    "slope_max_deg": "Steepest cell.",
    "altitude_m": "Mean altitude of the cells.",
    "shape_index": "How ragged the outline is: 1 for a square.",
    "score": "Weighted mean of the criteria, 0 to 1; the shares sum to it.",
    "top_probability": "Share of the draws in which it is among the first.",
    "rank_low": "5th percentile of the rank over the draws.",
    "rank_high": "95th percentile of the rank over the draws.",
    "mark": "Mark that draws it.",
}
_ALIASES = {
    "top_probability": "Probability of being among the first",
    "rank_low": "Rank, 5th percentile",
    "rank_high": "Rank, 95th percentile",
    "slope_mean_deg": "Slope, mean",
    "slope_max_deg": "Slope, most",
}


def sites_content(found: SolarSites) -> Content:
    """Take sites as an export that any writer of :mod:`layers.export` can write.

    Parameters
    ----------
    found
        Sites.

    Returns
    -------
    Content
        The layer ``sites`` with every column of the table, under the mark of the page,
        named by rank; the base map; and tables: criteria, method, data with their
        licences, portfolios and which sites are in each, what matters most, the
        searches behind the ranks, and the sources cited.
    """
    layer = _sites(found)
    ground = [vector_sheet(entry) for entry in reversed(ground_entries())]
    ground = [
        replace(
            sheet,
            table=sheet.table[sheet.table["kind"] != _UNDRAWN].reset_index(drop=True),
        )
        for sheet in ground
    ]
    sheets = [layer, *ground, *_tables(found)]
    sheets.append(layer_table(sheets))
    there = {sheet.id for sheet in sheets}
    links = (
        ("portfolio_sites", "site", LAYER, "id"),
        ("portfolio_sites", "portfolio", "portfolios", "id"),
    )
    return Content(
        id=f"{found.id}-sites",
        title=found.title,
        abstract=layer.abstract,
        sheets=tuple(sheets),
        backdrops=score_backdrop(found),
        relations=tuple(
            Relation(child=c, child_field=f, parent=p, parent_field=k)
            for c, f, p, k in links
            if {c, p} <= there
        ),
        dated=newest(sheets),
        version=version("lodemap"),
        bbox=first_view([layer]) if len(layer.table) else _box(found),
    )


def _sites(found: SolarSites) -> Sheet:
    """Make the layer of outlines."""
    mark = MARKS["site"]
    rows = found.table.copy()
    rows.insert(len(rows.columns) - 1, MARK, mark.key)
    abstract = (
        f"{found.title}: hypothetical, computed from rasters by criteria; named by no "
        "source. The first of those found, by score; see the tables method, criteria "
        "and data."
    )
    sheet = own_sheet(
        LAYER,
        found.title,
        abstract,
        rows,
        geometry="MultiPolygon",
        style=Style(marks=(mark,), label="rank"),
        group=mark.group,
    )
    fields = dict(sheet.fields)
    for name, text in _ABOUT.items():
        if name in fields:
            fields[name] = replace(fields[name], about=text)
    for name, text in _ALIASES.items():
        if name in fields:
            fields[name] = replace(fields[name], alias=text)
    fields |= {k: v for k, v in _fields(found).items() if k in fields}
    credited = dict.fromkeys(
        text
        for entry in found.inputs
        for text in (str(entry.get("notice") or entry["source"]),)
        if text
    )
    return replace(
        sheet,
        geometry="MultiPolygon",
        fields=fields,
        rights=f"{sheet.rights}, from: {'; '.join(credited)}",
        source=f"Computed by Lodemap from: {'; '.join(credited)}",
    )


def _fields(found: SolarSites) -> dict[str, Field]:
    """Columns that are named after the plan's own features and criteria."""
    fields = {}
    for entry in found.inputs:
        if entry["kind"] != "vector":
            continue
        name, label = str(entry["name"]), str(entry["label"])
        way = f"Distance to the nearest {label}"
        for ending, title, about in (
            ("km", f"Distance to {label}", f"{way}, from the outline, geodesic."),
            ("min_km", f"Distance to {label}, least", f"{way}, if it lies nearest."),
            ("max_km", f"Distance to {label}, most", f"{way}, if it lies farthest."),
        ):
            fields[f"{name}_{ending}"] = Field(alias=title, about=about, unit="km")
        fields[f"{name}_name"] = Field(
            alias=f"Nearest {label}", about=f"Name of the nearest {label}."
        )
    for rule in found.rules:
        fields[f"share_{rule.id}"] = Field(
            alias=f"Share of {rule.label} in the score",
            about="Part of the score that comes from this criterion, 0 to 1.",
            unit="1",
        )
    return fields


def _tables(found: SolarSites) -> list[Sheet]:
    """Tables of all that is said about the sites, those without a row left out."""
    import pandas as pd

    portfolios = {f"{p.reading}-{p.land_use}": p for p in found.portfolios}
    rows: dict[str, tuple[str, str, list[dict[str, Any]]]] = {
        "criteria": (
            "Criteria",
            "Which cells count, how they are scored, and why.",
            [
                {
                    "id": rule.id,
                    "label": rule.label,
                    "rule": rule.rule,
                    "weight": rule.weight,
                    "reason": rule.reason,
                    "source": rule.source,
                }
                for rule in found.rules
            ],
        ),
        "method": (
            "Method",
            "How it was done, and what is not in it, by topic.",
            [{"id": topic, "text": text} for topic, text in found.method.items()],
        ),
        "data": (
            "Data",
            "What the sites were computed from, its source and its licence.",
            [
                {k: v for k, v in entry.items() if k not in {"name", "files"}}
                | {"id": entry["name"], "files": _files(entry)}
                for entry in found.inputs
            ],
        ),
        "portfolios": (
            "Which sites would hold the claimed figure",
            "By reading of the claim and land use.",
            [
                {
                    "id": name,
                    "reading": one.reading,
                    "label": one.label,
                    "land_use": one.land_use,
                    "target": one.target,
                    "target_unit": one.target_unit,
                    "possible": "yes" if one.possible else "no",
                    "sites": len(one.sites),
                    "capacity_mw": one.capacity_mw,
                    "energy_gwh": one.energy_gwh,
                    "energy_gwh_p90": one.energy_gwh_p90,
                    "area_km2": one.area_km2,
                }
                for name, one in portfolios.items()
            ],
        ),
        "portfolio_sites": (
            "Which site is in which portfolio",
            "One row for each site of a portfolio.",
            [
                {"id": f"{name}.{site}", "portfolio": name, "site": site}
                for name, one in portfolios.items()
                for site in one.sites
            ],
        ),
        "tornado": (
            "What matters most",
            "One assumption a row, greatest effect on the first sites' energy first.",
            [
                {"id": str(row["assumption"]), **{str(k): v for k, v in row.items()}}
                for row in found.tornado.to_dict("records")
            ],
        ),
        "scenarios": (
            "Searches behind the ranks",
            "What was changed, and how many sites came out.",
            [
                {
                    "id": str(number + 1),
                    "label": one["label"],
                    "changes": "; ".join(
                        f"{k} = {v:.4g}" for k, v in one["changes"].items()
                    ),
                    "draws": one["draws"],
                    "sites": one["sites"],
                    "matched": one["matched"],
                }
                for number, one in enumerate(found.ranks.get("scenarios", ()))
            ],
        ),
    }
    sheets = [
        own_sheet(name, title, abstract, _id_first(pd.DataFrame(table)))
        for name, (title, abstract, table) in rows.items()
        if table
    ]
    cited = {one for text in found.table["sources"] for one in str(text).split()}
    known = load_table("sources")
    known = known[known["id"].isin(cited)].reset_index(drop=True)
    if len(known):
        sheets.append(catalogue_sheet(catalogue()["sources"], known))
    return sheets


def _id_first(table: pd.DataFrame) -> pd.DataFrame:
    return table[["id", *(c for c in table.columns if c != "id")]]


def _files(entry: Any) -> str:
    return " ".join(str(file["name"]) for file in entry["files"])


def _box(found: SolarSites) -> tuple[float, float, float, float]:
    """Bounds of what was searched, in degrees."""
    west, south, east, north = (float(edge) for edge in found.grid["bbox"])
    return west, south, east, north
