"""Sites in the story: ranks, what they would hold, and what would change the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maps.facts import number, plain, rough
from maps.panel import Link
from maps.popup import dom_id
from maps.site_marks import SYNTHETIC, chance, input_label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.siting.portfolios import Portfolio
    from layers.siting.sites import SolarSites
    from maps.site_marks import SiteMarks

_LAND_USE = ("low", "mid", "high")
_DIGEST = 12


@dataclass(frozen=True, kw_only=True)
class Held:
    """Whether sites would hold a figure, at one land use.

    Attributes
    ----------
    land_use
        ``low``, ``mid`` or ``high``.
    possible
        Whether they would.
    text
        The answer in a few words.
    links
        The sites, where they would.
    """

    land_use: str
    possible: bool
    text: str
    links: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One assumption taken low and high, as a row of the table draws it.

    Attributes
    ----------
    label
        The assumption.
    values
        Low, planned and high, with their unit.
    outcome_low, outcome_high
        Energy of the first sites, as text. [GWh]
    kept_low, kept_high
        How many of the first sites stay, as text.
    spans
        Side (``lower`` or ``upper`` than planned), start and width of each bar. [%]
    """

    label: str
    values: str
    outcome_low: str
    outcome_high: str
    kept_low: str
    kept_high: str
    spans: tuple[tuple[str, float, float], ...]


def site_story(
    found: SolarSites,
    marks: SiteMarks,
    *,
    exchange_id: str,
    regions: Mapping[str, str],
) -> dict[str, Any]:
    """Everything that the template of the sites names.

    Parameters
    ----------
    found
        Sites.
    marks
        The same, as they are drawn.
    exchange_id
        Exchange whose page it is: the readings of another one are left out.
    regions
        Names of regions by their id.

    Returns
    -------
    dict
        For ``templates/sites.html``.
    """
    rows = [_row(row, marks, regions) for row in _records(found, marks)]
    method = {key: str(text) for key, text in found.method.items()}
    not_in_it = str(found.ranks["not_in_it"])
    firm = method.get("ranks", "").removesuffix(not_in_it).strip()
    own = found.exchange == exchange_id
    bars, planned, at = _bars(found)
    return {
        "title": found.title,
        "file": found.file,
        "synthetic": SYNTHETIC if found.synthetic else "",
        "top_n": int(found.ranks["top_n"]),
        "first": rows[: marks.numbered],
        "rest": rows[marks.numbered :],
        "shown": marks.shown,
        "off_m": marks.off_m,
        "described": len(found.table),
        "total": int(found.totals["sites"]),
        "holds": _holds(found, marks) if own else [],
        "other_exchange": found.exchange if not own and found.portfolios else "",
        "rules": found.rules,
        "method": method,
        "firm": firm,
        "not_in_it": not_in_it,
        "bars": bars,
        "planned": planned,
        "planned_at": at,
        "inputs": [_input(entry) for entry in found.inputs],
    }


def _records(found: SolarSites, marks: SiteMarks) -> list[dict[Any, Any]]:
    table = found.table.head(marks.shown)
    rows: list[dict[Any, Any]] = table.drop(columns="geometry").to_dict("records")
    return rows


def _row(
    row: Mapping[Any, Any],
    marks: SiteMarks,
    regions: Mapping[str, str],
) -> dict[str, Any]:
    """One site as the table of ranks shows it."""
    region = plain(row.get("region"))
    return {
        "link": _link(marks.keys[str(row["id"])], plain(row["name"]) or str(row["id"])),
        "rank": row["rank"],
        "region": regions.get(region, region),
        "mw": rough(float(row["capacity_mw"])),
        "mw_low": rough(float(row["capacity_mw_low"])),
        "mw_high": rough(float(row["capacity_mw_high"])),
        "gwh": rough(float(row["energy_gwh"])),
        "gwh_p90": rough(float(row["energy_gwh_p90"])),
        "slope": f"{float(row['slope_mean_deg']):.1f}°",
        "slope_max": f"{float(row['slope_max_deg']):.1f}°",
        "chance": chance(float(row["top_probability"])),
        "low": row["rank_low"],
        "high": row["rank_high"],
        "reasons": plain(row.get("reasons")),
    }


def _holds(found: SolarSites, marks: SiteMarks) -> list[dict[str, Any]]:
    """Each reading of the claim with its answer at each land use."""
    names = dict(zip(found.table["id"], found.table["name"], strict=True))
    readings: dict[str, dict[str, Any]] = {}
    for portfolio in found.portfolios:
        reading = readings.setdefault(
            portfolio.reading,
            {
                "id": portfolio.reading,
                "label": portfolio.label,
                "target": _target(portfolio),
                "held": {},
            },
        )
        reading["held"][portfolio.land_use] = _held(portfolio, marks, names)
    return [
        {**reading, "held": [reading["held"].get(use) for use in _LAND_USE]}
        for reading in readings.values()
    ]


def _target(portfolio: Portfolio) -> str:
    """Say what a reading asks for, to four digits."""
    amount = f"{number(portfolio.target)} {portfolio.target_unit}"
    return f"{amount} {'a year' if portfolio.target_unit == 'GWh' else 'of modules'}"


def _held(portfolio: Portfolio, marks: SiteMarks, names: Mapping[str, str]) -> Held:
    count = len(portfolio.sites)
    noun = "site" if count == 1 else "sites"
    area = f"{rough(portfolio.area_km2)} km²"
    if portfolio.possible:
        first = "the first site" if count == 1 else f"the first {count} {noun}"
        text = (
            f"Yes: {first}, {area}, {rough(portfolio.capacity_mw)} MW, "
            f"{rough(portfolio.energy_gwh)} GWh a year"
        )
    else:
        text = (
            f"No: all {count} {noun} described, {area}, reach "
            f"{100 * portfolio.reached:.0f} % of it"
        )
    links = tuple(
        _link(marks.keys[site], plain(names.get(site)) or site)
        for site in portfolio.sites
        if site in marks.keys
    )
    return Held(
        land_use=portfolio.land_use,
        possible=portfolio.possible,
        text=text,
        links=links if portfolio.possible else (),
    )


def _bars(found: SolarSites) -> tuple[list[Bar], str, float]:
    """Rows of the table of assumptions; the planned outcome and its place in %."""
    table = found.tornado
    if not len(table):
        return [], "", 0.0
    outcomes = table[["outcome_low", "outcome_planned", "outcome_high"]]
    least, most = float(outcomes.min().min()), float(outcomes.max().max())
    span = (most - least) or 1.0
    planned = float(table["outcome_planned"].iloc[0])

    def place(value: float) -> float:
        return round(100 * (value - least) / span, 2)

    bars = []
    for row in table.to_dict("records"):
        spans = []
        for end in ("outcome_low", "outcome_high"):
            if plain(row[end]):
                a, b = sorted((place(float(row[end])), place(planned)))
                side = "lower" if float(row[end]) < planned else "upper"
                spans.append((side, a, round(b - a, 2)))
        label = str(row["label"])
        bars.append(
            Bar(
                label=label[:1].upper() + label[1:],
                values=_values(row),
                outcome_low=_amount(row["outcome_low"]),
                outcome_high=_amount(row["outcome_high"]),
                kept_low=plain(row["top_n_kept_low"]) or "–",
                kept_high=plain(row["top_n_kept_high"]) or "–",
                spans=tuple(spans),
            )
        )
    return bars, rough(planned), place(planned)


def _values(row: Mapping[Any, Any]) -> str:
    """Low, planned and high with their unit; weights as shares of the whole."""
    unit, factor = plain(row["unit"]), 1.0
    if str(row["assumption"]).startswith("weight."):
        unit, factor = "%", 100.0
    ends = [plain(row[end]) for end in ("low", "planned", "high")]
    digits = 2 if unit == "%" else 4
    texts = [number(factor * float(end), digits) if end else "–" for end in ends]
    return f"{', '.join(texts)}{'' if unit in {'', '1'} else f' {unit}'}"


def _amount(value: object) -> str:
    text = plain(value)
    return rough(float(text)) if text else "–"


def _input(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One input with its files; a digest is shortened, its beginning is enough."""
    from maps.page import safe_url

    return {
        "label": input_label(entry),
        "layer": plain(entry["layer"]),
        "source": plain(entry["source"]),
        "url": safe_url(plain(entry["url"])),
        "licence": plain(entry["licence"]),
        "notice": plain(entry.get("notice")),
        "features": int(entry["features"]),
        "files": [
            {
                "name": plain(file["name"]),
                "size": _size(int(file["bytes"])),
                "digest": plain(file["sha256"])[:_DIGEST],
            }
            for file in entry["files"]
        ],
    }


def _size(count: int) -> str:
    """Size of a file in words."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"


def _link(key: str, text: str) -> Link:
    return Link(key=key, href=f"#{dom_id(key)}", text=text)
