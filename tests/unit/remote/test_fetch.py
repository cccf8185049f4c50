import errno
import os
from pathlib import Path

import pytest

from pipeline.errors import (
    NotFound,
    OverLimit,
    PermanentError,
    RunError,
    SourceUnavailable,
    StoreUnavailable,
)
from pipeline.remote import fetch as module
from pipeline.remote.body import collect
from pipeline.remote.bucket import Bucket
from pipeline.remote.fetch import fetch, post
from pipeline.remote.policy import SourcePolicy
from pipeline.settings import Settings

SETTINGS = Settings(max_bytes=1000)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"A")
    (folder / "sub" / "b c.jpg").write_bytes(b"B")
    (tmp_path / "secret").write_bytes(b"S")
    return folder


@pytest.fixture
def policy(inbox: Path) -> SourcePolicy:
    return SourcePolicy.sources(inbox.as_uri())


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_files_are_read(inbox: Path, policy: SourcePolicy) -> None:
    assert fetch(f"file://{inbox}/a.jpg", policy, SETTINGS) == b"A"
    assert fetch(f"file://{inbox}/sub/b%20c.jpg", policy, SETTINGS) == b"B"
    name = os.fsdecode(b"\xb7\xa2.jpg")
    (inbox / name).write_bytes(b"GBK")
    assert fetch(f"file://{inbox}/%B7%A2.jpg", policy, SETTINGS) == b"GBK"


def test_one_file_may_be_the_whole_prefix(inbox: Path) -> None:
    policy = SourcePolicy.sources(f"file://{inbox}/a.jpg")
    assert fetch(f"file://{inbox}/a.jpg", policy, SETTINGS) == b"A"
    (inbox / "a.jpg").unlink()
    with pytest.raises(NotFound):
        fetch(f"file://{inbox}/a.jpg", policy, SETTINGS)


def test_links_inside_the_folder_are_followed(inbox: Path, policy: SourcePolicy) -> None:
    (inbox / "today").symlink_to("sub")
    (inbox / "link.jpg").symlink_to(inbox / "a.jpg")
    assert fetch(f"file://{inbox}/today/b%20c.jpg", policy, SETTINGS) == b"B"
    assert fetch(f"file://{inbox}/link.jpg", policy, SETTINGS) == b"A"


def test_the_folder_itself_may_be_a_link(inbox: Path) -> None:
    (inbox.parent / "in").symlink_to(inbox)
    root = f"file://{inbox.parent}/in"
    assert fetch(f"{root}/a.jpg", SourcePolicy.sources(root), SETTINGS) == b"A"


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "sub/../../secret", "out2"])
def test_links_out_of_the_folder_are_refused(inbox: Path, policy: SourcePolicy, target: str) -> None:
    (inbox / "out2").symlink_to("../secret")
    (inbox / "out").symlink_to(target)
    (inbox / "up").symlink_to("..")
    for name in ("out", "up/secret"):
        with pytest.raises(PermanentError, match="symbolic link leads out") as caught:
            fetch(f"file://{inbox}/{name}", policy, SETTINGS)
        assert caught.value.code == "source_refused"


def test_a_link_created_after_the_check_is_not_followed(
    inbox: Path, policy: SourcePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.path.realpath

    def swap(path: str | Path) -> str:
        found = real(path)
        if str(path).endswith("a.jpg"):
            (inbox / "a.jpg").unlink()
            (inbox / "a.jpg").symlink_to("../secret")
        if str(path).endswith("b c.jpg"):
            (inbox / "sub").rename(inbox / "old")
            (inbox / "sub").symlink_to("old")
        return found

    monkeypatch.setattr(os.path, "realpath", swap)
    for name in ("a.jpg", "sub/b c.jpg"):
        with pytest.raises(PermanentError, match="can't be followed") as caught:
            fetch(f"file://{inbox}/{name}", policy, SETTINGS)
        assert caught.value.code == "source_refused"


def test_what_is_not_a_document_is_reported_clearly(inbox: Path, policy: SourcePolicy) -> None:
    os.mkfifo(inbox / "pipe")
    (inbox / "loop").symlink_to("loop")
    before = descriptors()
    for name in ("pipe", "sub", "sub/"):
        with pytest.raises(PermanentError, match="is not a file") as caught:
            fetch(f"file://{inbox}/{name}", policy, SETTINGS)
        assert caught.value.code == "source_unreadable"
    with pytest.raises(PermanentError, match="can't be followed"):
        fetch(f"file://{inbox}/loop", policy, SETTINGS)
    for name in ("none.jpg", "a.jpg/b", "x" * 300, "sub/none/b"):
        with pytest.raises(NotFound, match=r"^file://.* not found"):
            fetch(f"file://{inbox}/{name}", policy, SETTINGS)
    assert descriptors() == before


def test_a_folder_that_is_not_mounted_is_waited_for(inbox: Path) -> None:
    root = f"file://{inbox}/share"
    with pytest.raises(SourceUnavailable, match="mount it"):
        fetch(f"{root}/a.jpg", SourcePolicy.sources(root), SETTINGS)
    (inbox / "share").mkdir()
    with pytest.raises(NotFound):  # an empty folder alone is none
        fetch(f"{root}/a.jpg", SourcePolicy.sources(root), SETTINGS)


def test_a_folder_that_was_mounted_before_is_waited_for(inbox: Path, policy: SourcePolicy) -> None:
    url = f"file://{inbox}/a.jpg"
    assert fetch(url, policy, SETTINGS) == b"A"
    inbox.rename(inbox.with_name("away"))
    inbox.mkdir()
    with pytest.raises(SourceUnavailable, match=r"nothing is mounted at .*inbox: mount it"):
        fetch(url, policy, SETTINGS)
    inbox.rmdir()
    inbox.with_name("away").rename(inbox)
    (inbox / "a.jpg").unlink()
    with pytest.raises(NotFound):
        fetch(url, policy, SETTINGS)


def test_a_mount_point_of_this_machine_is_waited_for(
    inbox: Path, policy: SourcePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = inbox.parent / "fstab"
    monkeypatch.setattr("pipeline.remote.mounts._FSTAB", table)
    table.write_text(f"# comment\nnas:/scans {inbox}/sub nfs defaults 0 0\n/dev/sda1 / ext4 defaults 0 1\n")
    with pytest.raises(SourceUnavailable, match=r"nothing is mounted at .*inbox/sub: mount it"):
        fetch(f"file://{inbox}/sub/none.jpg", policy, SETTINGS)
    assert fetch(f"file://{inbox}/sub/b%20c.jpg", policy, SETTINGS) == b"B"
    with pytest.raises(NotFound):
        fetch(f"file://{inbox}/none.jpg", policy, SETTINGS)


@pytest.mark.parametrize("number", [errno.ESTALE, errno.ETIMEDOUT, errno.EKEYEXPIRED, errno.EMFILE])
def test_a_share_that_fails_is_waited_for(
    inbox: Path, policy: SourcePolicy, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fails(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module, "_open_below", fails)
    with pytest.raises(SourceUnavailable, match="can't be read"):
        fetch(f"file://{inbox}/a.jpg", policy, SETTINGS)


def test_a_folder_that_may_not_be_entered_is_no_fault_of_a_document(
    inbox: Path, policy: SourcePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(module, "_open_below", fails)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(RunError, match="no permission to enter the folder"):
        fetch(f"file://{inbox}/a.jpg", policy, SETTINGS)
    monkeypatch.setattr(os, "access", lambda *_: True)
    with pytest.raises(PermanentError) as caught:
        fetch(f"file://{inbox}/a.jpg", policy, SETTINGS)
    assert caught.value.code == "source_forbidden"


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (StoreUnavailable("x"), SourceUnavailable, "source_unavailable"),
        (RunError("x", code="clock_wrong"), RunError, "clock_wrong"),
        (RunError("x", code="store_refused"), RunError, "store_refused"),
        (RunError("x", code="store_missing"), RunError, "store_missing"),
        (RunError("x", code="access_denied"), PermanentError, "source_forbidden"),
        (RunError("x"), PermanentError, "source_unreadable"),
        (NotFound("x"), NotFound, "not_found"),
    ],
)
def test_only_what_concerns_one_object_fails_its_document(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception], code: str
) -> None:
    def fails(*_: object) -> bytes:
        raise error

    monkeypatch.setattr(Bucket, "read", fails)
    with pytest.raises(kind) as caught:
        fetch("s3://inbox/a", SourcePolicy.sources("s3://inbox"), SETTINGS)
    assert (type(caught.value), getattr(caught.value, "code", "")) == (kind, code)


def test_a_file_larger_than_the_limit_is_refused(inbox: Path, policy: SourcePolicy) -> None:
    (inbox / "full").write_bytes(bytes(1000))
    assert len(fetch(f"file://{inbox}/full", policy, SETTINGS)) == 1000
    (inbox / "big").write_bytes(bytes(1001))
    with pytest.raises(OverLimit, match="NIGHTSHIFT_MAX_BYTES"):
        fetch(f"file://{inbox}/big", policy, SETTINGS)


def test_a_file_that_grows_while_read_is_refused() -> None:
    chunks = iter([bytes(600), bytes(600), bytes(600)])
    with pytest.raises(OverLimit):
        collect(chunks, 10, 1000, "https://a.example/x?sig=secret", float("inf"))
    assert len(list(chunks)) == 1


def test_nothing_outside_the_policy_is_opened(inbox: Path, policy: SourcePolicy) -> None:
    for url in (
        f"file://{inbox}/../secret",
        "s3://inbox/a.jpg",
        "https://a.example/a.jpg",
        "http://127.0.0.1/",
    ):
        with pytest.raises(PermanentError) as caught:
            fetch(url, policy, SETTINGS)
        assert caught.value.code == "source_refused"
    with pytest.raises(PermanentError) as caught:
        post("https://a.example/hook", b"{}", {}, SourcePolicy.callbacks(""))
    assert caught.value.code == "callback_refused"
