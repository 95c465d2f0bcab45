"""Tables as text: read record by record, then their columns turned into numbers."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from geo.errors import GeoError


def read_table(lines: Iterable[str], name: str, error: type[GeoError]) -> pd.DataFrame:
    """Read a CSV (RFC 4180) whose records all have as many cells as its header.

    Parameters
    ----------
    lines
        Lines of the file with their ends, as an open text file yields them.
    name
        What to call the file in a message.
    error
        What to raise.

    Returns
    -------
    pandas.DataFrame
        One row a record, every cell a text as it stands. Blank lines are passed over,
        and columns without name and content left out.

    Raises
    ------
    GeoError
        Of the class ``error``: if a record is longer or shorter than the header (the
        line is named), a column is named twice or not at all, or a quote is not closed.

    Examples
    --------
    >>> from layers.errors import ReadError
    >>> read_table(["a,b", "1,2,"], "pits.csv", ReadError)
    Traceback (most recent call last):
    layers.errors.ReadError: pits.csv, line 2: 3 cells under 2 column names; look for a
    comma too many or too few, or a text with a comma that lacks its quotes
    """
    import pandas as pd

    reader = csv.reader(lines, strict=True)
    records: list[list[str]] = []
    try:
        for record in reader:
            if not record:
                continue
            if records and len(record) != len(records[0]):
                raise error(
                    f"{name}, line {reader.line_num}: {len(record)} cells under "
                    f"{len(records[0])} column names; look for a comma too many or too "
                    "few, or a text with a comma that lacks its quotes"
                )
            records.append(record)
    except csv.Error as problem:
        raise error(f"{name} is no CSV: line {reader.line_num}: {problem}") from None
    header, *rows = records or [[]]
    table = pd.DataFrame(rows, columns=range(len(header)), dtype=str)
    for i, column in enumerate(header):
        if column.strip():
            continue
        if (table[i] != "").any():
            raise error(f"{name}: column {i + 1} has content and no name; name it")
        del table[i]
    names = [column for column in header if column.strip()]
    if twice := sorted({n[:40] for n in names if names.count(n) > 1}):
        raise error(f"{name}: the column {', '.join(twice)} is there twice")
    table.columns = pd.Index(names, dtype=object)
    return table


def numbers(
    texts: pd.Series, name: str, error: type[GeoError], *, blank: bool, unit: str = ""
) -> pd.Series:
    """Turn a column of text into numbers, or say which row holds none.

    Parameters
    ----------
    texts
        Cells, shape ``(n,)``; the name of the series is that of the column.
    name
        What to call the table in a message.
    error
        What to raise.
    blank
        Whether a cell may be empty or missing.
    unit
        Unit of the column, for the message.

    Returns
    -------
    pandas.Series
        Numbers, empty cells NaN.

    Raises
    ------
    GeoError
        Of the class ``error``: if a cell holds no number; the message counts rows
        from 1.
    """
    import pandas as pd

    found = pd.to_numeric(texts, errors="coerce")
    empty = texts.isna() | (texts.astype(str).str.strip() == "")
    wrong = found.isna() & ~empty if blank else found.isna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise error(
            f"{name}, row {row + 1}, column {texts.name}: "
            f"{str(texts.iloc[row])[:40]!r} is not a number"
            + (f"; expected {unit}" if unit else "")
        )
    return found


def fill_text(table: pd.DataFrame, columns: Iterable[str]) -> None:
    """Let a missing text be an empty one, in place.

    Parameters
    ----------
    table
        Any table.
    columns
        Columns of text; those that it lacks are passed over.
    """
    for column in columns:
        if column in table:
            table[column] = table[column].fillna("").astype(str)
