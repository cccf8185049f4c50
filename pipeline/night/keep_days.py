"""What NIGHTSHIFT_KEEP_DAYS says: `pipeline.night.retention` deletes by it. Commands check it without the tables."""

from __future__ import annotations

from pipeline.errors import UsageError

KINDS = ("documents", "checkpoints", "results", "failures", "reports", "all")


def parse(text: str) -> dict[str, int]:
    """Days by kind, from `documents=30,results=365`; raises `UsageError`."""
    found: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        kind, _, days = (word.strip() for word in part.partition("="))
        if (
            kind not in KINDS
            or kind in found
            or not (days.isascii() and days.isdigit() and 0 < int(days) < 100_000)
        ):
            raise UsageError(
                f'Invalid setting NIGHTSHIFT_KEEP_DAYS: "{part[:60]}": expected KIND=DAYS, separated by commas, each '
                f"kind once: {', '.join(KINDS)}."
            )
        found[kind] = int(days)
    return found
