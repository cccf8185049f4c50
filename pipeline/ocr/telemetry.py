"""Disable OpenVINO's telemetry."""

from __future__ import annotations

import sys


def decline() -> None:
    """Call before the first `import openvino`.

    By default OpenVINO 2026 reports each start to a web analytics service, from a process it forks,
    unless a file in the user's home forbids it. If its telemetry package can't be imported it uses its own
    stub instead; so that package is made unimportable, for this process only.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
