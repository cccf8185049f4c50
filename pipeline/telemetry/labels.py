"""Label values, bounded: each combination is a time series of its own, which a server keeps for weeks."""

from __future__ import annotations

import re
from collections.abc import Collection

OTHER = "other"
"""What a value becomes that is none of a bounded set."""

MOST = 100
"""Different values of one label in one process; further ones count as `OTHER`."""

_NAME = re.compile(r"[A-Za-z0-9_.:-]{0,40}")


class Bounded:
    """The label values of one process. `tenants`: those that the settings name."""

    def __init__(self, tenants: Collection[str] = ()) -> None:
        self._tenants = {"", *tenants}
        self._seen: dict[str, set[str]] = {}

    def value(self, label: str, value: str) -> str:
        """A value as it is exposed: producers choose tenants, so only those that the settings name are."""
        if label == "tenant":
            return value if value in self._tenants else OTHER
        seen = self._seen.setdefault(label, set())
        if not _NAME.fullmatch(value) or (value not in seen and len(seen) >= MOST):
            return OTHER
        seen.add(value)
        return value
