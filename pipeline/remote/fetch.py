"""Fetch documents and post callbacks: only where the policy allows, and within limits."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from pipeline.errors import (
    NotFound,
    PermanentError,
    PipelineError,
    RunError,
    SourceUnavailable,
    TransientError,
    is_of_machine,
)
from pipeline.remote import mounts
from pipeline.remote.body import CHUNK, check_whole, collect
from pipeline.remote.http import request
from pipeline.remote.policy import SourcePolicy
from pipeline.remote.urls import PORTS, Location, shown

if TYPE_CHECKING:
    from pipeline.settings import Settings

WHOLE_SECONDS = 300.0
POST_SECONDS = 10.0
MAX_REDIRECTS = 3

_REDIRECTS = (301, 302, 303, 307, 308)
_OVERLOADED = (408, 425, 429, 502, 503, 504)  # whatever the document
_LOGIN = (401, 407, 511)  # asked for by the server, a proxy or a captive portal
_NO_NAME = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


def fetch(url: str, policy: SourcePolicy, settings: Settings) -> bytes:
    """Read the document at a `file`, `s3`, `https` or (where a prefix says so) `http` URL.

    Raises `PermanentError` if the policy refuses it (`source_refused`), it does not exist (`not_found`), access to it
    alone is denied (`source_forbidden`) or it is not a document (`source_unreadable`), `OverLimit` beyond
    `settings.max_bytes`, and `TransientError` for temporary failures. Where no document is at fault, it raises
    `SourceUnavailable`, or `RunError` for what a person must set right, such as credentials or the clock.
    """
    place, prefix = policy.match(url)
    deadline = time.monotonic() + WHOLE_SECONDS
    if place.scheme == "file":
        return _read_file(place, prefix, policy, settings.max_bytes, deadline)
    if place.scheme == "s3":
        from pipeline.remote.bucket import read_object

        return read_object(url, place, settings, deadline)
    return _read_page(url, place, policy, settings.max_bytes, deadline)


def post(url: str, body: bytes, headers: Mapping[str, str], policy: SourcePolicy) -> int:
    """Post a callback, or a report, and return its status, 200 to 299. Redirects are not followed.

    Raises `PermanentError` if policy or receiver refuse it permanently (`callback_refused`, `not_found`,
    `callback_forbidden`, `callback_failed`), `TransientError` if a retry may succeed.
    """
    place, _ = policy.match(url)
    deadline = time.monotonic() + POST_SECONDS
    with request("POST", place, policy, deadline, headers=headers, body=body) as response:
        if response.status in _LOGIN:
            raise TransientError(
                f"{shown(url)} asks for a login: its server, or a proxy, answered {response.status}.",
                code=f"{policy.kind}_unavailable",
            )
        _check_status(response.status, url, policy.kind)
        return response.status


def _read_page(url: str, place: Location, policy: SourcePolicy, limit: int, deadline: float) -> bytes:
    for _ in range(MAX_REDIRECTS + 1):
        with request("GET", place, policy, deadline) as response:
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or target is None:
                if response.status in _LOGIN:
                    raise RunError(
                        f"{shown(url)} asks for a login: its server, or a proxy, answered {response.status}; grant "
                        "this host access, or sign the URLs.",
                        code="source_login",
                    )
                _check_status(response.status, url, policy.kind)
                headers = response.headers
                check_whole(
                    url, response.status, headers.get("Content-Length"), headers.get("Transfer-Encoding")
                )
                return collect(response.stream(CHUNK), response.length_remaining, limit, url, deadline)
        place, url = _redirected(url, target, policy)
    raise PermanentError(
        f"Too many redirects, the last to {shown(url)}: at most {MAX_REDIRECTS} are followed; use the final URL.",
        code=f"{policy.kind}_unreadable",
    )


def _redirected(url: str, target: str, policy: SourcePolicy) -> tuple[Location, str]:
    try:
        url = urljoin(url, target)
    except ValueError:
        raise policy.refusal(f"{shown(url)} is refused: it redirects to an invalid URL.") from None
    place, _ = policy.match(url)
    if place.scheme not in PORTS:
        raise policy.refusal(f"{shown(url)} is refused: a redirect may only lead to https://.")
    return place, url


def _check_status(status: int, url: str, kind: str) -> None:
    name = shown(url)
    if status >= 500 or status in _OVERLOADED:
        error = SourceUnavailable if kind == "source" and status in _OVERLOADED else TransientError
        raise error(f"{name} is unavailable: its server answered {status}.", code=f"{kind}_unavailable")
    if status in (404, 410):
        raise NotFound(f"{name} not found: its server answered {status}.")
    if status == 403:
        raise PermanentError(
            f"Access to {name} is denied: its server answered {status}; grant this host access or sign the URL.",
            code=f"{kind}_forbidden",
        )
    if not 200 <= status < 300 or (kind == "source" and status not in (200, 206)):
        word, what = (
            ("unreadable", "return a document") if kind == "source" else ("failed", f"accept the {kind}")
        )
        raise PermanentError(f"{name} does not {what}: its server answered {status}.", code=f"{kind}_{word}")


def _read_file(place: Location, prefix: Location, policy: SourcePolicy, limit: int, deadline: float) -> bytes:
    path, root = (Path("/", *which.parts) for which in (place, prefix))
    name = shown(f"file://{path}")
    try:
        if path != root:
            root.stat()
    except OSError as error:
        raise SourceUnavailable(
            f"The folder {shown(str(root))} can't be entered on this machine ({error.strerror}): mount it."
        ) from error
    try:
        handle = _open_below(root, path, policy)
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            os.close(handle)
            raise PermanentError(f"{name} is not a file: name one document.", code="source_unreadable")
        mounts.note(root)
        with os.fdopen(handle, "rb") as file:
            return collect(iter(partial(file.read, CHUNK), b""), status.st_size, limit, name, deadline)
    except OSError as error:
        raise _file_error(error, name, path, root, policy) from error


def _file_error(error: OSError, name: str, path: Path, root: Path, policy: SourcePolicy) -> PipelineError:
    """What an error of the file system means for one document: nothing, where it concerns all of them."""
    if is_of_machine(error):
        return SourceUnavailable(f"{name} can't be read: {error.strerror}.")
    if isinstance(error, PermissionError):
        return _forbidden(name, path, root)
    if error.errno in _NO_NAME:
        if place := mounts.missing(root, path):
            return SourceUnavailable(
                f"{name} not found, as nothing is mounted at {shown(str(place))}: mount it."
            )
        return NotFound(f"{name} not found.")
    if error.errno == errno.ELOOP:
        return policy.refusal(f"{name} is refused: a symbolic link in it can't be followed.")
    return TransientError(f"{name} can't be read: {error.strerror}.", code="source_unavailable")


def _forbidden(name: str, path: Path, root: Path) -> PipelineError:
    who = "The user Nightshift runs as has no permission to"
    if path != root and not os.access(root, os.R_OK | os.X_OK):
        return RunError(f"{who} enter the folder {shown(str(root))}.", code="source_login")
    return PermanentError(f"{who} read {name}.", code="source_forbidden")


def _open_below(root: Path, path: Path, policy: SourcePolicy) -> int:
    """Open `path` for reading unless symbolic links lead it out of `root`.

    Links are resolved first; the resolved path must be in the resolved root and is then opened name by
    name with O_NOFOLLOW, so a link created in between can't be followed. O_NONBLOCK: a pipe without a
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
