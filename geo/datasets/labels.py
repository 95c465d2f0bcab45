"""Labels of an index, which name the rows of a layer in a join."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.errors import ColumnError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa
    from numpy.typing import NDArray


def hashed(labels: pa.Table) -> NDArray[np.uint64]:
    """Hash labels of an index: equal ones to equal numbers.

    Parameters
    ----------
    labels
        Columns of the index, shape ``(n,)``.

    Returns
    -------
    numpy.ndarray
        Shape ``(n,)``.
    """
    import pandas as pd

    plain = labels.replace_schema_metadata(None).to_pandas()
    return np.asarray(pd.util.hash_pandas_object(plain, index=False), dtype=np.uint64)


def require_unique(
    hashes: NDArray[np.uint64], labels: Callable[[], Iterator[pa.Table]], name: str
) -> None:
    """Refuse labels of which one stands twice.

    Parameters
    ----------
    hashes
        Of all labels, shape ``(n,)``.
    labels
        Gives the labels in the same order, in tables.
    name
        What to call the layer in a message.

    Raises
    ------
    ColumnError
        Naming the label. Labels are compared where their hashes are equal.
    """
    ranked = np.sort(hashes)
    twice = ranked[1:][ranked[1:] == ranked[:-1]]
    if not len(twice):
        return
    start, seen = 0, set()
    for table in labels():
        same = np.isin(hashes[start : start + len(table)], twice)
        start += len(table)
        for row in table.filter(same).to_pylist():
            label = tuple(row.values())
            if label in seen:
                shown = label[0] if len(label) == 1 else label
                raise ColumnError(
                    f"{name}: the index label {shown!r} stands twice; expected each "
                    f"once, since it names the row in a join. Call {name}.reset_index"
                    "(drop=True) first, and write it anew"
                )
            seen.add(label)
