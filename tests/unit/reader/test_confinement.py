"""What a reader process can't do once hostile bytes have taken it over. Real processes, real kernel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from pathlib import Path

import pytest

from pipeline.errors import RunError, Unreadable, UsageError
from pipeline.limits import Limits, PageTime
from pipeline.reader import reader as readers
from pipeline.reader.process import ReaderProcess
from pipeline.reader.reader import Reader
from pipeline.sandbox import landlock
from pipeline.settings import Settings
from tests.support import exploited

SECRETS = {
    "NIGHTSHIFT_BROKER_URL": "amqp://u:secret@broker//",
    "NIGHTSHIFT_CALLBACK_SECRET": "secret",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "HTTPS_PROXY": "http://u:secret@proxy",
}
Try = Callable[[str], str]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        made = Reader(memory=0, limit=PageTime(20, 30), attempts=1, launch=exploited.launch)
        attempt(made, "environment")
    yield made
    made.close()


def attempt(reader: Reader, order: str) -> str:
    with pytest.raises(Unreadable) as caught:
        reader.open(order.encode(), Limits())
    return caught.value.message


@pytest.fixture(scope="module")
def lacks(reader: Reader) -> tuple[str, ...]:
    process = reader._process
    assert process is not None
    return process.missing


@pytest.fixture
def seccomp(lacks: tuple[str, ...]) -> None:
    if "seccomp" in lacks:
        pytest.skip("no seccomp here")


@pytest.fixture
def walls(lacks: tuple[str, ...]) -> None:
    if "landlock" in lacks:
        pytest.skip("no Landlock here")


def test_nothing_is_missing_that_this_machine_has(lacks: tuple[str, ...]) -> None:
    filters = Path("/proc/sys/kernel/seccomp/actions_avail").exists() and find_library("seccomp")
    assert ("seccomp" in lacks, "landlock" in lacks) == (not filters, not landlock.version())


@pytest.mark.usefixtures("seccomp")
@pytest.mark.parametrize("order", ["socket", "unix", "pair", "program", "fork", "signal"])
def test_no_network_and_no_other_process(reader: Reader, order: str) -> None:
    assert attempt(reader, order) == "refused: PermissionError"


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("order", ["read", "list"])
def test_no_file_of_the_store(reader: Reader, tmp_path: Path, order: str) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a").write_bytes(b"text of a patient")
    path = tmp_path / "documents" if order == "list" else tmp_path / "documents" / "a"
    assert attempt(reader, f"{order} {path}") == "refused: PermissionError"


def test_no_file_is_written_or_removed(reader: Reader, lacks: tuple[str, ...], tmp_path: Path) -> None:
    if len(lacks) == 2:
        pytest.skip("no sandbox here")
    (tmp_path / "kept").touch()
    assert attempt(reader, f"write {tmp_path / 'new'}") == "refused: PermissionError"
    assert attempt(reader, f"remove {tmp_path / 'kept'}") == "refused: PermissionError"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.fixture(scope="module")
def bare() -> Iterator[Reader]:
    made = Reader(memory=0, limit=PageTime(20, 30), attempts=1, launch=exploited.launch_bare)
    yield made
    made.close()


@pytest.mark.usefixtures("seccomp")
def test_without_landlock_no_file_is_cut_off_or_created(bare: Reader, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"text of a patient")
    assert attempt(bare, f"read {tmp_path / 'kept'}") == "done: b'text of a patient'", "it lacks Landlock"
    assert attempt(bare, f"cut {tmp_path / 'kept'}") == "refused: PermissionError"
    assert attempt(bare, f"create {tmp_path / 'new'}") == "refused: PermissionError"
    assert attempt(bare, f"unnamed {tmp_path}") == "refused: PermissionError"
    assert (tmp_path / "kept").read_bytes() == b"text of a patient"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.usefixtures("seccomp")
@pytest.mark.parametrize("command", ["8", "a", "f", "100000008"])
def test_no_signal_by_way_of_a_pipe(bare: Reader, command: str) -> None:
    assert attempt(bare, f"own {command}") == "refused: PermissionError"


def test_no_secrets_in_its_environment(reader: Reader) -> None:
    found = attempt(reader, "environment")
    assert found.startswith("done: [")
    assert not [name for name in SECRETS if name in found]
    assert "NIGHTSHIFT" not in found
    assert "AWS" not in found


@pytest.mark.usefixtures("walls")
def test_not_its_parents_environment(reader: Reader) -> None:
    assert attempt(reader, "parent") == "refused: PermissionError"


def test_no_open_files_of_its_parent(tmp_path: Path) -> None:
    with (tmp_path / "store").open("wb") as held:
        os.set_inheritable(held.fileno(), True)
        fresh = Reader(memory=0, limit=PageTime(20, 30), attempts=1, launch=exploited.launch)
        numbers = attempt(fresh, "descriptors")
    fresh.close()
    assert len(numbers.split(",")) <= 3, numbers  # two pipes, and the guard's view of its own memory


def test_it_ends_with_its_parent() -> None:
    script = "from pipeline.reader.process import ReaderProcess; import os, time; r = ReaderProcess()\n"
    script += "print(r.pid, flush=True); time.sleep(60)"
    root = Path(readers.__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


class Bare(ReaderProcess):
    """A process on a machine without Landlock."""

    def __init__(self, memory: int = 0, opening: float = 120.0) -> None:
        super().__init__(memory, opening)
        self.missing = ("landlock",)


def test_what_is_lacking_is_logged_or_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(readers, "ReaderProcess", Bare)
    caplog.set_level("WARNING")  # whatever other tests have set
    readers.check(Settings(sandbox="auto"))
    said = "can't confine the processes that parse documents by landlock (no files"
    assert said in caplog.text
    assert caplog.records[0].levelname == "WARNING"
    with pytest.raises(UsageError, match="by landlock"):
        readers.check(Settings(sandbox="require"))
    strict = Reader(memory=0, limit=PageTime(20, 30), attempts=1, required=True, launch=Bare)
    with pytest.raises(RunError, match="landlock"):
        strict.open(b"text", Limits())
