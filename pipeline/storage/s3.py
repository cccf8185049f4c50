"""A store in an S3 bucket, by boto3. Any S3-compatible server will do: conditional puts are used where it has them."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.config
import botocore.exceptions as boto_errors
import botocore.parsers
import urllib3.exceptions

from pipeline import clock, tls
from pipeline.errors import NotFound, PipelineError, RunError, StoreUnavailable, UsageError
from pipeline.storage import s3_versions
from pipeline.storage.s3_answers import Fault, clock_difference, fault_of, seconds_ahead, wrong_by

if TYPE_CHECKING:
    from pipeline.settings import Settings

log = logging.getLogger("nightshift")

_NO_CREDENTIALS = (
    boto_errors.NoCredentialsError,
    boto_errors.PartialCredentialsError,
    boto_errors.CredentialRetrievalError,
    boto_errors.TokenRetrievalError,
    boto_errors.ProfileNotFound,
    boto_errors.SSOError,
)
_NO_ANSWER = (
    botocore.parsers.ResponseParserError,
    urllib3.exceptions.HTTPError,
)  # a proxy's page, a cut body
_ENDED = (boto_errors.SSLError, boto_errors.ConnectionClosedError)
_SILENCE = 20  # seconds without a byte, after which a request is repeated on another connection
_CLOCK_WARNING = 3600.0  # seconds between two warnings of one process that its clock is wrong


class S3Store:
    """Keys are below `prefix` in `bucket`. Each put is atomic in S3 itself."""

    what = "store"
    """What sentences call it."""

    def __init__(self, bucket: str, prefix: str, settings: Settings) -> None:
        """Raises `UsageError` for TLS settings that can't be used."""
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._settings = settings
        self._tls = tls.Files.of(settings, "s3")
        if self._tls.given:
            tls.context(self._tls)
        self._check_endpoint(
            os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        )
        self._put_options: dict[str, str] = {}
        self.ahead: float | None = None  # seconds, see `pipeline.storage.clocks`
        if settings.s3_sse:
            self._put_options["ServerSideEncryption"] = settings.s3_sse
        if settings.s3_sse_kms_key:
            self._put_options["SSEKMSKeyId"] = settings.s3_sse_kms_key

    def _check_endpoint(self, url: str) -> None:
        """Raise `UsageError` where boto3's own configuration names a server without TLS and TLS is required."""
        own = self._settings.s3_endpoint
        if self._settings.require_tls and not own and url and not url.startswith("https://"):
            raise UsageError(
                f"The {self.what} {self.url} has an endpoint without TLS in boto3's configuration: use an https:// "
                "URL, as NIGHTSHIFT_REQUIRE_TLS is true."
            )

    @cached_property
    def _client(self) -> Any:
        """Created on first use: boto3 may query the network for region and credentials."""
        settings = self._settings
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.s3_endpoint or None,
            region_name=settings.s3_region or None,
            verify=self._tls.ca or None,
            config=botocore.config.Config(
                connect_timeout=5,
                read_timeout=_SILENCE,
                tcp_keepalive=True,
                max_pool_connections=32,
                client_cert=self._client_cert(),
                retries={"mode": "standard", "total_max_attempts": 4},
                s3={"addressing_style": "path" if settings.s3_path_style else "auto"},
                # Older S3-compatible servers do not support trailing checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        self._check_endpoint(client.meta.endpoint_url)
        client.meta.events.register("after-call.s3", self._compare_clocks)
        return client

    def _client_cert(self) -> str | tuple[str, str] | None:
        files = self._tls
        return (files.cert, files.key) if files.key else files.cert or None

    def _compare_clocks(self, http_response: Any, **_: Any) -> None:
        """Warn, now and then, when this machine's clock differs much from the server's, which accepts it still."""
        if http_response.status_code >= 400:
            return
        self.ahead = seconds_ahead(http_response.headers.get("Date", ""), clock.utc())
        if ahead := clock_difference(http_response.headers.get("Date", ""), clock.utc()):
            _warn_of_clock(self.url, wrong_by(ahead))

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except boto_errors.ClientError as error:
            raise self._translate(error, key) from error
        except _NO_CREDENTIALS as error:
            raise RunError(
                f"No credentials for {self.url} ({type(error).__name__}): set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY (or any other source that boto3 supports).",
                code="store_refused",
            ) from error
        except (boto_errors.BotoCoreError, boto_errors.HTTPClientError, *_NO_ANSWER) as error:
            self.__dict__.pop("_client", None)  # its other idle connections may be as dead as this one
            me = f"the {self.what} {self.url}"
            if refused := tls.refusal(error, me, self._tls):
                raise StoreUnavailable(refused.sentence) from error
            if isinstance(error, _ENDED) and error.kwargs["endpoint_url"].startswith("https://"):
                raise StoreUnavailable(tls.ended(me, self._tls)) from error
            raise StoreUnavailable(
                f"The {self.what} {self.url} does not answer ({type(error).__name__}): "
                "check NIGHTSHIFT_S3_ENDPOINT and whether the server is running."
            ) from error

    def _translate(self, error: boto_errors.ClientError, key: str) -> PipelineError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        answer = error.response.get("ResponseMetadata", {})
        fault = fault_of(code, answer.get("HTTPStatusCode", 0))
        ahead = clock_difference(str(answer.get("HTTPHeaders", {}).get("date", "")), clock.utc())
        if ahead and fault in ("credentials", "access"):  # servers differ in what they call it
            fault = "clock"
        return self._explained(fault, key, code or str(answer.get("HTTPStatusCode")), ahead)

    def _explained(self, fault: Fault, key: str, code: str, ahead: timedelta | None) -> PipelineError:
        me = f"The {self.what} {self.url}"
        if fault == "key":
            return NotFound(f"{key} not found in the {self.what} {self.url}.")
        if fault == "overload":
            return StoreUnavailable(f"{me} is overloaded or unavailable ({code}).")
        by = f"is {wrong_by(ahead)} the server's" if ahead else "differs from the server's"
        name, sentence = {
            "bucket": (
                "store_missing",
                f"The bucket {self.bucket} does not exist: create it or correct the URL.",
            ),
            "clock": (
                "clock_wrong",
                f"{me} refuses access ({code}), as this machine's clock {by}: set the clock (NTP).",
            ),
            "credentials": (
                "store_refused",
                f"{me} refuses access ({code}): the access key, secret or session token is invalid or has expired; "
                "renew it.",
            ),
            "access": (
                "access_denied",
                f"{me} refuses access to {key} ({code}): check the access key, the secret and the bucket policy.",
            ),
            "setup": (
                "store_setup",
                f"{me} cannot be used as it is set up ({code}): check region, endpoint, quota and encryption keys.",
            ),
            "other": (RunError.code, f"{me} answered {code} for {key}."),
        }[fault]
        return RunError(sentence, code=name)

    def put(self, key: str, data: bytes) -> None:
        """See `Store.put`."""
        with self._errors(key):
            self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data, **self._put_options)

    def put_new(self, key: str, data: bytes) -> bool:
        """See `Store.put_new`."""
        if not self._refuses_existing:
            if self.exists(key):
                return False
            self.put(key, data)
            return True
        with self._errors(key):
            return s3_versions.put_new(
                self._client, self.bucket, self.prefix + key, data, **self._put_options
            )

    @cached_property
    def _refuses_existing(self) -> bool:
        """Whether the server does what `If-None-Match` says, as tried once: some ignore it."""
        probe = f".probe-{uuid.uuid4().hex}"
        try:
            return self.refuses_existing(probe)
        finally:
            self.delete(probe)

    def put_file(self, key: str, path: Path) -> None:
        """See `Store.put_file`."""
        with self._errors(key), path.open("rb") as file:  # `upload_file` would hide the cause of an error
            self._client.upload_fileobj(
                file, self.bucket, self.prefix + key, ExtraArgs=self._put_options or None
            )

    def get(self, key: str) -> bytes:
        """See `Store.get`."""
        with self._errors(key):
            data: bytes = self._client.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"].read()
            return data

    def head(self, key: str, size: int) -> bytes:
        """See `Backend.head`."""
        with self._errors(key):
            try:
                found = self._client.get_object(
                    Bucket=self.bucket, Key=self.prefix + key, Range=f"bytes=0-{size - 1}"
                )
            except boto_errors.ClientError as error:
                if error.response.get("Error", {}).get("Code") in ("InvalidRange", "416"):  # it is empty
                    return b""
                raise
            data: bytes = found["Body"].read(size)
            return data

    def exists(self, key: str) -> bool:
        """See `Store.exists`."""
        try:
            with self._errors(key):
                self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        except NotFound:
            return False
        return True

    def list(self, prefix: str) -> Iterator[str]:
        """See `Store.list`."""
        with self._errors(prefix):
            pages: Any = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix
            )
            for page in pages:
                for item in page.get("Contents", ()):
                    yield item["Key"].removeprefix(self.prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        """See `Store.folders`."""
        whole = self.prefix + prefix
        with self._errors(prefix):
            pages: Any = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=whole, Delimiter="/"
            )
            for page in pages:
                for item in page.get("CommonPrefixes", ()):
                    yield item["Prefix"].removeprefix(whole).rstrip("/")

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        with self._errors(key):
            self._client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    @cached_property
    def is_versioned(self) -> bool | None:
        """See `Store.is_versioned`."""
        with self._errors(""):
            return s3_versions.are_kept(self._client, self.bucket)

    def purge(self, key: str) -> int:
        """See `Store.purge`."""
        if not self.is_versioned:
            return 0
        with self._errors(key):
            return s3_versions.purge(self._client, self.bucket, self.prefix + key)

    def purge_below(self, prefix: str) -> int:
        """See `Store.purge_below`."""
        if not self.is_versioned:
            return 0
        with self._errors(prefix):
            return s3_versions.purge(self._client, self.bucket, self.prefix + prefix, below=True)

    def answer_headers(self) -> dict[str, str]:
        """Headers of the server's answer to a question about the bucket, by their names in lower case."""
        with self._errors(""):
            answer = self._client.head_bucket(Bucket=self.bucket)
            return dict(answer["ResponseMetadata"]["HTTPHeaders"])

    def refuses_existing(self, key: str) -> bool:
        """Whether this server can be asked to write only where there is no object; writes one."""
        with self._errors(key):
            return s3_versions.refuses_existing(self._client, self.bucket, self.prefix + key)

    def check(self) -> None:
        """See `Store.check`."""
        probe = f".probe-{uuid.uuid4().hex}"
        self.put(probe, b"")
        self.delete(probe)


_warned_at = -_CLOCK_WARNING


def _warn_of_clock(url: str, by: str) -> None:
    global _warned_at  # noqa: PLW0603 - a process has one clock
    if time.monotonic() - _warned_at >= _CLOCK_WARNING:
        _warned_at = time.monotonic()
        log.error("this machine's clock is %s the clock of %s: set it (NTP)", by, url)
