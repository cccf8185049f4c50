"""Archives and the like are opened in a process apart: what they do to it, and that nothing happens to this one."""

from __future__ import annotations

import signal
import struct
import zipfile
from pathlib import Path

import pytest

from pipeline.documents.sources import Notes, Source, apart, find
from pipeline.documents.sources.apart import Opener
from pipeline.errors import OverLimit, PermanentError, Unreadable, Unsupported
from pipeline.settings import Settings


@pytest.fixture(autouse=True)
def _opened_here() -> None:
    """Here, in a process apart."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("one.txt", "first")
        file.writestr(".hidden", "left out")
        file.writestr("two.txt", "second")
    return path


def crowded(path: Path, entries: int) -> Path:
    """A zip archive with so many members in its directory."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0)
    rows = b"".join(entry + b"%08x" % number for number in range(entries))
    zip64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, len(rows), 4)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 4 + len(rows), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(b"PK\3\4" + rows + zip64 + locator + end)
    return path


def found_in(*paths: Path, notes: Notes | None = None, **settings: object) -> list[Source]:
    return list(find([str(path) for path in paths], Settings(**settings), notes))  # type: ignore[arg-type]


def test_documents_are_listed_and_read_apart(archive: Path) -> None:
    notes = Notes()
    found = found_in(archive, notes=notes)
    assert [source.url.rpartition("!")[2] for source in found] == ["one.txt", "two.txt"]
    assert [source.read() for source in reversed(found)] == [b"second", b"first"]
    assert notes.left_out == {"hidden files or folders": 1}


def test_an_error_keeps_its_kind_code_and_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("clip.mp4", b"\0\0\0\x18ftypmp42" + bytes(100))
    (source,) = found_in(path)
    with pytest.raises(Unsupported, match="The file is"):
        source.read()


def test_a_file_that_needs_too_much_memory_fails_alone(tmp_path: Path, archive: Path) -> None:
    bomb = crowded(tmp_path / "bomb.zip", 400_000)
    first, *others = found_in(bomb, archive, worker_memory=160)
    with pytest.raises(PermanentError, match=r"bomb\.zip needs more memory") as raised:
        first.read()
    assert raised.value.code == "out_of_memory"
    assert [source.read() for source in others] == [b"first", b"second"]


def test_a_file_that_takes_too_much_time_fails_alone(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.settings.PAGE_LEAST", 0.2)
    first, *others = found_in(crowded(tmp_path / "bomb.zip", 400_000), archive, time_limit=0.5)
    with pytest.raises(OverLimit, match=r"bomb\.zip takes more than") as raised:
        first.read()
    assert raised.value.code == "over_time"
    assert len(others) == 2


def test_names_are_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.documents.sources.opening.MAX_NAMES", 10)
    opener = Opener(Settings())
    from tests.support.opening import ask_here

    monkeypatch.setattr(Opener, "_ask", ask_here)
    path = crowded(tmp_path / "names.zip", 3)
    (source,) = opener.documents(path, str(path), Notes())
    with pytest.raises(OverLimit, match="holds 3 documents with names of more than"):
        source.read()


def test_memory_for_an_archive_does_not_grow_with_it(tmp_path: Path) -> None:
    """Scaled down from an archive of 2 GB: one document of it at a time is in memory, here and in the process."""
    peaks, text = [], (b"x" * 1023 + b"\n") * 3072
    for count in (4, 24):
        path = tmp_path / f"{count}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for n in range(count):
                archive.writestr(f"{n}.txt", text)
        opener = Opener(Settings())
        assert [len(one.read()) for one in opener.documents(path, str(path), Notes())] == [len(text)] * count
        assert opener._process is not None
        lines = Path(f"/proc/{opener._process._process.pid}/status").read_text().splitlines()
        peaks.append(next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM")))
    assert peaks[1] - peaks[0] < 2 * 3, f"MiB at the peak: {peaks}"


def test_a_process_that_is_killed_is_replaced(archive: Path) -> None:
    opener = Opener(Settings())
    one, two = opener.documents(archive, str(archive), Notes())
    assert opener._process is not None
    opener._process._process.kill()
    assert one.read() == b"first"
    assert two.read() == b"second"


def test_a_process_that_hangs_is_ended(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_PATIENCE", 0.5)
    opener = Opener(Settings())
    one, two = opener.documents(archive, str(archive), Notes())
    assert opener._process is not None
    opener._process._longest = 0.0
    opener._process._process.send_signal(signal.SIGSTOP)
    with pytest.raises(OverLimit, match=r"one\.txt takes more than 300 s to be opened") as raised:
        one.read()
    assert raised.value.code == "over_time"
    assert two.read() == b"second"


def test_a_file_that_ends_it_again_and_again_is_refused(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = Opener(Settings())
    one, two = opener.documents(archive, str(archive), Notes())

    def dies(*_: object) -> None:
        raise apart._Died(-6, late=False)

    monkeypatch.setattr(apart._Process, "exchange", dies)
    with pytest.raises(Unreadable, match=r"one\.txt crashed the process that opened it"):
        one.read()
    for _ in range(2):
        with pytest.raises(Unreadable, match=r"two\.txt is in a file that crashed"):
            two.read()


def test_what_one_file_left_in_memory_is_no_other_files_fault(archive: Path, tmp_path: Path) -> None:
    large = crowded(tmp_path / "large.zip", 60_000)
    opener = Opener(Settings(worker_memory=150))  # of which it uses more than a third
    assert len(opener.documents(large, str(large), Notes())) == 60_000
    before = opener._process
    assert len(opener.documents(archive, str(archive), Notes())) == 2
    assert opener._process is not before


def test_the_type_of_an_office_document_is_found_apart(archive: Path) -> None:
    opener = Opener(Settings())
    with pytest.raises(Unsupported, match="a ZIP archive"):
        opener.sniff(archive.read_bytes(), "a.docx")
    assert opener._process is not None
    assert opener.sniff(b"plain text", "a.txt") == "text/plain; charset=unknown"
