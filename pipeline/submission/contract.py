"""The contract with submitting systems: parse one JSON object into a `Submission`, or refuse it with a reason.

Strict about known fields, lenient about others: a field that is not part of the contract is kept in
`metadata`. Patterns and limits of single fields are read from the JSON Schema that ships with the package
(`pipeline/submission/schema/submission.v1.json`), so that the schema a producer tests against and the parser agree.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any, NoReturn, TypeVar

import msgspec

from pipeline.errors import PermanentError
from pipeline.storage import keys
from pipeline.telemetry import w3c
from pipeline.telemetry.w3c import Context

MAX_BODY = 1024 * 1024
"""Maximum message size in bytes."""

DEFAULT_PRIORITY = 5

_TRACES = uuid.UUID("6f1d3c0a-5b52-5d0e-9a6e-2f4c1b7d8e90")  # namespace of trace ids made from task ids
_TEXT_TYPES = ("nlp", "ner")
_URL_TYPES = ("document", "ocr")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHAPES = {
    "task_id": "must be one line",
    "task_type": "must be a short word of a-z, 0-9, _ and -, such as document, ocr or nlp",
    "image_url": "must be a whole URL such as s3://inbox/a.jpg",
    "document_url": "must be a whole URL such as s3://inbox/a.pdf",
    "trace_id": "must be 1 to 128 printable ASCII characters without spaces",
    "callback_url": "must be a whole URL that begins with https://",
    "tenant": "must be one line",
    "submitted_at": "must be a date and time with zone such as 2026-11-22T16:05:00Z",
    "not_before": "must be a date and time with zone such as 2026-11-24T00:00:00+08:00",
    "deadline": "must be a date and time with zone such as 2026-11-24T04:00:00+08:00",
}
_LOOSE_ID = re.compile(r'"task_id"\s*:\s*("(?:[^"\\\x00-\x1f]|\\.){1,1200}")')

T = TypeVar("T")
_Fields = dict[str, msgspec.Raw]


class BadMessage(PermanentError):
    """The message breaks the contract; its sentence names the field and the reason."""

    code = "bad_message"


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """The parsed message, checked for form only: whether `url` may be fetched is decided by `SourcePolicy`.

    `url` is empty for a text, `text` is empty for a document. All times are in UTC. `trace`: where its trace
    continues.
    """

    task_id: str
    task_type: str
    url: str = ""
    text: str = ""
    trace_id: str = ""
    priority: int = DEFAULT_PRIORITY
    callback_url: str = ""
    tenant: str = ""
    metadata: dict[str, str] = {}
    submitted_at: datetime | None = None
    not_before: datetime | None = None
    trace: Context = w3c.NONE
    deadline: datetime | None = None

    def __repr__(self) -> str:
        """Name only the task: text and signed URLs must not get into logs."""
        return f"Submission(task_id={self.task_id!r}, task_type={self.task_type!r})"


@cache
def load_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a message; the same object each time, so don't change it."""
    data = resources.files("pipeline.submission.schema").joinpath("submission.v1.json").read_bytes()
    schema: dict[str, Any] = msgspec.json.decode(data)
    return schema


def parse(body: bytes, trace: Context = w3c.NONE) -> Submission:
    """Parse one raw message. `trace`: by its headers, for one whose fields name none.

    Raises `BadMessage` for any invalid bytes.
    """
    fields = _fields(body)
    known = {name: fields.pop(name) for name in load_schema()["properties"] if name in fields}
    task_id = _task_id(known)
    task_type = _string(known, "task_type")
    if not task_type:
        raise BadMessage("task_type is missing: say document, ocr, nlp or a type the operator has installed.")
    trace = _trace(known) or trace
    return Submission(
        task_id=task_id,
        task_type=task_type,
        url=_url(known, task_type),
        text=_text(known, task_type),
        trace_id=_string(known, "trace_id") or trace.trace_id or uuid.uuid5(_TRACES, task_id).hex,
        priority=_priority(known),
        callback_url=_string(known, "callback_url"),
        tenant=_string(known, "tenant"),
        metadata=_strings(fields) | _strings(_value(known, "metadata", _Fields, "an object") or {}),
        submitted_at=_moment(known, "submitted_at"),
        not_before=_moment(known, "not_before"),
        trace=trace,
        deadline=_moment(known, "deadline"),
    )


def partial_id(body: bytes) -> str | None:
    """Best guess at an invalid message's task id, for its record; `None` without a usable one."""
    try:
        task_id = _string(_fields(body), "task_id")
    except BadMessage:
        found = _LOOSE_ID.search(body[:65536].decode("utf-8", "replace"))
        try:
            task_id = msgspec.json.decode(found[1], type=str) if found else ""
        except msgspec.DecodeError:
            return None
    try:
        keys.pending(task_id)
    except PermanentError:
        return None
    return task_id


def partial_trace(body: bytes, trace: Context = w3c.NONE) -> str:
    """The trace id of an invalid message, for the logs; empty without a usable one. `trace`: as for `parse`."""
    try:
        fields = _fields(body)
        return _string(fields, "trace_id") or (_trace(fields) or trace).trace_id
    except BadMessage:
        return trace.trace_id


def _trace(fields: _Fields) -> Context:
    """Where the trace continues by the fields; what is invalid is ignored, as the standard says, not refused."""
    found: list[object] = []
    for name in ("traceparent", "tracestate"):
        try:
            found.append(msgspec.json.decode(fields.get(name, b"null"), type=str))
        except msgspec.DecodeError:
            found.append(None)
    return w3c.context(*found)


def _fields(body: bytes) -> _Fields:
    if len(body) > MAX_BODY:
        raise BadMessage(
            f"The message is larger than {MAX_BODY // 1024} KiB: "
            "put the document into a store and send its URL."
        )
    try:
        body.decode("utf-8")
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"), type=_Fields)
    except UnicodeDecodeError as error:
        raise BadMessage(f"The message is not UTF-8 at byte {error.start}: send JSON as UTF-8.") from None
    except RecursionError:
        raise BadMessage("The message is nested too deeply: send one flat object.") from None
    except msgspec.ValidationError:
        raise BadMessage("The message is not a JSON object: send one object per message.") from None
    except msgspec.DecodeError as error:
        # msgspec calls both an early end and a lone surrogate "truncated"
        reason = str(error).replace(
            "Input data was truncated", "it ends too early or has a broken \\u escape"
        )
        raise BadMessage(f"The message is not JSON: {reason.removeprefix('JSON is malformed: ')}.") from None


def _value(fields: _Fields, name: str, kind: type[T], what: str) -> T | None:
    """Decode one field; absent and null are the same. `what` describes the expected value in the error."""
    raw = fields.get(name)
    if raw is None or bytes(raw) == b"null":
        return None
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError:
        raise BadMessage(f"{name} must be {what}.") from None


def _string(fields: _Fields, name: str) -> str:
    """Return one string field, checked by its rule in the schema; empty if absent."""
    value = _value(fields, name, str, "a string") or ""
    rule = load_schema()["properties"][name]
    if rule.get("$ref") == "#/$defs/moment":
        rule = load_schema()["$defs"]["moment"]
    if len(value) > rule.get("maxLength", MAX_BODY):
        raise BadMessage(f"{name} is longer than {rule['maxLength']} characters.")
    one_line = "$ref" in rule
    if (one_line and _CONTROL.search(value)) or (value and not re.search(rule.get("pattern", ""), value)):
        _refuse_shape(name)
    return value


def _refuse_shape(name: str) -> NoReturn:
    raise BadMessage(f"{name} {_SHAPES[name]}.")


def _task_id(fields: _Fields) -> str:
    task_id = _string(fields, "task_id")
    if not task_id:
        raise BadMessage("task_id is missing: give the document's own id, 1 to 200 characters.")
    try:
        keys.pending(task_id)
    except PermanentError as error:
        raise BadMessage(f"task_id: {error.message}") from None
    return task_id


def _url(fields: _Fields, task_type: str) -> str:
    image, document = _string(fields, "image_url"), _string(fields, "document_url")
    if image and document and image != document:
        raise BadMessage("image_url and document_url differ: give one of them.")
    url = image or document
    if task_type in _URL_TYPES and not url:
        raise BadMessage(f"image_url is missing: a task of type {task_type} needs image_url or document_url.")
    if task_type in _TEXT_TYPES and url:
        name = "image_url" if image else "document_url"
        raise BadMessage(f"{name} does not go with task_type {task_type}: send the text itself in text.")
    return url


def _text(fields: _Fields, task_type: str) -> str:
    text = _string(fields, "text")
    if task_type in _TEXT_TYPES and not text:
        raise BadMessage(f"text is missing: a task of type {task_type} needs it.")
    if task_type in _URL_TYPES and text:
        raise BadMessage(f"text does not go with task_type {task_type}: send it with task_type nlp.")
    return text


def _priority(fields: _Fields) -> int:
    what = "a whole number from 0 to 9"
    value = _value(fields, "priority", float, what)  # float: 5.0 is an integer in JSON Schema
    if value is None:
        return DEFAULT_PRIORITY
    if not 0 <= value <= 9 or not value.is_integer():
        raise BadMessage(f"priority must be {what}.")
    return int(value)


def _moment(fields: _Fields, name: str) -> datetime | None:
    value = _string(fields, name)
    if not value:
        return None
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        _refuse_shape(name)


def _strings(fields: _Fields) -> dict[str, str]:
    """Strings unchanged, everything else as its original JSON text: numbers keep every digit."""
    return {name: _as_string(bytes(raw)) for name, raw in fields.items()}


def _as_string(raw: bytes) -> str:
    return msgspec.json.decode(raw, type=str) if raw.startswith(b'"') else raw.decode("utf-8")
