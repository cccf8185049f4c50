"""Documents in buckets."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pipeline.errors import (
    NotFound,
    PermanentError,
    RunError,
    SourceUnavailable,
    StoreUnavailable,
    TransientError,
)
from pipeline.remote.body import CHUNK, check_whole, collect
from pipeline.remote.urls import Location, shown
from pipeline.storage.s3 import S3Store

if TYPE_CHECKING:
    from pipeline.settings import Settings

_OF_ONE_OBJECT = {"access_denied": "source_forbidden", RunError.code: "source_unreadable"}
"""Codes of errors of a bucket that may concern one object alone, and those of the document."""


class Bucket(S3Store):
    """A bucket that is read in chunks: a huge object must not be loaded before its size is known."""

    what = "source"

    def read(self, key: str, limit: int, url: str, deadline: float) -> bytes:
        """The whole object; raises `TransientError` for one that breaks off, as it may be at fault itself."""
        try:
            with self._errors(key):
                answer = self._client.get_object(Bucket=self.bucket, Key=key)
        except UnicodeError:
            raise
        except ValueError as error:  # botocore takes a length for a number
            raise _broken_off(url, error) from error
        meta = answer["ResponseMetadata"]
        headers, status = meta["HTTPHeaders"], meta["HTTPStatusCode"]
        with closing(answer["Body"]) as body:
            check_whole(url, status, headers.get("content-length"), headers.get("transfer-encoding"))
            try:
                with self._errors(key):
                    return collect(body.iter_chunks(CHUNK), answer.get("ContentLength"), limit, url, deadline)
            except (StoreUnavailable, ValueError) as error:  # the latter: a negative length of a chunk
                raise _broken_off(url, error.__cause__ or error) from error


def _broken_off(url: str, cause: BaseException) -> TransientError:
    return TransientError(
        f"{shown(url)} can't be read as a whole: its server broke off ({type(cause).__name__}).",
        code="source_unavailable",
    )


def read_object(url: str, place: Location, settings: Settings, deadline: float) -> bytes:
    """Read the document at an `s3` URL until `deadline`; raises as `pipeline.remote.fetch.fetch` does."""
    if not place.target or place.target.endswith("/"):
        raise PermanentError(f"{shown(url)} is a folder: name one document.", code="source_unreadable")
    try:
        return Bucket(place.host, "", settings).read(place.target, settings.max_bytes, url, deadline)
    except NotFound:
        raise NotFound(f"{shown(url)} not found.") from None
    except StoreUnavailable as error:  # the source failed, not our store
        raise SourceUnavailable(error.message) from error
    except RunError as error:
        if error.code not in _OF_ONE_OBJECT:
            raise  # credentials, clock or bucket: no document is at fault
        raise PermanentError(error.message, code=_OF_ONE_OBJECT[error.code]) from error
