"""Pages through the night: raw messages, a Celery worker of one process, results in S3.

`python -m benchmarks.comparison.night OCR NER FOLDER SERVERS IMAGE...`, with these engines. The window is open. Beat
does not run: the tables are written after the window.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.support.night import Night, night

from .run import write_lines
from .servers import Servers
from .stored import lines_of

POLL = 1.0
"""Seconds between two looks at the store: what they cost is charged to the night."""


def through(it: Night, paths: list[Path]) -> None:
    """Submit the images and wait until all have ended."""
    it.ready(it.worker("w1", "-c", "1"))
    it.publish(it.document(path.stem, path) for path in paths)
    while any(it.store.list("pending/")) or len(it.ended()) < len(paths):
        if it.processes[0].main.poll() is not None:
            raise SystemExit(f"The worker ended: {it.processes[0].tail(1)}")
        time.sleep(POLL)


def main() -> None:
    """Process the images of the arguments."""
    ocr, ner, folder, path, *images = sys.argv[1:]
    servers, paths = Servers.load(Path(path)), [Path(image) for image in images]
    env = {
        "NIGHTSHIFT_OCR_ENGINE": ocr,
        "NIGHTSHIFT_NER_ENGINE": ner,
        **servers.s3,
        "NIGHTSHIFT_STORE_URL": f"s3://{servers.bucket()}",
        "NIGHTSHIFT_ALLOWED_SOURCES": paths[0].parent.as_uri(),
    }
    with night(servers.rabbit(Path(folder)), Path(folder), **env) as it:
        through(it, paths)
        found = lines_of(it.store)
        it.processes[0].stop()
    write_lines(Path(folder), paths, [found[image.name] for image in paths])


if __name__ == "__main__":
    main()
