"""Send the report of a night, once, where NIGHTSHIFT_REPORT_URL and NIGHTSHIFT_REPORT_MAIL say.

A note in the store says what was sent. It is written after the receiver has accepted the report, so one whose process
dies in between is sent twice, but never not at all. What fails is tried again for `GIVEN`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from msgspec import structs

from pipeline import clock
from pipeline.errors import PermanentError, PipelineError
from pipeline.ledger import reported
from pipeline.models import to_json
from pipeline.night.night import Night
from pipeline.remote.fetch import post
from pipeline.remote.policy import report_policy
from pipeline.remote.signing import SIGNATURE_HEADER, sign
from pipeline.report import due, mailing, text, written
from pipeline.report.facts import Report
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

log = logging.getLogger("nightshift")

GIVEN = timedelta(days=1)
"""How long after close a report is sent, or tried to be."""

PAUSE = timedelta(minutes=10)
"""Between two attempts; an attempt itself takes less."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way of sending: `at`: of the last attempt; `error`: why it failed."""

    sent: bool = False
    attempts: int = 0
    at: datetime | None = None
    error: str = ""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the report of a night."""

    url: Way = Way()
    mail: Way = Way()


def send_due(night: Night, now: datetime) -> int:
    """Send the report of the last night where that is due; returns how many ways. Raises what the store raises."""
    settings, run_date = night.settings, due.last_closed(night, now)
    ways = [name for name, given in (("url", settings.report_url), ("mail", settings.report_mail)) if given]
    if not ways or run_date is None or now - due.closed_at(night, run_date) > GIVEN:
        return 0
    waiting = [name for name in ways if _waits(_note(night.store, run_date), name, now)]
    report = written.read(night.store, run_date) if waiting else None
    if report is None:
        return 0
    how: dict[str, Callable[[Night, Report], None]] = {"url": _post, "mail": _mail}
    return sum(_attempt(night, report, name, how[name], now) for name in waiting)


def _note(store: Store, run_date: str) -> Sent:
    return read_or_none(store, keys.report(run_date, reported.SENT), Sent) or Sent()


def _waits(note: Sent, name: str, now: datetime) -> bool:
    way: Way = getattr(note, name)
    age = clock.age(way.at, now)
    return not way.sent and (age is None or age >= PAUSE)


def _attempt(
    night: Night, report: Report, name: str, send: Callable[[Night, Report], None], now: datetime
) -> bool:
    """Send a report one way; noted before, so that another process does not do it, too, and after."""
    way: Way = getattr(_note(night.store, report.run_date), name)
    way = structs.replace(way, attempts=way.attempts + 1, at=now)
    _put(night.store, report.run_date, name, way)
    try:
        send(night, report)
    except PipelineError as error:
        lasting = isinstance(error, PermanentError)
        log.log(
            logging.ERROR if lasting else logging.WARNING,
            "the report of %s was not sent; trying again in %d min: %s",
            report.run_date,
            PAUSE.total_seconds() // 60,
            error.message,
        )
        _put(night.store, report.run_date, name, structs.replace(way, error=error.message))
        return False
    _put(night.store, report.run_date, name, structs.replace(way, sent=True, error=""))
    log.info("the report of %s was sent (%s)", report.run_date, name)
    return True


def _put(store: Store, run_date: str, name: str, way: Way) -> None:
    note = structs.replace(_note(store, run_date), **{name: way})
    store.put(keys.report(run_date, reported.SENT), to_json(note))


def _post(night: Night, report: Report) -> None:
    settings = night.settings
    if not settings.callback_secret:
        raise PermanentError("It cannot be signed; set NIGHTSHIFT_CALLBACK_SECRET.", code="no_secret")
    body = to_json(written.bare(report))
    headers = {
        "Content-Type": "application/json",
        SIGNATURE_HEADER: sign(body, settings.callback_secret, int(clock.utc().timestamp())),
    }
    post(settings.report_url, body, headers, report_policy(settings))


def _mail(night: Night, report: Report) -> None:
    settings, language = night.settings, night.settings.report_language
    if not settings.smtp_url:
        raise PermanentError("It cannot be mailed; set NIGHTSHIFT_SMTP_URL.", code="no_mail_server")
    page = night.store.get(keys.report(report.run_date, reported.PAGE)).decode()
    subject = f"Nightshift {report.run_date}: {report.verdict.sentences[language]}"
    body = "\n".join(text.lines(report, language)) + "\n"
    mailing.send(
        mailing.message(subject, body, page, f"nightshift-{report.run_date}.html", settings), settings
    )
