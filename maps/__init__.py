"""Show an exchange on one page: map, story, evidence cards and legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import folium
    import geopandas as gpd

    from layers.exchange import Exchange
    from layers.siting.sites import SolarSites
    from maps.classes import Palette, Scheme

__all__ = ["add_layer", "add_raster", "exchange_map", "picture", "save"]


def exchange_map(
    exchange: Exchange,
    *,
    extra_layers: Sequence[tuple[str, gpd.GeoDataFrame]] = (),
    sites: SolarSites | None = None,
    online_basemap: bool = False,
    language: str = "en",
    command: str = "",
) -> folium.Map:
    """Draw an exchange as a folium map with its story, cards and legend.

    Parameters
    ----------
    exchange
        From :func:`layers.load_exchange`.
    extra_layers
        Pairs of a name and features in EPSG:4326, as for :func:`add_layer`.
    sites
        From :func:`layers.solar.sites` or :func:`layers.solar.read_sites`: drawn with
        their ranks and told of in the story, the raster of their scores under them
        where it was written. The map computes nothing about them.
    online_basemap
        Whether the page may ask OpenStreetMap for tiles when it is read. Off, the
        page asks the network for nothing.
    language
        Language in which the page opens: ``en``, ``ko`` or ``zh``. The reader can
        change it; text of the data stays in its own.
    command
        Command line to be told on the page, without paths of this machine.

    Returns
    -------
    folium.Map
        To which folium elements can be added, and which :func:`save` writes.

    Raises
    ------
    geo.errors.GeoError
        If an extra layer cannot be drawn, see :func:`add_layer`; or the raster of
        scores, see :func:`add_raster`; or the language is none of the page's.

    Examples
    --------
    >>> import layers
    >>> page = exchange_map(layers.load_exchange("pobeda-2014"))
    >>> type(page).__mro__[1].__module__
    'folium.folium'
    """
    from maps.exchange import build

    return build(
        exchange,
        extra_layers=extra_layers,
        sites=sites,
        online_basemap=online_basemap,
        language=language,
        command=command,
    )


def add_layer(
    page: folium.Map,
    gdf: gpd.GeoDataFrame,
    *,
    name: str,
    style: Mapping[str, str] | None = None,
    column: str | None = None,
    scheme: Scheme | None = None,
    k: int = 5,
    palette: Palette | None = None,
    unit: str = "",
    resolution_m: float | None = None,
    draw: Literal["auto", "marks", "canvas"] = "auto",
    tiles: str | os.PathLike[str] | None = None,
) -> None:
    """Add an analyst's own layer to a map, of a few features or of a million.

    Each feature gets a card with its columns. All text is taken as text: markup in a
    value, a column name or the layer's name is shown and never run. Up to 500 features
    are marks of the document; more are drawn on a canvas, with the same symbols,
    legend, cards, search and keys. Both are filtered, counted and listed alike.

    Parameters
    ----------
    page
        From :func:`exchange_map`.
    gdf
        Points, lines or polygons in EPSG:4326, shape ``(n,)``. Rows without a geometry,
        or with one that is empty or not finite, are counted in the legend and not
        drawn. An edge of more than 180° of longitude goes the shorter way, over the
        antimeridian. The columns ``name``, ``name_ko``, ``name_zh``, ``kind``,
        ``status``, ``note``, ``sources`` and ``uncertainty_m`` are used where they are
        there.
    name
        Name in the legend.
    style
        ``colour``, a role of :data:`layers.symbology.LIGHT`, and ``symbol``, one of
        :data:`layers.symbology.SYMBOLS`.
    column
        Column by which features are coloured; one colour for all without.
    scheme
        How numbers are classed: ``"quantiles"``, which is the default for them,
        ``"equal-interval"``, ``"natural-breaks"``, ``"standard-deviation"`` or
        ``"head-tail"``; ``"categories"`` for texts.
    k
        Classes of numbers, 2 to 8.
    palette
        ``"sequence"``, ``"diverging"`` or ``"categories"``: all can be told apart by
        eyes that miss one kind of cone.
    unit
        What the numbers of ``column`` are; taken from the ending of its name, such as
        ``_mw``, if empty.
    resolution_m
        Step to which coordinates are rounded on a canvas: the least ``uncertainty_m``
        of the layer and 1 m at most, when not given. The legend says what it cost. [m]
    draw
        ``"marks"`` or ``"canvas"``, whatever the size.
    tiles
        Archive, ``.pmtiles``, to write the layer to at once, beyond what one file
        should hold; :func:`save` can do so as well. The page has to be saved beside it;
        it draws counts by itself and reads the features in view from the archive, which
        needs a host that sends parts of files: any static one does, and ``lodemap
        preview``. Such a layer can be filtered by its classes only.

    Raises
    ------
    geo.errors.CRSMissingError, geo.errors.CRSMismatchError, geo.errors.AxisOrderError
        If the layer is not in longitude and latitude.
    geo.errors.GeometryError
        If a polygon goes round a pole.
    geo.errors.GeometryTypeError
        If it holds collections of geometries.
    maps.page.PageError
        If the map is not one of ours, an option is unknown, there is no such column, or
        more than 5000 features are to be marks; or tiles are to hold features without
        a place only.
    layers.errors.ExtraMissingError
        If there are to be tiles, and the extra ``tiles`` is not installed.

    Notes
    -----
    Coordinates are whole steps in Web Mercator, which ends at 85.05° of latitude:
    points beyond have no place, shapes that reach beyond are cut there.
    """
    from maps.added import add_layer as add

    add(
        page,
        gdf,
        name=name,
        style=style,
        column=column,
        scheme=scheme,
        k=k,
        palette=palette,
        unit=unit,
        resolution_m=resolution_m,
        draw=draw,
        tiles=tiles,
    )


def add_raster(
    page: folium.Map,
    path: str | os.PathLike[str],
    *,
    name: str,
    unit: str = "",
    about: str = "",
    clear: str = "no value",
    band: int = 1,
    limits: tuple[float, float] | None = None,
) -> None:
    """Lay a raster under the marks of a map, with its key and its opacity.

    Parameters
    ----------
    page
        From :func:`exchange_map`.
    path
        Raster that GDAL can open, in any CRS, north up. Its scale, offset and nodata
        are those that the file states.
    name, unit, about
        Name in the legend, what the numbers are, and what the layer shows.
    clear
        What it means where nothing is drawn.
    band
        Band to draw, counted from 1.
    limits
        Values of the faintest and the strongest colour; the range of the values,
        rounded outwards, when not given.

    Raises
    ------
    geo.errors.CRSMissingError
        If the file names no CRS.
    geo.errors.GridError
        If it is no raster or truncated, has no such band, is not north up, holds no
        value, or lies across the antimeridian or beyond 85° of latitude.
    maps.page.PageError
        If the map is not one of ours, it has a raster of that name already, or
        ``limits`` are not two numbers, the smaller first.
    """
    from maps.overlay import add_overlay, read_overlay

    overlay = read_overlay(
        path,
        name=name,
        unit=unit,
        about=about,
        clear=clear,
        band=band,
        limits=limits,
    )
    add_overlay(page, overlay)


def picture(
    exchange: Exchange,
    path: str | os.PathLike[str],
    *,
    extra_layers: Sequence[tuple[str, gpd.GeoDataFrame]] = (),
    report: bool = False,
    width_mm: float = 180.0,
    dpi: int = 300,
    language: Literal["en", "ko", "zh"] = "en",
    dark: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draw an exchange for print: its map with legend and credits, or a report.

    Parameters
    ----------
    exchange
        From :func:`layers.load_exchange`.
    path
        File to write, whole or not at all; it ends in ``.png``, ``.svg`` or ``.pdf``.
    extra_layers
        Pairs of a name and features in EPSG:4326, as for :func:`add_layer`.
    report
        Whether it is the report on A4 pages, a tagged PDF: map, evidence with
        footnotes, measures in force, readings, candidate areas, method, sources.
    width_mm
        Width of a picture; the height follows from what it holds. [mm]
    dpi
        Pixels to the inch of a PNG. [1/in]
    language
        Of the names and the legend; the text of a report is English.
    dark
        Whether the dark palette is used.
    progress
        Called with the steps done and all steps.

    Returns
    -------
    pathlib.Path
        The file. The same exchange, versions and fonts give the same bytes.

    Raises
    ------
    maps.pictures.order.PictureError
        If there is no such format or language, or a size is absurd.
    layers.errors.ExtraMissingError
        If the extra ``picture`` is not installed.
    layers.errors.WriteError
        If the file cannot be written: no such folder, no permission, no room.

    Notes
    -----
    No browser and no network is needed: the drawing is SVG of our own, from the very
    layers of the page, and Typst makes PNG and PDF of it. Characters that no font on
    the machine has are named on the log.
    """
    from pathlib import Path

    from maps.exchange import build
    from maps.pictures.order import Order
    from maps.pictures.writing import write_picture

    order = Order(
        path=Path(path),
        report=report,
        width_mm=width_mm,
        dpi=dpi,
        language=language,
        dark=dark,
    )
    page = build(exchange, extra_layers=extra_layers)
    return write_picture(exchange, page, order, progress=progress)


def save(
    page: folium.Map,
    path: str | os.PathLike[str],
    *,
    tiles: bool | Literal["auto"] = False,
) -> Path:
    """Write a map as one HTML file that needs no network; large layers beside it.

    Parameters
    ----------
    page
        From :func:`exchange_map`.
    path
        File to write. A file that stands there is replaced whole or not at all.
    tiles
        Whether layers on a canvas stand in archives of tiles beside the page, which
        then has to be read from a host: all of them, or with ``"auto"`` the largest,
        as long as packed ones take more than 40 MB. Without, all is in one file, and a
        warning on the log names this argument where that is larger.

    Returns
    -------
    pathlib.Path
        The page. Each archive is named after it and by its own SHA-256, so that no
        page meets the archive of another.

    Raises
    ------
    maps.page.PageError
        If the page would ask the network for something that it was not allowed, or
        ``tiles`` is none of these.
    layers.errors.ExtraMissingError
        If there are to be tiles, and the extra ``tiles`` is not installed.
    layers.errors.WriteError
        If the file cannot be written: no such folder, no permission, no room.
    """
    from maps.beside import save as write

    return write(page, path, tiles=tiles)[0]
