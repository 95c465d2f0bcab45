"""Figures of one run as Markdown tables, as goals met or missed, and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import peers
import report
from chains import ATLITE, FLOOR, OURS

if TYPE_CHECKING:
    from alone import Outcome
    from chains import Chain

PACKAGES = ("numpy", "numba", "scipy", "rasterio", "shapely", "pyproj", "geopandas")
THEIRS = ("atlite", "xarray-spatial", "exactextract", "scipy", "rasterio", "shapely")
NEVER = report.NEVER


@dataclass
class Row:
    """One chain, as far as it has come."""

    chain: Chain
    trouble: str = ""
    outcomes: list[Outcome] = field(default_factory=list)

    def median(self, name: str) -> float:
        values = [getattr(outcome, name) for outcome in self.outcomes]
        return float(np.median(values)) if values else math.nan


def machine(python: str, gdal: str) -> dict[str, Any]:
    """What the figures depend on."""
    import rasterio

    facts = report.machine("")
    del facts["postgis"]
    facts["packages"] = {name: version(name) for name in PACKAGES}
    facts["peers"] = peers.versions(python, THEIRS) if python else {}
    facts["gdal_in_rasterio"] = rasterio.__gdal_version__
    facts["gdaldem"] = gdal
    return facts


def header(facts: dict[str, Any], rows: int, cols: int, rounds: int) -> str:
    ours, theirs = (
        ", ".join(f"{name} {number}" for name, number in facts[key].items())
        for key in ("packages", "peers")
    )
    absent = "; ".join(
        f"{name} was not run: {why}" for name, why in peers.NOT_RUN.items()
    )
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB; "
        f"{facts['system']}; Python {facts['python']}; {ours}; GDAL "
        f"{facts['gdal_in_rasterio']} in rasterio, {facts['gdaldem']} for gdaldem. "
        f"Peers: {theirs or 'none'}. {absent}. {facts['date']}, load average before: "
        f"{facts['busy_before']}.\n\n"
        f"Synthetic test terrain of {rows:,} × {cols:,} cells. Medians of {rounds} "
        "(slow peers and growth: of fewer), a fresh process for every chain and round, "
        "chains in turn, page cache warm; from files to the result, after imports and "
        "one go on a tiny terrain. Memory: the most that the process and the programs "
        "it starts hold, imports included.\n"
    )


def chains(rows: dict[str, Row]) -> str:
    floor, mine = rows.get(FLOOR), rows.get(OURS)
    lines = [
        [
            *("chain", "does", "wall s", "min–max", "/ floor", "CPU s"),
            *("CPU / floor", "peak MB", "sites", f"/ {OURS}"),
        ]
    ]
    for row in rows.values():
        if not row.outcomes:
            lines.append([row.chain.name, row.trouble or "not reached", *[NEVER] * 8])
            continue
        walls = [outcome.wall_s for outcome in row.outcomes]
        found = row.outcomes[0].sites
        lines.append(
            [
                row.chain.name + (f" ({row.trouble})" if row.trouble else ""),
                row.chain.does,
                f"{row.median('wall_s'):.2f}",
                f"{min(walls):.2f}–{max(walls):.2f}",
                _ratio(row, floor, "wall_s"),
                f"{row.median('cpu_s'):.2f}",
                _ratio(row, floor, "cpu_s"),
                f"{row.median('peak_mb'):,.0f}",
                f"{found:,}" if found >= 0 else NEVER,
                _ratio(row, mine, "wall_s"),
            ]
        )
    return f"### Side by side\n\n{report.table(lines)}"


def _ratio(row: Row, other: Row | None, name: str) -> str:
    value = ratio(row, other, name)
    return NEVER if math.isnan(value) else f"{value:.2f}"


def ratio(row: Row | None, other: Row | None, name: str) -> float:
    if row is None or other is None:
        return math.nan
    return row.median(name) / other.median(name)


def judges(verdicts: dict[str, Any]) -> str:
    lines = [["question", "answer"]]

    def line(question: str, *answer: str) -> None:
        lines.append([question, "".join(answer)])

    if slope := verdicts.get("slope"):
        line(
            f"slope against float64, most in {slope['cells']:,.0f} cells",
            f"Lodemap {slope['lodemap']:.1e}°, gdaldem {slope['gdaldem']:.1e}°",
        )
    if buffers := verdicts.get("buffers"):
        for name, wrong in buffers["errors"].items():
            line(
                f"500 m about roads, {buffers['cells']:,} cells, {name}",
                f"{wrong['kept_though_inside']:,} kept though inside, ",
                f"{wrong['excluded_though_outside']:,} excluded though outside",
            )
    if shapes := verdicts.get("polygons"):
        line(
            f"{shapes['polygons']:,} polygons, {shapes['vertices']:,} vertices",
            f"{shapes['not_valid']} not valid; area off cells × cell area by at most ",
            f"{shapes['largest_area_difference_m2']:.2g} m²",
        )
    if zones := verdicts.get("zones"):
        off = zones["largest_differences"]
        line(
            f"exactextract on {zones['sites']} of {zones['of']:,} sites, most",
            f"count {off['count']:.2g}, mean slope {off['slope_deg']:.1e}°, ",
            f"mean GHI {off['ghi_bilinear']:.1e} kWh/m² ",
            f"(by area of 240 m cells: {off['ghi_by_area']:.1e})",
        )
    if odd := verdicts.get("disagreement"):
        line("sites, Lodemap and atlite", _pair(odd["sites"]))
        line("eligible cells", _pair(odd["eligible_cells"]))
        line("cells in sites", _pair(odd["cells_in_sites"]))
        line(
            "sites alike in cells and bounds",
            f"{odd['sites_alike_in_cells_and_bounds']:,}",
        )
        for name, words in (("ours_only", "Lodemap"), ("theirs_only", "atlite")):
            cells = odd[name]
            line(
                f"cells in sites of {words} alone",
                f"{cells['cells']:,}: {cells['eligible']:,} eligible, ",
                f"{cells['not_eligible']:,} not, ",
                f"{cells['too_near_to_a_limit_to_say']:,} at a limit",
            )
    if same := verdicts.get("invariance"):
        line(
            f"{', '.join(same['digests'])}",
            "the same digest" if same["same"] else f"DIFFER: {same['digests']}",
        )
    return f"### Judged\n\n{report.table(lines)}"


def _pair(values: list[int]) -> str:
    return " and ".join(f"{value:,}" for value in values)


def growth(grown: list[tuple[int, Row, Row, Row]]) -> str:
    lines = [
        [
            *("cells", "floor s", f"{OURS} s", "/ floor", "CPU s", "CPU / floor"),
            *("peak MB", "best 500: s", "/ floor", "peak MB"),
        ]
    ]
    for cells, floor, mine, best in grown:
        if not (mine.outcomes and best.outcomes):
            trouble = mine.trouble or best.trouble
            lines.append([f"{cells:,}", trouble, *[NEVER] * 8])
            continue
        lines.append(
            [
                f"{cells:,}",
                f"{floor.median('wall_s'):.2f}",
                f"{mine.median('wall_s'):.2f}",
                _ratio(mine, floor, "wall_s"),
                f"{mine.median('cpu_s'):.2f}",
                _ratio(mine, floor, "cpu_s"),
                f"{mine.median('peak_mb'):,.0f}",
                f"{best.median('wall_s'):.2f}",
                _ratio(best, floor, "wall_s"),
                f"{best.median('peak_mb'):,.0f}",
            ]
        )
    wall, cpu = (slope_of(grown, name) for name in ("wall", "cpu"))
    return (
        f"### Growth\n\n{report.table(lines)}\n"
        f"Slope of log time on log cells: wall {wall:.2f}, CPU {cpu:.2f}.\n"
    )


def slope_of(grown: list[tuple[int, Row, Row, Row]], name: str) -> float:
    done = [
        (cells, mine.median(f"{name}_s"))
        for cells, _, mine, _ in grown
        if mine.outcomes
    ]
    if len(done) < 2:
        return math.nan
    cells, seconds = np.log(np.array(done)).T
    return float(np.polyfit(cells, seconds, 1)[0])


def goals(result: dict[str, Any]) -> str:
    """What was to be reached, beside what was."""
    rows, verdicts = result.get("chains", {}), result.get("judges", {})
    mine, floor, peer = rows.get(OURS), rows.get(FLOOR), rows.get(ATLITE)
    lines = [["goal", "limit", "reached", ""]]

    def line(words: str, limit: str, value: float, met: bool, form: str) -> None:
        if not math.isnan(value):
            lines.append(
                [words, limit, format(value, form), "met" if met else "missed"]
            )

    wall, cpu = ratio(mine, floor, "wall_s"), ratio(mine, floor, "cpu_s")
    line("whole job over the floor, wall", "≤ 1.5", wall, wall <= 1.5, ".2f")
    line("whole job over the floor, CPU", "≤ 1.5", cpu, cpu <= 1.5, ".2f")
    peak = mine.median("peak_mb") if mine else math.nan
    line("peak memory [MB]", "≤ 1,000", peak, peak <= 1000, ",.0f")
    faster = ratio(peer, mine, "wall_s")
    line("times as fast as the atlite chain", "≥ 20", faster, faster >= 20, ".1f")
    if slope := verdicts.get("slope"):
        worst = slope["lodemap"]
        line("slope error [degrees]", "≤ 2e-5", worst, worst <= 2e-5, ".1e")
    if buffers := verdicts.get("buffers"):
        wrong = sum(buffers["errors"]["Lodemap"].values())
        line("wrong cells about roads", "0", wrong, not wrong, "d")
    if shapes := verdicts.get("polygons"):
        bad = shapes["not_valid"]
        line("polygons not valid", "0", bad, not bad, "d")
        off = shapes["largest_area_difference_m2"]
        line("area error [m²]", "0", off, off < 1e-3, ".2g")
    if zones := verdicts.get("zones"):
        off = zones["largest_differences"]["count"]
        line("count off exactextract's", "0", off, off < 1e-6, ".2g")
    if odd := verdicts.get("disagreement"):
        more = odd["sites"][0] - odd["sites"][1]
        line("sites more than atlite's", "0", more, not more, "d")
        wrong = odd["ours_only"]["not_eligible"]
        line("cells of ours that are not eligible", "0", wrong, not wrong, "d")
    if same := verdicts.get("invariance"):
        many = len(set(same["digests"].values()))
        line("different digests", "1", many, many == 1, "d")
    steep = slope_of(result.get("growth", []), "wall")
    line("slope of log time on log cells", "≤ 1.05", steep, steep <= 1.05, ".2f")
    return f"### Goals\n\n{report.table(lines)}"


def as_json(result: dict[str, Any]) -> Any:
    """Everything that was measured; what was not is null."""

    def plain(value: Any) -> Any:
        if isinstance(value, Row):
            return {
                "chain": value.chain.name,
                "does": value.chain.does,
                "trouble": value.trouble,
                "rounds": [asdict(outcome) for outcome in value.outcomes],
            } | {
                f"median_{name}": plain(value.median(name))
                for name in ("wall_s", "cpu_s", "peak_mb")
            }
        if isinstance(value, dict):
            return {key: plain(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [plain(part) for part in value]
        return None if isinstance(value, float) and math.isnan(value) else value

    return plain(result)
