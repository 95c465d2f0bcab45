"""What a card says of place, distance, yield and measure, in words and numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from layers.schema import PRECISION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.exchange import Exchange

_EFFECTS = {
    "restricts": "restricts it",
    "arguable": "may restrict it: read both ways",
    "exempts": "exempts it in part",
}
_COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def feature_facts(row: Mapping[Any, Any]) -> tuple[tuple[str, str], ...]:
    """Return the facts of a feature that say where it is and how well that is known.

    Parameters
    ----------
    row
        Feature columns; for a point with ``geometry``.

    Returns
    -------
    tuple of pairs
        Label and text.
    """
    from geo.uncertainty import format_position

    facts: list[tuple[str, str]] = []
    geometry, radius = row.get("geometry"), _number(row.get("uncertainty_m"))
    if geometry is not None and geometry.geom_type == "Point" and radius is not None:
        where = format_position(geometry.x, geometry.y, radius)
        facts.append(("Where", f"{where}, somewhere within {length(radius)}"))
    elif _number(row.get("boundary_uncertainty_m")):
        off = length(float(row["boundary_uncertainty_m"]))
        facts.append(("Outline", f"may be off by {off}"))
    code = _number(row.get("precision_code"))
    if code is not None:
        known = PRECISION.get(int(code), "unknown code")
        facts.append(("Precision", f"{known} (code {int(code)})"))
    if plain(row.get("georeference_protocol")):
        facts.append(("How located", plain(row["georeference_protocol"])))
    facts += [(words(name), text) for name, text in details(row).items()]
    return tuple(facts)


def details(row: Mapping[Any, Any]) -> dict[str, str]:
    """Return a feature's own facts, those of its layer's own columns.

    Parameters
    ----------
    row
        With ``layer`` and ``details``, such as ``"fuel: coal; opened: 1990"``.

    Returns
    -------
    dict
        Text by column name in words. A semicolon inside a text does not part it.
    """
    from layers.catalogue import catalogue

    entry = catalogue().get(plain(row.get("layer")))
    columns = entry.columns if entry else {}
    known = {c.removesuffix("_mw").replace("_", " ") for c in columns}
    found: dict[str, str] = {}
    last = ""
    for part in filter(None, plain(row.get("details")).split("; ")):
        label, colon, text = part.partition(": ")
        if colon and label in known:
            found[label], last = text, label
        elif last:
            found[last] += f"; {part}"
    return found


def length(metres: float) -> str:
    """Write a length for people.

    Parameters
    ----------
    metres
        Length. [m]

    Returns
    -------
    str
        Whole kilometres from 10 km, one decimal from 1 km, else metres.

    Examples
    --------
    >>> length(48_630), length(3_100), length(500)
    ('49 km', '3.1 km', '500 m')
    """
    if metres >= 9_950:
        return f"{metres / 1000:,.0f} km"
    if metres >= 1_000:
        return f"{metres / 1000:.1f} km".replace(".0 km", " km")
    return f"{metres:.0f} m"


def quantity(value: str, unit: str) -> str:
    """Write a value with its unit.

    Parameters
    ----------
    value
        Text; long plain numbers get their thousands apart.
    unit
        Unit, or empty.

    Returns
    -------
    str
        Empty for an empty value.

    Examples
    --------
    >>> quantity("2500000000", "US$"), quantity("361.4", "km²")
    ('US$2,500,000,000', '361.4 km²')
    """
    if not value:
        return ""
    if re.fullmatch(r"-?\d{5,}(\.0)?" if not unit else r"-?\d{4,}(\.0)?", value):
        value = f"{int(float(value)):,}"
    elif re.fullmatch(r"-?\d+\.0", value):
        value = value[:-2]
    if unit == "US$":
        return f"US${value}"
    return f"{value} {unit}".strip()


def rough(value: float) -> str:
    """Write a number with two significant digits, for what is known no better.

    Parameters
    ----------
    value
        A number.

    Returns
    -------
    str
        With its thousands apart; never in powers of ten.

    Examples
    --------
    >>> rough(541), rough(1_794), rough(37.2), rough(0.2)
    ('540', '1,800', '37', '0.2')
    """
    return f"{float(f'{value:.2g}'):,.15g}"


def number(value: float, digits: int = 4) -> str:
    """Write a number with so many significant digits, for what is known well.

    Parameters
    ----------
    value
        A number.
    digits
        How many.

    Returns
    -------
    str
        With its thousands apart; never in powers of ten.

    Examples
    --------
    >>> number(10_000), number(912.487), number(0.35), number(123_456)
    ('10,000', '912.5', '0.35', '123,500')
    """
    return f"{float(f'{value:.{digits}g}'):,.15g}"


def words(name: str) -> str:
    """Turn a column or property name into words.

    Parameters
    ----------
    name
        Such as ``solar_amount``.

    Returns
    -------
    str
        Such as ``Solar amount``.
    """
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def plain(value: object) -> str:
    """Return a value as text; a missing one as an empty text.

    Parameters
    ----------
    value
        Anything.

    Returns
    -------
    str
        Empty for None, NaN and ``pandas.NA``.
    """
    if value is None or value != value or str(value) == "<NA>":  # noqa: PLR0124 - NaN
        return ""
    return str(value)


def _number(value: object) -> float | None:
    try:
        number = float(plain(value))
    except ValueError:
        return None
    return number if number == number else None  # noqa: PLR0124 - NaN


def solar_facts(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the facts of a computed area, where it has them.

    Parameters
    ----------
    row
        A row of ``Exchange.areas``, or of anything else.

    Returns
    -------
    tuple of pairs
        Label and text; empty for what is no such area.
    """
    texts = (
        ("Rank", "rank", "{:.0f}"),
        ("Area", "area_km2", "{:,.0f} km²"),
        ("Capacity", "capacity_mw", "about {} MW"),
        ("Capacity, low and high", "capacity_mw_low", "{} MW"),
        ("Energy in a year, P50", "energy_gwh", "about {} GWh"),
        ("Energy in a year, P90", "energy_gwh_p90", "about {} GWh"),
        ("Yield", "yield_kwh_per_kwp", "{:,.0f} kWh/kWp"),
        ("Irradiation, horizontal", "ghi_kwh_per_m2", "{:,.0f} kWh/m² a year"),
        ("Altitude", "altitude_m", "about {} m"),
        ("Relief", "relief_m", "about {} m"),
        ("To the coast", "coast_km", "{:,.0f} km"),
        ("To a power plant", "plant_km", "{:,.0f} km"),
        ("To a town", "town_km", "{:,.0f} km"),
    )
    facts = []
    for label, column, form in texts:
        value = row.get(column)
        if value is None or not plain(value):
            continue
        number = float(value)
        text = form.format(rough(number) if "{}" in form else number)
        if column == "capacity_mw_low":
            text = f"{rough(number)} to {rough(float(row['capacity_mw_high']))} MW"
        facts.append((label, text))
    for label, column in (("Land cover", "land_cover"), ("Why it ranks so", "reasons")):
        if plain(row.get(column)):
            facts.append((label, plain(row[column])))
    return tuple(facts)


def distances(exchange: Exchange, ref: str) -> tuple[str, ...]:
    """Say what lies near a feature, and in which province it is.

    Parameters
    ----------
    exchange
        With ``links`` and ``memberships``.
    ref
        The feature, as ``layer/id``.

    Returns
    -------
    tuple of str
        One sentence a neighbour, then one a province.
    """
    found = []
    for row in exchange.links.to_dict("records"):
        if str(row["from_id"]) != ref:
            continue
        near, far = length(row["distance_min_m"]), length(row["distance_max_m"])
        found.append(
            f"{words(str(row['relation']))}: {row['to_name']}, "
            f"{length(row['distance_m'])} ({near} to {far}) {_compass(row)}"
            f"{_percent(row.get('probability'))}"
        )
    found += [
        f"Inside {row['region_name']}: {row['relation']}"
        f"{_percent(row.get('probability'))}"
        for row in exchange.memberships.to_dict("records")
        if str(row["id"]) == ref
    ]
    return tuple(found)


def link_facts(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the facts of a link.

    Parameters
    ----------
    row
        A row of ``Exchange.links``.

    Returns
    -------
    tuple of pairs
        Label and text.
    """
    near, far = length(row["distance_min_m"]), length(row["distance_max_m"])
    facts = [
        ("Distance", length(row["distance_m"])),
        ("At least, at most", f"{near}, {far}"),
        ("Direction", _compass(row)),
        ("Is the nearest", _percent(row.get("probability")).strip(" ,()")),
    ]
    return tuple((label, text) for label, text in facts if text)


def leg_readings(exchange: Exchange, leg_id: str) -> tuple[str, ...]:
    """Return the measures on a leg that were in force on the exchange's day.

    Parameters
    ----------
    exchange
        With ``leg_measures``.
    leg_id
        Id of the leg.

    Returns
    -------
    tuple of str
        A sentence without its full stop for each reading.
    """
    found = []
    for row in exchange.leg_measures.to_dict("records"):
        if str(row["leg"]) == leg_id and bool(row["in_force_on_as_of"]):
            paragraph = f" {row['paragraph']}" if plain(row["paragraph"]) else ""
            effect = _EFFECTS.get(str(row["effect"]), f"{row['effect']} it")
            found.append(
                f"{row['instrument']}{paragraph} {effect} "
                f"(read so by: {row['read_by']})"
            )
    return tuple(found)


def _compass(row: Mapping[Any, Any]) -> str:
    """Eight-point direction of a link."""
    azimuth = float(row["azimuth_deg"])
    return _COMPASS[round(azimuth % 360 / 45) % 8]


def _percent(probability: object) -> str:
    """Write a probability in per cent, or nothing."""
    text = plain(probability)
    if text in {"", "<NA>"}:
        return ""
    share = float(text)
    shown = "over 99" if 0.99 < share < 1 else f"{100 * share:.0f}"
    return f", {shown} %"
