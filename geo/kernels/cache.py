"""Compiled kernels on disk, thrown away when any kernel's source has changed.

numba keeps what it compiled beside the source and looks only at the file that a kernel
stands in, not at those that it calls: after a change there, an old answer would stay.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

_STAMP = "sources.sha256"


def forget_stale(folder: Path | None = None, called: Path | None = None) -> None:
    """Remove compiled kernels unless they were made from the sources as they are now.

    Parameters
    ----------
    folder
        Where the sources stand; that of this module by default.
    called
        Another folder of kernels, which those of ``folder`` call.

    Notes
    -----
    Where the folder cannot be written numba keeps its files elsewhere, for each user;
    then nothing is done here.
    """
    here = folder or Path(__file__).parent
    sources = [*sorted(here.glob("*.py"))]
    if called:
        sources += sorted(called.glob("*.py"))
    sources.append((called or here).parent / "geodesy.py")
    digest = sha256()
    for source in sources:
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    compiled = here / "__pycache__"
    stamp = compiled / _STAMP
    try:
        if stamp.exists() and stamp.read_text("ascii") == digest.hexdigest():
            return
        for kind in ("*.nbi", "*.nbc"):
            for stale in compiled.glob(kind):
                stale.unlink(missing_ok=True)
        compiled.mkdir(exist_ok=True)
        fresh = compiled / f"{_STAMP}.{os.getpid()}"
        fresh.write_text(digest.hexdigest(), "ascii")
        fresh.replace(stamp)
    except OSError:
        return
