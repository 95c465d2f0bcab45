"""Which files below a folder are opened, as the kernel tells it (Linux alone)."""

import ctypes
import os
import struct
import sys
from contextlib import contextmanager

import pytest

_IN_OPEN = 0x20
_EVENT = struct.Struct("iIII")


@contextmanager
def watched(folder):
    """Give a function that lists the names opened in a folder since it was asked."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the kernel tells of opened files on Linux alone")
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_NONBLOCK)
    assert handle >= 0
    assert libc.inotify_add_watch(handle, os.fsencode(folder), _IN_OPEN) >= 0

    def opened():
        try:
            told = os.read(handle, 1 << 16)
        except BlockingIOError:
            return []
        names, at = [], 0
        while at < len(told):
            *_, size = _EVENT.unpack_from(told, at)
            at += _EVENT.size
            names.append(os.fsdecode(told[at : at + size].rstrip(b"\0")))
            at += size
        return names

    try:
        yield opened
    finally:
        os.close(handle)
