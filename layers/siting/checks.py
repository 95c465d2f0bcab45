"""A look at samples of rasters: units that cannot be right, classes nobody knows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import CriteriaError, GridError
from geo.raster.reading import open_raster

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.raster.suitability import Criteria
    from layers.siting.tables import RasterInput

    Floats = NDArray[np.float64]
    Box = tuple[float, float, float, float]

GHI = (500.0, 3000.0)
"""Between these lies a year's irradiation on the level anywhere on land. [kWh/m²]"""

_USUAL = 1450.0
"""What the mends are tried against: the nearest to it is named first. [kWh/m²]"""

STEEPEST = 45.0
"""Median slope above which no ground is believed. [degrees]"""

UNKNOWN_SHARE = 0.01
"""Share of cells of unknown classes from which on the legend is not believed. [1]"""

_HEIGHTS = (-500.0, 9000.0)
"""Between these lies all land. [m]"""

_FEET = (2.8, 3.8)
"""Ratio to the altitude that ships between which heights are in feet. [1]"""

_ALIKE = 0.6
"""Correlation with the altitude that ships from which on that ratio is believed."""

_HIGH = 50.0
"""Mean of the altitude that ships from which on it is. [m]"""

_SIDE = 256
"""Cells along a side of a sample."""

_SMALL = 1 << 20
"""Cells up to which a file is sampled whole."""

_PATCHES = 5
"""Patches along a side of a sample of a file without overviews."""

_THIN = 48
"""The same where few cells will do."""

_FILES = 9
"""Files of which samples are taken at full resolution."""

_FACTORS = (
    (365.25, 'a day\'s sum: set unit = "kWh/m²/day"'),
    (365.25 * 24 / 1000, 'a mean power: set unit = "W/m²"'),
    (1000.0, "a thousandth: set scale = 1000"),
    (1 / 1000, "in Wh/m²: set scale = 0.001"),
    (1 / 365.25, 'multiplied by the days of a year twice: set unit = "kWh/m²/year"'),
    (1000 / (365.25 * 24), 'a year\'s sum already: set unit = "kWh/m²/year"'),
    (0.1, "stored in tenths: set scale = 0.1"),
    (0.01, "stored in hundredths: set scale = 0.01"),
    (10.0, "stored in tens: set scale = 10"),
    (1 / 3.6, "in MJ/m²: set scale = 0.2778"),
)
"""What a wrong unit is usually out by, and its mend."""


def check_raster(
    entry: RasterInput,
    files: Sequence[Path],
    bounds: Box | None,
    criteria: Criteria,
) -> None:
    """Refuse a raster whose sample cannot be what the plan says.

    Parameters
    ----------
    entry
        What the plan says.
    files
        Its files.
    bounds
        West, south, east, north of the region, in degrees; None for everywhere.
    criteria
        Of the plan; only those about this raster matter.

    Raises
    ------
    CriteriaError
        If classes are unknown, or none is one that a criterion allows.
    GridError
        If values cannot be in the unit, or a file is truncated, or holds no value.
    """
    codes = entry.legend
    samples = [_sample(path, entry, bounds) for path in files]
    values = np.concatenate([s[np.isfinite(s)] for s in samples])
    if not len(values):
        raise GridError(
            f"rasters.{entry.name}: {files[0].name} holds no value in the region; "
            "every sampled cell is nodata"
        )
    if codes:
        _check_classes(entry, values, criteria)
    elif entry.name == "elevation":
        _check_heights(entry, values, files)
        _check_feet(entry, files, bounds)
        _check_slopes(entry, files, bounds)
    elif entry.name == "ghi":
        _check_sun(entry, values)


def _check_classes(entry: RasterInput, values: Floats, criteria: Criteria) -> None:
    codes, counts = np.unique(values, return_counts=True)
    unknown = ~np.isin(codes, list(entry.legend))
    share = counts[unknown].sum() / counts.sum()
    where = f"rasters.{entry.name}"
    if share > UNKNOWN_SHARE:
        named = ", ".join(f"{c:g}" for c in codes[unknown][:8])
        raise CriteriaError(
            f"{where}: {100 * share:.0f} % of the sampled cells are of classes that "
            f"the legend does not know ({named}); expected "
            f"{', '.join(map(str, entry.legend))}. Give the legend of this raster"
        )
    for criterion in criteria:
        allowed = list(criterion.classes)
        if criterion.id == entry.name and not np.isin(codes, allowed).any():
            raise CriteriaError(
                f"{where}: none of the sampled cells is of a class that the criterion "
                f"allows ({', '.join(map(str, allowed))}); there are "
                f"{', '.join(f'{c:g}' for c in codes[:12])}"
            )


def _check_heights(entry: RasterInput, values: Floats, files: Sequence[Path]) -> None:
    low, high = float(values.min()), float(values.max())
    if low < _HEIGHTS[0] or high > _HEIGHTS[1]:
        odd = low if low < _HEIGHTS[0] else high
        raise GridError(
            f"rasters.elevation: {files[0].name} and its like hold {odd:g} m; expected "
            f"{_HEIGHTS[0]:g} to {_HEIGHTS[1]:g} m. If that number means no value, set "
            'nodata; if heights are in feet, set unit = "ft"'
        )
    said = {_file_unit(path, entry.band) for path in files[:_FILES]}
    feet = {"ft", "foot", "feet", "us survey foot", "us-ft", "ftus"}
    if entry.unit == "m" and said & feet:
        raise GridError(
            f"rasters.elevation: {files[0].name} says its heights are in feet and the "
            'plan says metres; set unit = "ft"'
        )


def _check_feet(entry: RasterInput, files: Sequence[Path], bounds: Box | None) -> None:
    """Compare with the altitude that ships, where it covers the files."""
    step = max(1, len(files) // _FILES)
    pairs = np.concatenate([_beside(path, entry, bounds) for path in files[::step]])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if len(pairs) < 2 or not (pairs.std(axis=0) > 0).all():
        return
    ours, known = pairs.mean(axis=0)
    alike = np.corrcoef(pairs.T)[0, 1] >= _ALIKE
    if alike and known >= _HIGH and _FEET[0] * known <= ours <= _FEET[1] * known:
        raise GridError(
            f"rasters.elevation: {files[0].name} and its like rise to {ours:.0f} m on "
            f"average where the altitude that ships has {known:.0f} m. That looks like "
            'heights in feet taken for metres: set unit = "ft"'
        )


def _beside(path: Path, entry: RasterInput, bounds: Box | None) -> Floats:
    """Heights of a sample and the altitude that ships there, shape ``(n, 2)``. [m]."""
    from rasterio.warp import transform
    from rasterio.windows import Window

    from geo.raster import Grid, read
    from layers.catalogue import raster_path

    with open_raster(path) as source:
        whole = _window(source, bounds)
        if whole is None:
            return np.empty((0, 2))
        high, wide = int(whole.height), int(whole.width)
        if not source.overviews(entry.band) and high * wide > _SMALL:
            # A thin sample would decode the file whole.
            rows, columns = min(_SIDE, high), min(_SIDE, wide)
            left = whole.col_off + (wide - columns) // 2
            whole = Window(left, whole.row_off + (high - rows) // 2, columns, rows)
            high, wide = rows, columns
        shape = (min(_THIN, high), min(_THIN, wide))
        heights = _values(source, entry, window=whole, out_shape=shape)
        row = whole.row_off + (np.arange(shape[0]) + 0.5) * high / shape[0]
        column = whole.col_off + (np.arange(shape[1]) + 0.5) * wide / shape[1]
        across, down = (each.ravel() for each in np.meshgrid(column, row))
        to = source.transform
        x, y = to.c + to.a * across + to.b * down, to.f + to.d * across + to.e * down
        lon, lat = transform(source.crs, "EPSG:4326", x, y)
    shipped = raster_path("altitude")
    grid, altitude = Grid.of(shipped), read(shipped)
    row = np.floor((grid.north - np.array(lat)) / grid.dy).astype(np.int64)
    column = np.floor((np.array(lon) - grid.west) / grid.dx).astype(np.int64)
    on = (row >= 0) & (row < grid.shape[0]) & (column >= 0) & (column < grid.shape[1])
    return np.column_stack([heights.ravel()[on], altitude[row[on], column[on]]])


def _check_slopes(
    entry: RasterInput, files: Sequence[Path], bounds: Box | None
) -> None:
    step = max(1, len(files) // _FILES)
    slopes = [_slopes(path, entry, bounds) for path in files[::step]]
    found = np.concatenate(slopes)
    if len(found) and (median := float(np.median(found))) > STEEPEST:
        raise GridError(
            f"rasters.elevation: half of the sampled ground is steeper than "
            f"{median:.0f}°. That looks like heights in feet or centimetres taken for "
            'metres, or like cells in degrees taken for metres: set unit = "ft" or '
            "scale, or set the CRS of the file right"
        )


def _check_sun(entry: RasterInput, values: Floats) -> None:
    median = float(np.median(values))
    if not GHI[0] <= median <= GHI[1]:
        fits = [
            f"times {factor:.4g} it would be {median * factor:,.0f}, as if {words}"
            for factor, words in sorted(
                _FACTORS, key=lambda f: abs(median * f[0] - _USUAL)
            )
            if GHI[0] <= median * factor <= GHI[1]
        ]
        hint = "; ".join(fits[:2]) or "no usual factor mends that: see where it is from"
        raise GridError(
            f"rasters.ghi: {median:,.4g} kWh/m² a year in the middle, read as "
            f"{entry.unit}; expected {GHI[0]:g} to {GHI[1]:g}. {hint[0].upper()}"
            f"{hint[1:]}"
        )
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 2 * GHI[1]:
        odd = low if low < 0 else high
        raise GridError(
            f"rasters.ghi: holds {odd:g} kWh/m² a year beside values that can be "
            "right; if it means no value, set nodata"
        )


def _sample(path: Path, entry: RasterInput, bounds: Box | None) -> Floats:
    """Read some thousand cells from all over what a file holds of the region."""
    from rasterio.windows import Window

    with open_raster(path) as source:
        _require_band(source, entry)
        whole = _window(source, bounds)
        if whole is None:
            return np.empty(0)
        height, width = int(whole.height), int(whole.width)
        if source.overviews(entry.band) or height * width <= _SMALL:
            shape = (min(_SIDE, height), min(_SIDE, width))
            return _values(source, entry, window=whole, out_shape=shape).ravel()
        # Without overviews a thin sample would decode the file whole: patches instead.
        patch = _SIDE // _PATCHES
        parts = [
            _values(
                source,
                entry,
                window=Window(
                    int(whole.col_off) + (width - patch) * i // (_PATCHES - 1),
                    int(whole.row_off) + (height - patch) * j // (_PATCHES - 1),
                    min(patch, width),
                    min(patch, height),
                ),
            ).ravel()
            for i in range(_PATCHES)
            for j in range(_PATCHES)
            if patch <= min(width, height)
        ]
        return np.concatenate(parts or [_values(source, entry, window=whole).ravel()])


def _slopes(path: Path, entry: RasterInput, bounds: Box | None) -> Floats:
    """Slopes of a square in the middle of what a file holds of the region."""
    from rasterio.windows import Window

    with open_raster(path) as source:
        whole = _window(source, bounds)
        if whole is None or min(whole.height, whole.width) < 3:
            return np.empty(0)
        rows, columns = min(_SIDE, int(whole.height)), min(_SIDE, int(whole.width))
        window = Window(
            int(whole.col_off) + (int(whole.width) - columns) // 2,
            int(whole.row_off) + (int(whole.height) - rows) // 2,
            columns,
            rows,
        )
        heights = _values(source, entry, window=window)
        transform = source.transform
        middle = transform.f + transform.e * (window.row_off + rows / 2)
        dx, dy = abs(transform.a), abs(transform.e)
        if source.crs.is_geographic:
            dx *= 111_320 * math.cos(math.radians(min(89.0, abs(middle))))
            dy *= 111_320
        else:
            metres = float(source.crs.linear_units_factor[1])
            dx, dy = dx * metres, dy * metres
    down, across = np.gradient(heights, dy, dx)
    slopes: Floats = np.degrees(np.arctan(np.hypot(down, across)))
    return slopes[np.isfinite(slopes)]


def _window(source: Any, bounds: Box | None) -> Any:
    """Part of a file that the bounds meet; None where they do not."""
    from rasterio.warp import transform_bounds
    from rasterio.windows import Window, from_bounds

    whole = Window(0, 0, source.width, source.height)
    if bounds is None:
        return whole
    placed = transform_bounds("EPSG:4326", source.crs, *bounds, densify_pts=21)
    part = from_bounds(*placed, transform=source.transform)
    left, top = max(0, math.floor(part.col_off)), max(0, math.floor(part.row_off))
    right = min(source.width, math.ceil(part.col_off + part.width))
    bottom = min(source.height, math.ceil(part.row_off + part.height))
    if left >= right or top >= bottom:
        return None
    return Window(left, top, right - left, bottom - top)


def _values(source: Any, entry: RasterInput, **how: Any) -> Floats:
    """Numbers in metres, kWh/m² a year, or codes; NaN for no value."""
    from rasterio.errors import RasterioIOError

    try:
        raw = source.read(entry.band, masked=True, **how)
    except RasterioIOError as error:
        from pathlib import Path

        raise GridError(
            f"{Path(source.name).name} cannot be read to the end; the file may be "
            f"truncated. Fetch or make it again. ({' '.join(str(error).split())[:160]})"
        ) from error
    stored: Floats = np.ma.filled(raw.astype(np.float64), np.nan)
    if entry.nodata is not None:
        stored[stored == entry.nodata] = np.nan
    own = source.scales[entry.band - 1], source.offsets[entry.band - 1]
    scale = own[0] if entry.scale is None else entry.scale
    offset = own[1] if entry.offset is None else entry.offset
    values: Floats = (stored * scale + offset) * entry.factor
    values[~np.isfinite(values)] = np.nan
    return values


def _require_band(source: Any, entry: RasterInput) -> None:
    if entry.band > source.count:
        from pathlib import Path

        raise GridError(
            f"{Path(source.name).name} has {source.count} bands; there is no band "
            f"{entry.band}"
        )


def _file_unit(path: Path, band: int) -> str:
    with open_raster(path) as source:
        return str(source.units[band - 1] or "").strip().lower()
