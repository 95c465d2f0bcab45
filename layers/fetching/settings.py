"""Settings: where public files are kept, how long to wait, how often to ask."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from layers.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "LODEMAP_CACHE"
"""Environment variable that names the folder of public files."""


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Folder in which public files are kept unless another is given.

    Parameters
    ----------
    environment
        Variables to look in; those of the process if None.

    Returns
    -------
    pathlib.Path
        ``LODEMAP_CACHE`` where it is set, else ``lodemap`` in the platform's folder
        for caches. It is not made.

    Raises
    ------
    RequestError
        If ``LODEMAP_CACHE`` is not an absolute path.

    Examples
    --------
    >>> cache_folder({"LODEMAP_CACHE": "/data/tiles"}).as_posix()
    '/data/tiles'
    """
    variables = os.environ if environment is None else environment
    if named := variables.get(FOLDER):
        folder = Path(named).expanduser()
        if not folder.is_absolute():
            raise RequestError(
                f"{FOLDER} is {named[:80]!r}; expected an absolute path, so that the "
                "same files are found from every folder. Set it to one."
            )
        return folder
    if sys.platform == "win32":
        home = Path(variables.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        home = Path.home() / "Library/Caches"
    else:  # XDG: a path that is not absolute is to be ignored
        home = Path(variables.get("XDG_CACHE_HOME") or "")
        home = home if home.is_absolute() else Path.home() / ".cache"
    return home / "lodemap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How files are fetched and where they are kept."""

    cache: Path = field(default_factory=cache_folder)
    """Folder of public files, one folder a product."""
    connect_s: float = 15.0
    """Longest wait for a connection. [s]"""
    read_s: float = 60.0
    """Longest silence of a server. [s]"""
    attempts: int = 5
    """Failures in a row, none of which brought a new byte, after which to give up."""
    pause_s: float = 0.5
    """Wait before the second attempt; each later one waits twice as long. [s]"""
    longest_pause_s: float = 30.0
    """Longest wait before an attempt, whatever the server asks for. [s]"""
    connections: int = 3
    """Files fetched at the same time."""
    reserve_bytes: int = 200_000_000
    """Room that is left free on the disk. [B]"""
    list_days: int = 30
    """Age at which a source's list of tiles is asked for again. [d]"""
    lock_s: float = 3600.0
    """Longest wait for another process that fetches the same file. [s]"""

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings that the environment may change: ``LODEMAP_CACHE``.

        Parameters
        ----------
        environment
            Variables to look in; those of the process if None.

        Returns
        -------
        Settings
            The others as they stand here.

        Raises
        ------
        RequestError
            If ``LODEMAP_CACHE`` is not an absolute path.
        """
        return cls(cache=cache_folder(environment))
