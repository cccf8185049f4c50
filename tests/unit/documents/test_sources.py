import zipfile
from pathlib import Path

import pytest

from pipeline.documents.sources import find
from pipeline.errors import OverLimit, PermanentError, Unreadable, UsageError
from pipeline.settings import Settings

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
