#!/usr/bin/env python3
"""Health of a service in a container: `nightshift-healthz URL`, or `nightshift-healthz beat`; exit code 0 or 1."""

from __future__ import annotations

import os
import socket
import sys
import urllib.error
import urllib.request

_TIMEOUT = 5.0  # seconds


def main(what: str) -> int | str:
    """0 if it is well, else a sentence; for beat, what Celery says."""
    if what == "beat":
        name = f"celerybeat@{socket.gethostname()}"
        words = ["celery", "-A", "tasks", "inspect", "ping", "--timeout=10", f"--destination={name}"]
        os.execvp(words[0], words)  # noqa: S606 - words of our own
    try:
        urllib.request.urlopen(what, timeout=_TIMEOUT).close()  # noqa: S310 - compose.yaml names it
    except urllib.error.HTTPError as error:
        return f"{what} answers {error.code}: {error.read(200).decode(errors='replace').strip()}"
    except OSError as error:
        return f"{what} does not answer: {error}"
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else "Usage: nightshift-healthz URL | beat")
