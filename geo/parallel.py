"""Long work in pieces: on threads, with progress, and stoppable between pieces.

The pieces are fixed by the caller and their results come back in order, so the number
of threads never changes an answer. Kernels that release Python's lock run side by side.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    Progress = Callable[[int, int], None]
    """Called with how much is done and how much there is, in the calling thread."""

T = TypeVar("T")

_threads: ContextVar[int | None] = ContextVar("_threads", default=None)


@contextmanager
def limit_threads(threads: int) -> Iterator[None]:
    """Let the joins inside the block use no more threads than this.

    Parameters
    ----------
    threads
        How many, 1 or more. A worker of a cluster that runs several tasks wants 1.

    Raises
    ------
    ValueError
        If ``threads`` is below 1.
    """
    if threads < 1:
        raise ValueError(f"threads is {threads}; expected 1 or more")
    token = _threads.set(threads)
    try:
        yield
    finally:
        _threads.reset(token)


def available_threads() -> int:
    """How many threads the joins use: the limit that is set, else one a processor.

    Returns
    -------
    int
        Only processors that this process may run on count.
    """
    limit = _threads.get()
    if limit is not None:
        return limit
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_chunks(
    work: Callable[[int, int], T],
    n: int,
    *,
    chunk: int,
    progress: Progress | None = None,
    threads: int | None = None,
) -> list[T]:
    """Call ``work`` for consecutive ranges that cover ``0..n``.

    Parameters
    ----------
    work
        Called as ``work(start, stop)``, possibly from another thread.
    n
        How many rows there are.
    chunk
        How many rows a call gets at the most.
    progress
        Called with the rows done and ``n`` after each range.
    threads
        How many calls may run at a time; as :func:`available_threads` by default.

    Returns
    -------
    list
        What the calls returned, by rising range. Empty when ``n`` is 0.

    Notes
    -----
    An error in one range, or Ctrl-C, lets the ranges that have begun end, begins no
    other, and is raised. So is an error that ``progress`` raises: that cancels.
    """
    ranges = [(start, min(start + chunk, n)) for start in range(0, n, chunk)]
    threads = min(threads or available_threads(), len(ranges))
    results: list[T] = []
    if threads <= 1:
        for start, stop in ranges:
            results.append(work(start, stop))
            if progress:
                progress(stop, n)
        return results

    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads)
    waiting: deque[tuple[int, Future[T]]] = deque()
    try:
        for start, stop in ranges:
            if len(waiting) > threads:
                _take(waiting, results, progress, n)
            waiting.append((stop, pool.submit(work, start, stop)))
        while waiting:
            _take(waiting, results, progress, n)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return results


class Steps:
    """Progress of several works that follow each other, told as that of one.

    What is told rises to the end and never falls.
    """

    def __init__(self, progress: Progress | None, n: int, works: Sequence[int]) -> None:
        """Share out what is to be told.

        Parameters
        ----------
        progress
            What is called with the rows done and ``n``.
        n
            How many rows there are.
        works
            How much each work is, in any unit.
        """
        self._progress, self._n, self._last = progress, n, -1
        self._works, self._begun, self._whole = list(works), 0, max(sum(works), 1)

    def next(self) -> Progress | None:
        """Begin the next work.

        Returns
        -------
        callable or None
            To be called with how much of the work is done and how much there is.
        """
        if self._progress is None:
            return None
        before, mine = self._begun, self._works.pop(0)
        self._begun += mine

        def told(done: int, total: int) -> None:
            share = mine * done // total if total else mine
            self._tell(self._n * (before + share) // self._whole)

        return told

    def end(self) -> None:
        """Say that all is done, unless that was said or there is nothing to do."""
        if self._last < self._n and self._n:
            self._tell(self._n)

    def _tell(self, done: int) -> None:
        """Pass on what is done."""
        self._last = max(done, self._last)
        if self._progress:
            self._progress(self._last, self._n)


def _take(
    waiting: deque[tuple[int, Future[T]]],
    results: list[T],
    progress: Progress | None,
    n: int,
) -> None:
    """Wait for the oldest range, keep its result and tell."""
    stop, future = waiting.popleft()
    results.append(future.result())
    if progress:
        progress(stop, n)
