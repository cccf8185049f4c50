"""Fixtures of the tests that use real servers."""

import uuid
from collections.abc import Iterator

import boto3
import pytest

from tests.servers.swift import Swift, start_swift

__all__ = ["bucket", "s3", "swift"]


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    node = start_swift(tmp_path_factory.mktemp("swift"))
    yield node
    node.stop()


@pytest.fixture
def s3(swift: Swift, monkeypatch: pytest.MonkeyPatch) -> Swift:
    """The S3 server, with this process's environment pointing at it."""
    for name, value in swift.environ.items():
        monkeypatch.setenv(name, value)
    return swift


@pytest.fixture
def bucket(s3: Swift) -> str:
    """A fresh bucket's name."""
    name = f"b-{uuid.uuid4().hex[:12]}"
    boto3.session.Session().client("s3").create_bucket(Bucket=name)
    return name
