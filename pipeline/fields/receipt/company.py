"""Name of the merchant, printed at the head of a receipt or behind a label."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from pipeline.fields.amounts import squash
from pipeline.fields.receipt.address import address_start, as_address
from pipeline.fields.receipt.head import HEAD, LEGAL, STOP, TRADE, TRIM, is_place, is_stop, letters
from pipeline.fields.rows import Row, Span, field, fold
from pipeline.models import Entity, Field

_REGISTRATION = re.compile(
    r" ?\(? ?(?:CO\.?|COMPANY|BUSINESS|ROC|REG|SSM)?[ .]*(?:REG|NO|CO)?[ .:]*"
    r"(?:[A-Z]{0,3}[0-9]{5,14}|[0-9]{4,10} ?-?[A-Z]|[A-Z]{2}[0-9]{5,10})(?:[ -]*[A-Z0-9])?(?:[ )]|$).*",
    re.IGNORECASE,
)
_SENDER = re.compile(r" ?[-–·•|,;] ?[^0-9]{0,40}[0-9]")
"""What follows a name in a line with the sender's address."""
_TITLE = re.compile(
    r"^\W*(?:(?:TAX ?)?INVOICE|(?:OFFICIAL |SALES? ?)?RECEIPT|CASH ?(?:SALES?|BILL)?|COPY|REPRINT.*|SALE"
    r"|(?:GUEST|CUSTOMER|MERCHANT) ?COPY"
    r"|CREDIT|DEBIT|VISA|DINE ?IN|TAKE ?OUT|TO ?GO|DUPLICATE|PRE ?SETTLEMENT ?BILL|EAT ?IN|FOR ?HERE"
    r"|DRIVE ?THR(?:U|OUGH)|GUEST ?(?:CHECK|RECEIPT)|APPROVED|TRANSACTION(?: ?RECORD)?|SALES ?SLIP|BILL"
    r"|(?:NON ?)?FISCAL ?RECEIPT"
    r"|(?:SIMPLIFIED ?INVOICE|FACTURA ?SIMPLIFICADA|KASSABON|RE[CÇ]U|SCONTRINO.*|DOCUMENTO ?COMMERCIALE.*)"
    r"|QUITTUNG|BELEG|KASSENBON|TICKET"
    r"|FACTURE|小票|收据)\W*$",
    re.I,
)
_GREETING = re.compile(r"^\W*WELCOME ?(?:TO)? ?", re.IGNORECASE)
_THANKS = re.compile(
    r"^\W*THANK ?YOU ?FOR ?(?:VISITING|SHOPPING ?(?:AT|WITH)?|DINING ?(?:AT|WITH)?|CHOOSING)[ ,]*",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"^\W*(?:YOUR|OUR|PLEASE|THANK|WE |OPEN|VISIT|SERVED|IT'?S|TRY|GET|ENJOY|HAVE|COME|TELL ?US|HOW"
    r"|SEE ?YOU|FREE|RATE|FOLLOW|LIKE ?US|KEEP|SAVE ?(?:MONEY|\d)|LOW(?:ER)? ?PRICES)",
    re.IGNORECASE,
)
_MERCHANT = re.compile(
    r"^[ *]*(?:商户名称|商户名|商家名称|收款单位|收款方|门店名称?|店名|MERCHANT(?: NAME)?(?! ?(?:ID|NO|NUM|#|COPY)))"
    r"[^:]{0,30}(?:[:)]|$) *",
    re.IGNORECASE,
)
_LEAST = 0.3


class _Name(NamedTuple):
    score: float
    row: Row
    spans: list[Span]
    text: str


def find_company(rows: Sequence[Row], entities: Sequence[Entity]) -> Field | None:
    """The merchant's name as one line; `None` if the head contains nothing like a name.

    A legal form is the strongest evidence, then words of trade, a high position, large letters, and the same name
    elsewhere on the page.
    """
    if labelled := _labelled(rows):
        return labelled
    best = max(_names(rows, entities), key=lambda name: name.score, default=None)
    if best is None or best.score < _LEAST:
        return None
    value = _legal_form(letters(fold(best.text)))
    # one misread letter makes a name wrong, and a legal form is no evidence against it
    worst = min(line.confidence for line in best.row.lines)
    return field("company", best.row.page, best.spans, _as_elsewhere(value, rows), best.score * worst**6)


def _labelled(rows: Sequence[Row]) -> Field | None:
    for number, row in enumerate(rows):
        label = _MERCHANT.match(row.text)
        if not label:
            continue
        if value := row.text[label.end() :].strip():
            if re.search(r"[A-Za-z]{2}|[\u4e00-\u9fff]", value):
                start = row.text.index(value, label.end())
                return field("company", row.page, [row.span(start, start + len(value))], fold(value), 0.85)
        elif number + 1 < len(rows) and (below := _name_in(rows[number + 1], 0, len(rows[number + 1].text))):
            return field("company", row.page, [below], as_address(row, [below]), 0.7)
    return None


def _names(rows: Sequence[Row], entities: Sequence[Entity]) -> Iterator[_Name]:
    """The texts of the head that may be the name, with their scores."""
    usual = median([row.height for row in rows]) if rows else 1.0
    elsewhere = [squash(row.text) for row in rows]
    above = 0
    last = _head_end(rows, entities)
    for number, row in enumerate(rows[: last + 1]):
        cells = _cells(row)
        for start, end in cells if number < last or len(cells) > 1 else ():
            spans = _name(rows, number, start, end)
            if spans is None:
                continue
            text = " ".join(row.page.text[a:b] for a, b in spans)
            score = _kind(text)
            score += min(max(row.height / usual - 1, 0.0), 0.5) * 0.2
            score -= (0.012 if score > 0.9 else 0.04) * min(above, 10)
            name = squash(text)
            if len(name) > 4 and sum(name in other for other in elsewhere) > 1:
                score += 0.06
            yield _Name(score, row, spans, text)
            above += 1


def _kind(text: str) -> float:
    """The score of a name by its words."""
    if LEGAL.search(text):
        return 0.92
    if TRADE.search(text):
        rest = TRADE.sub("", text)
        return 0.72 if len(re.findall(r"[^\W\d_]", rest)) > 2 else 0.5
    if text[:1].islower():
        return 0.4
    return 0.6 if _capital(text) else 0.46


def _cells(row: Row) -> list[Span]:
    """The parts of a row, as offsets in it, that a wide gap or another kind of text divides."""
    cells: list[Span] = []
    for line in row.lines:
        start, end = line.start - row.start, line.end - row.start
        before = cells[-1] if cells else None
        left = row.text[slice(*before)] if before else ""
        near = before is not None and row.text[before[1] : start] == " " and not is_place(left)
        if before and (near or (LEGAL.search(row.text[start:end]) and not STOP.search(left))):
            cells[-1] = (before[0], end)
        else:
            cells.append((start, end))
    return cells


def _head_end(rows: Sequence[Row], entities: Sequence[Entity]) -> int:
    """Number of rows above the address, or above the first row of another kind where there is none."""
    start = address_start(rows[:HEAD], entities)
    if start:
        return start
    stops = (
        n for n, row in enumerate(rows[:HEAD]) if n and is_stop(row, entities) and not LEGAL.search(row.text)
    )
    return next(stops, min(len(rows), 6))


def _name(rows: Sequence[Row], number: int, start: int, end: int) -> list[Span] | None:
    """Spans of the name in a cell, with the row above if the name covers both; `None` if there is none."""
    row = rows[number]
    span = _name_in(row, start, end)
    if span is None:
        return None
    text = row.page.text[slice(*span)]
    spans = [span]
    if legal := LEGAL.search(text):
        text = text[: legal.start()]
        for upper in reversed(rows[max(0, number - 2) : number]):
            above = _name_in(upper, 0, len(upper.text))
            if not _half_a_name(text) or above is None or LEGAL.search(upper.text):
                break
            text = f"{row.page.text[slice(*above)]} {text}"
            spans.insert(0, above)
    return spans


def _half_a_name(text: str) -> bool:
    """Whether the text before a legal form is incomplete: one word, an open bracket, a word of trade first."""
    words = re.findall(r"[A-Za-z]{2,}", re.sub(r"\(.*\)", "", text))
    return (
        len(words) <= 1
        or text.count("(") != text.count(")")
        or bool(TRADE.match(words[0]) and len(words) < 3)
    )


def _name_in(row: Row, start: int, end: int) -> Span | None:
    """The name in a part of a row, without a greeting, a registration number, and marks at its edges."""
    text = row.text[start:end]
    for prefix in (_GREETING, _THANKS):
        if (match := prefix.match(text)) and len(text) - match.end() > 2:
            start, text = start + match.end(), text[match.end() :]
    legal = list(LEGAL.finditer(text))
    if legal:
        rest = text[legal[-1].end() :]
        text = text[: legal[-1].end()] if _REGISTRATION.match(rest) or _SENDER.match(rest) else text
    elif match := re.search(r" *\([^()]*[0-9]{4,}[^()]*\)?.*$", text):
        text = text[: match.start()]
    lead = len(text) - len(text.lstrip(TRIM))
    name = text.strip(TRIM).rstrip(TRIM + ",:;")
    size = len(re.findall(r"[^\W\d_]", name))
    if size < 3 and not re.search(r"[\u4e00-\u9fff]{2}", name):
        return None
    if size * 2 < len(re.sub(r"#[0-9-]+| ", "", name)) or _TITLE.match(name):
        return None
    if not legal and (
        is_place(name) or _SENTENCE.match(name) or (STOP.search(name) and not TRADE.search(name))
    ):
        return None
    return row.span(start + lead, start + lead + len(name))


def _capital(text: str) -> bool:
    cased = [c for c in text if c.isalpha()]
    return not any(c.islower() for c in cased) or sum(map(str.isupper, cased)) * 2 > len(cased)


def _as_elsewhere(name: str, rows: Sequence[Row]) -> str:
    """The name with the letters I and L as in lower-case print elsewhere on the page, where they can't be confused."""
    printed = "\n".join(row.text for row in rows)
    for word in re.findall(r"[A-Z]{5,}", name):
        form = "".join("[il]" if c in "IL" else c.lower() for c in word)
        if "[" not in form:
            continue
        for match in re.finditer(form, printed, re.IGNORECASE):
            if match[0][1:].islower() and match[0].upper() != word:
                return name.replace(word, match[0].upper())
    return name


def _legal_form(name: str) -> str:
    """Correct the legal forms of Malaysia where OCR misread them; they are known and few."""
    name = re.sub(
        r"(?i)\b(?:S[DB]N)(\.?) ?BH[DO]\b", lambda m: f"SDN{m[1]} BHD" if m[0].isupper() else m[0], name
    )
    return re.sub(r" [S5]/[B8](\.?)$", r" S/B\1", name)
