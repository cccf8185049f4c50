"""A process that holds a device: started without secrets, in a process group of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from pipeline.device import EXIT_LOST, counters
from pipeline.environment import ENV_FILE, PREFIX
from pipeline.settings import Settings

_KEPT = ("ocr_", "devices", "time_limit", "temp_dir")
"""Settings that the process needs: none of them is secret."""


class Launched:
    """One process. `lock`: an open file that it inherits, with the claim to its device."""

    def __init__(self, settings: Settings, name: str, address: Path, lock: int | None) -> None:
        """Start it; raises `OSError`."""
        self._address = address
        self._counters = address.with_suffix(".counters")
        for left in (address, self._counters):
            left.unlink(missing_ok=True)
        self._process = subprocess.Popen(  # noqa: S603 - nothing of a document is in the command
            [sys.executable, "-m", "pipeline.device", str(address), name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=() if lock is None else (lock,),
            env=environment(settings),
            process_group=0,  # Ctrl-C is for its parent
        )
        self.pid = self._process.pid

    def ended(self) -> str | None:
        """How it has ended, to go on after `its process`; `None` while it lives."""
        code = self._process.poll()
        if code is None:
            return None
        if code < 0:
            with suppress(ValueError):  # signals without a name
                return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def is_ready(self) -> bool:
        """Whether it takes images: its socket answers."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as tried, suppress(OSError):
            tried.settimeout(1.0)
            tried.connect(str(self._address))
            return True
        return False

    def lost_device(self) -> bool:
        """Whether it ended as its device is gone."""
        return self._process.returncode == EXIT_LOST

    @property
    def figures(self) -> counters.Counters:
        """What it has counted so far; also after its end."""
        return counters.read(self._counters)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def environment(settings: Settings) -> dict[str, str]:
    """The variables of the process: those of this one without our settings and cloud logins, and what it needs."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith((PREFIX, "AWS_")) or name.startswith(f"{PREFIX}FAKE_")
    }
    own = {
        f"{PREFIX}{name.upper()}": str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in msgspec.structs.asdict(settings).items()
        if name.startswith(_KEPT) and value not in (None, "")
    }
    return kept | own | {ENV_FILE: ""}
