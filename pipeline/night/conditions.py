"""A small, safe language to select documents: `ocr_model != current and mean_confidence < 0.9`.

A condition becomes an Arrow compute expression over the documents table; nothing is evaluated as code. As in SQL, a
comparison with null is neither true nor false, and `and` takes precedence over `or`. The grammar is in
docs/how-to/reprocess.md.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import UsageError

MAX_LENGTH, MAX_DEPTH = 2000, 40
RUN_DATE = "run_date"

Current = Callable[[str], Mapping[str, str | None]]
"""For a column that supports `current`: the columns to compare, each with the value of this installation."""

_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<sign><=|>=|!=|<>|==|<|>|=)"
    r"|(?P<mark>[(),])|(?P<word>[^\s'\"<>=!(),]+))"
)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "null"})


class Condition(NamedTuple):
    """A filter of documents. `night` answers for a whole run date: no, yes, or `None` where each must be checked."""

    expression: pc.Expression
    night: Callable[[str], bool | None]

    def may_hold(self, run_date: str) -> bool:
        """Whether this night can contain matching documents."""
        return self.night(run_date) is not False


class _Token(NamedTuple):
    kind: str  # quoted, sign, mark, word or end
    text: str
    at: int  # position, from 1

    def word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.lower() in words


def parse(text: str, schema: pa.Schema, current: Current) -> Condition:
    """Parse a condition over the columns of `schema` and `run_date`.

    `current` is called only where the condition contains `current`. Raises `UsageError` with the position of the
    error and what was expected there.
    """
    if len(text) > MAX_LENGTH:
        raise UsageError(f"--where is longer than {MAX_LENGTH} characters: shorten it.")
    return _Parser(_tokens(text), schema, current).whole()


def supports_current(column: str) -> bool:
    """Whether a column can be compared with `current`."""
    return column == "pipeline_version" or column.endswith(("_model", "_digest"))


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            if text[at] in "'\"":
                _fail(_Token("end", "", at + 1), "a closing quote", f"the quote {text[at]}")
            _fail(_Token("mark", text[at], at + 1), "a word, a number or one of =, !=, <, <=, >, >=")
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], match.start(kind) + 1))
        at = match.end()
    return [*found, _Token("end", "", len(text) + 1)]


def _fail(token: _Token, expected: str, seen: str = "") -> NoReturn:
    shown = "".join(c if c.isprintable() else " " for c in token.text[:40])
    seen = seen or (shown if token.kind != "end" else "the end")
    raise UsageError(f"Invalid --where at character {token.at} ({seen}): expected {expected}.")


class _Parser:
    """Recursive descent: or < and < not < comparison."""

    def __init__(self, tokens: list[_Token], schema: pa.Schema, current: Current) -> None:
        self._tokens, self._at, self._current = tokens, 0, current
        self._types: dict[str, pa.DataType] = {RUN_DATE: pa.string()} | dict(
            zip(schema.names, schema.types, strict=True)
        )

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _took(self, *words: str) -> bool:
        """Pass over the next token if it is one of these words or marks."""
        fits = self._next.word(*words) or (self._next.kind == "mark" and self._next.text in words)
        self._at += fits
        return fits

    def _expect(self, what: str) -> None:
        if not self._took(what):
            _fail(self._next, what)

    def whole(self) -> Condition:
        found = self._either(0)
        if self._next.kind != "end":
            _fail(self._next, "and, or, or the end")
        return found

    def _either(self, depth: int) -> Condition:
        left = self._both(depth)
        while self._took("or"):
            left = _join(left, self._both(depth), either=True)
        return left

    def _both(self, depth: int) -> Condition:
        left = self._single(depth)
        while self._took("and"):
            left = _join(left, self._single(depth), either=False)
        return left

    def _single(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            _fail(self._next, f"at most {MAX_DEPTH} nested conditions")
        if self._took("not"):
            return _not(self._single(depth + 1))
        if self._took("("):
            inner = self._either(depth + 1)
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        column = self._column()
        if self._took("is"):
            negative = self._took("not")
            self._expect("null")
            null = Condition(pc.field(column).is_null(), lambda _: None)
            return _not(null) if negative else null
        if self._took("not"):
            self._expect("in")
            return _not(self._list(column))
        if self._took("in"):
            return self._list(column)
        sign = self._take()
        if sign.kind != "sign" or sign.text not in _COMPARE:
            _fail(sign, "one of =, !=, <, <=, >, >=, in, is null, is not null")
        if sign.text not in ("=", "!=") and pa.types.is_string(self._types[column]) and column != RUN_DATE:
            _fail(sign, f"=, !=, in or is null, as {column} contains text")
        return self._compared(column, sign.text)

    def _column(self) -> str:
        token = self._take()
        if token.kind != "word" or token.text.lower() in _KEYWORDS:
            _fail(token, "a column name, not or (")
        name = token.text.lower()
        if name not in self._types:
            near = difflib.get_close_matches(name, self._types, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(self._types)}"
            _fail(token, f"a column name ({hint})")
        return name

    def _list(self, column: str) -> Condition:
        self._expect("(")
        found = self._compared(column, "=")
        while self._took(","):
            found = _join(found, self._compared(column, "="), either=True)
        if not self._took(")"):
            _fail(self._next, ", or )")
        return found

    def _compared(self, column: str, sign: str) -> Condition:
        token = self._take()
        if token.kind not in ("word", "quoted") or token.word(*_KEYWORDS):
            hint = f" (to match missing values, write {column} is null)" if token.word("null") else ""
            _fail(token, f"a value{hint}")
        if token.word("current"):
            if not supports_current(column):
                known = ", ".join(name for name in self._types if supports_current(name))
                _fail(token, f"a value, as only {known} support current")
            same = Condition(_same(self._current(column)), lambda _: None)
            return same if sign == "=" else _not(same)
        compare, value = _COMPARE[sign], _value(token, column, self._types[column])
        if column == RUN_DATE:
            return Condition(compare(pc.field(column), value), lambda day: bool(compare(day, value)))
        return Condition(compare(pc.field(column), value), lambda _: None)


def _join(one: Condition, other: Condition, *, either: bool) -> Condition:
    """Both, or either: one `False` decides the first and one `True` the second, whatever is unknown."""

    def night(run_date: str) -> bool | None:
        answers = one.night(run_date), other.night(run_date)
        return either if either in answers else None if None in answers else not either

    a, b = one.expression, other.expression
    return Condition(a | b if either else a & b, night)


def _not(one: Condition) -> Condition:
    def night(run_date: str) -> bool | None:
        answer = one.night(run_date)
        return None if answer is None else not answer

    return Condition(~one.expression, night)


def _same(values: Mapping[str, str | None]) -> pc.Expression:
    """All these columns have their current value; for a step that is not configured that is null."""
    parts = [
        pc.field(name).is_null() if value is None else pc.field(name) == value
        for name, value in values.items()
    ]
    whole = parts[0]
    for part in parts[1:]:
        whole &= part
    return whole


def _value(token: _Token, column: str, kind: pa.DataType) -> Any:
    """A literal in the type of its column, so that 0.9 is equal to 0.9 in a column of 32 bits."""
    text = token.text
    if token.kind == "quoted":
        text = text[1:-1].replace(text[0] * 2, text[0])
    if column == RUN_DATE:
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            _fail(token, "a date such as 2026-11-01")
    if pa.types.is_timestamp(kind):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            _fail(token, "a date such as 2026-11-01 or a date and time such as '2026-11-01T22:00:00+08:00'")
        return pa.scalar(moment if moment.tzinfo else moment.replace(tzinfo=UTC), kind)
    if pa.types.is_string(kind):
        if any("\ud800" <= char <= "\udfff" for char in text):
            _fail(token, "text in UTF-8")
        return text
    try:
        number = float(text)
        if not math.isfinite(number):
            raise ValueError
    except ValueError:
        _fail(token, f"a number, as {column} contains numbers")
    return pa.scalar(number, kind if pa.types.is_floating(kind) else pa.float64())
