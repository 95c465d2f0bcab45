"""One SQL statement as a tree: parsed by the engine itself, checked, and rewritten.

Nothing here looks at the text of a query, so that a string, a comment or a quoted name
is never taken for a call, nor a call for a string.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.errors import QueryError
from layers.functions import check_call, check_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from duckdb import DuckDBPyConnection

Node = dict[str, Any]
"""One node of the engine's own parsed tree, as it writes it to JSON."""

TABLE_FUNCTIONS = ("generate_series", "json_each", "json_tree", "range", "unnest")
"""Functions of the engine that may stand in FROM: they reach no file."""

_STAR: Node = {
    "class": "STAR",
    "type": "STAR",
    "alias": "",
    "relation_name": "",
    "exclude_list": [],
    "replace_list": [],
    "columns": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One query that only reads."""

    tree: Node
    """What the engine's parser made of it."""
    text: str
    """The query without ``EXPLAIN``."""
    explain: str = ""
    """``EXPLAIN`` or ``EXPLAIN ANALYZE``, where the query began so."""


def parse(connection: DuckDBPyConnection, query: str) -> Statement:
    """Read one query, and refuse whatever does more than read.

    Parameters
    ----------
    connection
        Any connection; nothing is executed on it but the parser.
    query
        SELECT, WITH, FROM, VALUES, TABLE, PIVOT, DESCRIBE, SUMMARIZE, SHOW TABLES, or
        EXPLAIN and one of them.

    Returns
    -------
    Statement
        The tree has one statement.

    Raises
    ------
    QueryError
        If the text cannot be parsed, holds no statement or several, or one that
        writes, attaches, loads or sets anything; if it calls a function that is not
        known to compute alone (:mod:`layers.functions`), or names a CRS otherwise than
        by the literal ``'AUTHORITY:CODE'``.
    """
    if "\0" in query:
        raise QueryError("the query holds a NUL character; remove it")
    explain, text = _without_explain(query)
    tree = _serialised(connection, text)
    if tree["error"]:
        raise QueryError(_reason(connection, text, tree))
    count = len(tree["statements"])
    if count != 1:
        raise QueryError(f"{count} statements; expected one query, such as SELECT …")
    in_from = {id(n["function"]) for n in nodes(tree) if _is_call_in_from(n)}
    for node in nodes(tree):
        if "function_name" in node:
            check_call(node, in_from=id(node) in in_from)
        if node.get("user_type_modifiers"):
            check_type(node)
    return Statement(tree=tree, text=text, explain=explain)


def unparse(connection: DuckDBPyConnection, tree: Node) -> str:
    """Write a tree as SQL, as the engine writes the text of a view.

    Parameters
    ----------
    connection
        Any connection.
    tree
        As :func:`parse` gives it, rewritten or not.

    Returns
    -------
    str
        One statement.
    """
    row = connection.execute(
        "SELECT json_deserialize_sql(?)", [json.dumps(tree)]
    ).fetchone()
    return str(row[0]) if row else ""


def select_from(query: Node, scope: Mapping[str, Node]) -> Node:
    """Make the tree of ``SELECT * FROM (query)`` where the names in scope are known.

    Parameters
    ----------
    query
        The node of a query.
    scope
        Entries of WITH clauses by name, in the order in which they were written.

    Returns
    -------
    dict
        A tree of one statement.
    """
    source: Node = {
        "type": "SUBQUERY",
        "alias": "q",
        "sample": None,
        "subquery": {"node": query, "named_param_map": []},
        "column_name_alias": [],
    }
    return select([_STAR], source, scope)


def select_from_table(name: str, scope: Mapping[str, Node]) -> Node:
    """Make the tree of ``SELECT * FROM name`` where the names in scope are known.

    Parameters
    ----------
    name
        A name in scope.
    scope
        As for :func:`select_from`.

    Returns
    -------
    dict
        A tree of one statement.
    """
    return select([_STAR], base_table(name), scope)


def select(columns: list[Node], source: Node, scope: Mapping[str, Node]) -> Node:
    """Make the tree of a SELECT.

    Parameters
    ----------
    columns
        Nodes of its columns.
    source
        The node of its FROM.
    scope
        As for :func:`select_from`.

    Returns
    -------
    dict
        A tree of one statement.
    """
    node = {
        "type": "SELECT_NODE",
        "modifiers": [],
        "cte_map": {"map": [{"key": k, "value": v} for k, v in scope.items()]},
        "select_list": columns,
        "from_table": source,
        "where_clause": None,
        "group_expressions": [],
        "group_sets": [],
        "aggregate_handling": "STANDARD_HANDLING",
        "having": None,
        "sample": None,
        "qualify": None,
    }
    return {"error": False, "statements": [{"node": node, "named_param_map": []}]}


def base_table(name: str, alias: str = "") -> Node:
    """Make the node of a table in FROM.

    Parameters
    ----------
    name
        Name of the table.
    alias
        Name by which the query speaks of it.

    Returns
    -------
    dict
        The node.
    """
    return {
        "type": "BASE_TABLE",
        "alias": alias,
        "sample": None,
        "schema_name": "",
        "table_name": name,
        "column_name_alias": [],
        "catalog_name": "",
        "at_clause": None,
    }


def nodes(tree: Any) -> Iterator[Node]:
    """Walk every node of a tree, a node before those below it.

    Parameters
    ----------
    tree
        Any part of a tree.

    Yields
    ------
    dict
        The node.
    """
    rest = [tree]
    while rest:
        item = rest.pop()
        if isinstance(item, dict):
            yield item
            rest.extend(reversed(item.values()))
        elif isinstance(item, list):
            rest.extend(reversed(item))


def calls(tree: Any) -> Iterator[Node]:
    """Walk every call of a function in a tree, those in FROM included.

    Parameters
    ----------
    tree
        Any part of a tree.

    Yields
    ------
    dict
        The node; its ``function_name`` is in lower case.
    """
    return (node for node in nodes(tree) if "function_name" in node)


def _is_call_in_from(node: Node) -> bool:
    """Tell whether a node is a call that stands in FROM."""
    return node.get("type") == "TABLE_FUNCTION" and "function" in node


def resolve(
    tree: Node,
    *,
    table: Callable[[str], str],
    function: Callable[[Node, Mapping[str, Node]], str | None],
) -> bool:
    """Let each table in FROM be one that is known, and rewrite our own calls in place.

    Parameters
    ----------
    tree
        As :func:`parse` gives it.
    table
        Takes the name of a table that no WITH clause defines, in lower case, and
        gives the name under which it stands; raises if there is none.
    function
        Takes a call in FROM, and the WITH clauses that it sees, and gives the name of
        the table that holds its rows; None where the engine is to make them.

    Returns
    -------
    bool
        Whether the tree was rewritten.

    Raises
    ------
    QueryError
        If FROM names a schema, a function that is not allowed, or SHOW asks for more
        than the tables.
    """
    walk = _Resolver(table, function)
    walk.visit(tree["statements"], {})
    return walk.rewritten


class _Resolver:
    """Walk a tree with the names that each part of it sees."""

    def __init__(
        self,
        table: Callable[[str], str],
        function: Callable[[Node, Mapping[str, Node]], str | None],
    ) -> None:
        self.table = table
        self.function = function
        self.rewritten = False

    def visit(self, item: Any, scope: dict[str, Node]) -> None:
        """Resolve a part of the tree and all that is below it."""
        if isinstance(item, list):
            for inner in item:
                self.visit(inner, scope)
        if not isinstance(item, dict):
            return
        if "cte_map" in item:
            scope = self._with(item["cte_map"]["map"], scope)
        kind = item.get("type")
        if kind == "TABLE_FUNCTION":
            self._call(item, scope)
        elif kind == "SHOW_REF" and item.get("query") is None:
            if item["table_name"].strip('"') != "tables":
                raise QueryError("SHOW tells of the tables alone: SHOW TABLES")
            self._replace(item, base_table(self.table("tables"), item["alias"]))
        elif kind == "BASE_TABLE":
            self._named(item, scope)
        else:
            for key, value in item.items():
                if key != "cte_map":
                    self.visit(value, scope)

    def _with(self, entries: list[Node], scope: dict[str, Node]) -> dict[str, Node]:
        """Resolve the clauses of a WITH; each sees those before it."""
        scope = dict(scope)
        for entry in entries:
            name, body = entry["key"].lower(), entry["value"]
            recursive = body["query"]["node"]["type"] == "RECURSIVE_CTE_NODE"
            self.visit(body, {**scope, name: body} if recursive else scope)
            scope.pop(name, None)
            scope[name] = body
        return scope

    def _call(self, item: Node, scope: dict[str, Node]) -> None:
        """Let a call of ours in FROM be the table that holds its rows."""
        call = item["function"]
        self.visit(call["children"], scope)
        made = self.function(call, scope)
        if made is None:
            return
        stands = base_table(made, item["alias"] or call["function_name"])
        stands["column_name_alias"] = item["column_name_alias"]
        stands["sample"] = item["sample"]
        self._replace(item, stands)

    def _named(self, item: Node, scope: dict[str, Node]) -> None:
        """Let a table be one that a WITH defines or that is known."""
        name = str(item["table_name"])
        if item["schema_name"] or item["catalog_name"]:
            whole = f"{item['schema_name'] or item['catalog_name']}.{name}"
            raise QueryError(
                f"{whole[:80]}: tables stand under their bare names; SHOW TABLES "
                "lists them"
            )
        if name.lower() in scope:
            return
        stands_as = self.table(name.lower())
        if stands_as != name.lower():
            item["alias"] = item["alias"] or name
            item["table_name"] = stands_as
            self.rewritten = True

    def _replace(self, item: Node, by: Node) -> None:
        """Put another node in the place of one."""
        item.clear()
        item.update(by)
        self.rewritten = True


def _without_explain(query: str) -> tuple[str, str]:
    """Part a query from EXPLAIN before it."""
    import duckdb

    starts = [start for start, _ in duckdb.tokenize(query)]
    ends = [*starts[1:], len(query)][: len(starts)]
    words = [query[a:b].strip().upper() for a, b in zip(starts, ends, strict=True)][:2]
    if words[:1] != ["EXPLAIN"]:
        return "", query
    if words[1:] == ["ANALYZE"]:
        return "EXPLAIN ANALYZE", query[ends[1] :]
    return "EXPLAIN", query[ends[0] :]


def _serialised(connection: DuckDBPyConnection, text: str) -> Node:
    """Read what the engine's parser makes of a text."""
    row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [text]).fetchone()
    try:
        tree: Node = json.loads(str(row[0]) if row else "")
    except RecursionError:
        raise QueryError("the query is nested too deeply; write it in parts") from None
    return tree


def _reason(connection: DuckDBPyConnection, text: str, said: Node) -> str:
    """Say in a line why a text is no query."""
    import duckdb

    if "expression depth" in said["error_message"]:
        return "the query is nested too deeply; write it in parts"
    if said["error_type"] != "not implemented":
        where = said.get("position", "")
        at = f" (at character {int(where) + 1})" if str(where).isdigit() else ""
        return f"the query cannot be read: {said['error_message'].splitlines()[0]}{at}"
    try:
        kinds = [s.type.name for s in connection.extract_statements(text)]
    except duckdb.Error:
        kinds = []
    if kinds == ["CREATE", "SELECT"]:
        return "PIVOT needs its values named: PIVOT … ON kind IN ('a', 'b') USING …"
    what = kinds[0] if kinds and kinds[0] != "SELECT" else "PRAGMA"
    return (
        f"{what} is not allowed: a query reads the named tables and changes nothing; "
        "expected SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW TABLES or "
        "EXPLAIN"
    )
