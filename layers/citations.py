"""Which claims and sources stand behind an exchange."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from layers.catalogue import load_table
from layers.errors import ExchangeError
from layers.evidence import claims as all_claims
from layers.evidence import sources as all_sources
from layers.exchange_file import references

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from layers.exchange_file import ExchangeFile


def cited_claims(file: ExchangeFile, *features: gpd.GeoDataFrame) -> list[str]:
    """Find the claims that anything in an exchange rests on, or that speak of it.

    Parameters
    ----------
    file
        The exchange.
    *features
        Layers whose ``claims`` count, ids separated by spaces.

    Returns
    -------
    list of str
        Ids, in the order of the table of claims.
    """
    cited = {c for table in features for ids in table["claims"] for c in ids.split()}
    cited |= {ref for kind, _, ref in references(file) if kind == "claims"}
    subject = f"exchange:{file.id}"
    return [
        claim.id
        for claim in all_claims().values()
        if claim.id in cited or claim.subject == subject
    ]


def claim_table(cited: list[str]) -> pd.DataFrame:
    """Return the rows of the claims cited.

    Parameters
    ----------
    cited
        Their ids.

    Returns
    -------
    pandas.DataFrame
        Rows of the table of claims, in its order.
    """
    table = _tables()[0]
    return table[table["id"].isin(cited)].reset_index(drop=True)


def source_table(
    cited: list[str],
    features: list[gpd.GeoDataFrame],
    leg_measures: pd.DataFrame,
    file: ExchangeFile,
) -> pd.DataFrame:
    """Return the rows of every source behind an exchange, and of what these repeat.

    Parameters
    ----------
    cited
        Ids of its claims.
    features, leg_measures
        Tables whose ``sources`` count, ids separated by spaces.
    file
        The exchange.

    Returns
    -------
    pandas.DataFrame
        Rows of the table of sources, in its order.

    Raises
    ------
    ExchangeError
        If a source that is cited is not in the table.
    """
    wanted = {all_claims()[c].source for c in cited}
    wanted |= {s for t in features for ids in t["sources"] for s in ids.split()}
    wanted |= {s for ids in leg_measures["sources"] for s in ids.split()}
    wanted |= {ref for kind, _, ref in references(file) if kind == "sources"}
    unknown = sorted(wanted - set(all_sources()))
    if unknown:
        raise ExchangeError(f"sources.csv lacks {', '.join(unknown)}, which is cited")
    pending = list(wanted)
    while pending:
        parents = set(all_sources()[pending.pop()].derived_from) - wanted
        wanted |= parents
        pending.extend(parents)
    table = _tables()[1]
    return table[table["id"].isin(wanted)].reset_index(drop=True)


@cache
def _tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of claims and sources as they ship."""
    return load_table("claims"), load_table("sources")
