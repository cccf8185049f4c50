"""Which messages of the step queues are taken for ours."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.messages import VERSION
from tasks.incoming import HANDED_BACK, MOST, Later, NotOurs, check

KNOWN = {
    "nightshift.ingest",
    "nightshift.ocr",
    "nightshift.callback",
    "nightshift.tick",
    "nightshift.report",
    "celery.chain",
}

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def message(
    task: Any = "nightshift.ingest",
    *,
    args: Any = ("t1",),
    kwargs: Any = None,
    follow: Any = None,
    body: bytes | None = None,
    content_type: str | None = "application/json",
    **headers: Any,
) -> Any:
    if body is None:
        body = json.dumps([args, kwargs or {}, follow or {"callbacks": None, "chain": None}]).encode()
    plain = {"task": task, "id": "m1", "eta": None, "timelimit": [1500.0, None], "lane": 5, "tries": 0}
    return SimpleNamespace(
        body=body,
        content_type=content_type,
        content_encoding="utf-8",
        headers=plain | headers,
        properties={"application_headers": {}, "reply_to": "x", "correlation_id": "m1"},
        delivery_info={"routing_key": "ingest"},
    )


@pytest.mark.parametrize(
    ("given", "queue"),
    [
        (message(), "ingest"),
        (message("nightshift.ocr", kwargs={"first": 1, "last": 8}), "ocr"),
        (message("nightshift.ocr", lane=9), "urgent"),
        (message("nightshift.ocr", lane=0, tries=3, outages=3), "filler"),
        (message("nightshift.callback", kwargs={"run_date": "2026-11-22"}), "callback"),
        (message("nightshift.tick", args=(), expires="2026-11-22T00:00:00"), "housekeeping"),
        (message("nightshift.report", args=()), "housekeeping"),
        (message(xdeath=[{"count": 1}], traceparent="00-1"), "ingest"),
    ],
)
def test_ours_pass_with_the_headers_that_a_step_needs(given: Any, queue: str) -> None:
    check(given, queue, KNOWN)
    assert given.headers["id"] == "m1"
    assert given.headers["traceparent"] is None
    assert given.properties == {"correlation_id": "m1", "reply_to": ""}
    assert given.delivery_info["routing_key"] == f"step.{queue}"


@pytest.mark.parametrize(
    "given",
    [
        message(eta="2099-01-01T00:00:00"),
        message(expires="2001-01-01T00:00:00"),
        message(timelimit=["a", None]),
        message(timelimit=[0, 0]),
        message(shadow="celery.ping"),
        message(task=7),
        message(task="nightshift.other"),
        message(task="celery.chain"),
        message(id=None),
        message(id="x" * 5000),
        message(id="%" * 90),
        message(id="../x"),
        message(lane=99),
        message(tries=-1),
        message(trace_id=7),
        message(content_type=None),
        message(content_type="application/x-python-serialize"),
        message(body=b""),
        message(body=b"{}"),
        message(body=b"[" * 60_000),
        message(body=b" " * 70_000),
        message(args=()),
        message(args=("t1", "t2")),
        message(args=(7,)),
        message(args=("x" * 500,)),
        message(args=("a\x00b",)),
        message(kwargs={"first": -1}),
        message(kwargs={"other": 1}),
        message(kwargs={"run_date": "2026-11-22"}),
        message("nightshift.callback"),
        message("nightshift.callback", kwargs={"run_date": "../.."}),
        message("nightshift.callback", kwargs={"run_date": "2026-99-01"}),
        message("nightshift.callback", kwargs={"run_date": "2026-W47-7"}),
        message(kwargs={"first": 1}),
        message(kwargs={"last": 8}),
        message(kwargs={"first": 9, "last": 8}),
        message(kwargs={"first": 1, "last": 2**40}),
        message(tries=1, outages=2),
        message(trace_id="a\nb"),
        message(follow={"chain": [{"task": "celery.ping"}]}),
        message("nightshift.ocr"),
        message("nightshift.tick", args=()),
    ],
)
def test_others_are_refused(given: Any) -> None:
    queue = "callback" if given.headers["task"] == "nightshift.callback" else "ingest"
    with pytest.raises(NotOurs):
        check(given, queue, KNOWN)


@pytest.mark.parametrize(
    ("parent", "state", "kept"),
    [
        (PARENT, "a=1", (PARENT, "a=1")),
        (PARENT, "a=1,a=2", (PARENT, None)),
        ("ff" + PARENT[2:], "a=1", (None, None)),
        (7, b"a", (None, None)),
        (["x"] * 10_000, {"a": 1}, (None, None)),
    ],
)
def test_of_a_trace_only_what_is_valid_is_kept(parent: Any, state: Any, kept: tuple[Any, Any]) -> None:
    given = message(traceparent=parent, tracestate=state)
    check(given, "ingest", KNOWN)
    assert (given.headers["traceparent"], given.headers["tracestate"]) == kept


def handed_back(times: Any) -> dict[str, Any]:
    return {HANDED_BACK: times}


def test_a_message_of_a_later_version_is_handed_back_as_it_is() -> None:
    given = message("nightshift.translate", kwargs={"into": "en"}, schema=VERSION + 1, signature="?", new=[1])
    before = (dict(given.headers), given.body)
    with pytest.raises(
        Later, match=f"it is of version {VERSION + 1}, and this worker reads up to {VERSION}: upgrade"
    ):
        check(given, "ner", KNOWN)
    assert (given.headers, given.body) == before


@pytest.mark.parametrize(
    "given",
    [
        message(schema=VERSION + 1, **handed_back(MOST)),
        message(schema=VERSION + 1, **handed_back("7")),
        message(schema=VERSION + 1, **handed_back(-(10**9))),
        message(schema=VERSION + 1, **handed_back(True)),
        message(schema=VERSION + 1, other=object()),
        message(schema=VERSION + 1, body=b" " * 70_000),
        message(schema="2"),
        message(schema=0),
    ],
)
def test_it_is_dead_lettered_where_that_would_never_end(given: Any) -> None:
    with pytest.raises(NotOurs):
        check(given, "ingest", KNOWN)


def test_what_the_broker_says_of_a_message_does_not_keep_it_from_being_handed_back() -> None:
    deaths: dict[str, Any] = {"x-death": [{"time": object(), "count": 2}]}
    with pytest.raises(Later):
        check(message(schema=VERSION + 1, **deaths, **handed_back(2)), "ingest", KNOWN)
