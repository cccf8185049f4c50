"""Run OpenStack Swift with its S3 API on port 7070, one node, in the foreground: `python3 swift.py FOLDER`.

ROOT_ACCESS_KEY (`account:user`) and ROOT_SECRET_KEY are its only user; the bucket `nightshift` is made. Data are in
FOLDER, everything else in /tmp.
"""

import base64
import email.utils
import hmac
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

BIN, CONF, PORT = Path("/opt/swift/bin"), Path("/tmp/swift"), 7070
BACK = {"account": 7081, "container": 7082, "object": 7083}
PIPELINE = "catch_errors gatekeeper healthcheck listing_formats bulk s3api tempauth copy slo dlo symlink"


def common(data: str, host: str, port: int) -> str:
    """The section that every server has."""
    return f"""[DEFAULT]
bind_ip = {host}
bind_port = {port}
workers = 0
user = swift
swift_dir = {CONF}
devices = {data}
mount_check = false
log_address = /dev/null
log_level = WARNING
"""


def configure(data: str) -> None:
    """Write configuration files and rings."""
    account, _, user = os.environ["ROOT_ACCESS_KEY"].partition(":")
    CONF.mkdir(exist_ok=True)
    Path(data, "d1").mkdir(parents=True, exist_ok=True)
    (CONF / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = check\n[storage-policy:0]\nname = gold\ndefault = yes\n"
    )
    for kind, port in BACK.items():
        (CONF / f"{kind}.conf").write_text(
            common(data, "127.0.0.1", port)
            + f"[pipeline:main]\npipeline = {kind}-server\n[app:{kind}-server]\nuse = egg:swift#{kind}\n"
            f"recon_cache_path = {CONF}\n"
        )
        ring = [BIN / "swift-ring-builder", CONF / f"{kind}.builder"]
        for step in (["create", "6", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/d1", "1"], ["rebalance"]):
            subprocess.run([*ring, *step], check=True, stdout=subprocess.DEVNULL)
    plain = [name for name in PIPELINE.split() if name not in ("s3api", "tempauth")]
    filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in plain)
    (CONF / "proxy.conf").write_text(
        common(data, "0.0.0.0", PORT) + f"[pipeline:main]\npipeline = {PIPELINE} proxy-server\n"
        "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n"
        "recheck_account_existence = 0\nrecheck_container_existence = 0\nerror_suppression_limit = 100000\n"
        "[filter:s3api]\nuse = egg:swift#s3api\nlocation = us-east-1\n"
        f"[filter:tempauth]\nuse = egg:swift#tempauth\nuser_{account}_{user} = {os.environ['ROOT_SECRET_KEY']} .admin\n"
        + filters
    )


def make_bucket() -> None:
    """Make the bucket, once the proxy answers; signed as S3's second version does, which takes a line."""
    end = time.monotonic() + 300
    while True:
        date = email.utils.formatdate(usegmt=True)
        text = f"PUT\n\n\n{date}\n/nightshift".encode()
        digest = hmac.digest(os.environ["ROOT_SECRET_KEY"].encode(), text, "sha1")
        signed = f"AWS {os.environ['ROOT_ACCESS_KEY']}:{base64.b64encode(digest).decode()}"
        headers = {"Date": date, "Authorization": signed}
        put = urllib.request.Request(f"http://127.0.0.1:{PORT}/nightshift", headers=headers, method="PUT")
        try:
            urllib.request.urlopen(put, timeout=5).close()
            return
        except OSError as error:
            made = isinstance(error, urllib.error.HTTPError) and error.code == 409  # it is there already
            if made:
                return
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


if __name__ == "__main__":
    configure(sys.argv[1])
    servers = [subprocess.Popen([BIN / f"swift-{k}-server", CONF / f"{k}.conf"]) for k in (*BACK, "proxy")]

    def end(*_: object) -> None:
        for server in servers:
            server.terminate()

    signal.signal(signal.SIGTERM, end)
    make_bucket()
    sys.exit(servers[-1].wait())
