"""`nightshift exporter`: metrics of the installation, for Prometheus."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import options, screen
from pipeline.errors import ExitCode, PipelineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.exporter.part import Part
    from pipeline.night.night import Night
    from pipeline.settings import Settings
    from pipeline.telemetry.http import Server

_OFTEN, _SELDOM = 15.0, 60.0  # seconds


class CannotListen(PipelineError):
    """The address is in use, or is not one of this machine."""

    code = "cannot_listen"
    exit_code = ExitCode.ERROR


def exporter(
    store: options.Store = None,
    listen: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Where to serve `/metrics` and `/healthz`."),
    ] = "127.0.0.1:9808",
    as_json: options.AsJson = False,
) -> None:
    """Serve what no worker can know to Prometheus: queues, backlog, window, forecast, housekeeping, failures.

    Reads the store, and counts messages at RabbitMQ with a monitor's rights; changes nothing. What does not answer is
    left out until it does (`nightshift_up`); `/healthz` answers 503 while RabbitMQ does not answer. Runs until it is
    stopped.

    Exit codes: 0 stopped by SIGTERM, 1 the address is in use, 2 usage error, 130 stopped with Ctrl-C.
    """
    import signal
    import threading

    from pipeline.night.night import Night
    from pipeline.settings import Settings
    from tasks import client, probe

    screen.log(logging.INFO)
    night = Night.of(Settings.from_env(store_url=store))  # which may come later
    server = _server(listen, night.settings)
    app = client.celery()
    parts, asked = _parts(night, app), probe.Probe(app)
    _pages(server, parts, lambda: probe.trouble(asked.silence()))
    asked.start()
    for part in parts:
        part.start()
    server.in_thread()
    host, port = server.server_address[:2]
    url = f"http://{f'[{host!s}]' if ':' in str(host) else host!s}:{port}/metrics"
    if as_json:
        screen.as_json({"metrics": url})
    else:
        screen.say(f"Metrics on {url}")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop.wait()


def _server(address: str, settings: Settings) -> Server:
    """Bound, so that an address that cannot be used is an error at once."""
    from pipeline import listen
    from pipeline.telemetry.http import Server

    try:
        host, port = listen.address(address)
    except ValueError:
        raise UsageError(
            f'Invalid --listen "{address[:60]}": expected host:port, such as 127.0.0.1:9808.'
        ) from None
    if settings.require_tls and not settings.metrics_hosts and not listen.is_loopback(host):
        raise UsageError(
            f"The exporter will not listen on {host} without TLS, as NIGHTSHIFT_REQUIRE_TLS is true: use 127.0.0.1, or "
            "set NIGHTSHIFT_METRICS_HOSTS."
        )
    try:
        return Server((host, port), {}, listen.names(settings.metrics_hosts))
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host} port {port}: {error.strerror}; use another --listen."
        ) from error


def _pages(server: Server, parts: list[Part], trouble: Callable[[], str]) -> None:
    """`trouble`: why `/healthz` is not well, in one sentence, or empty."""
    from pipeline.exporter.part import together
    from pipeline.telemetry import exposition
    from pipeline.telemetry.http import Answer

    def health() -> Answer:
        said = trouble()
        return Answer(503 if said else 200, f"{said or 'ok'}\n".encode())

    values = exposition.Gauges(lambda: together(parts))
    server.pages = {
        "/metrics": lambda: Answer(200, exposition.text([values]), exposition.CONTENT),
        "/healthz": health,
    }


def _parts(night: Night, app: Any) -> list[Part]:
    from pipeline.exporter.part import Part
    from pipeline.exporter.store import open_cases, vitals
    from pipeline.exporter.work import left
    from tasks import exposed

    heartbeats = exposed.Heartbeats(app)
    heartbeats.start()
    return [
        Part("broker", lambda: exposed.depths(app), _OFTEN),
        Part("workers", heartbeats.workers, 2.0),
        Part("store", lambda: vitals(night), _OFTEN),
        Part("failures", lambda: open_cases(night), _SELDOM),
        Part("backlog", lambda: left(night), _OFTEN),
    ]
