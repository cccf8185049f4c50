"""The record of a comparison: everything to judge and repeat it, without names of the machine or its user."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from .figures import Figures
from .pages.page_set import PageSet
from .rounds import Row

SCHEMA_VERSION = 1


def record(
    rows: list[Row], found: list[Figures], pages: PageSet, settings: Mapping[str, object]
) -> dict[str, object]:
    """As `schema.json` says."""
    return {
        "schema": SCHEMA_VERSION,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "settings": dict(settings),
        "pages": pages.facts(),
        "contenders": [_contender(row, one) for row, one in zip(rows, found, strict=True)],
    }


def machine() -> dict[str, object]:
    """Processor, cores, memory, system and load."""
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": cpus[0].partition(":")[2].strip() if cpus else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[1], 2),
    }


def _contender(row: Row, found: Figures) -> dict[str, object]:
    return {
        "name": row.contender.name,
        "label": row.contender.label,
        "setting": row.contender.setting,
        "status": row.status,
        "reason": row.reason or None,
        "versions": {} if row.skipped else row.contender.versions(),
        "figures": found.rounded(),
        "start": row.start and asdict(row.start),
        "rounds": [asdict(run) for run in row.rounds],
    }
