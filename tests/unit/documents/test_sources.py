import errno
import os
import threading
import time
import zipfile
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from pipeline.documents.sources import Notes, files, find
from pipeline.errors import OverLimit, PermanentError, RunError, Unreadable, UsageError
from pipeline.settings import Settings
from tests.support.containers import mail, zipped

SETTINGS = Settings.from_env({"NIGHTSHIFT_MAX_BYTES": "1000"})


def names(*places: Path) -> list[str]:
    return [Path(s.url).name for s in find([str(p) for p in places], SETTINGS)]


def test_folders_are_walked_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/c.pdf", "a/.hidden", ".git/x"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    assert names(tmp_path) == ["c.pdf", "b.jpg"]
    assert [s.read() for s in find([str(tmp_path / "b.jpg")], SETTINGS)] == [b"b.jpg"]


def test_a_place_named_twice_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    assert names(tmp_path, tmp_path / "a") == ["a"]


def test_an_empty_folder_gives_nothing(tmp_path: Path) -> None:
    assert names(tmp_path) == []


def test_a_missing_place_is_reported_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere does not exist"):
        next(find([str(tmp_path), str(tmp_path / "nowhere")], SETTINGS))
    with pytest.raises(UsageError, match="does not exist"):
        next(find([(tmp_path / "nowhere").as_uri()], SETTINGS))


def test_a_too_large_file_is_refused_alone(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 1001)
    (tmp_path / "fits").write_bytes(b"x" * 1000)
    big, fits = find([str(tmp_path)], SETTINGS)
    assert len(fits.read()) == 1000
    with pytest.raises(OverLimit, match=r"big is larger than .*MAX_BYTES"):
        big.read()


def test_archives_are_opened_and_members_only_named(tmp_path: Path) -> None:
    path = tmp_path / "scans.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("in/a.jpg", b"one")
        archive.writestr("../../evil.jpg", b"two")
        archive.writestr("in/.DS_Store", b"")
    found = list(find([str(tmp_path)], SETTINGS))
    assert [s.url for s in found] == [f"{path}!in/a.jpg", f"{path}!../../evil.jpg"]
    assert [s.read() for s in found] == [b"one", b"two"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_zip_bomb_is_stopped_at_the_limit(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50_000_000))
    (source,) = find([str(tmp_path)], SETTINGS)
    with pytest.raises(OverLimit, match="zeros is larger"):
        source.read()


def test_a_broken_archive_is_one_failed_document(tmp_path: Path) -> None:
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04 torn")
    (source,) = find([str(tmp_path)], SETTINGS)
    with pytest.raises(Unreadable, match=r"torn\.zip is not a readable zip archive"):
        source.read()


def test_a_damaged_member_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "scans.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"A" * 100)
        archive.writestr("b", b"B" * 100)
    path.write_bytes(path.read_bytes().replace(b"A" * 100, b"C" * 100))
    damaged, whole = find([str(path)], SETTINGS)
    assert whole.read() == b"B" * 100
    with pytest.raises(Unreadable, match="can't be extracted"):
        damaged.read()


def test_an_encrypted_member_says_so(tmp_path: Path) -> None:
    path = tmp_path / "locked.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"secret")
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(bytes(data))
    (source,) = find([str(path)], SETTINGS)
    with pytest.raises(PermanentError, match="is encrypted") as caught:
        source.read()
    assert caught.value.code == "encrypted"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"M\xe4rz.jpg", "M%E4rz.jpg"),
        (b"line\nbreak\x1b[31m.jpg", "line%0Abreak%1B[31m.jpg"),
        (b"[bold]x[red] [1].jpg", "[bold]x[red] [1].jpg"),
        ("長".encode() * 80 + b".jpg", "長" * 80 + ".jpg"),
        (b"100%.jpg", "100%.jpg"),
        (b"100%41.jpg", "100%2541.jpg"),
        (b"end ", "end "),
        ("gpj.\u202eexe".encode(), "gpj.%E2%80%AEexe"),
        (b"\xb7\xa2\xc6\xb1%\xff.jpg", "%B7%A2\u01b1%%FF.jpg"),
    ],
)
def test_any_name_is_read_and_shown_on_one_line(tmp_path: Path, name: bytes, shown: str) -> None:
    place = os.fsencode(tmp_path) + b"/" + name
    Path(os.fsdecode(place)).write_bytes(b"data")
    (source,) = find([str(tmp_path)], SETTINGS)
    assert source.url == f"{tmp_path}/{shown}"
    source.url.encode()
    assert unquote_to_bytes(source.url) == place
    assert source.read() == b"data"
    assert [s.url for s in find([os.fsdecode(place)], SETTINGS)] == [source.url]


def test_litter_is_left_out_and_counted(tmp_path: Path) -> None:
    litter = (
        *(
            "@eaDir/a.jpg/SYNO_THUMB.jpg",
            "Thumbs.db",
            "DESKTOP.INI",
            ".DS_Store",
            "._a.jpg",
            "#recycle/old.pdf",
        ),
        *(
            "~$offer.docx",
            ".stversions/a.pdf",
            "__MACOSX/a.jpg",
            "$RECYCLE.BIN/x.pdf",
            "System Volume Information/x",
            "@__thumb/a.jpg",
            "a.jpg:Zone.Identifier",
            "Picasa.ini",
        ),
    )
    for name in (*litter, ".hidden", "video.mp4.part", "keep/a.jpg", "thumbs.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    notes = Notes()
    found = [Path(s.url).name for s in find([str(tmp_path)], SETTINGS, notes)]
    assert found == ["a.jpg", "thumbs.jpg"]
    assert notes.left_out == {
        "NAS and system files or folders": len(litter),
        "hidden files or folders": 1,
        "unfinished transfers": 1,
    }
    assert notes.lines() == [
        "Left out: 14 NAS and system files or folders, 1 hidden files or folders, 1 unfinished transfers."
    ]
    assert names(tmp_path / "@eaDir") == ["SYNO_THUMB.jpg"]


def test_the_store_among_the_sources_is_left_out(tmp_path: Path) -> None:
    for name in (
        "scan.jpg",
        "results/documents/ab12",
        "old/documents/cd34",
        "old/receipts/date=2024-05-01/a.jsonl",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "link").symlink_to("results")
    settings = Settings.from_env({}, store_url=str(tmp_path / "results"))
    notes = Notes()
    assert [Path(s.url).name for s in find([str(tmp_path)], settings, notes)] == ["scan.jpg"]
    assert notes.left_out == {"Nightshift store": 3}
    with pytest.raises(UsageError, match="is the store itself"):
        next(find([str(tmp_path / "link")], settings))


def test_a_file_is_one_document_however_it_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes(b"x")
    (tmp_path / "in/b.jpg").symlink_to("a.jpg")
    (tmp_path / "again").symlink_to("in")
    monkeypatch.chdir(tmp_path)
    places = [
        "in",
        "./in/../in/a.jpg",
        "again/a.jpg",
        "in/b.jpg",
        f"file://{tmp_path}/in/a.jpg",
        str(tmp_path),
    ]
    for place in places:
        assert [s.url for s in find([place], SETTINGS)] == [f"{tmp_path}/in/a.jpg"], place
    assert len(list(find(places, SETTINGS))) == 1


def test_linked_folders_are_read_once_and_loops_end(tmp_path: Path) -> None:
    (tmp_path / "elsewhere/2025").mkdir(parents=True)
    (tmp_path / "elsewhere/2025/linked.jpg").write_bytes(b"x")
    (tmp_path / "in/deep").mkdir(parents=True)
    for name, target in (
        ("2025", "../elsewhere/2025"),
        ("2026", "../elsewhere/2025"),
        ("deep/loop", ".."),
        ("gone", "x"),
    ):
        (tmp_path / "in" / name).symlink_to(target)
    notes = Notes()
    assert [Path(s.url).name for s in find([str(tmp_path / "in")], SETTINGS, notes)] == ["linked.jpg"]
    assert notes.unreachable == [(f"{tmp_path}/in/gone", "is a link to something that does not exist.")]


def test_what_cannot_be_entered_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.jpg", "locked/b.jpg", "z/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    real = os.scandir

    def scandir(path: Path) -> object:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("os.scandir", scandir)  # tests may run as root, who may enter everything
    notes = Notes()
    assert [Path(s.url).name for s in find([str(tmp_path)], SETTINGS, notes)] == ["a.jpg", "c.jpg"]
    assert notes.lines() == [f"Not read: {tmp_path}/locked: can't be entered: Permission denied."]


def test_a_pipe_among_the_files_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    notes = Notes()
    assert list(find([str(tmp_path)], SETTINGS, notes)) == []
    assert notes.left_out == {"pipes, sockets or devices": 1}


def test_a_growing_file_is_awaited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SETTLED", 0.4)
    path = tmp_path / "scan.pdf"
    path.write_bytes(b"0")

    def scanner() -> None:
        for _ in range(8):
            time.sleep(0.1)
            with path.open("ab") as file:
                file.write(b"1")

    thread = threading.Thread(target=scanner)
    thread.start()
    (source,) = find([str(path)], SETTINGS)
    assert source.read() == b"0" + b"1" * 8
    thread.join()


def test_a_file_that_stays_open_for_writing_is_refused_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.3)
    (tmp_path / "b.pdf").write_bytes(b"whole")
    with (tmp_path / "a.pdf").open("wb") as writer, (tmp_path / "c.zip").open("wb") as packer:
        writer.write(b"half")
        packer.write(zipped({"a": b"x"})[:-10])
        writer.flush()
        packer.flush()
        half, whole, archive = find([str(tmp_path)], SETTINGS)
        assert whole.read() == b"whole"
        for source in (half, archive):
            with pytest.raises(
                Unreadable, match=r"is still being written: run the same command again"
            ) as caught:
                source.read()
            assert caught.value.code == "being_written"
    assert half.read() == b"half"


def test_an_old_file_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SETTLED", 2.0)
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("waited"))
    (tmp_path / "a.pdf").write_bytes(b"x")
    for age in (3, -3600):  # a clock that is ahead must not make every file wait
        os.utime(tmp_path / "a.pdf", (0, time.time() - age))
        assert [s.read() for s in find([str(tmp_path)], SETTINGS)] == [b"x"]


def test_archives_and_mails_are_known_by_content(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(zipped({"in.txt": b"x"}))
    (tmp_path / "b").write_bytes(b"Received: from x\n" + mail("hello", "text").as_bytes())
    (tmp_path / "c.zip").write_bytes(b"%PDF-1.7")
    (tmp_path / "d.eml").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "e.zip").write_bytes(zipped({"[Content_Types].xml": b"", "word/document.xml": b""}))
    assert [s.url.removeprefix(f"{tmp_path}/") for s in find([str(tmp_path)], SETTINGS)] == [
        *("a.bin!in.txt", "b", "c.zip", "d.eml", "e.zip")
    ]


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ESTALE, RunError), (errno.EMFILE, RunError), (errno.EIO, Unreadable)]
)
def test_a_share_that_fails_ends_the_run_instead_of_failing_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "a.jpg").write_bytes(b"x")
    (found,) = find([str(tmp_path)], Settings(store_url=str(tmp_path / "store")))
    monkeypatch.setattr(Path, "open", fails)
    with pytest.raises(kind, match=r"a\.jpg can't be read from disk"):
        found.read()
