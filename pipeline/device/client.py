"""How the processes that read documents ask device processes, and what they do when one of those dies.

A process that died, or lost its device, is replaced by its host; its clients wait for that and send their images again.
Images that were being computed when it died are computed alone then; one with which it dies a second time is poison. So
a death costs no document an attempt, and only the page that causes it.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.device import wire
from pipeline.device.line import KEPT, Died, Ended, Line, Unanswered
from pipeline.errors import DeviceUnavailable, OverLimit, PermanentError, Poison
from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image

LINES = 8
"""Requests in progress per device, of one client; further threads wait."""
PATIENCE = 180.0
"""Seconds to wait for a process that starts, unless who asks has less time: models may take a minute to load."""
LONGEST = 1800.0
"""Seconds that a request may take in all."""
PART = 16 * 1024 * 1024
"""Bytes of shared memory of one request; a single image may need more."""
_POLL = 0.05


class _Until(NamedTuple):
    """Until when a request may wait for a process, and for its answer; by `time.monotonic()`."""

    process: float
    answer: float


def lost_file(address: Path) -> Path:
    """Where a host says, in a sentence, that no process will ever listen at an address again: nobody waits then."""
    return address.with_name(f"{address.name}.lost")


class _Device:
    """One address, its idle connections, and how many requests are in progress."""

    def __init__(self, address: Path) -> None:
        self.address = address
        self.idle: list[Line] = []
        self.busy = 0


class Client:
    """Asks the processes at some addresses; for all threads of a process, made after it forked."""

    def __init__(
        self,
        addresses: Sequence[Path],
        *,
        lines: int = LINES,
        patience: float = PATIENCE,
        longest: float = LONGEST,
    ) -> None:
        """Connect when first asked."""
        self._devices = [_Device(Path(address)) for address in addresses]
        self._lines, self._patience, self._longest = lines, patience, longest
        self._changed = threading.Condition()
        self._waited, self._computed = threading.local(), threading.local()
        self._turn = os.getpid()  # clients begin with different devices

    def ask(
        self, kind: Kind, images: Sequence[Image], urgent: bool = False, wait_until: float = math.inf
    ) -> list[Answer]:
        """Compute BGR images (h, w, 3) of 8 bits, answers in order: see `pipeline.ocr.batched.Kind`.

        `wait_until`: when to give up waiting for a process, by `time.monotonic()`.

        Raises `DeviceUnavailable` where no process answers, which is no document's fault. Raises `OverLimit`,
        `PermanentError` (`out_of_memory`, `internal`) or `Poison` where an image can't be computed.
        """
        began = time.monotonic()
        until = _Until(min(wait_until, began + self._longest), began + self._longest)
        sizes = [_checked(image) for image in images]
        answers: list[Answer] = []
        while (begin := len(answers)) < len(images):
            end = begin + _fitting(sizes[begin:])
            answers += self._part(kind, images[begin:end], urgent, until)
        self._waited.seconds = self.waited + time.monotonic() - began
        return answers

    @property
    def waited(self) -> float:
        """Seconds that this thread has waited for answers, less those that the device computed for it."""
        seconds: float = getattr(self._waited, "seconds", 0.0)
        return seconds

    @property
    def computed(self) -> float:
        """Seconds that devices have computed for this thread."""
        seconds: float = getattr(self._computed, "seconds", 0.0)
        return seconds

    def close(self) -> None:
        """Disconnect; requests in progress are answered first."""
        with self._changed:
            lines = [line for device in self._devices for line in device.idle]
            for device in self._devices:
                device.idle.clear()
        for line in lines:
            line.close()

    def _part(self, kind: Kind, images: Sequence[Image], urgent: bool, until: _Until) -> list[Answer]:
        """Compute what fits into one request, again after each death of the process."""
        deaths = [0] * len(images)

        def died(marks: Sequence[int]) -> None:
            for place, mark in enumerate(marks):
                if mark == wire.ALONE and deaths[place]:
                    raise Poison("The page crashed, hung or lost the device twice: inspect it manually.")
                deaths[place] += mark != wire.WAITING

        def ask(line: Line) -> list[Answer | wire.Result]:
            alone = [place for place, count in enumerate(deaths) if count]
            found = line.compute(kind, images, urgent=urgent, alone=alone, until=until.answer)
            self._waited.seconds = self.waited - line.seconds
            self._computed.seconds = self.computed + line.seconds
            return found

        answers = self._answered(ask, until, died)
        for answer in answers:
            if isinstance(answer, wire.Result):
                raise PermanentError(answer.reason, code=answer.code)
        return [answer for answer in answers if not isinstance(answer, wire.Result)]

    def _answered(
        self,
        ask: Callable[[Line], list[Answer | wire.Result]],
        until: _Until,
        died: Callable[[Sequence[int]], None],
    ) -> list[Answer | wire.Result]:
        """What some process answers; `died` is called for each that dies, with the marks of its images."""
        ended: str | None = None
        while True:
            device, line = self._taken(until.process, ended)
            keep = False
            try:
                answer = ask(line)
                keep = line.kept <= KEPT
                return answer
            except Died as error:
                died(error.marks)
            except Ended as error:
                ended = str(error)
            except Unanswered:
                raise DeviceUnavailable(
                    f"The process of the device did not answer within {self._longest:.0f} s."
                ) from None
            finally:
                self._give_back(device, line, keep)

    def _taken(self, until: float, ended: str | None) -> tuple[_Device, Line]:
        """A connection for one request. `ended`: why the last process ended on purpose; then none is waited for."""
        patience = time.monotonic() + self._patience
        while True:
            for device in self._by_load():
                line = self._connected(device)
                if line is not None:
                    return device, line
            now = time.monotonic()
            if any(device.busy for device in self._devices):
                patience = now + self._patience
            elif reason := ended or self._lost():
                raise DeviceUnavailable(reason)
            if now > min(until, patience):
                raise DeviceUnavailable("No process of a device answers: it may be loading its models.")
            with self._changed:
                self._changed.wait(_POLL)

    def _by_load(self) -> list[_Device]:
        """Those with the fewest requests in progress first, equal ones in turn."""
        self._turn += 1
        count = len(self._devices)
        turned = [self._devices[(self._turn + n) % count] for n in range(count)]
        return sorted(turned, key=lambda device: device.busy)

    def _connected(self, device: _Device) -> Line | None:
        """A connection to a device; `None` where it has its share of requests, or no process listens."""
        with self._changed:
            if device.busy >= self._lines:
                return None
            device.busy += 1
            if device.idle:
                return device.idle.pop()
        try:
            return Line(device.address)
        except OSError:
            with self._changed:
                device.busy -= 1
            return None

    def _give_back(self, device: _Device, line: Line, keep: bool) -> None:
        with self._changed:
            device.busy -= 1
            if keep:
                device.idle.append(line)
            else:
                line.close()
            self._changed.notify()

    def _lost(self) -> str | None:
        """Why there will be no process any more."""
        reasons = []
        for device in self._devices:
            try:
                reasons.append(lost_file(device.address).read_text(encoding="utf-8"))
            except OSError:
                return None
        return " ".join(reasons) or None


def _checked(image: Image) -> wire.Size:
    """The size of an image that can be sent."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"expected BGR of shape (h, w, 3), 8 bits; got {image.dtype} {image.shape}")
    size = wire.size_of(image)
    if wire.slots([size])[-1] > wire.MAX_ARENA:
        raise OverLimit(f"An image of {size[1]} x {size[0]} pixels is too large for a device.")
    return size


def _fitting(sizes: Sequence[wire.Size]) -> int:
    """How many images of these sizes one request may have: at least one."""
    ends = wire.slots(sizes[: wire.MAX_IMAGES])[1:]
    return max(sum(end <= PART for end in ends), 1)
