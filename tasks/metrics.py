"""Metrics of one worker: counted in each process of its pool, served by its parent, which also says if it is well.

`/healthz` needs neither the event loop nor the broker, so that it answers while they do not, and says so. `/livez` says
only whether the worker should be restarted.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from pipeline import listen, scratch, tenants
from pipeline.settings import Settings
from pipeline.telemetry import exposition, registry
from pipeline.telemetry.devices import Devices
from pipeline.telemetry.http import Answer, Server
from pipeline.telemetry.shared import Shared
from tasks import hung, probe, pulse
from tasks.hung import Hung

log = logging.getLogger("nightshift.metrics")

QUIET = 10.0
"""Seconds without a sign of life, or of the broker, after which a worker is not well."""

_LOOK = 0.5
_TIDY = 5.0  # seconds between two looks for processes that are gone
_AGAIN = 5.0  # seconds until an address that is in use is tried again


def start(settings: Settings) -> None:
    """Prepare a worker's parent, before its pool starts: its processes find the folder by the environment."""
    os.environ.pop(registry.FOLDER, None)
    if not settings.metrics_address:
        return
    folder = scratch.start(settings.temp_dir) / "metrics"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        registry.start(folder, _tenants(settings))
    except OSError as error:
        registry.stop()
        log.error("nothing is counted, as %s can't be written: %s", folder, error.strerror)


def join(settings: Settings) -> None:
    """Have a process of the pool count, if its parent does."""
    folder = os.environ.get(registry.FOLDER)
    if not settings.metrics_address or not folder:
        return
    try:
        registry.start(Path(folder), _tenants(settings))
    except OSError as error:
        registry.stop()
        log.warning("this process counts nothing, as %s can't be written: %s", folder, error.strerror)


def serve(ticks: Callable[[], int], app: Any, processes: Callable[[], Collection[int]]) -> None:
    """Serve the metrics of this worker from a thread, if it counts.

    ticks: those of the gate. processes: ids of those that work for it.
    """
    settings, folder = Settings.from_env(), os.environ.get(registry.FOLDER)
    if settings.metrics_address and folder:
        asked = probe.Probe(app)
        asked.start()
        health = Health(ticks, lambda: asked.answers, minority=lambda: asked.minority)
        Metrics(settings, Shared(Path(folder)), health, hung.of_worker(app, processes)).start()


def _tenants(settings: Settings) -> set[str]:
    """Tenants that the settings name: any other is counted as one of the others."""
    quotas, users = tenants.quotas(settings.tenant_pages), tenants.users(settings.tenant_users)
    return {*quotas, *users.values()} - {tenants.OTHERS}


class Health:
    """Whether a worker is well: its event loop moves, the gate ticks, which needs a connection, and the broker answers.

    `answers` and `minority`: of `tasks.probe`, as a connection to a frozen broker stays open for a while, and to one
    without a majority for ever.
    """

    def __init__(
        self,
        ticks: Callable[[], int],
        answers: Callable[[], int],
        beats: Callable[[], int] = pulse.beats,
        minority: Callable[[], str] = str,
    ) -> None:
        self._ticks, self._answers, self._beats, self._minority = ticks, answers, beats, minority
        self._unticked, self._unanswered, self._lifeless = (pulse.Stillness() for _ in range(3))
        self._seconds = (0.0, 0.0, 0.0)

    def look(self, now: float) -> None:
        """Look whether anything has moved; to be called about once per second."""
        self._seconds = (
            self._lifeless.look(self._beats(), now),
            self._unticked.look(self._ticks(), now),
            self._unanswered.look(self._answers(), now),
        )

    @property
    def trouble(self) -> str:
        """What is wrong, in one sentence; empty if it is well."""
        lifeless, unticked, unanswered = self._seconds
        if not self._ticks():
            return "This worker is starting: it has not connected to RabbitMQ yet."
        if said := probe.trouble(unanswered):
            return self._minority() or said
        if max(lifeless, unticked) <= QUIET:
            return ""
        if lifeless > QUIET / 2:
            return f"The main loop of this worker has been stuck for {lifeless:.0f} s."
        return f"This worker has had no connection to RabbitMQ for {unticked:.0f} s, or is stopping."

    def page(self) -> Answer:
        """The answer of `/healthz`."""
        trouble = self.trouble
        return Answer(503 if trouble else 200, f"{trouble or 'ok'}\n".encode())


class Metrics(threading.Thread):
    """Serves a worker's metrics, and adds up what processes that are gone have counted."""

    def __init__(self, settings: Settings, shared: Shared, health: Health, hung: Hung) -> None:
        super().__init__(name="metrics", daemon=True)
        self._address = listen.address(settings.metrics_address)
        self._hosts = listen.names(settings.metrics_hosts)
        self._shared, self._health, self._hung = shared, health, hung
        self._collectors: list[Any] = [
            shared,
            exposition.Gauges(registry.gauges.copy),
            exposition.Gauges(Devices().read),
        ]
        self._served = False
        self._tried_at = self._tidied_at = float("-inf")

    def run(self) -> None:
        """Look twice per second, for as long as the process lives."""
        while True:
            now = time.monotonic()
            try:
                self.look(now)
            except Exception as error:  # nothing here may end with the thread
                log.warning("metrics: %s: %s", type(error).__name__, error)
            time.sleep(_LOOK)

    def look(self, now: float) -> None:
        """Do what is due."""
        self._health.look(now)
        self._hung.look(now)
        if not self._served and now - self._tried_at >= _AGAIN:
            self._listen(first=self._tried_at == float("-inf"))
            self._tried_at = now
        if now - self._tidied_at >= _TIDY:
            self._tidied_at = now
            self._shared.tidy()

    def _listen(self, *, first: bool) -> None:
        pages = {"/metrics": self._metrics, "/healthz": self._health.page, "/livez": self._hung.page}
        host, port = self._address
        try:
            Server(self._address, pages, self._hosts).in_thread()
        except OSError as error:
            log.log(
                logging.ERROR if first else logging.DEBUG,
                "no metrics on %s port %d (%s), trying again every %.0f s: give each worker of a machine its own "
                "NIGHTSHIFT_METRICS_ADDRESS",
                host,
                port,
                error.strerror,
                _AGAIN,
            )
            return
        self._served = True
        log.info("metrics on http://%s:%d/metrics", f"[{host}]" if ":" in host else host, port)

    def _metrics(self) -> Answer:
        return Answer(200, exposition.text(self._collectors), exposition.CONTENT)
