"""URLs that should answer: of Flower, of the exporter, of RabbitMQ's management."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence

from pipeline.doctor.finding import Finding, fault, ok
from pipeline.errors import UsageError

_SECONDS = 5.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Such pages are on hosts of one's own, which no proxy knows."""


def check(urls: Sequence[str]) -> Iterator[Finding]:
    """Ask each: any answer counts that is not an error of the server, also that a login is needed."""
    for url in urls:
        yield _answers(url)


def require_http(urls: Sequence[str]) -> None:
    """Raise `UsageError` for anything that is not an http URL without a login."""
    for url in urls:
        if not url.startswith(("http://", "https://")) or "@" in url:
            raise UsageError(
                f'Invalid --reach "{url[:60]}": expected http:// or https:// without user and password.'
            )


def _answers(url: str) -> Finding:
    name = "page"
    try:
        with _DIRECT.open(url, timeout=_SECONDS) as answer:
            return ok(name, f"{url} answers with {answer.status}.")
    except urllib.error.HTTPError as error:
        error.close()
        if error.code < 500:
            return ok(name, f"{url} answers with {error.code}.")
        return fault(name, f"{url} answers with {error.code}.", "see its log")
    except (OSError, ValueError) as error:
        return fault(name, f"{url} does not answer ({type(error).__name__}).", "start it, or correct the URL")
