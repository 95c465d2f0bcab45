"""Runs of tiles, put away until they are asked for."""

from __future__ import annotations

import tempfile
import threading
import weakref
from typing import IO

import numpy as np

from geo.raster.found import Runs

BOUND = 8_000_000
"""Runs of up to so many bytes stay in memory; more go into a file. [bytes]"""


class Spool:
    """Runs by the number of their tile, in memory while they are few, else in a file.

    The file is one of the system's temporary ones (``TMPDIR`` says where). It has no
    name where the system allows that, so that nothing is left of it when the process
    ends or is killed, and it is gone with the last use of this object.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, Runs] = {}
        self._file: IO[bytes] | None = None
        self._at: dict[int, tuple[int, int]] = {}
        self._end = 0

    @property
    def held(self) -> int:
        """Bytes of runs held in memory."""
        return 0 if self._file else self._end

    def put(self, number: int, runs: Runs) -> None:
        """Put the runs of a tile away.

        Parameters
        ----------
        number
            Which tile.
        runs
            With any whole numbers for labels.

        Raises
        ------
        OSError
            If the disk is full.
        """
        with self._lock:
            self._at[number] = (self._end, len(runs.row))
            self._end += 16 * len(runs.row)
            self._kept[number] = runs
            if self._end > BOUND:
                self._move()

    def _move(self) -> None:
        """Move what is in memory into the file."""
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        while self._kept:
            number = min(self._kept)
            self._file.seek(self._at[number][0])
            for column in self._kept.pop(number):
                self._file.write(np.ascontiguousarray(column, np.int32).data)

    def get(self, number: int) -> Runs:
        """Fetch the runs of a tile.

        Parameters
        ----------
        number
            Which tile.

        Returns
        -------
        Runs
            As :meth:`put` was given them; none of a tile that was not put away.
        """
        begin, count = self._at.get(number, (0, 0))
        with self._lock:
            if number in self._kept:
                return self._kept[number]
            flat = np.empty(4 * count, np.int32)
            if count and self._file:
                self._file.seek(begin)
                self._file.readinto(flat.data)  # type: ignore[attr-defined]
        return Runs(*flat.reshape(4, count))

    def count(self, number: int) -> int:
        """How many runs a tile has."""
        return self._at.get(number, (0, 0))[1]
