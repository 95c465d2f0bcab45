"""``lodemap sites``: solar sites by a plan, ranked, written as a folder of files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maps.progress import drawn_progress
from maps.results import printable

if TYPE_CHECKING:
    from layers.siting.sites import SolarSites

WORK = ".sites-work"
"""Folder in which an unfinished search is kept, inside that of the sites."""


@click.command()
@click.argument("plan")
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    help="Where to write; PLAN's id and -sites if none.",
)
@click.option(
    "--data",
    metavar="FOLDER",
    help="Folder of the plan's files; its own, or that of public files, if none.",
)
@click.option("--keep", type=click.IntRange(min=1), help="How many sites to describe.")
@click.option(
    "--draws",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    help="Draws of weights and of the bias of the sunlight.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the draws; the same gives the same.",
)
@click.option(
    "--no-reruns",
    is_flag=True,
    help="Do not search again with other limits and coarser cells.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Keep what is done in FOLDER, and go on with it after a kill.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sites(
    *,
    plan: str,
    output: str | None,
    data: str | None,
    keep: int | None,
    draws: int,
    seed: int,
    no_reruns: bool,
    resume: bool,
    as_json: bool,
) -> None:
    """Find and rank solar sites by PLAN, and write them to a folder.

    PLAN is the id of a plan that ships, or the path of a TOML file. The folder gets
    sites.gpkg (the outlines and the tables behind them, which open dressed in QGIS, as
    the project sites.qgz does), sites.csv, score.tif and mask.tif, and sites.json: what
    would hold the claimed figure, how firm each rank is and what matters most, the
    method, and the data with their licences. Each file is written whole or not at all.
    Every site is hypothetical: computed, named by no source.
    """
    from layers.siting.files import NAMES, staged, write_sites
    from layers.siting.plan import read_plan
    from layers.siting.sites import sites as find

    settings = read_plan(plan)
    folder = Path(output or f"{settings.id}-sites")
    work = folder / WORK
    with staged(folder) as stage, drawn_progress() as progress:
        found = find(
            settings,
            data=data,
            keep=keep,
            draws=draws,
            seed=seed,
            reruns=not no_reruns,
            folder=stage,
            workspace=work if resume else None,
            progress=progress,
        )
        write_sites(found, stage)
    shutil.rmtree(work, ignore_errors=True)
    if as_json:
        _print_json(found, folder)
        return
    for name in NAMES:
        if (folder / name).is_file():
            click.echo(folder / name)
    for line in _summary(found):
        click.echo(printable(line))


def _print_json(found: SolarSites, folder: Path) -> None:
    """Print all that is said about the sites, and their table without outlines."""
    from layers.siting.files import about_sites

    rows = json.loads(found.table.drop(columns="geometry").to_json(orient="records"))
    about = {"folder": str(folder), **about_sites(found), "sites": rows}
    click.echo(json.dumps(about, ensure_ascii=False, indent=2))


def _summary(found: SolarSites) -> list[str]:
    """Say what was found: the first sites, what they would hold, what matters most."""
    totals, top_n = found.totals, found.ranks["top_n"]
    area = f"{totals['sites_km2']:,.0f} km²"
    lines = ["", f"{found.title}: {totals['sites']:,} sites, {area}, hypothetical"]
    if not len(found.table):
        lines.append(
            f"No site: {totals['eligible_cells']:,} of {totals['cells']:,} cells meet "
            f"every criterion, in {totals['groups']:,} groups that are too small or "
            "too ragged"
        )
        return lines
    lines += ["", *_first(found, top_n), ""]
    lines += [_holds(found, reading) for reading in _readings(found)]
    if len(found.tornado):
        most = found.tornado.iloc[0]
        lines.append(
            f"Matters most for the energy of the first {top_n}: {most['label']}"
        )
    return lines


def _first(found: SolarSites, top_n: int) -> list[str]:
    """Put the first sites into columns."""
    header = (
        "rank",
        "site",
        "km²",
        "MW (range of land use)",
        "GWh a year",
        "P90",
        "score",
        f"in first {top_n}",
        "rank 5–95 %",
    )
    rows = [header, *map(_cells, found.table.head(top_n).to_dict("records"))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i == 1 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _cells(row: dict[Any, Any]) -> tuple[str, ...]:
    """Write one site as texts."""
    low, high = (f"{row[f'capacity_mw_{end}']:,.0f}" for end in ("low", "high"))
    return (
        str(row["rank"]),
        str(row["name"]),
        f"{row['area_km2']:.1f}",
        f"{row['capacity_mw']:,.0f} ({low}–{high})",
        f"{row['energy_gwh']:,.0f}",
        f"{row['energy_gwh_p90']:,.0f}",
        f"{row['score']:.2f}",
        f"{100 * row['top_probability']:.0f} %",
        f"{row['rank_low']}–{row['rank_high']}",
    )


def _readings(found: SolarSites) -> list[str]:
    return list(dict.fromkeys(p.reading for p in found.portfolios))


def _holds(found: SolarSites, reading: str) -> str:
    """Say how many of the sites would hold one reading of the claim."""
    by_use = {str(p.land_use): p for p in found.portfolios if p.reading == reading}
    words = []
    for use, name in (("mid", "middle"), ("low", "low"), ("high", "high")):
        portfolio = by_use[use]
        count = len(portfolio.sites)
        answer = f"the first {count}" if count > 1 else "the first site"
        if not portfolio.possible:
            answer = f"not all of them ({100 * portfolio.reached:.0f} %)"
        words.append(f"{answer} at {name} land use")
    return f"{reading}, {by_use['mid'].label}, would be held by {', '.join(words)}"
