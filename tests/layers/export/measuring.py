"""What a format changed: counted by comparing what was written with what is read."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import shapely

from layers.export.formats import FORMATS
from layers.export.losses import loss_report
from tests.layers.export.reading_back import READERS

ASPECTS = {
    "names": {"names numbered", "names shortened"},
    "files": {"layers split"},
    "rows": {"rows without a place left out"},
    "order": {"order"},
    "shapes": {
        "collections taken apart",
        "cut at 180 degrees",
        "empty geometries",
        "heights dropped",
        "heights of 0 added",
        "made multi-part",
        "measures dropped",
        "rings turned",
        "single parts",
    },
    "values": {
        "bytes as text",
        "characters replaced",
        "dates as text",
        "decimals as text",
        "empty bytes",
        "empty texts",
        "formulas defused",
        "infinite numbers",
        "large numbers as text",
        "lists as text",
        "missing texts",
        "negative zeros",
        "spaces at the ends",
        "texts cut",
        "times as text",
        "times cut",
        "times cut to milliseconds",
        "truth values as text",
        "unpaired surrogates",
        "values reworded",
    },
}
OF_THE_WHOLE = {
    "dashes",
    "empty sheets left out",
    "links undeclared",
    "private tags",
    "rasters left out",
    "style",
    "symbols",
    "tables left out",
}


def declared(content, key):
    """Losses that are declared, by aspect, in the numbers in which they happen."""
    return by_aspect(loss_report(content, key).counts)


def by_aspect(counts):
    """Add up losses of one aspect."""
    return {
        aspect: sum(counts.get(kind, 0) for kind in kinds)
        for aspect, kinds in ASPECTS.items()
    }


def measured(content, key, folder):
    """Losses that are found when the file is read back."""
    [sheet] = content.sheets
    ending, read = READERS[key]
    path = folder / f"hard{ending}"
    FORMATS[key].write(content, path)
    return changes(sheet, read(path), key)


def changes(sheet, back, key):
    """Count what differs between a sheet and what came back of it, by aspect."""
    table = sheet.table
    names = [c for c in table.columns if c != "geometry"]
    ids = list(table["id"])
    wanted = ["" if n == "" else n for n in names]
    kept = [i for i in ids if i in back.rows]
    found = dict.fromkeys(ASPECTS, 0)
    found["rows"] = len(ids) - len(kept)
    found["files"] = back.files - 1
    if kept:
        found["names"] = sum(
            a != b for a, b in zip(wanted, _names(back, key), strict=True)
        )
    for i, row in enumerate(table.to_dict("records")):
        if row["id"] not in back.rows:
            continue
        cells = list(back.rows[row["id"]].values())
        found["values"] += sum(
            not same(row[n], v) for n, v in zip(names, cells, strict=True)
        )
        if not sheet.geometry:
            continue
        shapes = back.shapes[row["id"]]
        found["shapes"] += shapes != [None] and not (
            len(shapes) == 1 and same_shape(table.geometry.iloc[i], shapes[0])
        )
        found["shapes"] += shapes == [None] and table.geometry.iloc[i] is not None
    if back.files == 1:
        found["order"] = sum(a != b for a, b in zip(kept, back.rows, strict=True))
    return found


def _names(back, key):
    """Names of columns as they came back; CSV's defused ones as they were."""
    if key == "csv":
        return [n.removeprefix("'") if n[1:2] == "=" else n for n in back.names]
    return back.names


def same(before, after):
    """Tell whether a value came back: the same type, the same digits."""
    if missing(before) or missing(after):
        return missing(before) and missing(after)
    if isinstance(before, np.generic):
        before = before.item()
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    if isinstance(before, dt.datetime) and isinstance(after, dt.datetime):
        return instant(before) == instant(after)
    if isinstance(before, int | float) and isinstance(after, int | float):
        return before == after and math.copysign(1, before) == math.copysign(1, after)
    if isinstance(before, int | float) and isinstance(after, Decimal):
        return before == float(after)
    if isinstance(before, list | np.ndarray):
        return list(before) == after
    return type(before) is type(after) and before == after


def instant(moment):
    """Tell a moment in UTC; one without zone is as it is."""
    zone = moment.tzinfo
    utc = moment.astimezone(dt.UTC) if zone else moment
    return utc.replace(tzinfo=None)


def missing(value):
    return value is None or (not isinstance(value, list | dict) and value != value)


def same_shape(before, after):
    """Tell whether a geometry came back, vertex by vertex."""
    if before is None or after is None:
        return before is after
    return shapely.to_wkb(before, flavor="iso") == shapely.to_wkb(after, flavor="iso")
