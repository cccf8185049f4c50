"""A store in an S3 bucket, by boto3. Any S3-compatible server will do: conditional puts are not needed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.config
import botocore.exceptions as boto_errors

from pipeline.errors import NotFound, PipelineError, RunError, StoreUnavailable

if TYPE_CHECKING:
    from pipeline.settings import Settings

_REFUSED = {
    "403",
    "401",
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthorizationHeaderMalformed",
}
_SILENCE = (
    20  # seconds without a byte from the server, after which a request is repeated on another connection
)
_MISSING = {"404", "NoSuchKey", "NotFound"}


class S3Store:
    """Keys are below `prefix` in `bucket`. Each put is atomic in S3 itself."""

    def __init__(self, bucket: str, prefix: str, settings: Settings) -> None:
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._settings = settings
        self._put_options: dict[str, str] = {}
        if settings.s3_sse:
            self._put_options["ServerSideEncryption"] = settings.s3_sse
        if settings.s3_sse_kms_key:
            self._put_options["SSEKMSKeyId"] = settings.s3_sse_kms_key

    @cached_property
    def _client(self) -> Any:
        """Created on first use: boto3 may query the network for region and credentials."""
        settings = self._settings
        return boto3.session.Session().client(
            "s3",
            endpoint_url=settings.s3_endpoint or None,
            region_name=settings.s3_region or None,
            config=botocore.config.Config(
                connect_timeout=5,
                read_timeout=_SILENCE,
                tcp_keepalive=True,
                max_pool_connections=32,
                retries={"mode": "standard", "total_max_attempts": 4},
                s3={"addressing_style": "path" if settings.s3_path_style else "auto"},
                # Older S3-compatible servers do not support trailing checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except boto_errors.ClientError as error:
            raise self._translate(error, key) from error
        except (boto_errors.NoCredentialsError, boto_errors.PartialCredentialsError) as error:
            raise RunError(
                f"No credentials for {self.url}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                "(or any other source that boto3 supports).",
                code="store_refused",
            ) from error
        except (boto_errors.BotoCoreError, boto_errors.HTTPClientError) as error:
            self.__dict__.pop("_client", None)  # its other idle connections may be as dead as this one
            raise StoreUnavailable(
                f"The store {self.url} does not answer ({type(error).__name__}): "
                "check NIGHTSHIFT_S3_ENDPOINT and whether the server is running."
            ) from error

    def _translate(self, error: boto_errors.ClientError, key: str) -> PipelineError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code == "NoSuchBucket":
            return RunError(
                f"The bucket {self.bucket} does not exist: create it or correct the URL.",
                code="store_missing",
            )
        if code in _MISSING:
            return NotFound(f"{key} not found in the store {self.url}.")
        if code in _REFUSED or status in (401, 403):
            return RunError(
                f"The store {self.url} refuses access ({code}): "
                "check the access key, the secret and the bucket policy.",
                code="store_refused",
            )
        if status >= 500 or code in ("SlowDown", "Throttling", "RequestTimeout"):
            return StoreUnavailable(f"The store {self.url} is overloaded or unavailable ({code or status}).")
        return RunError(f"The store {self.url} answered {code or status} for {key}.")

    def put(self, key: str, data: bytes) -> None:
        """See `Store.put`."""
        with self._errors(key):
            self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data, **self._put_options)

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
        pages: Any = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.prefix + prefix
        )
        with self._errors(prefix):
            for page in pages:
                for item in page.get("Contents", ()):
                    yield item["Key"].removeprefix(self.prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        """See `Store.folders`."""
        whole = self.prefix + prefix
        pages: Any = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=whole, Delimiter="/"
        )
        with self._errors(prefix):
            for page in pages:
                for item in page.get("CommonPrefixes", ()):
                    yield item["Prefix"].removeprefix(whole).rstrip("/")

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        with self._errors(key):
            self._client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    def check(self) -> None:
        """See `Store.check`."""
        probe = f".probe-{uuid.uuid4().hex}"
        self.put(probe, b"")
        self.delete(probe)
