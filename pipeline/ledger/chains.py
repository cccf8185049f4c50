"""The chains of receipts: whether one that another receipt, a record, a marker or a claim names is missing or changed.

What nothing names can't be missed: the last receipt of a writer, once its records, its marker and its claim are gone,
too, and no table has been written since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Literal, NamedTuple

from pipeline.errors import NotFound
from pipeline.ledger import receipts
from pipeline.ledger.receipts import Accepted, Receipt
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

Problem = Literal["receipt_missing", "receipt_changed"]


class Broken(NamedTuple):
    """A receipt that is missing or changed; `why`: a sentence about it, without its key."""

    kind: Problem
    key: str
    why: str


def broken(
    store: Store, run_date: str, known: Mapping[str, Receipt[Accepted]], later: Iterable[str]
) -> Iterator[Broken]:
    """Changed receipts among those `known` of a run date, and those named as the one before: missing or changed.

    `later`: run dates after it, on which its writers may have continued.
    """
    named: dict[str, Receipt[Accepted]] = {}  # not known: by another run date's writer, or missing
    for receipt in known.values():
        if receipt.problem:
            yield Broken(_kind(receipt), receipt.key, f"{receipt.problem}.")
        if receipt.link and receipt.link.previous:
            if before := known.get(receipt.link.previous):
                yield from _changed(before, receipt)
            else:
                named[receipt.link.previous] = receipt
    for receipt in _next(store, later):
        if receipt.link and receipt.link.previous.startswith(keys.receipts(run_date)):
            if before := known.get(receipt.link.previous):
                yield from _changed(before, receipt)
            else:
                named.setdefault(receipt.link.previous, receipt)
    there = in_threads(lambda key: _get(store, key), named)
    for (key, by), one in zip(named.items(), there, strict=True):
        if one:
            yield from _changed(one, by)
        elif link := by.link:
            numbers = _known_numbers(known, link.writer)
            last = max((n for n in numbers if n < link.number), default=0)
            more = f", and so are up to {link.number - 2 - last} before it" if link.number - 2 > last else ""
            yield Broken("receipt_missing", key, f"is missing: {by.key} names it as the one before{more}.")


def _changed(before: Receipt[Accepted], by: Receipt[Accepted]) -> Iterator[Broken]:
    """A receipt that is not the one that the next receipt of its writer names; one with a problem is known for it."""
    if by.link and not before.problem and before.sha256 != by.link.sha256:
        yield Broken(
            "receipt_changed", before.key, f"is not the object that {by.key} names as the one before."
        )


def _kind(receipt: Receipt[Accepted]) -> Problem:
    return "receipt_changed" if receipt.sha256 else "receipt_missing"


def _known_numbers(known: Mapping[str, Receipt[Accepted]], writer: str) -> list[int]:
    return [r.link.number for r in known.values() if r.link and r.link.writer == writer]


def _next(store: Store, later: Iterable[str]) -> Iterator[Receipt[Accepted]]:
    """The first receipt of each writer on later run dates: it may name one of this date."""
    first: dict[str, tuple[int, str]] = {}
    for run_date in later:
        for key in store.list(keys.receipts(run_date)):
            name = keys.receipt_name(key)
            if name and name.number > 1:
                first[name.writer] = min(first.get(name.writer, (name.number, key)), (name.number, key))
    for receipt in in_threads(lambda key: _get(store, key), [key for _, key in first.values()]):
        if receipt:
            yield receipt


def _get(store: Store, key: str) -> Receipt[Accepted] | None:
    with suppress(NotFound):
        return receipts.read(store, key, Accepted)
    return None
