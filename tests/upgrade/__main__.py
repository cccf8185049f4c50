"""`make upgrade-check`: a rolling upgrade from an older version to this one, on RabbitMQ and an S3 server or a folder.

The older version is a commit of this repository: the last tag, or `--from`. It runs with the packages of `.venv`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import uuid
from contextlib import ExitStack
from pathlib import Path

import boto3
import msgspec

from tests.support.night import night
from tests.support.servers.rabbit import start_rabbit
from tests.support.servers.swift import BIN, start_swift
from tests.upgrade.old import Version, last_tag
from tests.upgrade.rolling import Rolling, folder_of


def main() -> int:
    """Run it and print what came of it; exit code 1 where a document was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade", description=__doc__)
    parser.add_argument("--from", dest="version", default=last_tag(), help="tag or commit (%(default)s)")
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--folder", action="store_true", help="the store is a folder, not the S3 server")
    given = parser.parse_args()
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightshift-upgrade-")))
        try:
            old = Version.check_out(given.version, work / "old")
        except subprocess.CalledProcessError as error:
            print(f"{given.version} is not a commit of this repository: {error.stderr.decode().strip()}")
            return 2
        rabbit = start_rabbit(folder_of(work, "rabbit"))
        stack.callback(rabbit.kill)
        env = {"NIGHTSHIFT_FAKE_SECONDS": "0.05"}
        if not given.folder and (BIN / "swift-proxy-server").exists():
            swift = start_swift(folder_of(work, "swift"))
            stack.callback(swift.stop)
            os.environ |= swift.environ
            bucket = f"upgrade-{uuid.uuid4().hex[:12]}"
            boto3.session.Session().client("s3").create_bucket(Bucket=bucket)
            env |= {"NIGHTSHIFT_STORE_URL": f"s3://{bucket}/night", "NIGHTSHIFT_S3_ENDPOINT": swift.endpoint}
        elif not given.folder:
            print("The store is a folder: run `make services` for the S3 server.")
        it = stack.enter_context(night(rabbit, folder_of(work, "night"), 0, **env))
        outcome = Rolling(old, it, given.documents, lambda text: print(text, flush=True)).run()
    print(msgspec.json.format(msgspec.json.encode(outcome)).decode())
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
