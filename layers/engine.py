"""The SQL engine: in memory, with limits, and closed to files and network."""

from __future__ import annotations

import re
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from geo.parallel import available_threads
from layers.errors import ExtraMissingError, QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from duckdb import DuckDBPyConnection

MEMORY_GB = 4.0
"""Memory that the engine may take unless told otherwise. [GB]"""

_BATCH_ROWS = 100_000
_TURN_S = 0.1
"""So often progress is told and Ctrl-C is heard. [s]"""


def connect(
    memory_gb: float = MEMORY_GB, threads: int | None = None
) -> DuckDBPyConnection:
    """Open an engine in memory that can open no file and no connection.

    Parameters
    ----------
    memory_gb
        Memory that it may take; it writes nothing to disk beyond that. [GB]
    threads
        Threads; as many as the process may use when not given.

    Returns
    -------
    duckdb.DuckDBPyConnection
        With the spatial extension, longitude first, its settings locked.

    Raises
    ------
    ExtraMissingError
        If the engine or its extension is not installed, or one does not fit the other.
    QueryError
        If a limit is none.
    """
    for package in ("duckdb", "duckdb_extension_spatial", "pyarrow"):
        if find_spec(package) is None:
            raise ExtraMissingError(
                f"queries need the package {package}; install the extra sql: "
                "pip install 'lodemap[sql]'"
            )
    import duckdb

    if not memory_gb > 0:
        raise QueryError(f"memory_gb is {memory_gb}; expected more than 0 [GB]")
    if threads is not None and threads < 1:
        raise QueryError(f"threads is {threads}; expected 1 or more")
    found = find_spec("duckdb_extension_spatial")
    folders = list(found.submodule_search_locations or []) if found else []
    under = Path("extensions") / f"v{duckdb.__version__}" / "spatial.duckdb_extension"
    built = next((f for f in (Path(d) / under for d in folders) if f.is_file()), None)
    if built is None:
        raise ExtraMissingError(
            f"the spatial extension is not built for duckdb {duckdb.__version__}; "
            "install the extra sql again: pip install 'lodemap[sql]'"
        )
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        }
    )
    connection.load_extension(str(built))
    for setting in (
        "geometry_always_xy = true",
        f"memory_limit = '{memory_gb * 1e9:.0f}B'",
        f"threads = {threads or available_threads()}",
        "temp_directory = ''",
        "enable_progress_bar = true",
        "enable_progress_bar_print = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


def run(
    connection: DuckDBPyConnection,
    text: str,
    progress: Callable[[int, int], None] | None = None,
    *,
    memory_gb: float = MEMORY_GB,
) -> pa.Table:
    """Run a query in a thread of its own, so that Ctrl-C ends it at once.

    Parameters
    ----------
    connection
        From :func:`connect`; nothing else may use it meanwhile.
    text
        A query that was checked.
    progress
        Called in the calling thread with per cent done and 100.
    memory_gb
        Memory that the rows may take, which are not the engine's any more. [GB]

    Returns
    -------
    pyarrow.Table
        All rows.

    Raises
    ------
    QueryError
        With what the engine says, in one line; if the rows are too many.
    """
    import duckdb
    import pyarrow as pa

    found: list[pa.Table] = []
    raised: list[Exception] = []
    done = threading.Event()

    def work() -> None:
        try:
            with connection.execute(text).to_arrow_reader(_BATCH_ROWS) as reader:
                batches, room = [], memory_gb * 1e9
                for batch in reader:
                    room -= batch.nbytes
                    if room < 0:
                        raise QueryError(
                            f"the rows take more than {memory_gb:g} GB; ask for fewer "
                            "columns or rows, or allow more memory_gb"
                        )
                    batches.append(batch)
                found.append(pa.Table.from_batches(batches, reader.schema))
        except Exception as error:  # noqa: BLE001 - raised in the calling thread
            raised.append(error)
        finally:
            done.set()

    threading.Thread(target=work, name="query", daemon=True).start()
    try:
        # An event: after Ctrl-C in join(), Python 3.11 calls a thread dead that is not.
        while not done.wait(_TURN_S):
            if progress is not None:
                progress(min(max(int(connection.query_progress()), 0), 100), 100)
    finally:
        while not done.is_set():
            connection.interrupt()
            done.wait(_TURN_S)
    if raised and isinstance(raised[0], duckdb.OutOfMemoryException):
        raise QueryError(
            f"the query needs more memory than the {memory_gb:g} GB that it may take; "
            "ask for less at a time, or allow more memory_gb"
        ) from None
    if raised and isinstance(raised[0], duckdb.Error):
        raise QueryError(one_line(raised[0])) from None
    if raised:
        raise raised[0]
    return found[0]


def one_line(error: Exception) -> str:
    """Say in one line what the engine says, with the names that it suggests.

    Parameters
    ----------
    error
        Of the engine.

    Returns
    -------
    str
        Without the excerpt of the query, and of a length for people.
    """
    text = re.split(r"\n+LINE \d+:", str(error).strip())[0]
    kind, _, rest = text.partition(": ")
    text = rest if kind.endswith("Error") and rest else text
    return re.sub(r"\s+", " ", text.replace("\n * ", " ")).strip()[:600]
