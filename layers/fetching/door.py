"""Which addresses may be asked: https, and hosts that a product or the user named."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from layers.errors import FetchError, RequestError

if TYPE_CHECKING:
    from layers.fetching.products import Product

_PORTS = {"https": 443, "http": 80}


class Door:
    """Where requests of one product may go.

    Parameters
    ----------
    product
        Its own address and hosts are allowed.
    base_url
        Address to ask instead of the product's own, such as a mirror; its host and
        port are allowed as well. Paths below it are those of the product.

    Raises
    ------
    RequestError
        If ``base_url`` is no https address (http only to this very machine), or
        carries a name, a password, a query or a fragment.

    Notes
    -----
    A redirect is an address like any other: it is followed only through here.
    """

    def __init__(self, product: Product, base_url: str | None = None) -> None:
        self._who = product.id
        self.base = product.base if base_url is None else base_url
        self._open = {(host, 443) for host in product.hosts}
        parts = _parts(self.base)
        place = _place(parts)
        if place is None or parts.query or parts.fragment:
            raise RequestError(
                f"the base address is {self.base[:120]!r}; expected https://host/path, "
                "without a name, a password or a query (http only to this machine)"
            )
        self._open.add(place)
        self.local = is_local(place[0])

    def url(self, path: str) -> str:
        """Address of a file.

        Parameters
        ----------
        path
            Path below the base.

        Returns
        -------
        str
            Absolute address.
        """
        return f"{self.base.rstrip('/')}/{path}"

    def check(self, url: str) -> None:
        """Refuse an address that may not be asked.

        Parameters
        ----------
        url
            Absolute address.

        Raises
        ------
        FetchError
            If it is neither https nor http to this machine, or its host and port are
            neither the product's nor the base address's.
        """
        place = _place(_parts(url))
        if place is None:
            raise FetchError(
                f"{self._who}: sent on to {url[:120]!r}, which is not https; nothing "
                "was asked of it"
            )
        if place not in self._open:
            raise FetchError(
                f"{self._who}: sent on to {place[0]}:{place[1]}, which is none of "
                f"{', '.join(sorted(host for host, _ in self._open))}; nothing was "
                "asked of it. If you trust it, give it with --base-url"
            )


def is_local(host: str) -> bool:
    """Tell whether a host is this machine.

    Parameters
    ----------
    host
        Name or address.

    Returns
    -------
    bool
        True for ``localhost`` and loopback addresses; no name is looked up.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(url: str) -> SplitResult:
    """Parts of an address; an empty one where it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def _place(parts: SplitResult) -> tuple[str, int] | None:
    """Host and port of an address that may be asked at all."""
    host = (parts.hostname or "").lower()
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_local(host))
    if not host or not secure or parts.username is not None:
        return None
    return host, parts.port or _PORTS[parts.scheme]
