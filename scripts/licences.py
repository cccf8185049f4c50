"""Write the list of packages in THIRD_PARTY.md: `python -m scripts.licences`, in an environment of `make setup`.

The licence of a package is what its own metadata say; where they say it only in a file, `_READ` does.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FILE = Path(__file__).resolve().parent.parent / "THIRD_PARTY.md"
BEGIN, END = "<!-- begin: python -m scripts.licences -->\n", "<!-- end -->\n"
EXTRAS = ("", "paddleocr", "paddlenlp", "onnx")
_READ = {"tiktoken": "MIT"}
_LONGEST = 60  # characters of a licence's name; metadata may hold its whole text


def packages() -> dict[str, str]:
    """Name -> licence, of all that Nightshift requires with its extras, as far as it is installed; sorted."""
    found: dict[str, str] = {}
    waiting: deque[tuple[str, tuple[str, ...]]] = deque([("nightshift", EXTRAS)])
    while waiting:
        name, extras = waiting.popleft()
        if name in found:
            continue
        try:
            about = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # for another platform
            continue
        found[name] = licence_of(about)
        for text in about.requires or []:
            wanted = Requirement(text)
            if any(wanted.marker is None or wanted.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append((canonicalize_name(wanted.name), ("", *wanted.extras)))
    del found["nightshift"]
    return dict(sorted(found.items()))


def licence_of(about: metadata.Distribution) -> str:
    """The licence of a package by its metadata: an expression, a short name, or its classifiers; empty if unknown."""
    fields = about.metadata
    named = next((fields[key] for key in ("License-Expression", "License") if key in fields), "")
    classified = [
        c.split(" :: ")[-1] for c in fields.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    classified = [name for name in classified if name != "OSI Approved"]
    short = "\n" not in named.strip() and len(named) <= _LONGEST and re.search("[A-Za-z]{3}", named)
    found = named.strip() if short else ", ".join(classified)
    return found or _READ.get(canonicalize_name(fields["Name"]), "")


def table() -> str:
    """The list as Markdown."""
    rows = [f"| {name} | {licence} |\n" for name, licence in packages().items()]
    return "| package | licence |\n| --- | --- |\n" + "".join(rows)


def written() -> str:
    """The file with the list of now."""
    before, _, rest = FILE.read_text("utf-8").partition(BEGIN)
    return before + BEGIN + "\n" + table() + "\n" + END + rest.partition(END)[2]


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
    sys.exit(0)
