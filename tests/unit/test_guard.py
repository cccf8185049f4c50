"""What ends a worker process from inside: its memory, and the time of a page. Each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import guard

ROOT = Path(guard.__file__).parent.parent
PAGE = """
import sys, time
from pathlib import Path
from pipeline import guard

def give_up(reason):
    Path({noted!r}).write_text(reason.code)

guard.start({memory})
with guard.page({seconds}, {longest}, give_up):
    {work}
print("went on")
"""
FILL = "kept = []\n    while True: kept.append(bytearray(b'x' * 2**22))"
SPIN = "while True: pass"


def ended(
    tmp_path: Path, work: str, *, memory: int = 0, seconds: float = 60, longest: float = 60
) -> tuple[int, str]:
    """Exit code of a process that does `work` on a page, and the code of the error that was noted."""
    noted = tmp_path / "noted"
    script = PAGE.format(noted=str(noted), memory=memory, seconds=seconds, longest=longest, work=work)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"went on" not in done.stdout or done.returncode == 0, done.stderr
    return done.returncode, noted.read_text() if noted.exists() else ""


def test_a_page_that_fills_the_memory_is_noted_and_ends_the_process(tmp_path: Path) -> None:
    assert ended(tmp_path, FILL, memory=150) == (guard.EXIT_MEMORY, "out_of_memory")


def test_a_page_that_takes_too_much_processor_time_is_noted_and_ends_the_process(tmp_path: Path) -> None:
    assert ended(tmp_path, SPIN, seconds=0.3) == (guard.EXIT_TIME, "over_time")


def test_a_page_that_only_waits_is_tried_again(tmp_path: Path) -> None:
    assert ended(tmp_path, "time.sleep(50)", seconds=0.1, longest=0.3) == (guard.EXIT_TIME, "")


def test_a_page_inside_of_another_one_is_guarded_and_ends_before_it(tmp_path: Path) -> None:
    inner = "with guard.page(60, 60, give_up): pass\n    "
    assert ended(tmp_path, f"{inner}pass") == (0, "")
    assert ended(tmp_path, f"{inner}{SPIN}", seconds=0.3) == (guard.EXIT_TIME, "over_time")


TWO = """
import threading
    def wait():
        with guard.page(60, 60, give_up): time.sleep(60)
    threading.Thread(target=wait, daemon=True).start()
    time.sleep(0.5)
"""


def test_of_two_pages_in_progress_none_is_at_fault_for_the_memory(tmp_path: Path) -> None:
    work = TWO.strip() + "\n    " + FILL
    assert ended(tmp_path, work, memory=150) == (guard.EXIT_MEMORY, "")


def test_of_two_pages_in_progress_the_one_that_takes_too_much_time_is_noted(tmp_path: Path) -> None:
    assert ended(tmp_path, TWO.strip() + "\n    " + SPIN, seconds=0.3) == (guard.EXIT_TIME, "over_time")


def test_what_asks_for_too_much_at_once_gets_an_error(tmp_path: Path) -> None:
    work = "try: bytearray(4 * 2**30)\n    except MemoryError: give_up(guard.out_of_memory())"
    assert ended(tmp_path, work, memory=500) == (0, "out_of_memory")


def test_an_ordinary_page_goes_on(tmp_path: Path) -> None:
    assert ended(tmp_path, "time.sleep(0.2)", memory=500, seconds=0.1) == (0, "")


OPENING = """
from pathlib import Path
from pipeline import guard

before = {before}
guard.start({memory}, 0.3)
with guard.giving_up(lambda reason: Path({noted!r}).write_text(reason.code)), guard.opening():
    {work}
"""


@pytest.mark.parametrize(
    ("before", "memory", "work", "exitcode", "code"),
    [
        ("b''", 250, FILL, guard.EXIT_OPENING_MEMORY, "out_of_memory"),
        ("b''", 0, SPIN, guard.EXIT_OPENING_TIME, "over_time"),
        ("b'x' * (900 * 2**20)", 1000, FILL, guard.EXIT_MEMORY, ""),  # which most of it was taken for before
    ],
)
def test_a_document_that_can_not_be_opened_is_at_fault_for_its_process(
    tmp_path: Path, before: str, memory: int, work: str, exitcode: int, code: str
) -> None:
    noted = tmp_path / "noted"
    script = OPENING.format(before=before, memory=memory, noted=str(noted), work=work)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == exitcode, done.stderr
    assert (noted.read_text() if noted.exists() else "") == code
    reason = guard.of_document(exitcode, 0.3)
    assert (reason.code if reason else "") == code


def test_outside_of_worker_processes_nothing_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_watch", None)
    with guard.page(0.0, 0.0, lambda _: pytest.fail("given up")):
        pass
