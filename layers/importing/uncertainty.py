"""How far off a place may be, by what its digits and its change of datum say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from layers.importing.coordinates import radius_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from layers.importing.place_columns import PlaceColumns
    from layers.importing.places import Places
    from layers.importing.placing import Placement

    Floats = NDArray[np.float64]


def radii_m(places: Places, placement: Placement, stated_m: float | None) -> Floats:
    """Add up what the places of some rows say of their uncertainty.

    Parameters
    ----------
    places
        As they stand in the file, shape ``(n,)``.
    placement
        How they become longitude and latitude.
    stated_m
        What the caller says of all rows; None if nothing. [m]

    Returns
    -------
    numpy.ndarray
        Radii, shape ``(n,)``; NaN where nothing is said. The accuracy of the change
        of datum is part of them, and says nothing by itself. [m]
    """
    n = len(places.missing)
    if places.half_x is None and places.radius_m is None and stated_m is None:
        return np.full(n, np.nan)
    parts = np.full((n, 3), np.nan)
    if places.half_x is not None and places.half_y is not None:
        parts[:, 0] = _of_digits(places, placement)
    if places.radius_m is not None:
        parts[:, 1] = places.radius_m
    if stated_m is not None:
        parts[:, 2] = stated_m
    known = ~np.isnan(parts).all(axis=1)
    total = np.nansum(parts, axis=1) + (placement.change.accuracy_m or 0.0)
    return np.where(known, total, np.nan)


def said_by(
    columns: PlaceColumns,
    placement: Placement,
    *,
    digits: bool,
    column: str | None,
    stated: bool,
) -> tuple[str, ...]:
    """Say of what an uncertainty was added up.

    Parameters
    ----------
    columns
        Where the places stand.
    placement
        How they become longitude and latitude.
    digits
        Whether their digits were read.
    column
        Column of the file that states an uncertainty; None if there is none.
    stated
        Whether the caller states one.

    Returns
    -------
    tuple of str
        In words.
    """
    words = []
    if column is not None:
        words.append(f"column {column}")
    if columns.how == "mgrs":
        words.append("the square of the grid reference")
    elif digits:
        words.append(f"the digits of {' and '.join(columns.names)}")
    if stated:
        words.append("--uncertainty-m")
    if placement.change.accuracy_m is not None and words:
        words.append("the accuracy of the change of datum")
    return tuple(words)


def _of_digits(places: Places, placement: Placement) -> Floats:
    """Radius within which rounding may have moved a place. [m]."""
    x, y, half_x, half_y = places.x, places.y, places.half_x, places.half_y
    assert x is not None
    assert y is not None
    assert half_x is not None
    assert half_y is not None
    if placement.swap_xy:
        x, y, half_x, half_y = y, x, half_y, half_x
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(half_x) & np.isfinite(half_y)
    radius = np.full(len(x), np.nan)
    if placement.crs.is_geographic:
        known &= np.abs(y) <= 90
        radius[known] = radius_m(x[known], y[known], half_x[known], half_y[known])
        return radius
    axes = placement.crs.axis_info
    factor = axes[0].unit_conversion_factor if axes else 1.0
    # No projection here shrinks lengths by more than some parts in a thousand; where
    # it stretches them, the ground is shorter than the map and the radius holds.
    radius[known] = np.hypot(half_x[known], half_y[known]) * factor * 1.05
    return radius
