"""Zip files that are the same, byte by byte, when they hold the same."""

from __future__ import annotations

import shutil
import zipfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

_PLAIN = (".png", ".parquet")
"""Files that are compressed already."""


def write_zip(
    stream: IO[bytes], files: Iterable[tuple[str, Path | bytes]], dated: date
) -> None:
    """Write a zip in which every file bears the same day.

    Parameters
    ----------
    stream
        Where to write.
    files
        Names inside, with the file or the bytes.
    dated
        Day that each file bears.
    """
    with zipfile.ZipFile(stream, "w") as archive:
        for name, held in files:
            about = zipfile.ZipInfo(
                name, (max(dated.year, 1980), dated.month, dated.day, 0, 0, 0)
            )
            about.compress_type = (
                zipfile.ZIP_STORED if name.endswith(_PLAIN) else zipfile.ZIP_DEFLATED
            )
            about.external_attr = 0o644 << 16
            about.create_system = 3
            if isinstance(held, bytes):
                archive.writestr(about, held)
                continue
            about.file_size = held.stat().st_size
            with held.open("rb") as source, archive.open(about, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
