"""The files in which the processes of one worker count, read by the worker's parent.

A pool replaces its processes all night, and each has files of its own. Those of processes that are gone are added up
in one file for each kind, so that there are never more files than processes; what they have counted stays.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.telemetry.room import reserve

log = logging.getLogger("nightshift")

GONE = 0
"""In place of a process id: all processes that are gone."""


class Shared:
    """The files of one worker. A collector of `prometheus_client`; only the parent may have one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()  # nobody reads while files are added up

    def collect(self) -> Iterable[Any]:
        """Everything counted so far, by all processes together."""
        from prometheus_client import multiprocess

        library: Any = multiprocess
        with self._lock:
            for last in (False, False, True):
                try:
                    return list(library.MultiProcessCollector(None, str(self.folder)).collect())
                except Exception:  # a process is making its file at this moment
                    if last:
                        raise
        raise AssertionError("unreachable")

    def tidy(self) -> None:
        """Add up the files of processes that are gone."""
        with self._lock:
            for path in self.folder.glob("*.db"):
                kind, _, pid = path.stem.rpartition("_")
                if pid.isdecimal() and int(pid) != GONE and not _is_alive(int(pid)):
                    self._add(path, kind)

    def _add(self, path: Path, kind: str) -> None:
        from prometheus_client import mmap_dict

        library: Any = mmap_dict
        try:
            found = [
                (key, value) for key, value, *_ in library.MmapedDict.read_all_values_from_file(str(path))
            ]
        except Exception as error:  # cut short when its process was killed
            log.debug("%s could not be read: %s: %s", path, type(error).__name__, error)
            found = []
        total = self.folder / f"{kind}_{GONE}.db"
        try:
            reserve(total, path.stat().st_size)
        except OSError as error:  # the disk is full: at the next look
            log.debug("%s is left as it is: %s", path, error)
            return
        path.unlink()  # first: one process too few is noticed less than one that is added at each look
        totals = library.MmapedDict(str(total))
        try:
            for key, value in found:
                totals.write_value(key, totals.read_value(key)[0] + value, 0.0)
        finally:
            totals.close()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's: the id was used again
        return True
    return True
