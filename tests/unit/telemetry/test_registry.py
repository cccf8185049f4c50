"""Counting in many processes that come and go, and what is exposed of it."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline import telemetry
from pipeline.telemetry import exposition, labels, registry, room
from pipeline.telemetry.shared import Shared

DOCUMENTS = "nightshift_documents_total"
CHILD = """
import sys
from pathlib import Path
from pipeline import telemetry
from pipeline.telemetry import registry
registry.start(Path(sys.argv[1]))
telemetry.count("nightshift_documents_total", "done", "document", "")
telemetry.observe("nightshift_step_seconds", 0.2, "ocr")
print("counted", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "metrics").mkdir()
    yield tmp_path / "metrics"
    registry.stop()


@pytest.fixture
def counting(folder: Path) -> Shared:
    registry.start(folder, {"archive"})
    return Shared(folder)


def exposed(*collectors: object) -> dict[tuple[str, ...], float]:
    """Values by name and label values, as a scrape finds them."""
    text = exposition.text(collectors).decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def child(folder: Path) -> subprocess.Popen[str]:
    """A process of a pool that has counted one document and waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    return process


def test_without_a_start_nothing_is_counted_or_written(tmp_path: Path) -> None:
    telemetry.count(DOCUMENTS, "done", "document", "")
    telemetry.observe("nightshift_step_seconds", 1.0, "ocr")
    telemetry.gauge("nightshift_device_held", 1)
    assert not registry.gauges
    assert registry.FOLDER not in os.environ
    assert not list(tmp_path.iterdir())


def test_the_library_is_not_imported_by_a_process_that_does_not_count() -> None:
    code = "import sys, pipeline.night.flow, pipeline.telemetry; print('prometheus_client' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_processes_that_died_keep_their_counts_and_leave_no_files(folder: Path, counting: Shared) -> None:
    telemetry.count(DOCUMENTS, "done", "document", "archive", by=2)
    running = child(folder)
    for _ in range(3):
        died = child(folder)
        died.kill()
        died.communicate()
    before = exposed(counting)
    assert before[DOCUMENTS, "document", "done", ""] == 4
    assert before[DOCUMENTS, "document", "done", "archive"] == 2
    assert before["nightshift_step_seconds_count", "ocr"] == 4
    for _ in range(2):
        counting.tidy()
        assert exposed(counting) == before
        pids = {path.stem.rpartition("_")[2] for path in folder.iterdir()}
        assert pids == {"0", str(os.getpid()), str(running.pid)}
    running.communicate("")
    counting.tidy()
    assert exposed(counting) == before
    assert len(list(folder.iterdir())) == 4


def test_a_damaged_file_of_a_dead_process_costs_only_its_own_counts(folder: Path, counting: Shared) -> None:
    telemetry.count(DOCUMENTS, "done", "document", "")
    dead = child(folder)
    dead.communicate("")
    path = folder / f"counter_{dead.pid}.db"
    path.write_bytes(b"\xff\xff\x00\x00" + path.read_bytes()[4:])
    counting.tidy()
    assert not path.exists()
    assert exposed(counting)[DOCUMENTS, "document", "done", ""] == 1
    assert exposed(counting)["nightshift_step_seconds_count", "ocr"] == 1


def test_a_file_that_is_being_made_does_not_spoil_a_scrape(folder: Path, counting: Shared) -> None:
    telemetry.count(DOCUMENTS, "done", "document", "")
    (folder / f"counter_{os.getppid()}.db").write_bytes(bytes(room.SIZE))
    assert exposed(counting)[DOCUMENTS, "document", "done", ""] == 1


def test_on_a_full_disk_nothing_is_mapped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        registry.start(folder)
    registry.stop()
    telemetry.count(DOCUMENTS, "done", "document", "")


def test_a_full_disk_keeps_the_files_of_the_dead_until_there_is_room(
    folder: Path, counting: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(folder).communicate("")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = exposed(counting)
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        counting.tidy()
    assert exposed(counting) == before
    counting.tidy()
    assert exposed(counting) == before


def test_files_never_grow_beyond_their_room(folder: Path, counting: Shared) -> None:
    registry.start(folder, {f"租户{n}" for n in range(3000)})
    for n in range(3000):
        telemetry.count(DOCUMENTS, "done", "document", f"租户{n}")
    assert (folder / f"counter_{os.getpid()}.db").stat().st_size <= 2 * room.SIZE
    found = exposed(counting)
    assert 500 < len(found) < 3000


def test_nothing_is_raised_whatever_is_counted(
    counting: Shared, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG, "nightshift")
    telemetry.count("nightshift_nothing_total")
    telemetry.count(DOCUMENTS, "done")
    telemetry.count(DOCUMENTS, "done", "document", "", by=-1)
    telemetry.observe("nightshift_step_seconds", None, "ocr")  # type: ignore[arg-type]
    assert len(caplog.records) == 4
    assert not any(sample[0] == DOCUMENTS and value for sample, value in exposed(counting).items())
    monkeypatch.setenv(registry.FOLDER, "/nowhere")
    telemetry.count("nightshift_dead_letters_total", "poison")


def test_labels_are_bounded() -> None:
    bounded = labels.Bounded({"archive"})
    assert [bounded.value("tenant", name) for name in ("", "archive", "Erika Mustermann")] == [
        "",
        "archive",
        labels.OTHER,
    ]
    assert bounded.value("code", "id of a person") == labels.OTHER
    assert bounded.value("device", "gpu:0") == "gpu:0"
    values = {bounded.value("code", f"code_{n}") for n in range(1000)}
    assert len(values) == labels.MOST + 1
    assert bounded.value("code", "code_1") == "code_1"


def test_gauges_of_the_parent_are_exposed_as_they_are_now(counting: Shared) -> None:
    gauges = exposition.Gauges(registry.gauges.copy)
    assert exposed(gauges) == {}
    telemetry.gauge("nightshift_device_held", 1)
    telemetry.gauge("nightshift_device_held", 0)
    assert exposed(counting, gauges) == {("nightshift_device_held",): 0.0}


def test_no_file_stays_open(folder: Path) -> None:
    registry.start(folder)
    telemetry.count(DOCUMENTS, "done", "document", "")
    telemetry.observe("nightshift_step_seconds", 0.2, "ocr")

    def is_open() -> list[str]:
        names = (str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.is_symlink())
        return [name for name in names if name.startswith(str(folder))]

    assert is_open()
    registry.stop()
    assert is_open() == []
