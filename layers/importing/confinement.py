"""What a process that reads strangers' files may use, and what it can reach.

On Linux a process that has called :func:`limit` has bounds on memory, time and the
length of files. One that has called :func:`shut_in` ends with its parent and, where the
kernel lets it, has a network of its own without a way out, and sees its own folder and
the libraries but no other file (Landlock). On macOS the bounds hold as far as the
system has them; on Windows only the time that the parent grants.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys
from importlib.util import find_spec
from pathlib import Path

_MB = 1 << 20
_OPEN_FILES = 256

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # on every architecture
_READ_FILE = 0b101  # and execute
_READ_FOLDER = 0b1101
_WRITE_FILE = 0b10 | 1 << 14
_ALL_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/dev/null",
    "/dev/urandom",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system",
)


def limit(*, memory_mb: int, disk_mb: int, seconds: float) -> tuple[str, ...]:
    """Set the bounds of POSIX for the rest of this process.

    Parameters
    ----------
    memory_mb
        Address space. [MB]
    disk_mb
        Length of any one file that is written. [MB]
    seconds
        Time of the processor. [s]

    Returns
    -------
    tuple of str
        ``"limits"``, or nothing where the system has none.
    """
    try:
        import resource
    except ImportError:  # Windows
        return ()
    bounds = {
        "RLIMIT_CORE": 0,
        "RLIMIT_AS": memory_mb * _MB,
        "RLIMIT_FSIZE": disk_mb * _MB,
        "RLIMIT_NOFILE": _OPEN_FILES,
        # A second thread may work too; the parent's clock is the stricter one.
        "RLIMIT_CPU": max(1, int(4 * seconds)),
    }
    for name, bound in bounds.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        _, highest = resource.getrlimit(kind)
        if highest != resource.RLIM_INFINITY:
            bound = min(bound, highest)  # noqa: PLW2901
        with contextlib.suppress(OSError, ValueError):  # macOS knows no RLIMIT_AS
            resource.setrlimit(kind, (bound, bound))
    return ("limits",)


def shut_in(folder: Path) -> tuple[str, ...]:
    """Give up, for the rest of this process, the network and all other files.

    Parameters
    ----------
    folder
        The one folder that may be written to.

    Returns
    -------
    tuple of str
        What holds: of ``"dies with parent"``, ``"no network"`` and
        ``"no other files"``.
    """
    holds: list[str] = []
    if sys.platform != "linux":
        return ()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) == 0:
        holds.append("dies with parent")
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    alone = (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET)
    if any(libc.unshare(flags) == 0 for flags in alone):
        holds.append("no network")
    if _leave_only(libc, folder):
        holds.append("no other files")
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return tuple(holds)


def _leave_only(libc: ctypes.CDLL, folder: Path) -> bool:
    """Leave only the folder and the libraries in reach; False if the kernel cannot."""
    abi = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    if abi < 1:
        return False
    everything = _ALL_BY_ABI[max(known for known in _ALL_BY_ABI if known <= abi)]
    network = 0b11 if abi >= 4 else 0
    wanted = struct.pack("=QQ", everything, network)[: 16 if abi >= 4 else 8]
    rules = libc.syscall(
        _CREATE_RULESET, wanted, ctypes.c_size_t(len(wanted)), ctypes.c_uint(0)
    )
    if rules < 0:
        return False
    try:
        for path in {*map(Path, _SYSTEM), *_libraries()}:
            _allow(libc, rules, path, _READ_FOLDER if path.is_dir() else _READ_FILE)
        _allow(libc, rules, Path("/dev/null"), (_READ_FILE | _WRITE_FILE) & everything)
        _allow(libc, rules, folder, everything & ~1)
        return bool(libc.syscall(_RESTRICT_SELF, rules, ctypes.c_uint(0)) == 0)
    finally:
        os.close(rules)


def _libraries() -> set[Path]:
    """Folders that code comes from."""
    here = Path(__file__).parents[1]
    folders = {here, here.parent / "geo", Path(os.__file__).parent}
    folders |= {Path(prefix) / "lib" for prefix in (sys.prefix, sys.base_prefix)}
    for name in ("numpy", "pyarrow", "pyogrio", "shapely"):
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            folders.add(Path(spec.origin).parents[1])
    return folders


def _allow(libc: ctypes.CDLL, rules: int, path: Path, access: int) -> None:
    """Let what lies beneath a path be used."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = struct.pack("=Qi", access, place)
        libc.syscall(_ADD_RULE, rules, ctypes.c_uint(1), rule, ctypes.c_uint(0))
    finally:
        os.close(place)
