"""The exact joins of :mod:`geo` as relations of a query: ``FROM nearest('a', 'b')``."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo.errors import ColumnError, GeoError
from layers.errors import QueryError
from layers.statement import nodes

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from layers.statement import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinCall:
    """How one join is called."""

    tables: tuple[str, str]
    """What the two tables are."""
    then: tuple[str, ...] = ()
    """Arguments that may follow without their name."""
    required: bool = False
    """Whether the first of these has to be there."""
    example: str
    """A call."""


JOIN_CALLS = {
    "within": JoinCall(
        tables=("features", "others"), example="within('deposits', 'provinces')"
    ),
    "intersects": JoinCall(
        tables=("features", "others"), example="intersects('provinces', 'deposits')"
    ),
    "nearest": JoinCall(
        tables=("features", "others"),
        then=("k",),
        example="nearest('deposits', 'crossings', k := 2)",
    ),
    "within_distance": JoinCall(
        tables=("features", "others"),
        then=("distance_m",),
        required=True,
        example="within_distance('deposits', 'crossings', 50000)",
    ),
    "count_within": JoinCall(
        tables=("points", "others"), example="count_within('deposits', 'provinces')"
    ),
}
"""The joins by name."""


def join_rows(
    call: Node,
    *,
    layer: Callable[[Node], gpd.GeoDataFrame],
    value: Callable[[Node], Any],
    progress: Callable[[int, int], None] | None = None,
) -> gpd.GeoDataFrame:
    """Run the join that a call in FROM asks for.

    Parameters
    ----------
    call
        Node of the call; its name is one of :data:`JOIN_CALLS`.
    layer
        Gives the layer that an argument stands for: the name of a table, as text or
        bare, or a query in parentheses.
    value
        Gives the value of an argument that is a literal.
    progress
        Handed to the join, if it takes one.

    Returns
    -------
    geopandas.GeoDataFrame
        As the function of :mod:`geo` of that name gives it, without ``index_right``:
        tables have no row labels.

    Raises
    ------
    QueryError
        If the arguments are not those that the join takes.
    GeoError
        As the join raises it.
    """
    import geo

    name = call["function_name"]
    known = JOIN_CALLS[name]
    join = getattr(geo, name, None)
    if join is None:
        raise QueryError(f"{name} is not there in this version of the package")
    takes = set(inspect.signature(join).parameters)
    options = _options(call, known, takes)
    values = {key: value(node) for key, node in options.items()}
    left, right = (layer(node) for node in call["children"][:2])
    if progress is not None and "progress" in takes:
        values["progress"] = progress
    try:
        joined: gpd.GeoDataFrame = join(left, right, **values)
    except ColumnError as error:
        said = str(error).partition("; rename first")[0]
        raise ColumnError(
            f"{name}: {said}. Name the columns that you want: {name}((SELECT id, "
            "geometry FROM …), …)"
        ) from None
    except GeoError as error:
        raise type(error)(f"{name}: {error}") from None
    except TypeError:
        told = ", ".join(f"{k} = {v!r}" for k, v in values.items() if k != "progress")
        raise _refusal(name, known, takes, told[:80]) from None
    return joined.drop(columns="index_right", errors="ignore")


def table_name(argument: Node) -> str | None:
    """Name of the table that an argument is, in lower case.

    Parameters
    ----------
    argument
        Node of an argument.

    Returns
    -------
    str or None
        From ``'deposits'`` or ``deposits``; None if it is neither.
    """
    if "column_names" in argument and len(argument["column_names"]) == 1:
        return str(argument["column_names"][0]).lower()
    text = argument.get("value", {}).get("value")
    if argument.get("type") == "VALUE_CONSTANT" and isinstance(text, str):
        return text.lower()
    return None


def _options(call: Node, known: JoinCall, takes: set[str]) -> dict[str, Node]:
    """Arguments of a call after its two tables, by name."""
    name, children = call["function_name"], call["children"]
    named = [node for node in children if node.get("alias")]
    bare = children[: len(children) - len(named)]
    if any(node.get("alias") for node in bare) or call.get("schema"):
        raise _refusal(name, known, takes, "names come after what has none")
    if len(bare) < 2 or len(bare) > 2 + len(known.then):
        count = f"{len(bare)} argument{'' if len(bare) == 1 else 's'} without a name"
        raise _refusal(name, known, takes, count)
    options = dict(zip(known.then, bare[2:], strict=False))
    for node in named:
        key = node["alias"].lower()
        if key not in takes or key in options or key in _OURS:
            raise _refusal(name, known, takes, f"the argument {key[:40]!r}")
        options[key] = node
    for key, node in options.items():
        if not _is_literal(node):
            raise _refusal(name, known, takes, f"{key} that is no literal")
    if known.required and known.then[0] not in options:
        raise _refusal(name, known, takes, f"no {known.then[0]}")
    return options


_OURS = {"left", "right", "progress"}
"""Parameters of the joins that no option of a call sets."""


def _is_literal(node: Node) -> bool:
    """Tell whether a node is made of literals alone."""
    return all(
        part["class"] in {"CONSTANT", "CAST"} or part.get("is_operator")
        for part in nodes(node)
        if "class" in part
    )


def _refusal(name: str, known: JoinCall, takes: set[str], came: str) -> QueryError:
    """Say what a call had, and what it takes."""
    options = [*known.then, *sorted(takes - {*known.then, *_OURS})]
    return QueryError(
        f"{name} was given {came}; expected two tables, {' and '.join(known.tables)}"
        + (f", and {', '.join(options)} as literals" if options else "")
        + f": FROM {known.example}"
    )
