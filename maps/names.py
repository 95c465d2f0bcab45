"""Names of a layer in tiles, sorted, so that a page finds one by reading a little.

Each name stands once for each word that begins in it (for each character where it is in
Han characters), in blocks of a bearable size; a directory says where blocks begin.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import numpy as np

from maps.columns import as_texts

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

COLUMNS = ("name", "name_ko", "name_zh")
"""Columns whose texts are looked for."""

ENTRIES = 1000
"""Entries of a block."""

WORDS = 6
"""Words of a name, or Han characters, at which it can be found."""

LONGEST = 40
"""Characters of a name by which it is sorted."""

SHOWN = 200
"""Characters of a name that a list of what was found shows."""

SCALE = 1000
"""Parts of a degree in which places are kept."""

_ACCENTS = "[\u0300-\u036f'’‘ʼ`-]"
_FIRST_WORD = r"^[^\s,;/()]*[\s,;/()]+"
_HAN = "^[\u3400-\u9fff]"


def name_index(
    table: pd.DataFrame, lonlat: NDArray[np.float64]
) -> tuple[list[bytes], dict[str, Any]]:
    """Sort the names of a layer into blocks.

    Parameters
    ----------
    table
        Features, of which the columns :data:`COLUMNS` are read, shape ``(n,)``.
    lonlat
        A place of each, shape ``(n, 2)``. [degrees]

    Returns
    -------
    parts : list of bytes
        Packed blocks, the directory last; empty where there are no names.
    about : dict
        For the page's script: ``blocks``, ``entries``, and ``directory``, where the
        directory starts among the parts and how long it is. [bytes]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found = [
        _entries(as_texts(table[column]), lonlat)
        for column in COLUMNS
        if column in table
    ]
    whole = pa.concat_tables(found) if found else None
    if whole is None or not len(whole):
        return [], {"blocks": 0, "entries": 0, "directory": [0, 0]}
    order = pc.sort_indices(
        whole, sort_keys=[(name, "ascending") for name in ("key", "row", "name")]
    )
    whole = whole.take(order).combine_chunks()
    lines = pc.binary_join_element_wise(
        *(whole[name].cast(pa.string()) for name in ("key", "row", "x", "y", "name")),
        "\t",
    )
    parts, directory = [], []
    for start in range(0, len(whole), ENTRIES):
        block = "\n".join(lines.slice(start, ENTRIES).to_pylist())
        parts.append(gzip.compress(block.encode(), 9, mtime=0))
        directory.append(f"{whole['key'][start].as_py()}\t{len(parts[-1])}")
    begins = sum(map(len, parts))
    parts.append(gzip.compress("\n".join(directory).encode(), 9, mtime=0))
    return parts, {
        "blocks": len(directory),
        "entries": len(whole),
        "directory": [begins, len(parts[-1])],
    }


def plain(texts: pa.Array) -> pa.Array:
    """Return texts as search compares them: small, without accents and apostrophes.

    Parameters
    ----------
    texts
        Strings, shape ``(n,)``.

    Returns
    -------
    pyarrow.Array
        As ``plainText`` in ``many-filter.js`` has them, but for the last sigma of a
        word, which is any sigma here.

    Examples
    --------
    >>> import pyarrow as pa
    >>> plain(pa.array(["Ch'ŏllima", " 평양 "])).to_pylist()
    ['chollima', '평양']
    """
    import pyarrow.compute as pc

    apart = pc.utf8_normalize(texts, form="NFD")
    bare = pc.replace_substring_regex(apart, _ACCENTS, "")
    small = pc.utf8_lower(pc.utf8_normalize(bare, form="NFC"))
    return pc.utf8_trim_whitespace(pc.replace_substring(small, "ς", "σ"))


def _entries(texts: pa.Array, lonlat: NDArray[np.float64]) -> pa.Table:
    """One entry for each place in a name at which it can be found."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places = np.rint(lonlat * SCALE).astype(np.int64)
    table = pa.table(
        {
            "key": plain(texts),
            "row": pa.array(np.arange(len(texts), dtype=np.int64)),
            "x": pa.array(places[:, 0]),
            "y": pa.array(places[:, 1]),
            "name": pc.utf8_slice_codeunits(texts, 0, SHOWN),
        }
    )
    table = table.filter(pc.not_equal(table["key"], ""))
    found, left = [table], table
    for _ in range(WORDS - 1):
        shorter = pc.replace_substring_regex(left["key"], _FIRST_WORD, "")
        characters = pc.utf8_slice_codeunits(left["key"], 1)
        han = pc.match_substring_regex(left["key"], _HAN)
        key = pc.if_else(han, characters, shorter)
        changed = pc.and_(pc.not_equal(key, left["key"]), pc.not_equal(key, ""))
        left = left.set_column(0, "key", key).filter(changed)
        if not len(left):
            break
        found.append(left)
    whole = pa.concat_tables(found)
    cut = pc.utf8_slice_codeunits(whole["key"], 0, LONGEST)
    return whole.set_column(0, "key", cut)
