"""Addresses on which a process listens, as `host:port`, and the names by which it may be asked."""

from __future__ import annotations

import ipaddress
import re

HOST = "127.0.0.1"
"""Where only this machine can ask."""

_ADDRESS = re.compile(r"(?:(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[A-Za-z0-9._-]*)):)?(?P<port>\d{1,5})")


def address(text: str) -> tuple[str, int]:
    """Host and port of `host:port`, `[::1]:port`, `:port` or `port`, the host 127.0.0.1 by default.

    Raises `ValueError`. An address of every interface is written out, as 0.0.0.0.
    """
    found = _ADDRESS.fullmatch(text.strip())
    port = int(found["port"]) if found else 0
    host = (found["six"] or found["host"] or HOST) if found else ""
    if not 0 < port < 65536:
        raise ValueError("expected host:port")
    return host, port


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach this address; an empty one means every interface."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def names(text: str) -> frozenset[str]:
    """Host names in a list separated by commas."""
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def may_ask(header: str, allowed: frozenset[str]) -> bool:
    """Whether a request with this Host header is answered: for `localhost`, an IP address, or an allowed name.

    A page of any other site can have a browser here send requests, to a name of its own that resolves to an address
    here (DNS rebinding), and read the answers; the name is then in the header.
    """
    host = re.sub(r":\d+$", "", header.strip().lower()).removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host in allowed or "*" in allowed
    return True
