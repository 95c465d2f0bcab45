"""Which provision restricts which leg of an exchange, on which date.

This is a reading aid, not legal advice: it gives the text's place, its dates, and who
reads it so.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, get_args

from layers.catalogue import load_table
from layers.errors import SchemaError

if TYPE_CHECKING:
    import pandas as pd

LegKind = Literal[
    "rights", "investment", "equipment", "ore", "payment", "counterparty", "material"
]
"""What moves in a leg of an exchange."""

LEG_KINDS: tuple[str, ...] = get_args(LegKind)

EFFECTS = {
    "restricts": "restricts this leg",
    "arguable": "arguable: read both ways",
    "exempts": "exempts, in part",
}
"""What a provision does to a leg, in words."""


def measures(leg_kind: str | None = None, *, as_of: date | str) -> pd.DataFrame:
    """Provisions that bear on a kind of leg and were in force on a date.

    Parameters
    ----------
    leg_kind
        One of ``rights``, ``investment``, ``equipment``, ``ore``, ``payment``,
        ``counterparty`` and ``material``; every kind when not given.
    as_of
        The day asked about, a date or its ISO text. A provision counts from
        ``in_force_from`` up to and including ``in_force_to``.

    Returns
    -------
    pandas.DataFrame
        One row for each provision and kind of leg that it bears on, by date of
        adoption: ``leg_kind``, ``effect`` (``restricts``, ``arguable``, ``exempts``),
        ``exempt_path``, ``read_by``, ``reading_note``, and the columns of the table
        ``measures``. A provision that bears on no leg is not there.

    Raises
    ------
    SchemaError
        If the kind of leg is unknown or the date is none.

    Examples
    --------
    >>> before = measures("ore", as_of="2016-03-01")
    >>> after = measures("ore", as_of="2019-10-31")
    >>> len(before) < len(after)
    True
    """
    if leg_kind is not None and leg_kind not in LEG_KINDS:
        raise SchemaError(
            f"no kind of leg {leg_kind!r}; expected one of {', '.join(LEG_KINDS)}"
        )
    day = to_date(as_of)
    table = measure_legs()
    table = table[in_force(table, day)]
    if leg_kind is not None:
        table = table[table["leg_kind"] == leg_kind]
    return table.reset_index(drop=True)


def measure_legs() -> pd.DataFrame:
    """Every provision beside each kind of leg that it bears on, whatever the date.

    Returns
    -------
    pandas.DataFrame
        As :func:`measures`.

    Raises
    ------
    SchemaError
        If the tables do not fit together.
    """
    readings = load_table("measure-legs").rename(columns={"note": "reading_note"})
    provisions = load_table("measures")
    unknown = set(readings["measure"]) - set(provisions["id"])
    if unknown:
        raise SchemaError(
            f"measure-legs.csv names unknown measures: {', '.join(sorted(unknown))}"
        )
    for column, known in (("leg_kind", LEG_KINDS), ("effect", EFFECTS)):
        wrong = set(readings[column]) - set(known)
        if wrong:
            raise SchemaError(
                f"measure-legs.csv, column {column}: {', '.join(sorted(wrong))}; "
                f"expected {', '.join(known)}"
            )
    table = readings.merge(provisions, left_on="measure", right_on="id", how="left")
    order = ["adopted", "id", "leg_kind"]
    return table.drop(columns="measure").sort_values(order, ignore_index=True)


def in_force(table: pd.DataFrame, day: date | str) -> pd.Series:
    """Tell which provisions were in force on a day.

    Parameters
    ----------
    table
        Rows with ``id``, ``in_force_from`` and ``in_force_to``, ISO dates or empty.
    day
        The day asked about, a date or its ISO text.

    Returns
    -------
    pandas.Series
        Booleans, shape ``(n,)``; a provision without a first day is not in force.

    Raises
    ------
    SchemaError
        If a cell is no ISO date; the message names the provision.
    """
    import pandas as pd

    def days(column: str) -> list[date | None]:
        return [
            to_date(text, where=f"measure {name}, column {column}: ") if text else None
            for name, text in zip(table["id"], table[column], strict=True)
        ]

    today = to_date(day)
    spans = zip(days("in_force_from"), days("in_force_to"), strict=True)
    counted = [
        start is not None and start <= today and (end is None or today <= end)
        for start, end in spans
    ]
    return pd.Series(counted, index=table.index, dtype=bool)


def to_date(value: date | str, where: str = "") -> date:
    """Read a date from itself or from its ISO text.

    Parameters
    ----------
    value
        A date, text as ``2019-10-31``, or a time, of which the day is taken.
    where
        What to put before the message.

    Returns
    -------
    datetime.date
        The day.

    Raises
    ------
    SchemaError
        If the text is no date.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise SchemaError(
            f"{where}{value!r} is no date; expected year-month-day, as 2019-10-31"
        ) from None
