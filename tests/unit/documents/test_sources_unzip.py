"""Zip members packed by bzip2 and LZMA."""

from __future__ import annotations

import random
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from pipeline.documents.sources import archives
from pipeline.errors import Unreadable

METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def packed(path: Path, method: int, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("letter.txt", data)
    return path


def claiming(path: Path, real: int, claimed: int) -> Path:
    """Make an archive say that its member unpacks to another number of bytes."""
    said = path.read_bytes()
    assert said.count(real.to_bytes(4, "little")) == 2
    path.write_bytes(said.replace(real.to_bytes(4, "little"), claimed.to_bytes(4, "little")))
    return path


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [0, 1, 5000, pytest.param(3_000_000, marks=pytest.mark.long)])
def test_members_are_read_whole(tmp_path: Path, method: int, size: int) -> None:
    data = random.Random(size).randbytes(size // 2).hex().encode().ljust(size, b"a")
    [member] = archives.members(packed(tmp_path / "a.zip", method, data), "a.zip")
    assert member.read(10_000_000) == data


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_holds_more_than_it_says_is_not_unpacked(tmp_path: Path, method: int) -> None:
    size = 40_000_000
    path = claiming(packed(tmp_path / "a.zip", method, b"a" * size), size, 1000)
    [member] = archives.members(path, "a.zip")
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="can't be extracted"):
            member.read(100_000_000)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_is_unreadable(tmp_path: Path, method: int) -> None:
    path = packed(tmp_path / "a.zip", method, b"abc" * 3000)
    data = bytearray(path.read_bytes())
    data[len("letter.txt") + 30 + 25] ^= 0xFF
    path.write_bytes(data)
    [member] = archives.members(path, "a.zip")
    with pytest.raises(Unreadable, match="can't be extracted"):
        member.read(100_000_000)
