"""``lodemap query``: SQL over the layers that ship and files of one's own."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from layers.engine import MEMORY_GB
from layers.errors import QueryError
from maps.progress import drawn_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

_ENDINGS = {
    ".csv": "csv",
    ".geojson": "geojson",
    ".json": "json",
    ".parquet": "parquet",
    ".geoparquet": "parquet",
}


@click.command()
@click.argument("text", metavar="QUERY")
@click.option(
    "--file",
    "named",
    multiple=True,
    metavar="NAME=FILE",
    help="Let FILE be the table NAME; as often as you like.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write .csv, .geojson, .json or .parquet.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "geojson"]),
    help="Print this instead of a table.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=40,
    show_default=True,
    help="Rows of a printed table; 0 for all.",
)
@click.option(
    "--memory-gb",
    type=float,
    default=MEMORY_GB,
    show_default=True,
    help="Memory that the engine may take.",
)
def query(
    *,
    text: str,
    named: tuple[str, ...],
    output: str | None,
    form: str | None,
    limit: int,
    memory_gb: float,
) -> None:
    """Answer QUERY, one SELECT in SQL; - reads it from stdin.

    Tables are the layers that ship, as in lodemap query "SHOW TABLES", and the files
    that you name: CSV, GeoJSON, GeoPackage, FlatGeobuf, Shapefile, GeoParquet. In FROM
    may stand exact joins: within, intersects, nearest, within_distance and
    count_within, as in FROM nearest('deposits', 'crossings', k := 2). Metres come from
    geodesic_distance(a, b), geodesic_length(g) and, squared, geodesic_area(g).

    A query only reads, and only these tables. It is told on stderr where it measures
    in degrees or on a sphere.
    """
    import layers

    if output is not None and form is not None:
        raise QueryError("-o says the format by the ending of its name; drop --format")
    target = _target(output)
    asked = sys.stdin.read() if text == "-" else text
    with _told_on_stderr(), drawn_progress() as progress:
        found = layers.sql(
            asked, files=_files(named), memory_gb=memory_gb, progress=progress
        )
    if target is not None:
        _save(found, *target)
    else:
        _print(found, form or "table", limit)


def _files(named: tuple[str, ...]) -> dict[str, str]:
    """Paths by the names of their tables."""
    files: dict[str, str] = {}
    for pair in named:
        name, sign, path = pair.partition("=")
        if not (name and sign and path):
            raise QueryError(
                f"--file {pair[:80]}: expected NAME=FILE, as --file pits=pits.csv"
            )
        if name in files:
            raise QueryError(f"--file names {name[:80]} twice")
        files[name] = path
    return files


def _target(output: str | None) -> tuple[Path, str] | None:
    """File to write and its format, from its name."""
    if output is None:
        return None
    path = Path(output)
    kind = _ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise QueryError(
            f"-o {path.name[:80]}: expected a name that ends in {', '.join(_ENDINGS)}"
        )
    return path, kind


def _save(found: pd.DataFrame, path: Path, kind: str) -> None:
    """Write the rows to a file, whole or not at all, and print its path."""
    from layers.files import replacing
    from maps.results import WRITERS

    with replacing(path) as stream:
        WRITERS[kind](found, stream)
    click.echo(path)


def _print(found: pd.DataFrame, form: str, limit: int) -> None:
    """Print the rows; what of them is not shown is told on stderr."""
    from maps.results import WRITERS, table_lines

    if form != "table":
        WRITERS[form](found, sys.stdout.buffer)
        return
    if "explain_value" in found:
        click.echo("\n".join(found["explain_value"]))
        return
    lines, shortened = table_lines(found, limit)
    click.echo("\n".join(lines))
    if limit and len(found) > limit:
        _say(f"{limit} of {len(found)} rows shown; --limit 0 shows all, -o keeps them")
    if shortened:
        _say("some cells are shortened; --format csv or json gives them whole")


def _say(line: str) -> None:
    """Tell the reader something beside the data."""
    click.echo(f"lodemap: {line}", err=True)


@contextmanager
def _told_on_stderr() -> Iterator[None]:
    """Let what the query is warned of be a line on stderr, at once and every time."""
    import layers

    def show(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, layers.MeasureWarning):
            _say(str(message))
        else:
            shown(message, category, *place, **more)

    shown: Any = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("always", layers.MeasureWarning)
        warnings.showwarning = show
        yield
