"""A device process that was started here, as `pipeline.device.held` looks after it."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

from pipeline.device.counters import EXIT_LOST, Counters, counters_of, read_counters
from pipeline.device.launch import EXIT_BLANK, EXIT_LOAD, reason_file, start
from pipeline.settings import Settings


class Launched:
    """One process of `device`, which listens at `address`."""

    def __init__(self, settings: Settings, device: str, address: Path) -> None:
        """Start it; raises `OSError`."""
        for left in (address, counters_of(address), reason_file(address)):
            left.unlink(missing_ok=True)
        self._address = address
        self._process = start(address, settings, device)
        self.pid = self._process.pid

    def ended(self) -> str | None:
        """How it has ended, to go on after `the process`; `None` while it lives."""
        code = self._process.poll()
        if code is None:
            return None
        if code == EXIT_LOAD:
            return "could not load its models"
        if code == EXIT_LOST:
            return "found the device gone"
        if code == EXIT_BLANK:
            return "could not compute a blank image"
        if code < 0:
            with suppress(ValueError):  # signals without a name
                return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def hopeless(self) -> str:
        """Why no other one can load the models either, such as a package that is missing; empty: one may."""
        if self._process.returncode != EXIT_LOAD:
            return ""
        with suppress(OSError):
            return reason_file(self._address).read_text(encoding="utf-8")
        return ""

    @property
    def figures(self) -> Counters:
        """What it has counted so far, also after its end; nothing, with process id 0, until it is ready."""
        found = read_counters(self._address)
        return found if found and found.pid == self.pid else Counters(0)

    def is_ready(self) -> bool:
        """Whether its models are loaded, or were until it ended."""
        return bool(self.figures.pid)

    def end(self) -> None:
        """Have it end; it says so to those who wait for it."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
