"""What differs between servers and buckets: earlier versions of objects, and conditional writes."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

_CONFLICTS = 5
"""Times that a conditional write is tried while others write the same object."""
_KINDS = ("Versions", "DeleteMarkers")


def are_kept(client: Any, bucket: str) -> bool | None:
    """Whether a bucket keeps versions, or has; `None` where the server does not say. Raises `ClientError`."""
    try:
        return bool(client.get_bucket_versioning(Bucket=bucket).get("Status"))
    except ClientError as error:
        if _status(error) in (403, 501):  # no right to ask; not known to this server
            return None
        raise


def purge(client: Any, bucket: str, key: str, *, below: bool = False) -> int:
    """Delete all versions of an object but the current one, of a deleted object all; returns how many are locked.

    `below`: of each object whose key begins with this. Raises `ClientError`.
    """
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
    found = [one for page in pages for kind in _KINDS for one in page.get(kind, ())]
    locked = 0
    for one in found:
        if not below and one["Key"] != key:
            continue
        if one["IsLatest"] and "Size" in one:  # no marker that it was deleted
            continue
        try:
            client.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
        except ClientError as error:
            if _status(error) != 403:
                raise
            locked += 1
    return locked


def refuses_existing(client: Any, bucket: str, key: str) -> bool:
    """Whether a put with `If-None-Match` is refused where the object exists; writes it. Raises `ClientError`."""
    client.put_object(Bucket=bucket, Key=key, Body=b"")
    try:
        client.put_object(Bucket=bucket, Key=key, Body=b"", IfNoneMatch="*")
    except ClientError as error:
        if _status(error) in (409, 412):
            return True
        if _status(error) in (400, 501):  # not known to this server
            return False
        raise
    return False


def put_new(client: Any, bucket: str, key: str, data: bytes, **options: str) -> bool:
    """Write an object unless there is one; whether it was written. Raises `ClientError`."""
    for attempt in range(_CONFLICTS):
        try:
            client.put_object(Bucket=bucket, Key=key, Body=data, IfNoneMatch="*", **options)
        except ClientError as error:
            if _status(error) == 412:
                return False
            if _status(error) != 409 or attempt == _CONFLICTS - 1:  # another write of it is in progress
                raise
        else:
            return True
    raise AssertionError("unreachable")


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
