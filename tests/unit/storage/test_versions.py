"""Earlier versions of objects in a bucket: whether there are any, and that they go. The server is a stub."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from pipeline.errors import RunError
from pipeline.settings import Settings
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.storage.s3 import S3Store


@pytest.fixture
def store() -> S3Store:
    store = S3Store("b", "p", Settings.from_env({}, s3_region="eu-central-1"))
    client = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    store.__dict__["_client"] = client
    return store


@pytest.fixture
def server(store: S3Store) -> Iterator[Stubber]:
    with Stubber(store._client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def version(name: str, key: str, *, latest: bool = False, size: int | None = 1) -> dict[str, object]:
    found: dict[str, object] = {"Key": key, "VersionId": name, "IsLatest": latest}
    return found if size is None else found | {"Size": size}


def listed(
    server: Stubber, *versions: dict[str, object], markers: tuple[dict[str, object], ...] = ()
) -> None:
    server.add_response("get_bucket_versioning", {"Status": "Enabled"}, {"Bucket": "b"})
    answer = {"IsTruncated": False, "Versions": list(versions), "DeleteMarkers": list(markers)}
    server.add_response("list_object_versions", answer, {"Bucket": "b", "Prefix": "p/k"})


def deleted(server: Stubber, *names: str) -> None:
    for name in names:
        server.add_response("delete_object", {}, {"Bucket": "b", "Key": "p/k", "VersionId": name})


def test_of_a_deleted_object_everything_goes(store: S3Store, server: Stubber) -> None:
    marker = version("3", "p/k", latest=True, size=None)
    listed(server, version("1", "p/k"), version("2", "p/k"), version("x", "p/kk"), markers=(marker,))
    deleted(server, "1", "2", "3")
    store.purge("k")


def test_of_a_replaced_object_the_current_version_stays(store: S3Store, server: Stubber) -> None:
    listed(server, version("2", "p/k", latest=True), version("1", "p/k"))
    deleted(server, "1")
    store.purge("k")


def test_of_all_objects_below_a_prefix_the_current_versions_stay(store: S3Store, server: Stubber) -> None:
    gone = version("4", "p/k/2", latest=True, size=None)
    listed(
        server,
        version("2", "p/k/1", latest=True),
        version("1", "p/k/1"),
        version("3", "p/k/2"),
        markers=(gone,),
    )
    for name, key in (("1", "p/k/1"), ("3", "p/k/2"), ("4", "p/k/2")):
        server.add_response("delete_object", {}, {"Bucket": "b", "Key": key, "VersionId": name})
    assert store.purge_below("k") == 0


def test_locked_versions_are_counted(store: S3Store, server: Stubber) -> None:
    listed(server, version("1", "p/k"), version("2", "p/k"))
    server.add_client_error("delete_object", "AccessDenied", http_status_code=403)
    deleted(server, "2")
    assert store.purge("k") == 1


def test_a_bucket_that_never_kept_versions_is_asked_once(store: S3Store, server: Stubber) -> None:
    server.add_response("get_bucket_versioning", {}, {"Bucket": "b"})
    for _ in range(3):
        store.purge("k")
        store.purge_below("k")
    assert store.is_versioned is False


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (501, "NotImplemented")])
def test_a_server_that_does_not_say(store: S3Store, server: Stubber, status: int, code: str) -> None:
    server.add_client_error("get_bucket_versioning", code, http_status_code=status)
    store.purge("k")
    assert store.is_versioned is None


def test_other_errors_are_raised(store: S3Store, server: Stubber) -> None:
    server.add_client_error("get_bucket_versioning", "NoSuchBucket", http_status_code=404)
    with pytest.raises(RunError, match="does not exist"):
        store.purge("k")


def test_other_stores_keep_none(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert MemoryStore("x").is_versioned is False
    assert LocalStore(tmp_path_factory.mktemp("store")).is_versioned is False
