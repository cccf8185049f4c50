"""What files made to exhaust a machine cost `nightshift run`: seconds, peak memory of a process, and what is said.

    python benchmarks/hostile.py FOLDER_OR_FILE... [--timeout 900] [--default-engines]

Each file is processed by itself with one worker and a store of its own, by the fake engines unless asked otherwise.
Settings come from the environment as usual. The peak is the largest resident memory of any one process of the run;
`store` is what was left in the store.

Exit code 1 if a file ended in a traceback, exceeded the time, or made a process larger than 3 GiB.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

PEAK_MIB = 3072
POLL = 0.1
"""Seconds between two looks at the processes; the kernel keeps the peak of each in between."""
FAKES = {"NIGHTSHIFT_OCR_ENGINE": "fake-ocr", "NIGHTSHIFT_NER_ENGINE": "fake-ner"}


class Row(NamedTuple):
    """How one file ended."""

    seconds: float
    peak: float
    store: float
    exit: int
    status: str
    sentence: str
    traceback: bool


def run(path: Path, env: dict[str, str], timeout: float) -> Row:
    """Process one file in a store of its own."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        store = Path(folder, "out")
        command = [
            sys.executable,
            "-m",
            "pipeline",
            "run",
            str(path),
            "--out",
            str(store),
            "-j",
            "1",
            "--json",
        ]
        started = time.monotonic()
        with Path(folder, "said").open("w+b") as said, Path(folder, "errors").open("w+b") as errors:
            process = subprocess.Popen(command, stdout=said, stderr=errors, env=env, start_new_session=True)
            peak = watch(process, started + timeout)
            seconds = time.monotonic() - started
            said.seek(0)
            errors.seek(0)
            status, sentence = outcome(said.read().decode("utf-8", "replace"))
            complaints = errors.read().decode("utf-8", "replace")
        size = sum(file.stat().st_size for file in store.rglob("*") if file.is_file()) / 2**20
        return Row(
            seconds, peak / 1024, size, process.returncode, status, sentence, "Traceback" in complaints
        )


def watch(process: subprocess.Popen[bytes], until: float) -> int:
    """Wait for a process and all that it starts; returns the largest resident memory of one of them, in KiB."""
    peak = 0
    while process.poll() is None:
        if time.monotonic() > until:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            break
        peak = max([peak, *map(high_water, family(process.pid))])
        time.sleep(POLL)
    return peak


def family(group: int) -> list[int]:
    """Ids of the processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == group:
                found.append(int(entry.name))
    return found


def high_water(pid: int) -> int:
    """Peak resident memory of a process so far, in KiB; 0 if it has ended."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def outcome(text: str) -> tuple[str, str]:
    """The statuses of all documents of a run, and the first error."""
    try:
        outcomes = json.loads(text)["outcomes"]
    except (ValueError, KeyError):
        return "none", text[-200:]
    statuses = [one["status"] for one in outcomes]
    counts = ", ".join(f"{statuses.count(s)} {s}" for s in dict.fromkeys(statuses))
    first = next((one["error"] for one in outcomes if one.get("error")), None)
    return counts, f"[{first['code']}] {first['message']}" if first else ""


def main() -> int:
    """Print one line per file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+", type=Path)
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds per file")
    parser.add_argument("--default-engines", action="store_true")
    arguments = parser.parse_args()
    env = dict(os.environ) | ({} if arguments.default_engines else FAKES)
    files = [
        f for place in arguments.places for f in (sorted(place.iterdir()) if place.is_dir() else [place])
    ]
    bad = 0
    print(f"{'file':40} {'seconds':>8} {'peak MiB':>9} {'store MiB':>10} exit  outcome")
    for path in files:
        row = run(path, env, arguments.timeout)
        bad += row.traceback or row.exit < 0 or row.peak > PEAK_MIB
        more = "  TRACEBACK" if row.traceback else ""
        print(
            f"{path.name:40} {row.seconds:8.1f} {row.peak:9.0f} {row.store:10.1f} {row.exit:4}  {row.status}: "
            f"{row.sentence}{more}",
            flush=True,
        )
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
