"""Temporary files: private, and gone with their process, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import scratch
from pipeline.errors import UsageError

ROOT = Path(scratch.__file__).parents[1]
PROCESS = """
import sys, tempfile
from pipeline import scratch
scratch.start(sys.argv[1])
handle, name = tempfile.mkstemp()
print(name, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(scratch, "_own", None)
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield
    if scratch._own is not None:
        os.close(scratch._own[1])


def started(folder: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """A process with a temporary file."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().decode().strip())


def ended(process: subprocess.Popen[bytes]) -> None:
    process.communicate(timeout=30)


def test_nobody_else_can_enter_the_folder(tmp_path: Path) -> None:
    folder = scratch.start(str(tmp_path))
    assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]
    with tempfile.NamedTemporaryFile() as file:
        assert Path(file.name).parent == folder
    assert scratch.start(str(tmp_path)) == folder


def test_files_go_with_their_process(tmp_path: Path) -> None:
    process, file = started(tmp_path)
    assert file.exists()
    ended(process)
    assert not file.parent.exists()


def test_files_of_a_killed_process_go_at_the_next_start_and_those_of_others_stay(tmp_path: Path) -> None:
    killed, left = started(tmp_path)
    alive, kept = started(tmp_path)
    os.kill(killed.pid, signal.SIGKILL)
    ended(killed)
    assert left.exists()
    folder = scratch.start(str(tmp_path))
    assert not left.parent.exists()
    assert kept.exists()
    assert set(folder.parent.iterdir()) == {folder, kept.parent}
    ended(alive)


def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    root = tmp_path / f"nightshift-{os.getuid()}"
    root.mkdir()
    root.chmod(0o755)
    with pytest.raises(UsageError, match=r"not a private folder .* set NIGHTSHIFT_TEMP_DIR"):
        scratch.start(str(tmp_path))


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / f"nightshift-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="not a private folder"):
        scratch.start(str(tmp_path))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be created: No such file or directory"):
        scratch.start(str(tmp_path / "missing"))


def test_what_processes_share_is_the_same_folder_before_and_after_a_process_has_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = scratch.root(), scratch.shared("kept")
    own = scratch.start()
    assert (scratch.root(), scratch.shared("kept")) == before
    assert own.parent == before[0]
