"""Faults of real servers and processes: each begins, lasts some seconds, and ends."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.soak.fleet import CONTINUE, PAUSE, Fleet
from tests.soak.s3_faults import Mood, S3Proxy
from tests.support.night import Night
from tests.support.servers.proxy import Proxy
from tests.support.servers.rabbit import Rabbit
from tests.support.servers.swift import Swift

Fault = Callable[[random.Random], Iterator[None]]
_CTL = next(
    (p for p in ("/usr/lib/rabbitmq/bin/rabbitmqctl", "/usr/sbin/rabbitmqctl") if Path(p).exists()), ""
)


class Faults:
    """Every kind of fault that can be had here. Each is a generator: up to its `yield` it begins, after it, it ends."""

    def __init__(
        self,
        night: Night,
        fleet: Fleet,
        rabbit: Rabbit,
        broker: Proxy,
        s3: S3Proxy | None,
        swift: Swift | None,
        disk: Path | None,
    ) -> None:
        self.night, self.fleet, self.rabbit, self.broker = night, fleet, rabbit, broker
        self.s3, self.swift, self.disk = s3, swift, disk

    def kinds(self) -> dict[str, Fault]:
        """By name, those that are possible with these servers."""
        found: dict[str, Fault] = {
            "SIGKILL of a worker": self._kill,
            "SIGKILL of a pool child": self._kill_child,
            "SIGKILL of beat": self._kill_beat,
            "SIGTERM of a worker": self._terminate,
            "SIGSTOP of a worker": self._pause,
            "SIGSTOP of a main process": self._pause_main,
            "SIGSTOP of the children": self._pause_children,
            "broker: connections cut": self._cut,
            "broker: connections forgotten": self._forget,
            "broker: network held": self._hold,
            "broker: unreachable": self._refuse,
            "broker: killed": self._kill_broker,
            "broker: slow network": self._slow_broker,
            "window closed": self._close_window,
        }
        if _CTL:
            found |= {"broker: memory alarm": self._memory_alarm, "broker: disk alarm": self._disk_alarm}
        if self.fleet.clock is not None:
            found["clock jump"] = self._clock
        if self.s3 is not None:
            found |= {
                "S3: errors 500": self._s3(lambda r: Mood(r.uniform(0.3, 1), status=500)),
                "S3: errors 503": self._s3(lambda r: Mood(r.uniform(0.3, 1), status=503)),
                "S3: credentials refused": self._s3(lambda _: Mood(1, status=403)),
                "S3: answers lost": self._s3(lambda r: Mood(r.uniform(0.2, 0.8), lost=True)),
                "S3: answers torn": self._s3(lambda r: Mood(r.uniform(0.2, 0.8), torn=True)),
                "S3: slow": self._s3(lambda r: Mood(delay=r.uniform(0.2, 3))),
            }
        if self.swift is not None:
            found["S3: server killed"] = self._kill_swift
        if self.disk is not None:
            found["disk full"] = self._fill_disk
        return found

    def _worker(self, rng: random.Random) -> str:
        return rng.choice(self.fleet.names)

    def _kill(self, rng: random.Random) -> Iterator[None]:
        self.fleet.kill(self._worker(rng))
        yield

    def _kill_child(self, rng: random.Random) -> Iterator[None]:
        children = self.fleet.running[self._worker(rng)].children()
        if children:
            with suppress(ProcessLookupError):
                os.kill(rng.choice(children), 9)
        yield

    def _kill_beat(self, rng: random.Random) -> Iterator[None]:
        self.fleet.kill("beat")
        yield

    def _terminate(self, rng: random.Random) -> Iterator[None]:
        self.fleet.terminate(self._worker(rng))
        yield

    def _paused(self, rng: random.Random, *, main: bool, children: bool) -> Iterator[None]:
        stopped = self.fleet.signal(self._worker(rng), PAUSE, main=main, children=children)
        yield
        for (
            pid
        ) in stopped:  # one that was killed meanwhile is not another one yet: ids are not used again so soon
            with suppress(ProcessLookupError):
                os.kill(pid, CONTINUE)

    def _pause(self, rng: random.Random) -> Iterator[None]:
        return self._paused(rng, main=True, children=True)

    def _pause_main(self, rng: random.Random) -> Iterator[None]:
        return self._paused(rng, main=True, children=False)

    def _pause_children(self, rng: random.Random) -> Iterator[None]:
        return self._paused(rng, main=False, children=True)

    def _cut(self, rng: random.Random) -> Iterator[None]:
        self.broker.cut()
        yield

    def _forget(self, rng: random.Random) -> Iterator[None]:
        self.broker.freeze(new=rng.random() < 0.5)
        yield
        self.broker.resume()

    def _hold(self, rng: random.Random) -> Iterator[None]:
        self.broker.hold()
        yield
        self.broker.resume()

    def _refuse(self, rng: random.Random) -> Iterator[None]:
        self.broker.refuse()
        self.broker.cut()
        yield
        self.broker.resume()

    def _slow_broker(self, rng: random.Random) -> Iterator[None]:
        self.broker.delay(rng.uniform(0.05, 0.5))
        yield
        self.broker.resume()

    def _kill_broker(self, rng: random.Random) -> Iterator[None]:
        self.rabbit.kill()
        yield
        self.rabbit.run()

    def _memory_alarm(self, rng: random.Random) -> Iterator[None]:
        self._ctl("set_vm_memory_high_watermark", "absolute", "1")
        yield
        self._ctl("set_vm_memory_high_watermark", "0.6")

    def _disk_alarm(self, rng: random.Random) -> Iterator[None]:
        self._ctl("set_disk_free_limit", "900000GB")
        yield
        self._ctl("set_disk_free_limit", "50MB")

    def _ctl(self, *words: str) -> None:
        command = [_CTL, "-q", "-n", self.rabbit.name, *words]
        environ = {**os.environ, **self.rabbit._environ()}
        with suppress(
            subprocess.TimeoutExpired
        ):  # the node may be down for another fault, and forgets this then
            subprocess.run(command, env=environ, check=False, capture_output=True, timeout=60)

    def _close_window(self, rng: random.Random) -> Iterator[None]:
        self.night.window("closed")
        yield
        self.night.window("open")

    def _clock(self, rng: random.Random) -> Iterator[None]:
        name, seconds = self._worker(rng), rng.choice((-1, 1)) * rng.choice((5, 60, 600, 1200))
        self.fleet.set_clock(name, seconds)
        yield
        self.fleet.set_clock(name, 0)

    def _s3(self, mood: Callable[[random.Random], Mood]) -> Fault:
        def fault(rng: random.Random) -> Iterator[None]:
            assert self.s3 is not None
            self.s3.mood = mood(rng)
            yield
            self.s3.mood = Mood()

        return fault

    def _kill_swift(self, rng: random.Random) -> Iterator[None]:
        assert self.swift is not None
        self.swift.stop_proxy()
        yield
        self.swift.run_proxy()

    def _fill_disk(self, rng: random.Random) -> Iterator[None]:
        assert self.disk is not None
        ballast = self.disk / "ballast"
        with suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        yield
        ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path | None]:
    """A file system of its own that is soon full, while the block runs; `None` without the right to mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "nightshift-soak", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    try:
        yield folder
    finally:
        for _ in range(100):  # as long as a process that is ending has a file open there
            if subprocess.run(["umount", str(folder)], check=False, capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
