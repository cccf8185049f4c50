"""Several OCR servers as one: which is asked, how long one that failed is left alone, and whose fault a failure is.

A server that can't be reached, is overloaded, or answers nonsense is no page's fault: the page goes to another one, or
waits. Only a page with which a server fails that reads a test page just then is at fault, the second time; and one with
which a server dies that read a test page just before, and does not read one just after.
"""

from __future__ import annotations

import hashlib
import logging
import math
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from pipeline.errors import OcrUnavailable, PermanentError, PipelineError, Poison
from pipeline.ocr.cuts import Image
from pipeline.served.server import LONGEST_REST, Busy, Down, Failed, Server
from pipeline.served.wire import Line, Refused, WrongAnswer, lines_of, request_of

PATIENCE = 10.0
"""Seconds to wait for servers that all failed, before the message is handed back: it waits better in a queue."""
FIRST_REST = 0.5
"""Seconds for which a server is left alone after it failed, doubled with each further time in a row."""
PROBE_SECONDS = 15.0
PROVED = 120.0
"""Seconds for which a server that read a test page is believed when it finds nothing on a page."""
INK = 64
"""Minimum difference between the lightest and the darkest value of a page that may have something on it."""
PAUSE = 1.0
"""Seconds until a page that a server refused is tried again: it may have lacked memory."""
SUSPECTS = 64
"""Pages that are remembered as having had no answer."""
MOST_LOSSES = 5
"""Losses after which a page is at fault although servers read test pages right away: others behind a balancer may."""
DIGITS, FOUND = frozenset("0123456789"), 8
"""What the test page has, and how many of them a server must find."""
_TWICE = 2

log = logging.getLogger("nightshift")


class _Breaker:
    """One server, and since when it has been failing: it is not asked before `ready`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.ready = 0.0
        self.failures = 0
        self.busy = False
        self.proved = -math.inf
        self.reason: PipelineError | None = None

    def succeeded(self) -> None:
        if self.failures:
            log.info("the OCR server %s answers again", self.server.name)
        self.failures, self.ready, self.busy, self.reason = 0, 0.0, False, None

    def failed(self, reason: PipelineError) -> None:
        self.failures += 1
        self.reason, self.busy, self.proved = reason, False, -math.inf
        self._rest(None)
        if self.failures == 1:
            log.warning("an OCR server is not asked for a while: %s", reason.message)

    def overloaded(self, seconds: float | None) -> None:
        self.failures += 1
        self.reason, self.busy = OcrUnavailable(f"The OCR server {self.server.name} is overloaded."), True
        self._rest(seconds)

    def _rest(self, seconds: float | None) -> None:
        least = min(FIRST_REST * 2.0 ** (self.failures - 1), LONGEST_REST)
        wait = least if seconds is None else seconds
        self.ready = time.monotonic() + wait * random.uniform(1, 1.25)  # noqa: S311 - to spread requests


class Servers:
    """Asks the servers for one thread, one page at a time."""

    def __init__(
        self,
        servers: Sequence[Server],
        seconds: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        patience: float = PATIENCE,
    ) -> None:
        """`seconds`: how long one answer may take. Every process begins with another server."""
        self._breakers = [_Breaker(server) for server in servers]
        random.shuffle(self._breakers)
        self._seconds, self._sleep, self._patience = seconds, sleep, patience
        self._suspects: OrderedDict[bytes, int] = OrderedDict()
        self.until = math.inf
        """When to stop asking for the page in progress, by `time.monotonic()`: servers may be slow, or busy."""

    def ask(self, image: Image, side: int) -> list[Line]:
        """The lines of a BGR page (h, w, 3); `side`: longest side in pixels for text detection.

        Raises `OcrUnavailable` while no server can read it, `RunError` where a person must act first, `PermanentError`
        (`page_refused`) or `Poison` where the page is at fault.
        """
        body = request_of(image, side)
        page = hashlib.sha256(body).digest()
        until = min(time.monotonic() + _TWICE * self._seconds, self.until)
        refused = 0
        while True:
            breaker = self._next(until)
            if page in self._suspects and not self._reads_test_page(breaker):
                continue
            seconds = min(self._seconds, self.until - time.monotonic())
            if seconds <= 0:  # a test page took the rest
                raise self._unavailable()
            try:
                lines = self._lines(breaker, body, image, seconds)
            except Failed as error:
                if error.lost and seconds < self._seconds:
                    raise OcrUnavailable(
                        f"{error.sentence} Earlier requests for the page took most of its time."
                    ) from error
                if error.lost:
                    self._lost(page, breaker, error)
                elif self._reads_test_page(breaker):
                    refused += 1
                if refused >= _TWICE:
                    raise PermanentError(
                        f"{error.sentence} It reads other pages: inspect this one manually.",
                        code="page_refused",
                    ) from error
                self._sleep(PAUSE)
                continue
            if lines is not None and self._is_believed(lines, image, breaker):
                self._suspects.pop(page, None)
                return lines

    def check(self) -> None:
        """Have the first server read a test page; raises why it does not."""
        breaker = self._breakers[0]
        if not self._reads_test_page(breaker):
            raise breaker.reason or self._unavailable()

    def _lines(self, breaker: _Breaker, body: bytes, image: Image, seconds: float) -> list[Line] | None:
        """What a server answers; `None` where it could not, which is noted. Raises `Failed`."""
        server = breaker.server
        try:
            answer = server.post(body, seconds)
            lines = lines_of(answer, *image.shape[:2])
        except Busy as error:
            breaker.overloaded(error.seconds)
            return None
        except Down as error:
            breaker.failed(error.reason)
            return None
        except WrongAnswer as error:
            raise server.odd(str(error)) from error
        except Refused as error:
            log.warning("the OCR server %s could not read a page: %.200s", server.name, error)
            raise Failed(f"The OCR server {server.name} could not read the page.") from error
        return lines

    def _is_believed(self, lines: list[Line], image: Image, breaker: _Breaker) -> bool:
        """Whether an answer may be used: that there is nothing on a page with ink, only of a server that reads."""
        if not lines and int(np.ptp(image)) >= INK and time.monotonic() >= breaker.proved + PROVED:
            return self._reads_test_page(breaker)
        breaker.succeeded()
        return True

    def _lost(self, page: bytes, breaker: _Breaker, error: Failed) -> None:
        """Note that a page had no answer. From the second time on, the server read a test page just before."""
        losses = self._suspects.pop(page, 0) + 1
        breaker.failed(error.reason)
        if losses >= MOST_LOSSES or (losses >= _TWICE and not error.by_proxy and self._died(breaker)):
            raise Poison(
                f"{error.sentence} It was loss number {losses} for this page, and the server read a test page in "
                "between: inspect it manually."
            ) from error
        self._suspects[page] = losses
        if len(self._suspects) > SUSPECTS:
            self._suspects.popitem(last=False)

    def _died(self, breaker: _Breaker) -> bool:
        """Whether a server that lost a page reads nothing now; one without room is alive."""
        return not self._reads_test_page(breaker) and not breaker.busy

    def _reads_test_page(self, breaker: _Breaker) -> bool:
        """Whether a server reads a page on which there is nothing special; if not, it is noted."""
        image = test_page()
        seconds = min(PROBE_SECONDS, self._seconds)
        try:
            lines = self._lines(breaker, request_of(image, max(image.shape)), image, seconds)
        except Failed as error:
            breaker.failed(error.reason)
            return False
        if lines is None:
            return False
        if len(DIGITS.intersection("".join(line.text for line in lines))) < FOUND:
            breaker.failed(breaker.server.wrong("does not read a test page"))
            return False
        breaker.succeeded()
        breaker.proved = time.monotonic()
        return True

    def _next(self, until: float) -> _Breaker:
        """A server to ask: the one that was asked least recently of those that are ready; waits for one."""
        began = time.monotonic()
        while True:
            now = time.monotonic()
            first = min(self._breakers, key=lambda breaker: max(breaker.ready, now))
            if first.ready <= now < until:
                self._breakers.remove(first)
                self._breakers.append(first)
                return first
            longest = until if any(breaker.busy for breaker in self._breakers) else began + self._patience
            if max(first.ready, now) >= min(longest, until):
                raise self._unavailable()
            self._sleep(first.ready - now)

    def _unavailable(self) -> PipelineError:
        """Why no server is ready: what passes by itself, if there is such a reason."""
        reasons = [breaker.reason for breaker in self._breakers if breaker.reason]
        passing = [reason for reason in reasons if isinstance(reason, OcrUnavailable)]
        if not passing and len(reasons) < len(self._breakers):  # one is slow
            return OcrUnavailable("No OCR server answered in the time that a page and its message have.")
        return (passing or reasons)[0]


def test_page() -> Image:
    """A small page with a line of text (96, 480, 3)."""
    page = np.full((96, 480, 3), 255, np.uint8)
    cv2.putText(page, "Nightshift 0123456789", (24, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (0, 0, 0), 2)
    return page
