"""Write the files' digests into the catalogue."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

from geo.errors import GeoError
from layers.rebuild.output import write_whole

_SHA256_LINE = re.compile(r'^sha256\s*=\s*"[^"\n]*"', re.MULTILINE)


class SealError(GeoError, ValueError):
    """A catalogue entry cannot be sealed."""


def seal(data: Path) -> list[str]:
    """Set ``sha256`` in every catalogue entry to that of its file.

    Parameters
    ----------
    data
        Folder with the files and, in ``catalogue/``, one TOML entry a layer.

    Returns
    -------
    list of str
        Ids of the entries that were changed.

    Raises
    ------
    SealError
        If an entry cannot be read, names no file of this folder, or has no
        ``sha256`` line before its first table.
    """
    changed = []
    for path in sorted((data / "catalogue").glob("*.toml")):
        text = path.read_text("utf-8")
        try:
            entry = tomllib.loads(text)
            file = data / Path(str(entry["file"])).name
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except (tomllib.TOMLDecodeError, KeyError, OSError) as error:
            raise SealError(f"{path.name} cannot be sealed: {error!r}") from error
        sealed, count = _SHA256_LINE.subn(f'sha256 = "{digest}"', text, count=1)
        if count == 0 or tomllib.loads(sealed).get("sha256") != digest:
            raise SealError(
                f'{path.name} has no line sha256 = "" before its tables; add one'
            )
        if sealed != text:
            write_whole(path, sealed.encode("utf-8"))
            changed.append(str(entry.get("id", path.stem)))
    return changed
