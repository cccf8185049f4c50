"""INVOICE_CODE and INVOICE_NUMBER: labelled numbers of Chinese and English invoices and receipts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention
from pipeline.ner.characters import found, plain

_GAP = r"[^0-9A-Za-z\n]{0,8}"
_NEXT_ROW = r"(?:[ :.]{0,4}\n[ ]{0,2})?"
_CODE = re.compile(rf"发 ?票 ?代 ?码{_GAP}{_NEXT_ROW}(?P<value>[0-9]{{9,12}})(?![0-9A-Za-z])", re.ASCII)
_NUMBER = re.compile(
    rf"发 ?票 ?号 ?码?{_GAP}{_NEXT_ROW}(?P<value>[0-9]{{20}}|[0-9]{{7,12}})(?![0-9A-Za-z])", re.ASCII
)
# The paper form prints code and number in its head without labels: "1100094140 ... No 87654321".
_FORM = re.compile(r"发票|纳税人识别号|价税合计|税额")
_FORM_NUMBER = re.compile(
    r"(?<![A-Za-z])(?:N[oO0]|№)[.: ]{0,3}(?P<value>[0-9]{20}|[0-9]{8})(?![0-9A-Za-z])", re.ASCII
)
_FORM_CODE = re.compile(r"(?=[0-9])(?<![0-9A-Za-z:-])(?:[0-9]{12}|[0-9]{10})(?![0-9A-Za-z-])", re.ASCII)

_DOCUMENT = (
    r"(?=[bcdirt])(?<![A-Za-z])(?:inv(?:[o0c][il1]ces?)?|receipt|rcpt|bill|b[i1j]11"
    r"|check|chk|doc(?:ument)?|trn|trx|transaction)"
)
_MARK = r"(?: ?/ ?(?:trx|trn|inv|bill|ref))?[ .]{0,2}(?:no(?![a-z])|num(?:ber)?|nbr|#|n[°º])[ .:#]{0,4}"
_SERIAL = r"[A-Z0-9][A-Z0-9/_-]{0,29}(?:(?<=-)[ ][A-Z0-9]{2,15})?"
_VALUE_END = r"(?![A-Z0-9]|[.,:][0-9])"
_VALUE = rf"(?P<value>(?:(?-i:[A-Z]{{1,4}}) )?{_SERIAL}){_VALUE_END}"
_MARKED = re.compile(rf"{_DOCUMENT}{_MARK}(?P<row>\n[ :]{{0,3}})?{_VALUE}", re.ASCII | re.IGNORECASE)
_UNMARKED = re.compile(
    rf"{_DOCUMENT} ?[:;]? ?(?P<value>(?!(?:19|20)[0-9]{{2}} ){_SERIAL}){_VALUE_END}", re.ASCII | re.IGNORECASE
)
_UNDER_TITLE = re.compile(
    rf"(?=[bir])(?:invoice|receipt|bill)[ *.-]{{0,6}}\n[ *-]{{0,4}}no[ .:#]{{1,4}}{_VALUE}",
    re.ASCII | re.IGNORECASE,
)
_OTHER = re.compile(
    r"[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4}|[0-9]{1,2}[-/][A-Z]{3}[-/][0-9]{2,4}", re.IGNORECASE
)


def find_invoice_codes(text: str) -> Iterator[Mention]:
    """Yield the INVOICE_CODE mentions: after 发票代码, or 10 or 12 digits next to the form's "No".

    After the label 9 or 11 digits count too (a digit lost, a specimen), with confidence below 0.5.
    """
    page = plain(text)
    for match in _CODE.finditer(page):
        yield found("INVOICE_CODE", match.span("value"), _sure(match["value"], 10, 12), match["value"])
    if not _FORM.search(page):
        return
    for number in _FORM_NUMBER.finditer(page):
        before = max(0, number.start() - 40)
        for match in _FORM_CODE.finditer(page, before, number.end() + 30):
            yield found("INVOICE_CODE", match.span(), 0.75, match[0])


def find_invoice_numbers(text: str) -> Iterator[Mention]:
    """Yield the INVOICE_NUMBER mentions, on the label's row or the row directly below.

    Chinese: 8 digits, or 20 on fully digital invoices; other lengths after 发票号码 with confidence
    below 0.5. English: what follows INVOICE NO, INV#, RECEIPT NO, BILL NO, CHECK #, DOC NO and similar;
    after the bare word (TAX INVOICE: 0017756) only with at least four digits. The value is upper case,
    without spaces around its dashes.
    """
    page = plain(text)
    for match in _NUMBER.finditer(page):
        yield found("INVOICE_NUMBER", match.span("value"), _sure(match["value"], 8, 20), match["value"])
    if _FORM.search(page):
        for match in _FORM_NUMBER.finditer(page):
            yield found("INVOICE_NUMBER", match.span("value"), 0.85, match["value"])
    for form, least, confidence in ((_MARKED, 1, 0.9), (_UNDER_TITLE, 3, 0.8), (_UNMARKED, 4, 0.75)):
        for match in form.finditer(page):
            value = match["value"].rstrip("/_-")
            digits = sum(c.isdecimal() for c in value)
            below = match.groupdict().get("row") is not None
            if digits >= (max(least, 3) if below else least) and not _OTHER.fullmatch(value):
                span = (match.start("value"), match.start("value") + len(value))
                yield found("INVOICE_NUMBER", span, confidence, value.upper().replace("- ", "-"))


def _sure(value: str, *lengths: int) -> float:
    return 0.97 if len(value) in lengths else 0.45
