"""How long a message may take: by the pages it is about, whatever limits it names itself."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.messages import Message
from pipeline.models import Task
from pipeline.settings import Settings
from tasks import limits, publish

SETTINGS = Settings(time_limit=10.0, page_group=8, spread_pages=40)
TASK = Task(task_id="t", sha256=None, source="a.pdf", pages=20)


@pytest.mark.parametrize(
    ("pages", "seconds"), [(1, 20.0), (8, 20.0), (9, 30.0), (40, 60.0), (100_000, limits.LONGEST)]
)
def test_the_limit_counts_the_pages(pages: int, seconds: float) -> None:
    assert limits.time_limit(pages, SETTINGS) == seconds


@pytest.mark.parametrize(
    ("message", "pages"),
    [
        (Message.of("ocr", TASK), 20),
        (Message.of("ocr", TASK, 9, 16), 8),
        (Message.of("ner", TASK), 20),
        (Message.of("ingest", Task(task_id="t", sha256=None, source="a.pdf")), None),
    ],
)
def test_a_message_says_how_many_pages_it_is_about(message: Message, pages: int | None) -> None:
    sent: list[dict[str, Any]] = []

    class App:
        def send_task(self, *_: Any, headers: dict[str, Any], **__: Any) -> None:
            sent.append(headers)

    publish.publish(App(), [message])
    assert sent[0].get("pages") == pages


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"pages": 1, "timelimit": [9999, 9999]}, 20.0),
        ({"pages": 16}, 30.0),
        ({"pages": -1, "timelimit": [9999, None]}, None),
        ({"pages": "many"}, None),
        ({}, None),
    ],
)
def test_a_worker_decides_by_its_own_settings(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, Any], expected: float | None
) -> None:
    monkeypatch.setattr(limits, "_settings", lambda: SETTINGS)
    request = object.__new__(limits.StepRequest)
    request._request_dict = headers
    request.time_limits = (9999.0, None)
    assert request.time_limits == (expected, None)
