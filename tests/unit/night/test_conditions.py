from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.night.conditions import Condition, parse

SCHEMA = pa.schema(
    {
        "task_id": pa.string(),
        "pages": pa.int32(),
        "mean_confidence": pa.float32(),
        "done_at": pa.timestamp("ms", tz="UTC"),
        "ocr_model": pa.string(),
        "ocr_digest": pa.string(),
        "fields_model": pa.string(),
        "fields_digest": pa.string(),
        "pipeline_version": pa.string(),
    }
)
NOW: dict[str, dict[str, str | None]] = {
    "ocr_model": {"ocr_model": "small", "ocr_digest": "bb"},
    "ocr_digest": {"ocr_digest": "bb"},
    "fields_model": {"fields_model": None, "fields_digest": None},
    "pipeline_version": {"pipeline_version": "0.2"},
}
COLUMNS = ("task_id", "run_date", "pages", "mean_confidence", "ocr_model", "ocr_digest", "fields_model")
ROWS = (
    ("a", "2026-10-31", 1, 0.5, "small", "bb", "f"),
    ("b", "2026-11-01", 2, 0.9, "small", "aa", None),
    ("c", "2026-11-02", 30, None, None, None, None),
    ("it's", "2026-11-03", 4, 0.95, "large+x", "cc", None),
)


def read(text: str) -> Condition:
    return parse(text, SCHEMA, NOW.__getitem__)


def chosen(text: str) -> str:
    """First letters of the rows that fit, and that their nights were not passed over."""
    done_at = datetime(2026, 11, 1, 22, tzinfo=UTC)
    rows: list[dict[str, object]] = [
        dict(zip(COLUMNS, row, strict=True))
        | {"done_at": done_at, "fields_digest": row[6], "pipeline_version": "0.1"}
        for row in ROWS
    ]
    condition = read(text)
    table = pa.Table.from_pylist(rows, SCHEMA.append(pa.field("run_date", pa.string())))
    found = table.filter(condition.expression).to_pylist()
    assert all(condition.may_hold(row["run_date"]) for row in found)
    return "".join(row["task_id"][0] for row in found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("pages = 1", "a"),
        ("pages != 1", "bci"),
        ("pages > 1 and pages <= 4", "bi"),
        ("pages in (1, 30)", "ac"),
        ("pages not in (1, 30)", "bi"),
        ("pages >= 1.5", "bci"),
        ("mean_confidence < 0.9", "a"),  # 0.9 in 32 bits is no less
        ("mean_confidence <= .9", "ab"),
        ("mean_confidence is null", "c"),
        ("NOT mean_confidence IS NOT NULL", "c"),
        ("mean_confidence != 0.5", "bi"),  # null is neither
        ("not (mean_confidence = 0.5)", "bi"),
        ("ocr_model = current", "a"),
        ("ocr_model != current", "bi"),
        ("ocr_model = 'current'", ""),
        ("ocr_model in (current, large+x)", "ai"),
        ("ocr_digest = current", "a"),
        ("ocr_digest != current or ocr_digest is null", "bci"),
        ("fields_model = current", "bci"),  # the step is not set up now
        ("fields_model != current", "a"),
        ("pipeline_version != current", "abci"),
        ("pipeline_version = 0.1", "abci"),
        ("task_id = 'it''s'", "i"),
        ('task_id = "it\'s"', "i"),
        ("run_date >= 2026-11-01", "bci"),
        ("run_date in (2026-10-31, '2026-11-02')", "ac"),
        ("run_date is null", ""),
        ("not run_date < 2026-11-02 and pages=4", "i"),
        ("done_at >= 2026-11-01", "abci"),
        ("done_at < 2026-11-02T05:00+08:00", ""),
        ("pages=1 or pages=2 and run_date = 2026-10-31", "a"),
        ("(pages=1 or pages=2) and run_date = 2026-11-01", "b"),
        ("PAGES=1 OR(pages=2)", "ab"),
    ],
)
def test_what_a_condition_chooses(text: str, names: str) -> None:
    assert chosen(text) == names


def test_nights_that_can_not_fit_are_passed_over() -> None:
    late = read("(run_date >= 2026-11-01 or pages = 1 and run_date = 2026-10-01) and ocr_model != current")
    assert [late.may_hold(f"2026-{day}") for day in ("09-30", "10-01", "11-01")] == [False, True, True]
    assert not read("not (run_date >= 2026-11-01 or pages = 1)").may_hold("2026-11-02")


@pytest.mark.parametrize(
    ("text", "at", "what"),
    [
        ("", 1, "the end): expected a column name"),
        ("ocr_modle = x", 1, "ocr_modle): expected a column name (did you mean ocr_model?)"),
        ("zzz = x", 1, "(one of run_date, task_id,"),
        ("and", 1, "and): expected a column name, not or ("),
        ("pages", 6, "the end): expected one of =, !=, <"),
        ("pages == 1", 7, "==): expected one of ="),
        ("pages ! 1", 7, "!): expected a word"),
        ("pages = ", 9, "the end): expected a value"),
        ("pages = null", 9, "(to match missing values, write pages is null)"),
        ("pages = many", 9, "many): expected a number, as pages contains numbers"),
        ("pages = nan", 9, "expected a number"),
        ("pages = current", 9, "as only ocr_model, ocr_digest, fields_model, fields_digest"),
        ("ocr_model < x", 11, "expected =, !=, in or is null, as ocr_model contains text"),
        ("ocr_model = \udcff", 13, "expected text in UTF-8"),
        ("run_date > yesterday", 12, "a date such as 2026-11-01"),
        ("done_at > yesterday", 11, "or a date and time such as"),
        ("pages in 1", 10, "1): expected (."),
        ("pages in (1 2)", 13, "2): expected , or )"),
        ("pages in (1, 2", 15, "the end): expected , or )"),
        ("(pages = 1", 11, "the end): expected )"),
        ("pages = 1 pages", 11, "pages): expected and, or, or the end"),
        ("pages is 3", 10, "3): expected null"),
        ("task_id = 'open", 11, "the quote '): expected a closing quote"),
        ("not " * 41 + "pages = 1", 165, "at most 40"),
        ("(" * 1000, 42, "at most 40"),
    ],
)
def test_errors_say_where_and_what_was_expected(text: str, at: int, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert caught.value.message.startswith(f"Invalid --where at character {at} (")
    assert what in caught.value.message


def test_a_condition_has_a_length() -> None:
    read("pages = 1" + " or pages = 1" * 150)
    with pytest.raises(UsageError, match="longer than 2000"):
        read("pages = 1" + " " * 2000)


WORDS = ("pages", "run_date", "ocr_model", "current", "and", "or", "not", "in", "is", "null", "(", ")")
OTHERS = ("=", "<", "1", "2026-11-01", "'", "x", ",", "\\", "__import__", "\0", "\n", "'\n'")


@given(st.lists(st.sampled_from((*WORDS, *OTHERS)), max_size=12))
def test_anything_is_a_condition_or_a_usage_error(words: list[str]) -> None:
    try:
        chosen(" ".join(words))
    except UsageError as error:
        sentence = error.message
        assert sentence.isprintable()
