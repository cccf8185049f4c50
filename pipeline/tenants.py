"""What the settings say about tenants: pages per night, and the broker users that may submit for them."""

from __future__ import annotations

OTHERS = "*"
"""Name of all tenants that are not named, and of documents without one."""


def quotas(text: str) -> dict[str, int]:
    """Pages per night by tenant, as in `archive=20000, *=5000`; raises `ValueError`."""
    found = {name: _count(value) for name, value in _pairs(text)}
    if "" in found:
        raise ValueError("a name is missing")
    return found


def quota(of: dict[str, int], tenant: str) -> int | None:
    """Pages per night of one tenant; `None`: as many as it likes."""
    return of.get(tenant, of.get(OTHERS))


def users(text: str) -> dict[str, str]:
    """Tenant by broker user, as in `scanner=archive, portal=archive`; raises `ValueError`."""
    found = dict(_pairs(text))
    if not all(found) or not all(found.values()):
        raise ValueError("a name is missing")
    return found


def _pairs(text: str) -> list[tuple[str, str]]:
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    pairs = []
    for part in parts:
        name, mark, value = part.rpartition("=")
        if not mark:
            raise ValueError("a part has no =")
        pairs.append((name.strip(), value.strip()))
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name is given twice")
    return pairs


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError("a number of pages is expected")
    return int(text)
