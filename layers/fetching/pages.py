"""What an answer is that should have been a file: a page, an error, nothing."""

from __future__ import annotations

import re

_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
_CODE = re.compile(rb"<Code>([A-Za-z]{1,60})</Code>")
_TEXTS = {"an XML answer": (b"<",), "a JSON answer": (b"{", b"[")}
_FILES = {
    "a zip archive": (b"PK\x03\x04",),
    "a TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "a gzip file": (b"\x1f\x8b",),
}


def describe(beginning: bytes) -> str:
    """Say in words what begins with these bytes.

    Parameters
    ----------
    beginning
        First bytes of an answer.

    Returns
    -------
    str
        One printable line, such as ``an XML error, NoSuchKey``.

    Examples
    --------
    >>> describe(b"<!DOCTYPE html><title>Sign in</title>")
    "an HTML page, 'Sign in'"
    >>> describe(b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>")
    'an XML error, NoSuchKey'
    """
    text = beginning.lstrip(b"\xef\xbb\xbf \t\r\n")[:2048]
    low = text[:200].lower()
    words = ""
    if code := _CODE.search(text):
        kind, words = "an XML error", code[1].decode("ascii")
    elif low.startswith(b"<!doctype html") or b"<html" in low or b"<title" in low:
        title = _TITLE.search(text)
        kind, words = "an HTML page", repr(_plain(title[1])) if title else ""
    elif not text:
        kind = "an empty answer"
    elif all(byte >= 32 or byte in b"\t\r\n" for byte in text[:80]):
        known = [name for name, starts in _TEXTS.items() if low.startswith(starts)]
        kind, words = (known[0], "") if known else ("text", repr(_plain(text)))
    else:
        known = [name for name, starts in _FILES.items() if text.startswith(starts)]
        kind, words = (known[0], "") if known else ("other bytes", text[:8].hex(" "))
    return f"{kind}, {words}" if words else kind


def _plain(text: bytes) -> str:
    """Short printable text on one line."""
    words = " ".join(text.decode("utf-8", "replace").split())
    return "".join(c if c.isprintable() else " " for c in words)[:60]
