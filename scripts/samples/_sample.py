"""The output of a drawing module: one file and the facts to be found in it."""

from __future__ import annotations

from dataclasses import dataclass, field

SELLER = "云州蓝鲸虚构办公设备有限公司"
BUYER = "云州星河样例科技有限公司"
PLACE = "云州市"


@dataclass(frozen=True)
class Sample:
    """One sample file.

    `entities`: entity type to normalised values, the main facts. `details`: the same for amounts without
    currency in a table. PHONE is E.164 where the country is known, else digits; DATE is ISO; MONEY a
    plain decimal; PER, ORG and LOC are as printed.
    """

    name: str
    data: bytes
    kind: str
    entities: dict[str, list[str]] = field(default_factory=dict)
    details: dict[str, list[str]] = field(default_factory=dict)
    pages: int = 1
    rotation: int = 0
    """Clockwise rotation in degrees that makes the stored pixels upright, after EXIF is applied."""
    status: str = "done"
    error: str | None = None
    document_type: str = "other"
    fields: dict[str, str | None] = field(default_factory=dict)
    """The key information: name to value, `None` if not on the page."""

    def expected(self) -> dict[str, object]:
        """Return the entry of `expected.json`."""
        entry: dict[str, object] = {"kind": self.kind, "status": self.status, "pages": self.pages}
        if self.error:
            return entry | {"error": self.error}
        record = {"document_type": self.document_type, "fields": self.fields}
        return (
            entry | {"rotation": self.rotation, "entities": self.entities, "details": self.details} | record
        )
