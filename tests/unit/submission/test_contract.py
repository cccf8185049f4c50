import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import PermanentError
from pipeline.storage import keys
from pipeline.submission.contract import MAX_BODY, BadMessage, load_schema, parse, partial_id, partial_trace
from pipeline.telemetry.w3c import context

VALIDATOR = jsonschema.Draft202012Validator(load_schema())
DOCUMENT = {"task_id": "ocr_001", "task_type": "document", "image_url": "s3://inbox/a.jpg"}
TEXT = {"task_id": "t1", "task_type": "nlp", "text": "发票 417366"}


def encode(message: Any) -> bytes:
    return json.dumps(message).encode()


ACCEPTED: list[dict[str, Any]] = [
    DOCUMENT,
    TEXT,
    *load_schema()["examples"],
    TEXT | {"task_type": "ner"},
    TEXT | {"image_url": "", "document_url": None, "trace_id": "", "priority": None, "metadata": None},
    DOCUMENT | {"task_type": "ocr", "document_url": "s3://inbox/a.jpg", "text": ""},
    DOCUMENT | {"task_type": "speech_to-text2", "text": "both are for its type to judge"},
    {"task_id": "a", "task_type": "speech"},
    DOCUMENT | {"task_id": "分行/2026 第1号"},
    DOCUMENT | {"priority": 0},
    DOCUMENT | {"priority": 9.0},
    DOCUMENT | {"metadata": {"n": 1, "deep": {"a": [None]}}, "colour": "red", "pages": [1, 2]},
    DOCUMENT | {"submitted_at": "2026-11-22t10:00:00.123456789z", "not_before": "2026-11-24T00:00+08:00"},
    DOCUMENT | {"callback_url": "HTTPS://hooks.example.org/x?y"},
    DOCUMENT | {"image_url": "file:///inbox/with space/发票.pdf"},
    DOCUMENT | {"trace_id": "~" * 128, "tenant": "票" * 100},
]

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "task_id is missing"),
    (DOCUMENT | {"task_id": None}, "task_id is missing"),
    (DOCUMENT | {"task_id": ""}, "task_id is missing"),
    (DOCUMENT | {"task_id": 17}, "task_id must be a string"),
    (DOCUMENT | {"task_id": "a\nb"}, "task_id must be one line"),
    (DOCUMENT | {"task_id": "a\n"}, "task_id must be one line"),
    (DOCUMENT | {"task_id": "x" * 201}, "task_id is longer than 200"),
    ({"task_id": "a", "image_url": "s3://b/c"}, "task_type is missing"),
    (DOCUMENT | {"task_type": "OCR"}, "task_type must be a short word"),
    (DOCUMENT | {"task_type": "ocr\n"}, "task_type must be a short word"),
    (DOCUMENT | {"task_type": "a" * 41}, "task_type must be a short word"),
    (DOCUMENT | {"task_type": ["ocr"]}, "task_type must be a string"),
    (DOCUMENT | {"image_url": None}, "image_url is missing"),
    (DOCUMENT | {"image_url": ""}, "image_url is missing"),
    (DOCUMENT | {"image_url": "/inbox/a.jpg"}, "image_url must be a whole URL"),
    (DOCUMENT | {"image_url": "s3://"}, "image_url must be a whole URL"),
    (DOCUMENT | {"image_url": "s3://b/\r\nc"}, "image_url must be a whole URL"),
    (DOCUMENT | {"image_url": "s3://b/" + "c" * 4096}, "image_url is longer than 4096"),
    (DOCUMENT | {"document_url": "a.pdf"}, "document_url must be a whole URL"),
    (DOCUMENT | {"text": "hello"}, "text does not go with task_type document"),
    (TEXT | {"text": ""}, "text is missing"),
    (TEXT | {"text": ["a"]}, "text must be a string"),
    ({"task_id": "a", "task_type": "ner"}, "text is missing"),
    (TEXT | {"image_url": "s3://b/c"}, "image_url does not go with task_type nlp"),
    (TEXT | {"document_url": "s3://b/c"}, "document_url does not go with task_type nlp"),
    (DOCUMENT | {"trace_id": "a b"}, "trace_id must be 1 to 128 printable"),
    (DOCUMENT | {"trace_id": "a" * 129}, "trace_id must be 1 to 128 printable"),
    (DOCUMENT | {"trace_id": "a\n"}, "trace_id must be 1 to 128 printable"),
    (DOCUMENT | {"tenant": "a\tb"}, "tenant must be one line"),
    (DOCUMENT | {"tenant": "a" * 101}, "tenant is longer than 100"),
    (DOCUMENT | {"priority": 10}, "priority must be a whole number from 0 to 9"),
    (DOCUMENT | {"priority": -1}, "priority must be a whole number"),
    (DOCUMENT | {"priority": 4.5}, "priority must be a whole number"),
    (DOCUMENT | {"priority": "5"}, "priority must be a whole number"),
    (DOCUMENT | {"priority": True}, "priority must be a whole number"),
    (DOCUMENT | {"priority": 10**400}, "priority must be a whole number"),
    (
        DOCUMENT | {"callback_url": "ftp://a.example/"},
        "callback_url must be a whole URL that begins with https",
    ),
    (DOCUMENT | {"metadata": ["a"]}, "metadata must be an object"),
    (DOCUMENT | {"metadata": "a"}, "metadata must be an object"),
    (DOCUMENT | {"not_before": "tomorrow"}, "not_before must be a date and time with zone"),
    (DOCUMENT | {"not_before": "2026-11-24T00:00:00"}, "not_before must be a date and time with zone"),
    (DOCUMENT | {"not_before": "2026-11-24"}, "not_before must be a date and time with zone"),
    (DOCUMENT | {"not_before": 1700000000}, "not_before must be a string"),
    (DOCUMENT | {"deadline": "tomorrow"}, "deadline must be a date and time with zone"),
    (DOCUMENT | {"deadline": "2026-11-24T04:00:00"}, "deadline must be a date and time with zone"),
    (DOCUMENT | {"deadline": 4}, "deadline must be a string"),
    (DOCUMENT | {"submitted_at": "22.11.2026 10:00"}, "submitted_at must be a date and time with zone"),
]

BEYOND_SCHEMA: list[tuple[dict[str, Any], str]] = [
    (DOCUMENT | {"document_url": "s3://inbox/b.jpg"}, "image_url and document_url differ"),
    (DOCUMENT | {"task_id": "票" * 23}, "task_id: The task id"),
    (DOCUMENT | {"not_before": "2026-02-30T00:00:00Z"}, "not_before must be a date"),
    (DOCUMENT | {"deadline": "2026-02-30T00:00:00Z"}, "deadline must be a date"),
    (DOCUMENT | {"not_before": "2026-11-24T24:01:00Z"}, "not_before must be a date"),
    (DOCUMENT | {"not_before": "0001-01-01T00:00:00+14:00"}, "not_before must be a date"),
]


@pytest.mark.parametrize("message", ACCEPTED)
def test_good_messages_pass_parser_and_schema(message: dict[str, Any]) -> None:
    VALIDATOR.validate(message)
    found = parse(encode(message))
    assert found.task_id == message["task_id"]
    assert found.url == (message.get("image_url") or message.get("document_url") or "")
    assert found.text == (message.get("text") or "")
    keys.pending(found.task_id)


@pytest.mark.parametrize(("message", "reason"), REFUSED + BEYOND_SCHEMA)
def test_bad_messages_are_refused_with_field_and_reason(message: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadMessage) as caught:
        parse(encode(message))
    assert caught.value.message.startswith(reason)
    assert caught.value.code == "bad_message"


@pytest.mark.parametrize("message", [message for message, _ in REFUSED])
def test_the_schema_refuses_them_too(message: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(message)


def test_the_schema_is_one_and_its_examples_are_valid() -> None:
    schema = load_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, rule in schema["properties"].items():
        for value in rule.get("examples", ()):
            part = {
                "$ref": f"#/properties/{name}",
                "properties": schema["properties"],
                "$defs": schema["$defs"],
            }
            jsonschema.Draft202012Validator(part).validate(value)
        assert rule["description"].endswith(".")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "The message is not JSON: it ends too early"),
        (b"hello", "The message is not JSON"),
        (b'{"task_id": "a"', "The message is not JSON: it ends too early"),
        (b'{"task_id": "a",}', "The message is not JSON"),
        (b'{"task_id": "a"} {}', "The message is not JSON: trailing characters"),
        (b'{"a": NaN}', "The message is not JSON"),
        (b'{"a": -Infinity}', "The message is not JSON"),
        (b'{"a": "\\ud800"}', r"The message is not JSON: .*broken \\u escape"),
        (b"[]", "The message is not a JSON object"),
        (b"null", "The message is not a JSON object"),
        (b'"text"', "The message is not a JSON object"),
        (b'{"task_id": "\xff"}', "The message is not UTF-8 at byte 13"),
        ('{"task_id": "a"}'.encode("utf-16"), "The message is not UTF-8 at byte 0"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "The message is nested too deeply"),
        (b'{"a":' + b"[" * 400_000 + b"]" * 400_000 + b"}", "The message is nested too deeply"),
        (b"[" * MAX_BODY, "The message is"),
        (b" " * MAX_BODY + encode(DOCUMENT), "The message is larger than 1024 KiB"),
    ],
    ids=range(17),
)
def test_other_than_a_json_object_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(BadMessage, match=reason):
        parse(body)


def test_a_huge_message_is_not_parsed() -> None:
    body = b"[" * (300 * 1024 * 1024)
    start = time.perf_counter()
    with pytest.raises(BadMessage, match="larger than"):
        parse(body)
    partial_id(body)
    assert time.perf_counter() - start < 0.5


def test_defaults() -> None:
    found = parse(encode(DOCUMENT))
    assert (found.priority, found.callback_url, found.tenant, found.metadata) == (5, "", "", {})
    assert (found.submitted_at, found.not_before) == (None, None)


def test_the_trace_id_is_the_same_on_every_delivery() -> None:
    assert parse(encode(DOCUMENT)).trace_id == parse(encode(DOCUMENT)).trace_id
    assert parse(encode(DOCUMENT)).trace_id != parse(encode(DOCUMENT | {"task_id": "b"})).trace_id
    assert len(parse(encode(DOCUMENT)).trace_id) == 32
    assert parse(encode(DOCUMENT | {"trace_id": "mine"})).trace_id == "mine"


def test_times_are_utc() -> None:
    found = parse(
        encode(DOCUMENT | {"not_before": "2026-11-24T00:00+08:00", "submitted_at": "2026-11-22 16:05:00Z"})
    )
    assert found.not_before == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert found.submitted_at == datetime(2026, 11, 22, 16, 5, tzinfo=UTC)


def test_unknown_fields_are_kept_as_strings() -> None:
    body = (
        b'{"task_id":"a","task_type":"ocr","image_url":"s3://b/c","branch":"17","big":123456789012345678901234567890,'
        b'"list":[1, {"x":1e999}],"no":null,"both":"outside",'
        b'"metadata":{"both":"inside","n":1.50,"s":"\\u53d1"}}'
    )
    assert parse(body).metadata == {
        "branch": "17",
        "big": "123456789012345678901234567890",
        "list": '[1, {"x":1e999}]',
        "no": "null",
        "both": "inside",
        "n": "1.50",
        "s": "发",
    }


def test_of_two_equal_keys_the_last_wins_and_a_bom_is_ignored() -> None:
    body = b'\xef\xbb\xbf{"task_id":"a","task_id":"b","task_type":"ocr","image_url":"s3://b/c"}'
    assert parse(body).task_id == "b"


def test_text_and_signed_urls_stay_out_of_logs() -> None:
    assert "417366" not in repr(parse(encode(TEXT)))
    assert "sig" not in repr(parse(encode(DOCUMENT | {"image_url": "https://a.example/?sig=1"})))
    with pytest.raises(BadMessage) as caught:
        parse(encode(DOCUMENT | {"text": "Jane Doe"}))
    assert "Jane" not in caught.value.message


@pytest.mark.parametrize(
    ("body", "task_id"),
    [
        (encode(DOCUMENT | {"priority": 99}), "ocr_001"),
        (b'{"task_id": "a\\u0062", "text": "broken', "ab"),
        (b'{"task_id": "\\ud83d\\ude00", "text": NaN}', "\U0001f600"),
        (b'{"task_id" : "a", "text": "\xff"}', "a"),
        (b'{"task_id": "a", "text": "' + b"x" * (2 * MAX_BODY), "a"),
        (b'{"task_id": "a", "x": ' + b"[" * 100_000, "a"),
        (b'{"task_id": "a\\ud800", "x": ', None),
        (encode({"task_id": 17}), None),
        (encode({"task_id": "x" * 201}), None),
        (b'{"task_id": "' + b"x" * 300 + b'", ', None),
        (b'{"task_id": "", ', None),
        (b"", None),
        (b"hello", None),
        (b"[]", None),
    ],
)
def test_the_id_of_a_bad_message_is_found_where_possible(body: bytes, task_id: str | None) -> None:
    assert partial_id(body) == task_id


@given(
    st.binary(max_size=200)
    | st.text(st.sampled_from('{}[]",:task_idnul01\\eE.-+ '), max_size=60).map(str.encode)
)
@example(b'{"task_id":"a","task_type":"ocr","image_url":"s3://b/c","priority":1e400}')
def test_bytes_of_any_kind_are_parsed_or_refused(body: bytes) -> None:
    try:
        parse(body)
    except BadMessage as error:
        assert error.message.endswith(".")  # noqa: PT017 - both ways out are right
    partial_id(body)
    partial_trace(body)


@pytest.mark.parametrize(
    ("body", "trace_id"),
    [
        (encode({"task_type": "ocr", "trace_id": "t-1"}), "t-1"),
        (encode({"trace_id": "two words"}), ""),
        (encode({"trace_id": 7}), ""),
        (b'{"trace_id": "t-1", ', ""),
        (encode({}), ""),
    ],
)
def test_the_trace_of_a_bad_message_is_kept_where_it_is_one(body: bytes, trace_id: str) -> None:
    assert partial_trace(body) == trace_id


WORDS = st.sampled_from(
    [
        *load_schema()["properties"],
        "colour",
        "document",
        "ocr",
        "nlp",
        "speech",
        "s3://b/c",
        "https://h.example/x",
    ]
) | st.sampled_from(
    ["", "a b", "a\n", "é", "2026-11-22T10:00:00Z", "2026-11-22T10:00", "2026-02-30T10:00Z", "A://"]
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-2, 11) | st.floats(allow_nan=False, allow_infinity=False) | WORDS
)
VALUES = st.recursive(
    SCALARS | st.text(max_size=8), lambda v: st.lists(v, max_size=2) | st.dictionaries(WORDS, v, max_size=2)
)
NAMES = st.sampled_from([*load_schema()["properties"], "colour"])
MESSAGES = st.tuples(
    st.sampled_from([{}, DOCUMENT, TEXT, DOCUMENT | {"task_type": "speech"}]),
    st.dictionaries(NAMES, VALUES, max_size=3) | st.builds(lambda n: {"priority": n}, st.integers(-2, 11)),
    st.lists(NAMES, max_size=1),
).map(lambda parts: {k: v for k, v in {**parts[0], **parts[1]}.items() if k not in parts[2]})
ONLY_THE_PARSER_KNOWS = (
    "image_url and document_url differ",
    "task_id: ",
    "not_before must be a",
    "submitted_at must be a",
)


@settings(max_examples=600, deadline=None)
@given(MESSAGES)
def test_schema_and_parser_agree(message: dict[str, Any]) -> None:
    reason = ""
    try:
        parse(encode(message))
    except PermanentError as error:
        reason = error.message
    if VALIDATOR.is_valid(message):
        assert not reason or reason.startswith(ONLY_THE_PARSER_KNOWS)
    else:
        assert reason


def test_the_refusals_in_the_documentation_match_the_code() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "messages.md").read_text()
    rows = re.findall(r"^\| `(.*)` \| `bad_message` \| (.*) \|$", text, re.MULTILINE)
    assert len(rows) == 9
    for shown, reason in rows:
        body = shown.replace("{…", encode(DOCUMENT).decode()[:-1]).replace(
            '"image_url": …', '"image_url": "s3://b/c"'
        )
        with pytest.raises(BadMessage) as caught:
            parse(body.replace(", …", "").encode())
        assert caught.value.message == reason


def test_the_documentation_names_every_field() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "messages.md").read_text()
    assert re.findall(r"^\| `(\w+)` \| \w[\w ]* \|", text, re.MULTILINE) == list(load_schema()["properties"])


PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = f"00-{'a' * 32}-{'b' * 16}-00"


@pytest.mark.parametrize(
    ("fields", "header", "parent", "trace_id"),
    [
        ({"traceparent": PARENT}, "", PARENT, PARENT[3:35]),
        ({"traceparent": PARENT, "trace_id": "order-17"}, "", PARENT, "order-17"),
        ({"traceparent": PARENT}, OTHER, PARENT, PARENT[3:35]),
        ({}, OTHER, OTHER, "a" * 32),
        ({"traceparent": "nonsense"}, OTHER, OTHER, "a" * 32),
        ({"traceparent": "nonsense"}, "", "", None),
        ({"traceparent": 7, "tracestate": ["a"]}, "", "", None),
        ({"traceparent": None, "tracestate": "a=1"}, "", "", None),
        ({"traceparent": f"00-{'0' * 32}-{'b' * 16}-01"}, "", "", None),
    ],
)
def test_the_trace_of_a_message(
    fields: dict[str, Any], header: str, parent: str, trace_id: str | None
) -> None:
    VALIDATOR.validate(DOCUMENT | fields)
    found = parse(encode(DOCUMENT | fields), context(header))
    assert found.trace.parent == parent
    assert found.trace_id == (trace_id or parse(encode(DOCUMENT)).trace_id)
    assert found.metadata == {}
    assert partial_trace(encode(DOCUMENT | fields), context(header)) == (trace_id or "")
