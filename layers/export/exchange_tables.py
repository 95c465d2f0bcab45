"""Tables behind the marks of an exchange, as sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layers.catalogue import catalogue, load_table
from layers.export.sheets import catalogue_sheet, own_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from layers.exchange import Exchange
    from layers.export.content import Sheet

_TABLES = ("claims", "sources", "measures")


def exchange_tables(exchange: Exchange, drawn: Iterable[Sheet]) -> list[Sheet]:
    """Tables behind the marks.

    Parameters
    ----------
    exchange
        From :func:`layers.load_exchange`.
    drawn
        Its layers: what they cite is there, besides what the exchange rests on.

    Returns
    -------
    list of Sheet
        Claims, sources and measures as the catalogue has them, then tables of the
        exchange itself; those without a row are left out, the first three are not.
    """
    known = catalogue()
    used = load_table("measures")
    used = used[used["id"].isin(exchange.leg_measures["measure"])]
    layers = list(drawn)
    claims = _and_cited(exchange.claims, "claims", layers)
    sources = _with_parents(
        _and_cited(exchange.sources, "sources", layers), claims["source"]
    )
    rows = {"claims": claims, "sources": sources, "measures": used}
    sheets = [
        catalogue_sheet(known[name], rows[name].reset_index(drop=True))
        for name in _TABLES
    ]
    bears = exchange.leg_measures[
        ["leg", "measure", "effect", "exempt_path", "read_by", "reading_note"]
    ].assign(
        as_of=exchange.as_of.isoformat(),
        in_force=np.where(exchange.leg_measures["in_force_on_as_of"], "yes", "no"),
    )
    gathered = {
        "leg_measures": (
            "Which measure bears on which leg",
            "The text, the day and who reads it so. No legal advice.",
            bears,
        ),
        "memberships": (
            "In which province each place lies, or may lie",
            "Shares of the disc of each place, on the ellipsoid.",
            exchange.memberships.rename(columns={"id": "ref"}),
        ),
        "parties": (
            "Parties",
            "Who would give and who would receive.",
            _records(exchange.parties),
        ),
        "assessments": (
            "Our own assessments",
            "Judgements of the editors, apart from the claims; ICD 203 terms.",
            _records(exchange.assessments),
        ),
        "readings": (
            "Readings of the claimed figure",
            "What each reading would mean, as ranges.",
            _readings(exchange),
        ),
        "unknowns": (
            "Not known, and disputed",
            "What nobody has said, and where sources differ.",
            _notes(exchange),
        ),
    }
    for name, (title, abstract, table) in gathered.items():
        if table.empty:
            continue
        if "id" not in table:
            table.insert(0, "id", [f"{name}.{n + 1}" for n in range(len(table))])
        sheets.append(own_sheet(name, title, abstract, table.reset_index(drop=True)))
    return sheets


def _and_cited(table: pd.DataFrame, name: str, sheets: Iterable[Sheet]) -> pd.DataFrame:
    """Rows of a catalogue table: those given, and those that a layer cites."""
    cited = {
        one
        for sheet in sheets
        if name in sheet.table
        for text in sheet.table[name]
        for one in str(text).split()
    }
    every = load_table(name)
    return every[every["id"].isin({*table["id"], *cited})]


def _with_parents(table: pd.DataFrame, more: Iterable[str]) -> pd.DataFrame:
    """Gather sources given and named, and all that they derive from."""
    every = load_table("sources")
    above = dict(zip(every["id"], every["derived_from"], strict=True))
    wanted: set[str] = set()
    waiting = [*table["id"], *more]
    while waiting:
        one = waiting.pop()
        if one in above and one not in wanted:
            wanted.add(one)
            waiting += str(above[one]).split()
    return every[every["id"].isin(wanted)]


def _records(items: Sequence[Any]) -> pd.DataFrame:
    """Put records into rows; lists of ids as text between spaces."""
    import pandas as pd

    names = list(getattr(items[0], "__struct_fields__", ())) if items else []
    if items and not names:
        names = list(items[0].__dataclass_fields__)
    rows = [{name: _cell(getattr(item, name)) for name in names} for item in items]
    return pd.DataFrame(rows, columns=names)


def _readings(exchange: Exchange) -> pd.DataFrame:
    """Tabulate readings, each range as three columns."""
    import pandas as pd

    from layers.ranges import Range

    rows = []
    for reading in exchange.readings:
        row: dict[str, Any] = {}
        for name in reading.__dataclass_fields__:
            value = getattr(reading, name)
            if isinstance(value, Range):
                row |= {
                    f"{name}_low": value.low,
                    f"{name}_mid": value.mid,
                    f"{name}_high": value.high,
                    f"{name}_unit": value.unit,
                }
            else:
                row[name] = _cell(value)
        rows.append(row)
    return pd.DataFrame(rows)


def _notes(exchange: Exchange) -> pd.DataFrame:
    """Tabulate what is unknown and what is disputed."""
    import pandas as pd

    kinds = (("unknown", exchange.unknowns), ("disputed", exchange.disputes))
    rows = [
        {
            "kind": kind,
            "text": n.text,
            "claims": _cell(n.claims),
            "sources": _cell(n.sources),
        }
        for kind, notes in kinds
        for n in notes
    ]
    return pd.DataFrame(rows, columns=["kind", "text", "claims", "sources"])


def layer_table(sheets: Iterable[Sheet]) -> Sheet:
    """Table of every sheet, with its source and licence."""
    import pandas as pd

    rows = [
        {
            "id": sheet.id,
            "title": sheet.title,
            "features": len(sheet.table),
            "geometry": sheet.geometry,
            "licence": sheet.licence,
            "rights": sheet.rights,
            "source": sheet.source,
            "url": sheet.url,
            "retrieved": sheet.retrieved.isoformat() if sheet.retrieved else "",
            "about": sheet.abstract,
        }
        for sheet in sheets
    ]
    return own_sheet(
        "layers",
        "Layers and tables",
        "What is here, where it comes from and under which licence.",
        pd.DataFrame(rows),
    )


def citation_tables(sheets: Iterable[Sheet]) -> list[Sheet]:
    """Pairs of a feature and a claim or source that it cites, one a row."""
    import pandas as pd

    found = []
    for column, one in (("claims", "claim"), ("sources", "source")):
        pairs = [
            (sheet.id, ref, cited)
            for sheet in sheets
            if column in sheet.table and "ref" in sheet.table
            if not sheet.id.startswith("uncertainty")
            for ref, text in zip(sheet.table["ref"], sheet.table[column], strict=True)
            for cited in str(text).split()
        ]
        pairs += [
            (sheet.id, str(key), cited)
            for sheet in sheets
            if sheet.id == "legs" and column in sheet.table
            for key, text in zip(sheet.table["id"], sheet.table[column], strict=True)
            for cited in str(text).split()
        ]
        if not pairs:
            continue
        table = pd.DataFrame(pairs, columns=["sheet", "ref", one])
        table.insert(0, "id", [f"{one}.{n + 1}" for n in range(len(table))])
        found.append(
            own_sheet(
                f"feature_{column}",
                f"Which feature cites which {one}",
                f"One row for each {one} that a feature rests on.",
                table,
            )
        )
    return found


def _cell(value: object) -> object:
    """Make a value one that any format can hold; lists become text between spaces."""
    if isinstance(value, tuple | list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, str | int | float):
        return value
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if isoformat else str(value)
