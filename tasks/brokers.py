"""Several brokers in NIGHTSHIFT_BROKER_URL, the nodes of one cluster: with which of them a connection begins.

kombu begins with the first one each time, and tries two. Here those that have failed come last, so that a node which
swallows everything costs a process one wait, not one per connection; and each attempt tries all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import kombu
from celery.app import amqp
from kombu.utils.url import parse_url

_PORTS = {"amqp": 5672, "amqps": 5671}
_failed: dict[str, float] = {}  # `host:port` -> when it last failed, of a monotonic clock


def failed(place: str) -> None:
    """Note that a broker, as `host:port`, has not answered."""
    _failed[place] = time.monotonic()


def succeeded(place: str) -> None:
    """Note that it has."""
    _failed.pop(place, None)


def place(url: str) -> str:
    """`host:port` of a URL."""
    found = parse_url(url)
    port = found.get("port") or _PORTS.get(url.partition(":")[0], _PORTS["amqp"])
    return f"{found.get('hostname') or 'localhost'}:{port}"


def in_order(urls: Sequence[str]) -> list[str]:
    """First those that have not failed, as they are given; then the others, the longest ago first."""
    return sorted(urls, key=lambda url: _failed.get(place(url), 0.0))


def shown(connection: kombu.Connection) -> str:
    """Where the broker of a connection is, without a password; all of several."""
    if not connection.alt:
        return str(connection.as_uri())  # kombu leaves the password out
    return ", ".join(map(place, connection.alt))


class Connection(kombu.Connection):
    """kombu's connection, which begins with the broker most likely to answer, and tries each."""

    def _ensure_connection(
        self,
        errback: Callable[..., Any] | None = None,
        max_retries: int | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if self.alt and not self.connected:
            self._begin()
            if max_retries is not None:
                max_retries = max(max_retries, len(self.alt) - 1)
            if kwargs.get("timeout"):
                kwargs["timeout"] *= len(self.alt)
        return super()._ensure_connection(errback, max_retries, *args, **kwargs)

    def _begin(self) -> None:
        urls = cycle(in_order(self.alt))
        self.switch(next(urls))
        self.cycle = urls


class AMQP(amqp.AMQP):
    """Has Celery make such connections."""

    Connection = Connection
