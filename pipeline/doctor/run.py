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
        self._ends_at = time.monotonic() + check.seconds + (needed.check.seconds if needed else 0.0)

    def run(self) -> None:
        """Collect the findings."""
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
            broken = fault(
                self.check.name, f"This check failed unexpectedly ({name}).", "report it with this line"
            )
            self._found.append(broken)

    def is_well(self) -> bool:
        """Whether it ends in time, and its first finding, that there is something to look at, is not a fault."""
        self._wait()
        return not self.is_alive() and bool(self._found) and self._found[0].level != "fault"

    def _wait(self) -> None:
        """Wait until it ends, as long as it may take."""
        self.join(max(self._ends_at - time.monotonic(), 0.0))

    def found(self) -> list[Finding]:
        """What it has found, and that it did not end."""
        self._wait()
        found = list(self._found)
        if self.is_alive():
            said = f"No answer within {self.check.seconds:.0f} s."
            found.append(fault(self.check.name, said, "check the network and the server that it is about"))
        return found


def run(checks: Sequence[Check]) -> tuple[list[Finding], bool]:
    """All findings in the order of the checks, and whether a check still hangs.

    It takes as long as the slowest check may, with the one that it needs.
    """
    runs: dict[str, _Run] = {}
    for check in checks:
        runs[check.name] = _Run(check, runs.get(check.needs))
    for one in runs.values():
        one.start()
    found = [finding for one in runs.values() for finding in one.found()]
    return found, any(one.is_alive() for one in runs.values())
