"""Log lines as JSON: one line each, readable by a strict parser, masked, whatever the message holds."""

import json
import logging
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tables.masked_logs import JsonFormatter, MaskedFormatter


def formatter(**context: str) -> JsonFormatter:
    return JsonFormatter(lambda _: context, lambda: "ids")


def record(message: object, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("nightshift.gate", logging.WARNING, "", 0, message, args or None, info)
    made.created, made.msecs = 1_795_000_000.25, 250
    return made


def line(*args: Any, **context: str) -> dict[str, Any]:
    text = formatter(**context).format(args[0] if isinstance(args[0], logging.LogRecord) else record(*args))
    assert text.isascii()
    assert "\n" not in text
    found: dict[str, Any] = msgspec.json.decode(text)  # stricter than json about surrogates
    assert found == json.loads(text)
    return found


def test_fields() -> None:
    found = line(record("closed %s", "ocr"), task_id="t", trace_id="tr", step="ocr", run_date="", worker="w1")
    assert found == {
        "timestamp": "2026-11-18T11:06:40.250+00:00",
        "level": "warning",
        "logger": "nightshift.gate",
        "event": "closed ocr",
        "task_id": "t",
        "trace_id": "tr",
        "step": "ocr",
        "worker": "w1",
        "process": "MainProcess",
        "pid": found["pid"],
    }


@pytest.mark.parametrize(
    ("message", "args", "event"),
    [
        ("two\nlines\r\x00\x1b[31m", (), "two\nlines\r\x00\x1b[31m"),
        ('a "quoted" \\ 票 😀', (), 'a "quoted" \\ 票 😀'),
        ("half \udce4 and \ud83d", (), "half \\udce4 and \\ud83d"),
        ("%s", (b"\xff\n",), "b'\\xff\\n'"),
        ("%d pages", ("x",), "%d pages"),
        ("%s %s", (1,), "%s %s"),
        ("100%", ("x",), "100%"),
        ("%(a)s", ("x",), "%(a)s"),
        (7, (), "7"),
        (None, (), "None"),
    ],
)
def test_nothing_breaks_a_line(message: object, args: tuple[object, ...], event: str) -> None:
    assert line(message, *args)["event"] == event


@given(st.text(st.characters()) | st.binary(), st.text(st.characters()))
def test_whatever_is_logged(message: object, task_id: str) -> None:
    assert "event" in line(message, task_id=task_id)


def test_an_argument_that_cannot_be_shown() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    assert line("it is %s", Broken())["event"] == "it is %s"


def test_an_exception_is_one_field_and_masked_like_the_message() -> None:
    try:
        raise ValueError("IBAN DE89370400440532013000\nof nobody")
    except ValueError as error:
        found = line(record("account DE89370400440532013000", error=error))
    assert "DE8937" not in str(found)
    assert found["exception"].startswith("Traceback (most recent call last):\n")
    assert found["exception"].endswith("of nobody")


def test_a_long_message_loses_its_middle() -> None:
    event = line("a" * 5_000 + "b" * 100_000 + "c" * 5_000)["event"]
    assert event == "a" * 4_000 + " … " + "c" * 4_000


def test_the_console_has_utc() -> None:
    made = MaskedFormatter("%(asctime)s %(message)s", policy=lambda: "ids")
    assert made.format(record("x")) == "2026-11-18T11:06:40.250Z x"


def test_structlog_is_loaded_for_json_alone() -> None:
    import subprocess

    code = "import sys, pipeline.tables.masked_logs; print('structlog' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "False\n"
