"""What producers send: documents of several kinds, some of them hostile, some twice; and how each should end."""

from __future__ import annotations

import hashlib
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.simulation.checker import Offer

_KINDS = (
    ("page", 55),
    ("pages", 12),
    ("text", 20),
    ("missing", 3),
    ("unreadable", 4),
    ("again", 4),
    ("conflict", 2),
)


@dataclass(frozen=True)
class Sent:
    """A message, and whether it is to be sent a second time later."""

    body: bytes
    again: bool


class Load:
    """`count` documents; `offers` says what the checker should find."""

    def __init__(self, inbox: Path, count: int, seed: str) -> None:
        self.inbox, self.count = inbox, count
        self.rng = random.Random(seed)
        self.offers: list[Offer] = []

    def messages(self) -> Iterator[Sent]:
        """All messages, in order."""
        names, weights = zip(*_KINDS, strict=True)
        for number in range(self.count):
            kind = self.rng.choices(names, weights)[0]
            yield from self._document(kind, number)

    def _document(self, kind: str, number: int) -> Iterator[Sent]:
        task_id, priority = f"{kind}-{number:05}", self.rng.choice((0, 2, 5, 5, 5, 9))
        fields = {"task_id": task_id, "task_type": "document", "priority": priority}
        if kind == "text":
            text = f"colour {number:06}, order {number}"
            self._offer(task_id, text.encode())
            yield Sent(_json({**fields, "task_type": "nlp", "text": text}), again=False)
            return
        path = self.inbox / f"{task_id}.png"
        fields["image_url"] = path.as_uri()
        data = _picture(number, self.rng.randint(2, 5) if kind == "pages" else 1)
        if kind == "missing":
            self._offer(task_id, b"", ends={"not_found"})
        elif kind == "unreadable":
            path.write_bytes(b"\x7fELF" + number.to_bytes(4, "big"))
            self._offer(task_id, path.read_bytes(), ends={"unsupported_type"})
        else:
            path.write_bytes(data)
            self._offer(task_id, data)
        yield Sent(_json(fields), again=kind == "again" or self.rng.random() < 0.03)
        if kind == "conflict":  # the same id for other bytes is another task, which fails
            other = self.inbox / f"{task_id}-other.png"
            other.write_bytes(_picture(number + 100_000, 1))
            self.offers[-1].sha256.add(hashlib.sha256(other.read_bytes()).hexdigest())
            self.offers[-1].ends |= {"id_conflict"}
            yield Sent(_json({**fields, "image_url": other.as_uri()}), again=False)

    def _offer(self, task_id: str, data: bytes, ends: set[str] | None = None) -> None:
        self.offers.append(Offer(task_id, {hashlib.sha256(data).hexdigest()}, ends=ends or {"done"}))


def _json(fields: dict[str, object]) -> bytes:
    return json.dumps(fields).encode()


def _picture(number: int, pages: int) -> bytes:
    """Pages of colours of their own that mean nothing special to the fake engine."""
    images = [
        Image.new("RGB", (64, 64), (10 + number % 230, 100 + number // 230 % 150, 40 + page))
        for page in range(pages)
    ]
    out = io.BytesIO()
    if pages == 1:
        images[0].save(out, "PNG")
    else:
        images[0].save(out, "TIFF", save_all=True, append_images=images[1:])
    return out.getvalue()
