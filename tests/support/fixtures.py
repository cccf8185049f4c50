"""Fixtures of the tests that use real servers."""

import json
import urllib.request
import uuid
from collections.abc import Iterator

import boto3
import pytest

from tests.support.servers.rabbit import Rabbit, start_rabbit
from tests.support.servers.swift import Swift, start_swift

__all__ = ["broker", "bucket", "rabbit", "s3", "swift"]


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    """One broker node for the session."""
    node = start_rabbit(tmp_path_factory.mktemp("rabbit"))
    yield node
    node.kill()


@pytest.fixture
def broker(rabbit: Rabbit) -> str:
    """URL of a fresh virtual host: nobody else's queues are in it."""
    name = f"v-{uuid.uuid4().hex[:12]}"
    permissions = {"configure": ".*", "write": ".*", "read": ".*"}
    for path, body in ((f"vhosts/{name}", {}), (f"permissions/{name}/guest", permissions)):
        request = urllib.request.Request(
            f"http://127.0.0.1:{rabbit.management_port}/api/{path}",
            method="PUT",
            data=json.dumps(body).encode(),
            headers={"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q=", "Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=30).close()
    return f"{rabbit.url.removesuffix('//')}/{name}"


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
