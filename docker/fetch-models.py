"""Fetch models while an image is built: `python fetch-models.py FOLDER URL SHA256`.

URL: a tar archive, compressed or not, that has `det/` and `rec/`. Its SHA-256 must be as given. Without a URL the
folder is made and left empty. Python's own library only.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

_TIMEOUT = 60.0  # seconds without a byte


def fetch(folder: Path, url: str, sha256: str) -> None:
    """Unpack the archive into the folder. Raises `ValueError` if it isn't the one that was named."""
    folder.mkdir(parents=True, exist_ok=True)
    if not url:
        return
    if len(sha256) != 64:
        raise ValueError("MODELS_URL needs MODELS_SHA256, the archive's SHA-256 in 64 hex digits.")
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:  # noqa: S310 - the builder names it, and its digest
        data = answer.read()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256.lower():
        raise ValueError(f"{url} has the SHA-256 {found}, not {sha256}.")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(folder, filter="data")


if __name__ == "__main__":
    try:
        fetch(Path(sys.argv[1]), *sys.argv[2:4])
    except (ValueError, urllib.error.URLError, tarfile.TarError) as error:
        sys.exit(f"fetch-models: {error}")
