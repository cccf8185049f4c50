"""IBAN, BIC, BANK_ACCOUNT: where money is paid to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention
from pipeline.ner.characters import found, lowered, plain
from pipeline.ner.checks import IBAN_LENGTH, Id, ibans, valid
from pipeline.ner.patterns.labels import UNCHECKED

_IBAN_LABEL = re.compile(
    r"IBAN(?<![A-Za-z]....)(?:[- ]?(?:no|nr|number|code|\([A-Z]{3}\)))?[^0-9A-Za-z]{0,8}", re.IGNORECASE
)
_IBAN_SHAPE = re.compile(
    r"[A-Z]{2}[0-9OI]{2}(?: {0,2}[A-Z]{4})?(?:[ -]{0,2}[0-9OI]){8,28}[0-9A-Z]{0,2}(?![0-9A-Za-z])"
)

_BIC = r"[A-Z]{4} ?[A-Z]{2} ?[A-Z0-9]{2}(?: ?[A-Z0-9]{3})?(?![0-9A-Za-z])"
_BIC_LABEL = re.compile(
    r"(?=[BS])\b(?:BIC|SWIFT|S\.W\.I\.F\.T\.?)(?:[ -]?(?:code|address|nr|no|number|BIC|SWIFT)\.?)?"
    rf"(?: ?[/(-] ?(?:BIC|SWIFT)(?:[ -]?code)?)?[^0-9A-Za-z]{{1,8}}(?P<bic>(?-i:{_BIC}))",
    re.IGNORECASE,
)
_NO_BIC = "NOTPROVIDED"  # what payments in Europe say without one
_BIC_BARE = re.compile(r"\b[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b")
_NEAR = 80
"""Characters before and behind an IBAN where a BIC of its country needs no label."""

_ACCOUNT_LABEL = re.compile(
    r"(?=[账帐帳银对abcgiknprs])(?:帐 ?号|账 ?号|帳 ?號|帐户号码?|账户号码?|银行账户|对公账户"
    r"|(?:account|acct|a/c)[ .]{0,2}(?:no|nr|num|number|#)s?(?![a-z])|(?:konto|kto)(?:nummer|\.?[- ]?nr)"
    r"|(?:n°|no|numéro) (?:de )?compte|n(?:úmero|[úuoº°.]{0,2}) de cuenta|rekening(?:nummer|nr)|bankgiro|plusgiro"
    r"|(?P<bare>(?:(?<![a-z])(?:account|acct|a/c|konto|kto|compte|cuenta|conto(?: corrente)?|c/c|rekening)"
    r"|账 ?户|帐 ?户|帳 ?戶))(?= ?(?:[:.#0-9]|n[°º.r])))"
)
"""Labels of account numbers; a bare one is that of the account itself."""
_BARE = re.compile(
    r"[ .:#]{0,3}(?:n[°ºr.o]{0,2} ?)?(?P<number>[0-9](?:[ -]?[0-9]){6,29})(?![0-9A-Za-z*]|[.,][0-9])"
)
_ACCOUNT = re.compile(
    r"[ .:#)]{0,6}(?:[^\n]{0,40}?[^0-9A-Za-z\n])??"
    r"(?P<number>[0-9](?:[ -]?[0-9]){5,29})(?![0-9A-Za-z*]|[.,][0-9]|[ -]?[*xX]{3})"
)
_MASKED = re.compile(r"[*xX•]{3}")


def find_ibans(text: str) -> Iterator[Mention]:
    """Yield the IBAN mentions of `text`: valid ones anywhere, others after their label (unchecked)."""
    page = plain(text)
    known = ibans(page)
    yield from (found("IBAN", (one.start, one.end), 0.99, one.number) for one in known if one.valid)
    at = {one.start: one for one in known}
    for label in _IBAN_LABEL.finditer(page):
        shape = _IBAN_SHAPE.match(page, label.end())
        number = at.get(label.end())
        if number is None and shape:
            yield found("IBAN", shape.span(), UNCHECKED, None)
        elif number and not number.valid:
            yield found("IBAN", (number.start, number.end), UNCHECKED, None)


def find_bics(text: str) -> Iterator[Mention]:
    """Yield the BIC mentions of `text`: after their label, or near an IBAN of the same country."""
    page = plain(text)
    for match in _BIC_LABEL.finditer(page):
        number = match["bic"].replace(" ", "")
        if number != _NO_BIC and valid("bic", number):
            yield found("BIC", match.span("bic"), 0.97, number)
    for one in ibans(page):
        if one.valid:
            yield from _bics_near(page, one)


def _bics_near(page: str, iban: Id) -> Iterator[Mention]:
    for match in _BIC_BARE.finditer(page, max(0, iban.start - _NEAR), iban.end + _NEAR):
        apart = match.end() <= iban.start or match.start() >= iban.end
        if apart and match[0][4:6] == iban.country and valid("bic", match[0]):
            yield found("BIC", match.span(), 0.9, match[0])


def find_bank_accounts(text: str) -> Iterator[Mention]:
    """Yield the BANK_ACCOUNT mentions of `text`: 6 to 30 digits after a label such as 账号 or `account no`.

    An account number has no check digit: the label decides. Between label and number may be the name of the bank. An
    IBAN or the number of a bank card there is that.
    """
    page = plain(text)
    for label in _ACCOUNT_LABEL.finditer(lowered(page)):
        match = (_BARE if label["bare"] else _ACCOUNT).match(page, label.end())
        if match and not _MASKED.search(page, label.end(), match.end()):
            number = re.sub("[ -]", "", match["number"])
            direct = match.start("number") - label.end() <= 8
            if page[match.start() : match.start("number")].strip()[-2:] not in IBAN_LENGTH:
                yield found("BANK_ACCOUNT", match.span("number"), 0.9 if direct else 0.75, number)
