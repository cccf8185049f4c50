"""From what was typed to a task id: an id, the beginning of one, a file name, or a SHA-256."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches
from itertools import islice
from pathlib import PurePosixPath

from pipeline.errors import Damaged
from pipeline.ledger import receipts, tabled
from pipeline.ledger.track import Track
from pipeline.night.night import Night
from pipeline.night.why.facts import nights
from pipeline.night.why.model import Match
from pipeline.remote.urls import public_source
from pipeline.storage import Store, keys
from pipeline.tables.masking import masked_source

MOST = 20
"""Matches that are looked for: with more, what was typed says too little."""

_HASH = re.compile(r"[0-9a-f]{8,64}")
_SIMILAR, _NIGHTS = 500, 3  # ids of one kind, and nights, that are compared
_CLOSE = 0.75  # from 0 to 1


def by_beginning(night: Night, text: str, days: int) -> list[Match]:
    """Tasks whose ids begin so: pending ones, claimed ones, and those of the latest nights. At most `MOST`."""
    store, found = night.store, dict[str, Match]()
    for task_id in _named(store, text):
        found.setdefault(task_id, Match(task_id=task_id))
        if len(found) >= MOST:
            return list(found.values())
    begins = keys.beginning(text)
    for day in nights(store, night.schedule.run_date(), days):
        for prefix in (keys.results(day), keys.failures(day)):
            for key in islice(store.list(prefix + begins), MOST):
                task_id = keys.task_id_of(key)
                found.setdefault(task_id, Match(task_id=task_id, run_date=day))
        if len(found) >= MOST:
            break
    return list(found.values())[:MOST]


def _named(store: Store, text: str) -> Iterator[str]:
    begins = keys.beginning(text)
    for key in islice(store.list(keys.PENDING + begins), MOST):
        yield keys.task_id_of(key)
    for key in islice(store.list(keys.CLAIMS + begins), 4 * MOST):
        yield keys.claimed_task(key)


def by_document(night: Night, text: str, days: int, track: Track) -> list[Match]:
    """Tasks of the latest nights whose file has this name or path, or whose bytes have this hash, newest first."""
    names = nights(night.store, night.schedule.run_date(), days)
    found: dict[str, Match] = {}
    for day in track(names, "nights", len(names)):
        for one in _of_night(night, day, text):
            found.setdefault(one.task_id, one)
        if len(found) >= MOST:
            break
    return list(found.values())[:MOST]


def _of_night(night: Night, day: str, text: str) -> Iterator[Match]:
    mask = night.settings.mask

    def fits(source: str, sha256: str | None) -> bool:
        return (is_hash(text) and (sha256 or "").startswith(text)) or is_named(source, text)

    for receipt in receipts.of_date(night.store, day, receipts.Accepted):
        for task in receipt.tasks:
            if fits(task.source, task.sha256):
                shown = masked_source(task.source, mask, task.sha256)
                yield Match(task_id=task.task_id, run_date=day, source=shown, sha256=task.sha256)
    with suppress(Damaged):
        for task_id, row in tabled.rows(night.store, day).items():
            if fits(row.source, row.sha256):
                yield Match(task_id=task_id, run_date=day, source=row.source, sha256=row.sha256)


def is_hash(text: str) -> bool:
    """Whether this may be a SHA-256, or the beginning of one."""
    return bool(_HASH.fullmatch(text))


def is_named(source: str, text: str) -> bool:
    """Whether a source is this URL, or its file has this name, or the end of its path is this."""
    plain = public_source(source).split("?", 1)[0]
    inner = plain.rsplit("!", 1)[-1]
    return text in (source, plain, PurePosixPath(inner).name) or (
        bool(text) and any(one.endswith(f"/{text.lstrip('/')}") for one in (plain, inner))
    )


def similar(night: Night, text: str, days: int) -> list[str]:
    """Ids that look like this one, of those that begin like it."""
    latest = nights(night.store, night.schedule.run_date(), days)[:_NIGHTS]
    for length in dict.fromkeys((len(text) * 3 // 4, len(text) // 2, min(len(text), 3))):
        if not length:
            continue
        listed = dict.fromkeys(_beginning(night.store, keys.beginning(text[:length]), latest))
        if close := get_close_matches(text, listed, n=5, cutoff=_CLOSE):
            return close
    return []


def _beginning(store: Store, begins: str, latest: list[str]) -> Iterator[str]:
    """Ids whose keys begin so: claimed ones, pending ones, and those of the latest nights."""
    yield from (keys.claimed_task(key) for key in islice(store.list(keys.CLAIMS + begins), _SIMILAR))
    prefixes = [keys.PENDING, *(keys.results(day) for day in latest), *(keys.failures(day) for day in latest)]
    for prefix in prefixes:
        yield from (keys.task_id_of(key) for key in islice(store.list(prefix + begins), _SIMILAR))
