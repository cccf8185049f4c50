"""One device and its process: started while the device is wanted, again when it dies, and lost when that is of no use.

Pure but for what `launch` starts: time is given, so that tests need no clock.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Protocol

from pipeline.device.counters import Counters

log = logging.getLogger("nightshift")

STARTS = 3
"""Starts in a row that fail before a device counts as lost."""
STARTING = 300.0
"""Seconds in which a process must be ready."""
ENDING = 2.0
"""Seconds that a process has to end by itself."""
PAUSE = 1.0
"""Seconds before the next start, for each one that failed."""


class Process(Protocol):
    """A process that holds a device, as its parent sees it."""

    pid: int

    def ended(self) -> str | None:
        """How it has ended, to go on after `the process`; `None` while it lives."""
        ...

    def is_ready(self) -> bool:
        """Whether it takes images, or did until it ended: its models were loaded, and have computed blank images."""
        ...

    def hopeless(self) -> str:
        """Why no other one can load the models either, in a sentence; empty: one may."""
        ...

    @property
    def figures(self) -> Counters:
        """What it has counted so far, also after its end."""
        ...

    def end(self) -> None:
        """Have it end; it says so to those who wait for it."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class Held:
    """A device. `longest`: seconds of a batch after which its process counts as hanging.

    `lost`: one sentence, once no process can be kept running; empty before. `starts`: how often one was started.
    """

    def __init__(self, name: str, launch: Callable[[], Process], longest: float) -> None:
        self.name, self.lost, self.starts = name, "", 0
        self.wanted = False
        self._launch, self._longest = launch, longest
        self.process: Process | None = None
        self._failures, self._due, self._started, self._ready = 0, -math.inf, 0.0, False
        self._ended_at = math.inf

    @property
    def is_held(self) -> bool:
        """Whether the device is in use, or will be in a moment."""
        return self.wanted or (self.process is not None and self.process.ended() is None)

    def want(self) -> None:
        """Have a process from the next look on; one that is ending is not waited for."""
        self.wanted = not self.lost

    def end(self, now: float) -> None:
        """End the process, and start no other until it is wanted again; what it computes is lost."""
        if self.process is not None and self.wanted:
            self.process.end()
            self._ended_at = now
        self.wanted = False

    def look(self, now: float) -> None:
        """Do what is due; to be called about once per second."""
        if self.process is not None:
            self._check(self.process, now)
        if self.process is None and self.wanted and now >= self._due:
            self._start(now)

    def _start(self, now: float) -> None:
        self.starts += 1
        self._started, self._ready = now, False
        try:
            self.process = self._launch()
        except OSError as error:
            self._failed(f"does not start ({error.strerror})", now)
        else:
            log.info("the process %d is loading the models for %s", self.process.pid, self.name)

    def _check(self, process: Process, now: float) -> None:
        ended = process.ended()
        if ended is not None:
            self._ended(process, ended, now)
        elif now - self._ended_at > ENDING:
            process.kill()
        elif self._ended_at < math.inf:
            pass  # it is ending
        elif not self._ready:
            self._ready = process.is_ready()
            if self._ready:
                self._failures = 0  # it has computed a blank image
                log.info("the process %d holds %s", process.pid, self.name)
            elif now - self._started > STARTING:
                log.error("the process of %s is not ready after %.0f s", self.name, STARTING)
                process.kill()
        elif process.figures.computing > self._longest:
            log.error(
                "a batch on %s takes more than %.0f s: starting its process again", self.name, self._longest
            )
            process.kill()

    def _ended(self, process: Process, how: str, now: float) -> None:
        self.process, on_purpose, self._ended_at = None, self._ended_at < math.inf, math.inf
        if on_purpose or not self.wanted:
            return
        if why := process.hopeless():
            self.wanted, self.lost = False, why
        elif not process.is_ready():
            self._failed(how, now)
        else:
            self._failures = 0
            log.error("the process of %s %s: starting it again", self.name, how)

    def _failed(self, how: str, now: float) -> None:
        self._failures += 1
        self._due = now + PAUSE * self._failures
        if self._failures < STARTS:
            log.error("the process of %s %s: trying again", self.name, how)
            return
        self.wanted = False
        self.lost = (
            f"The device {self.name} is lost, as its process {how}, {STARTS} times in a row: check the driver and the "
            "models (nightshift doctor), then start again; no document was at fault."
        )
