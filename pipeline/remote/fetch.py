"""Bytes from outside, and notices to the outside: only where the policy allows, never more than a limit."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from pipeline.errors import NotFound, OverLimit, PermanentError, RunError, StoreUnavailable, TransientError
from pipeline.remote.http import exchange
from pipeline.remote.policy import SourcePolicy
from pipeline.remote.urls import PORTS, Location, shown
from pipeline.storage.s3 import S3Store

if TYPE_CHECKING:
    from pipeline.settings import Settings

WHOLE_SECONDS = 300.0
POST_SECONDS = 10.0
MAX_REDIRECTS = 3

_CHUNK = 1024 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429)  # "try again" among the answers that blame the caller
_NO_NAME = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


def fetch(url: str, policy: SourcePolicy, settings: Settings) -> bytes:
    """Read the document at a `file`, `s3`, `https` or (where a prefix says so) `http` URL.

    Raises `PermanentError` when the policy refuses it (`source_refused`), nothing is there (`not_found`),
    access is denied (`source_forbidden`) or it is no document (`source_unreadable`), `OverLimit` beyond
    `settings.max_bytes`, and `TransientError` for whatever may be gone in a minute.
    """
    place, prefix = policy.match(url)
    deadline = time.monotonic() + WHOLE_SECONDS
    if place.scheme == "file":
        return _read_file(place, prefix, policy, settings.max_bytes, deadline)
    if place.scheme == "s3":
        return _read_object(url, place, settings, deadline)
    return _read_page(url, place, policy, settings.max_bytes, deadline)


def post(url: str, body: bytes, headers: Mapping[str, str], policy: SourcePolicy) -> int:
    """Post a callback and give its status, 200 to 299. Redirects are not followed.

    Raises `PermanentError` when policy or receiver refuse it for good (`callback_refused`, `not_found`,
    `callback_forbidden`, `callback_failed`), `TransientError` (`callback_unavailable`) when another try may
    help.
    """
    place, _ = policy.match(url)
    deadline = time.monotonic() + POST_SECONDS
    with exchange("POST", place, policy, deadline, headers=headers, body=body) as response:
        _check_status(response.status, url, policy.kind)
        return response.status


def _read_page(url: str, place: Location, policy: SourcePolicy, limit: int, deadline: float) -> bytes:
    for _ in range(MAX_REDIRECTS + 1):
        with exchange("GET", place, policy, deadline) as response:
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or target is None:
                _check_status(response.status, url, policy.kind)
                return _collect(response.stream(_CHUNK), response.length_remaining, limit, url, deadline)
        place, url = _redirected(url, target, policy)
    raise PermanentError(
        f"{shown(url)} is one redirect too many: at most {MAX_REDIRECTS} are followed; give the final URL.",
        code=f"{policy.kind}_unreadable",
    )


def _redirected(url: str, target: str, policy: SourcePolicy) -> tuple[Location, str]:
    try:
        url = urljoin(url, target)
    except ValueError:
        raise policy.refusal(f"{shown(url)} is refused: it redirects to something that is no URL.") from None
    place, _ = policy.match(url)
    if place.scheme not in PORTS:
        raise policy.refusal(f"{shown(url)} is refused: a redirect may only lead to https://.")
    return place, url


def _check_status(status: int, url: str, kind: str) -> None:
    name = shown(url)
    if status >= 500 or status in _PASSING:
        raise TransientError(
            f"{name} answers {status}: its server is busy or down.", code=f"{kind}_unavailable"
        )
    if status in (404, 410):
        raise NotFound(f"There is no {name}: its server answers {status}.")
    if status in (401, 403):
        raise PermanentError(
            f"{name} may not be used: its server answers {status}; let this host in or sign the URL.",
            code=f"{kind}_forbidden",
        )
    if not 200 <= status < 300:
        word, what = ("unreadable", "give a document") if kind == "source" else ("failed", "take the notice")
        raise PermanentError(f"{name} does not {what} but answers {status}.", code=f"{kind}_{word}")


def _collect(chunks: Iterable[bytes], size: int | None, limit: int, url: str, deadline: float) -> bytes:
    """Join what comes, but never more than `limit` bytes and never past `deadline`; `size` as announced."""
    taken: list[bytes] = []
    total = 0
    for chunk in () if size is not None and size > limit else chunks:
        taken.append(chunk)
        total += len(chunk)
        if total > limit or time.monotonic() >= deadline:
            break
    if max(total, size or 0) > limit:
        raise OverLimit(
            f"{shown(url)} is larger than {limit / 1024**2:.0f} MiB; "
            "raise NIGHTSHIFT_MAX_BYTES if such documents are expected."
        )
    if time.monotonic() >= deadline:  # an answer without a length ends like a whole one when it is cut off
        raise TransientError(f"{shown(url)} took too long and was cut off.", code="source_unavailable")
    return b"".join(taken)


class _Bucket(S3Store):
    """A bucket that is read in chunks: a huge object must not be taken in before its size is known."""

    def read(self, key: str, limit: int, url: str, deadline: float) -> bytes:
        with self._errors(key):
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
            with closing(answer["Body"]) as body:
                return _collect(body.iter_chunks(_CHUNK), answer["ContentLength"], limit, url, deadline)


def _read_object(url: str, place: Location, settings: Settings, deadline: float) -> bytes:
    if not place.target or place.target.endswith("/"):
        raise PermanentError(f"{shown(url)} is a folder: name one document.", code="source_unreadable")
    try:
        return _Bucket(place.host, "", settings).read(place.target, settings.max_bytes, url, deadline)
    except NotFound:
        raise NotFound(f"There is no {shown(url)}.") from None
    except StoreUnavailable as error:  # the source's trouble: retries are counted, unlike the store's own
        raise TransientError(error.message, code="source_unavailable") from error
    except RunError as error:  # no bucket, no access: this document's trouble, not the run's
        code = {"store_missing": "not_found", "store_refused": "source_forbidden"}
        raise PermanentError(error.message, code=code.get(error.code, "source_unreadable")) from error


def _read_file(place: Location, prefix: Location, policy: SourcePolicy, limit: int, deadline: float) -> bytes:
    path, root = (Path("/", *which.parts) for which in (place, prefix))
    name = shown(f"file://{path}")
    if path != root and not root.exists():
        raise TransientError(
            f"The folder {shown(str(root))} is not there on this machine: mount it.",
            code="source_unavailable",
        )
    try:
        handle = _open_below(root, path, policy)
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            os.close(handle)
            raise PermanentError(f"{name} is not a file: name one document.", code="source_unreadable")
        with os.fdopen(handle, "rb") as file:
            return _collect(iter(partial(file.read, _CHUNK), b""), status.st_size, limit, name, deadline)
    except PermissionError:
        raise PermanentError(
            f"{name} may not be read by the user Nightshift runs as.", code="source_forbidden"
        ) from None
    except OSError as error:
        if error.errno in _NO_NAME:
            raise NotFound(f"There is no {name}.") from None
        if error.errno == errno.ELOOP:
            raise policy.refusal(f"{name} is refused: a symbolic link in it can't be followed.") from None
        raise TransientError(f"{name} can't be read: {error.strerror}.", code="source_unavailable") from error


def _open_below(root: Path, path: Path, policy: SourcePolicy) -> int:
    """Open `path` for reading unless symbolic links lead it out of `root`.

    Links are resolved first; the path so found must lie in the resolved root and is then opened name by
    name with O_NOFOLLOW, so a link put there in between can't be followed. O_NONBLOCK: a pipe without a
    writer must not hang the worker.
    """
    real_root, real = Path(os.path.realpath(root)), Path(os.path.realpath(path))
    if not real.is_relative_to(real_root):
        raise policy.refusal(
            f"{shown(f'file://{path}')} is refused: a symbolic link leads out of the allowed folder."
        )
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(real_root, flags)
    for name in real.relative_to(real_root).parts:
        folder = handle
        try:
            handle = os.open(name, flags, dir_fd=folder)
        finally:
            os.close(folder)
    return handle
