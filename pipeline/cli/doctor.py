"""`nightshift doctor`: check the installation, and say how to fix what is wrong."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import options, screen
from pipeline.errors import ExitCode
from pipeline.plural import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.doctor.finding import Check, Finding, Level
    from pipeline.night.night import Night

_MARK: dict[Level, str] = {"ok": "ok", "warning": "WARNING", "fault": "FAULT"}
_LOADING = 120.0  # seconds for models to be loaded


def doctor(
    load: Annotated[
        bool, typer.Option("--load", help="Load the models too: seconds, and their memory.")
    ] = False,
    reach: Annotated[
        list[str] | None,
        typer.Option(
            "--reach", metavar="URL", help="A page that must answer, such as Flower's; may be repeated."
        ),
    ] = None,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Check broker, store, models, device, disk, clocks, window, beat, settings, sandbox and certificates.

    Each finding is one sentence, with its cure. Checks run side by side and have time limits: all of them end within
    30 s, whatever is unavailable. One small object is written to the store and deleted; nothing else is changed.

    Exit codes: 0 all is well, 1 a fault, 2 usage error: an invalid setting, 3 warnings only.

    Example: `nightshift doctor --reach http://127.0.0.1:5555`
    """
    from pipeline.doctor import pages, run
    from pipeline.night.night import Night
    from pipeline.settings import Settings

    pages.require_http(reach or [])
    night = Night.of(Settings.from_env(store_url=store))
    found, hanging = run.run(_checks(night, load=load, reach=reach or []))
    levels = Counter(one.level for one in found)
    if as_json:
        counts = {level: levels[level] for level in _MARK}
        screen.as_json({"findings": found, "counts": counts, "store": night.store.url})
    else:
        _print(night, found, levels)
    code = ExitCode.ERROR if levels["fault"] else ExitCode.INCOMPLETE if levels["warning"] else ExitCode.OK
    if hanging:
        leave(code)
    raise typer.Exit(code)


def leave(code: int) -> None:
    """End the process although a check hangs in a library that waits for a server."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _checks(night: Night, *, load: bool, reach: Sequence[str]) -> list[Check]:
    from pipeline.doctor import (
        agreement,
        beat,
        certificates,
        device,
        disk,
        machine,
        models,
        ocr_servers,
        pages,
        window,
    )
    from pipeline.doctor import store as of_store
    from pipeline.doctor.finding import Check
    from pipeline.storage import EncryptedStore

    settings, store = night.settings, night.store
    assert isinstance(store, EncryptedStore)
    metrics = f"http://{settings.metrics_address}/healthz" if settings.metrics_address else ""
    urls = [*filter(None, [settings.management_url, metrics]), *reach]
    return [
        Check(name="broker", make=lambda: _broker(night), seconds=22.0),
        Check(name="store", make=lambda: of_store.check(store), seconds=18.0),
        Check(name="settings", make=lambda: agreement.check(night), needs="store"),
        Check(name="beat", make=lambda: beat.check(night), needs="store"),
        Check(name="window", make=lambda: window.check(settings, night.schedule)),
        Check(
            name="models", make=lambda: models.check(settings, load=load), seconds=_LOADING if load else 20.0
        ),
        Check(name="ocr servers", make=lambda: ocr_servers.check(settings, load=load), seconds=25.0),
        Check(name="device", make=lambda: device.check(settings)),
        Check(name="disk", make=lambda: disk.check(settings, store.inner)),
        Check(name="sandbox", make=lambda: machine.sandbox(settings), seconds=15.0),
        Check(name="fonts", make=machine.fonts),
        Check(name="certificates", make=lambda: certificates.check(settings), seconds=12.0),
        Check(name="pages", make=lambda: pages.check(urls), seconds=12.0),
    ]


def _broker(night: Night) -> Iterator[Finding]:
    from tasks import client
    from tasks import doctor as of_broker

    return of_broker.check(client.celery(), night.settings)


def _print(night: Night, found: Sequence[Finding], levels: Counter[Level]) -> None:
    from pipeline.cli.wrapped import paragraph

    screen.say(f"Store  {night.store.url}")
    wide = max(len(one.check) for one in found if len(one.check) < 24) + 10
    for one in found:
        paragraph(f"{_MARK[one.level]:<8} {one.check}", one.sentence, width=wide)
        if one.cure:
            paragraph("", f"-> {one.cure}", width=wide)
    screen.say(
        f"{levels['ok']} ok, {count(levels['warning'], 'warning')}, {count(levels['fault'], 'fault')}."
    )
