"""Run all checks at once: each has its time, and none can keep the others from ending."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from pipeline.doctor.finding import Check, Finding, fault, of_message, warning
from pipeline.errors import PipelineError


class _Run(threading.Thread):
    """One check in a thread of its own, which is left behind if it hangs."""

    def __init__(self, check: Check, needed: _Run | None) -> None:
        super().__init__(name=f"doctor-{check.name}", daemon=True)
        self.check, self._needed = check, needed
        self._found: list[Finding] = []
        self.begun = threading.Event()

    def run(self) -> None:
        """Collect the findings."""
        if self._needed is not None:
            self._needed.wait()
        self.begun.set()
        if self._needed is not None and not self._needed.is_well():
            why = f"Not checked, as {self._needed.check.name} has a fault."
            self._found.append(warning(self.check.name, why, f"fix {self._needed.check.name} first"))
            return
        try:
            for one in self.check.make():
                self._found.append(one)
        except PipelineError as error:
            self._found.append(of_message(self.check.name, error.message))
        except Exception as error:  # a check that breaks is a finding, too
            name = type(error).__name__
            self._found.append(
                fault(
                    self.check.name, f"This check failed unexpectedly ({name}).", "report it with this line"
                )
            )

    def is_well(self) -> bool:
        """Whether it has ended, and its first finding, that there is something to look at, is not a fault."""
        return not self.is_alive() and bool(self._found) and self._found[0].level != "fault"

    def wait(self) -> None:
        """Wait until it ends, as long as it may take since it began."""
        if self._needed is not None:
            self.begun.wait(self._needed.check.seconds)
        self.join(self.check.seconds)

    def found(self) -> list[Finding]:
        """What it has found, and that it did not end."""
        self.wait()
        found = list(self._found)
        if self.is_alive():
            late = fault(
                self.check.name,
                f"No answer within {self.check.seconds:.0f} s.",
                "check the network and the server that it is about",
            )
            found.append(late)
        return found


def run(checks: Sequence[Check]) -> tuple[list[Finding], bool]:
    """All findings in the order of the checks, and whether a check still hangs. Takes as long as the slowest pair."""
    runs: dict[str, _Run] = {}
    for check in checks:
        runs[check.name] = _Run(check, runs.get(check.needs))
    for one in runs.values():
        one.start()
    end = time.monotonic() + longest(checks)
    found = [finding for one in runs.values() for finding in one.found()]
    return found, any(one.is_alive() for one in runs.values()) or time.monotonic() > end


def longest(checks: Sequence[Check]) -> float:
    """Seconds that all may take."""
    seconds = {check.name: check.seconds for check in checks}
    return max((check.seconds + seconds.get(check.needs, 0.0) for check in checks), default=0.0)
