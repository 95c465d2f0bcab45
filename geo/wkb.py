"""Geometries made out of WKB by the million."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_lock = threading.Lock()
_paused = 0
_was_on = False


def from_wkb(
    wkb: Any, *, on_invalid: Literal["raise", "warn", "ignore"] = "raise"
) -> NDArray[np.object_]:
    """Read geometries.

    Parameters
    ----------
    wkb
        Bytes, and None where there is none, shape ``(n,)``.
    on_invalid
        As for :func:`shapely.from_wkb`.

    Returns
    -------
    numpy.ndarray
        Shape ``(n,)``.

    Raises
    ------
    shapely.errors.GEOSException
        If anything is no WKB and ``on_invalid`` is ``"raise"``.

    Notes
    -----
    Python's collector looks through all new objects after every few hundred, and
    through all old ones now and then; for a million points that takes three times as
    long as making them. Geometries point to nothing, so it rests meanwhile.

    Examples
    --------
    >>> import shapely
    >>> from_wkb([shapely.Point(1, 2).wkb, None])
    array([<POINT (1 2)>, None], dtype=object)
    """
    import shapely

    with _collector_at_rest():
        shapes = shapely.from_wkb(np.asarray(wkb, dtype=object), on_invalid=on_invalid)
    return np.asarray(shapes, dtype=object)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Stop the collector until the last of several threads is through."""
    global _paused, _was_on  # noqa: PLW0603
    with _lock:
        if not _paused:
            _was_on = gc.isenabled()
            gc.disable()
        _paused += 1
    try:
        yield
    finally:
        with _lock:
            _paused -= 1
            if not _paused and _was_on:
                gc.enable()
