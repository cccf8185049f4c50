"""What a run used, however its processes end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.comparison import supervise
from tests.support.servers import wait_for

BURN = """
import os, sys, time
while time.process_time() < 0.8: pass
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(60)
"""


def command(out: Path, limit: float, script: str) -> list[str]:
    return [sys.executable, supervise.__file__, str(out), str(limit), sys.executable, "-c", script]


def used(out: Path, limit: float, script: str) -> dict[str, Any]:
    subprocess.run(command(out, limit, script), check=True)
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/exe").exists()


def test_a_process_that_left_its_parent_is_counted(tmp_path: Path) -> None:
    pid = str(tmp_path / "pid")
    script = f"""
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {BURN!r}, {pid!r}], start_new_session=True)
while not os.path.exists({pid!r}) or not open({pid!r}).read(): time.sleep(0.02)
os._exit(3)
"""
    found = used(tmp_path / "used", 60, script)
    assert found["exit_code"] == 3
    assert found["cpu_s"] >= 0.8
    assert not alive(int((tmp_path / "pid").read_text()))


def test_memory_of_all_processes_at_their_peak(tmp_path: Path) -> None:
    found = used(tmp_path / "used", 60, "import time; x = bytearray(90_000_000); time.sleep(1.5)")
    assert 85 < found["peak_mib"] < 200


def test_what_takes_too_long_is_stopped(tmp_path: Path) -> None:
    found = used(tmp_path / "used", 0.3, "import time; time.sleep(60)")
    assert found["exit_code"] is None
    assert 0.3 <= found["wall_s"] < 30


def test_nothing_is_left_when_it_is_ended_itself(tmp_path: Path) -> None:
    script = (
        f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(f'{{os.getpid()}} '); time.sleep(60)"
    )
    process = subprocess.Popen(command(tmp_path / "used", 60, script))
    wait_for(
        lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith(" "), "it to start"
    )
    os.kill(process.pid, signal.SIGTERM)
    process.wait(30)
    assert not alive(int((tmp_path / "pid").read_text()))
    assert not (tmp_path / "used").exists()
