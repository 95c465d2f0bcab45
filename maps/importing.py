"""``lodemap import``: a file of anybody's as a right layer, with a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from layers.errors import ReadError, SchemaError
from maps.progress import drawn_progress
from maps.results import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import geopandas as gpd

    Command = TypeVar("Command", bound=Callable[..., Any])


class Near(click.ParamType):  # type: ignore[type-arg]
    """``west,south,east,north`` in degrees, or ``anywhere``."""

    name = "BOX"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Read the box."""
        if value == "anywhere" or isinstance(value, tuple):
            return value
        try:
            west, south, east, north = map(float, str(value).split(","))
        except ValueError:
            self.fail(
                f"{value!r}: expected west,south,east,north in degrees, or anywhere",
                param,
                ctx,
            )
        if not -90 <= south <= north <= 90:
            self.fail(f"{value!r}: expected south below north", param, ctx)
        return (west, south, east, north)


_OPTIONS = (
    click.option("--crs", metavar="CODE", help="CRS of the numbers, as EPSG:5179."),
    click.option("--swap-xy", is_flag=True, help="Swap x and y (latitude came first)."),
    click.option(
        "--encoding", metavar="NAME", help="Encoding of the text, such as cp949."
    ),
    click.option("--layer", metavar="NAME", help="Layer, sheet or member to read."),
    click.option(
        "--lon",
        metavar="COLUMN",
        help="Column of longitudes, or of x; with --lat the same one, of pairs.",
    ),
    click.option("--lat", metavar="COLUMN", help="Column of latitudes, or of y."),
    click.option("--wkt", metavar="COLUMN", help="Column of Well-known text."),
    click.option("--mgrs", metavar="COLUMN", help="Column of grid references."),
    click.option(
        "--datum",
        type=click.Choice(["GCJ-02", "BD-09"]),
        help="Datum of the Chinese map the places were taken from.",
    ),
    click.option(
        "--mapping",
        metavar="FILE",
        help="TOML that says which columns are which; --draft of lodemap import "
        "proposes one.",
    ),
    click.option("--source", metavar="ID", help="Who made the file."),
    click.option("--licence", metavar="SPDX", help="Its licence, such as CC-BY-4.0."),
    click.option(
        "--near",
        type=Near(),
        metavar="BOX",
        help="Where all rows are expected: west,south,east,north in degrees, or "
        "anywhere.  [default: Korea and its borderlands, 118,33,132,47]",
    ),
    click.option(
        "--uncertainty-m",
        type=click.FloatRange(min=0, min_open=True),
        metavar="METRES",
        help="How far off each row may be, on top of what is known.",
    ),
    click.option(
        "--coarse",
        is_flag=True,
        help="Take grid references of fewer than 4 digits (squares of 10 or 100 km).",
    ),
    click.option(
        "--drop-unplaced",
        is_flag=True,
        help="Leave out rows that lie elsewhere or whose place cannot be read.",
    ),
    click.option(
        "--no-repair",
        is_flag=True,
        help="Refuse what would have to be mended or left out.",
    ),
)


def reading_options(command: Command) -> Command:
    """Give a command the flags that say how a file is read.

    Parameters
    ----------
    command
        Takes them as keywords, of which :func:`flags_of` makes those of
        :func:`layers.read`.

    Returns
    -------
    callable
        The command, with more options.
    """
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def flags_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Turn flags into keywords of :func:`layers.read`.

    Parameters
    ----------
    given
        What click gives for :func:`reading_options`.

    Returns
    -------
    dict
        Keywords.
    """
    return {**{k: v for k, v in given.items() if k != "no_repair"}} | {
        "repair": not given["no_repair"]
    }


def added_layer(
    file: str, *, unsourced: bool, flags: Mapping[str, Any]
) -> gpd.GeoDataFrame:
    """Read a file for a page, where every mark says who claims it.

    Parameters
    ----------
    file
        Anything that ``lodemap import`` reads.
    unsourced
        Whether its features may lack evidence.
    flags
        What click gives for :func:`reading_options`.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326.

    Raises
    ------
    ReadError
        If the file cannot be read, or something is not proved.
    SchemaError
        If a feature lacks evidence and may not.
    """
    _let_readers_load()
    import layers

    imported = layers.read(file, unsourced=True, **flags_of(flags))
    report, gdf = imported.report, imported.layer
    if unsourced:
        return gdf
    missing = [c for c, count in report.lacks.items() if count == report.rows_out]
    if missing:
        raise SchemaError(
            f"{report.file}: {', '.join(missing)} is missing; every feature needs it. "
            "Say it with --mapping FILE, which lodemap import --draft proposes (also "
            "--source ID and --uncertainty-m METRES), or add --unsourced"
        )
    layers.check_features(gdf, report.file)
    return gdf.astype({"uncertainty_m": "float64", "precision_code": "int64"})


def _let_readers_load() -> None:
    """Let what reads files load while this process loads what it needs itself."""
    from layers.importing.processes import get_ready

    get_ready()


@click.command("import")
@click.argument("file")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="Layer to write: .gpkg, .fgb, .geojson or .parquet.  [default: FILE's name "
    "with .gpkg, here]",
)
@click.option(
    "--draft",
    is_flag=True,
    help="Write no layer; print a mapping for FILE, to be looked through.",
)
@reading_options
@click.option(
    "--unsourced", is_flag=True, help="Let the layer lack a source; it is marked so."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_(
    *,
    file: str,
    output: str | None,
    draft: bool,
    unsourced: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Import FILE as a layer in our schema, and print a report of what was done.

    FILE is a GeoPackage, Shapefile, GeoJSON, KML, CSV, XLSX or another kind that GDAL
    reads, or a zip of one. Nothing is guessed: what is not proved by the data and
    the area in which rows are expected is refused, in one line that names the flag
    which mends it. What is mended or left out is counted and named.

    OUT is written whole or not at all; the report stands beside it, as
    NAME.import.json and NAME.import.txt.
    """
    _let_readers_load()
    import layers

    flags = flags_of(given)
    if draft:
        with drawn_progress() as progress:
            text = layers.draft_mapping(file, **_of_draft(flags), progress=progress)
        click.echo("\n".join(printable(line) for line in text.splitlines()))
        return
    target = Path(output or f"{Path(file).name.partition('.')[0]}.gpkg")
    if output is None and target.exists() and target.resolve() == Path(file).resolve():
        raise ReadError(f"{target} is the file itself; say another name with -o OUT")
    with drawn_progress() as progress:
        report = layers.import_file(
            file, target, unsourced=unsourced, progress=progress, **flags
        )
    if as_json:
        click.echo(report.to_json(), nl=False)
        return
    click.echo(str(report))
    click.echo(f"written     {printable(str(target))}")


def _of_draft(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the flags that a draft takes note of."""
    return {k: v for k, v in flags.items() if k in {"layer", "encoding"}}
