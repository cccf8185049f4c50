"""URLs that should answer: of Flower, of the exporter, of RabbitMQ's management."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime

from pipeline import clock
from pipeline.doctor.finding import Finding, fault, ok, warning
from pipeline.errors import UsageError

_SECONDS = 5.0
_BROKEN = 500  # HTTP status from which a server is at fault
_SKEW = 30.0  # seconds
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Such pages are on hosts of one's own, which no proxy knows."""


def check(urls: Sequence[str]) -> Iterator[Finding]:
    """Ask each: any answer counts that is not an error of the server, also that a login is needed."""
    for url in urls:
        yield from _answers(url)


def require_http(urls: Sequence[str]) -> None:
    """Raise `UsageError` for anything that is not an http URL without a login."""
    for url in urls:
        if not url.startswith(("http://", "https://")) or "@" in url:
            raise UsageError(
                f'Invalid --reach "{url[:60]}": expected http:// or https:// without user and password.'
            )


def _answers(url: str) -> Iterator[Finding]:
    name = "page"
    try:
        try:
            answer = _DIRECT.open(url, timeout=_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            code, date = int(answer.status or 0), str(answer.headers.get("Date", ""))
    except (OSError, ValueError) as error:
        yield fault(name, f"{url} does not answer ({type(error).__name__}).", "start it, or correct the URL")
        return
    if code >= _BROKEN:
        yield fault(name, f"{url} answers with {code}.", "see its log")
    else:
        yield ok(name, f"{url} answers with {code}.")
    yield from _clock(url, date)


def _clock(url: str, date: str) -> Iterator[Finding]:
    """Compare clocks, such as with that of RabbitMQ by its management page: AMQP itself tells no time."""
    with suppress(TypeError, ValueError):
        ahead = (clock.utc() - parsedate_to_datetime(date)).total_seconds()
        if abs(ahead) > _SKEW:
            how = "ahead of" if ahead > 0 else "behind"
            said = f"This machine's clock is {abs(ahead):.0f} s {how} that of {url}."
            yield warning("page clock", said, "set the one that is wrong (NTP)")
