"""The Dask cluster that work is sent to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import distributed


def connected() -> distributed.Client:
    """Find the cluster that is connected.

    Returns
    -------
    distributed.Client
        That of this process.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError
        If no cluster is connected.
    """
    try:
        from distributed import get_client
    except ImportError:
        raise ImportError("geo.scale needs Dask: pip install 'lodemap[dask]'") from None
    try:
        return get_client()
    except ValueError:
        raise ValueError(
            "no cluster is connected. Start one first, on this machine: "
            "client = distributed.Client(n_workers=2, threads_per_worker=1), or "
            "connect to one: distributed.Client('tcp://scheduler:8786')"
        ) from None
