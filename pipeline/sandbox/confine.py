"""Confine this process for the rest of its life, as far as the kernel can."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.sandbox import landlock, rights, syscalls

LAYERS = {
    "seccomp": "no network, no other processes, no writing",
    "landlock": "no files but its own program and fonts",
}
"""What a reader process should have, and what each layer is for."""


def confine(readable: Iterable[Path]) -> tuple[str, ...]:
    """Refuse this process everything but reading below `readable` and using the files that it has open.

    Call it while there is one thread, as each thread that exists already would stay free. Returns the names of the
    `LAYERS` that this kernel, or this installation, does not have; the process is confined by the others.
    """
    missing = set[str]()
    rules = None
    try:
        rules = syscalls.Filter()
    except OSError:
        missing.add("seccomp")
    rights.drop()
    if not landlock.restrict(readable):
        missing.add("landlock")
    if rules is not None:
        try:
            rules.load()
        except OSError:
            missing.add("seccomp")
    return tuple(name for name in LAYERS if name in missing)
