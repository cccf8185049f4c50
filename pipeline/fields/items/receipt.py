"""The items of a receipt without headings: a name and an amount at the end of its row, or of the row below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple, Protocol

from pipeline.fields.amounts import squash
from pipeline.fields.items.goods import product
from pipeline.fields.items.heading_words import fold
from pipeline.fields.items.label_words import is_total
from pipeline.fields.items.unit_words import is_unit
from pipeline.fields.items.values import number_of, plain_decimal
from pipeline.fields.items.words import CURRENCY
from pipeline.fields.receipt.labels import kind_of
from pipeline.models import LineItem, TextLine

_CURRENCY = rf"(?:{CURRENCY}|R[NHK])"  # RM as OCR reads it
_AMOUNT = re.compile(
    rf"(?:(?<=\s)|(?<=[^0-9.,\s-])|^)(?P<amount>-?(?:{_CURRENCY} ?)?-?"
    rf"(?:(?:[0-9]{{1,3}}(?:[,.][0-9]{{3}}){{1,3}}|[0-9]{{1,7}})[.,][0-9]{{2}}|(?<![^\s$€£-])[.,][0-9]{{2}})"
    rf"(?: ?{CURRENCY})?-?)(?: ?(?![AP]M)(?:[A-Z*#]{{1,3}}|\([A-Z]{{1,3}}\))| [a-z0-9≤])?\s*$"
)
_CENTS = re.compile("[.,][0-9]{2}")
"""What every amount has; most rows have none."""
_TIMES = re.compile(
    rf"(?<![0-9.,])(?P<quantity>[0-9]{{1,5}}(?:[.,][0-9]{{1,4}})?) ?(?P<unit>[A-Za-z]{{1,4}}|[\u4e00-\u9fff]{{1,2}})??"
    rf"(?: ?[xX×*@] ?@?|(?<=[A-Za-z]) ?/ ?)(?:{_CURRENCY} ?)?(?P<price>[0-9]{{0,6}}[.,][0-9]{{2,4}})(?![0-9])"
)
_AT_PRICE = re.compile(rf" ?@ ?(?:{_CURRENCY} ?)?[0-9.,]+ *$")
_AT = re.compile(r"@ ?$")
_COUNT = re.compile(r"(?:^| )[*xX×](?P<quantity>[0-9]{1,4})$")
_ONLY = re.compile(r"(?P<quantity>[1-9][0-9]?)")
_LEADING = re.compile(
    r"^(?P<quantity>[1-9][0-9]{0,2}) ?[xX×]? (?=\S*[^\W\d_]{2})|^(?P<glued>[1-9][0-9]{0,2})[xX×] ?(?=[^\W\d_])"
)
_FIGURES = re.compile(rf"(?: |^)(?:{CURRENCY} ?)?([0-9]{{1,7}}(?:[.,][0-9]{{1,4}})?)(?: ?(?:{CURRENCY}))?$")
_LETTERS = re.compile(r"[^\W\d_]")
_CODE = re.compile(r"[\d\W_]+|[A-Z]{0,3}[0-9]{4,20}[A-Z0-9]{0,6}")
_NO_NAME = re.compile(
    r"[0-9]{1,2}[:/][0-9]{2}(?:[:/ AaPp]|$)|[0-9]{3}[-) ]{1,3}[0-9]{3,4}[- ][0-9]{4}|:$"
    r"|^(?:date|time|order|table|tbl|chk|check|server|cashier|guests?|host|reg|pos)\b",
    re.IGNORECASE,
)
"""What is next to an amount without naming it: dates, phones, labels."""
_NO_ITEM = re.compile(
    r"^(?:reg(?:ular)?price|pricebefore|youpay|wasprice|orig(?:inal)?price|msrp)|saving|saved|yousave|cardsav$"
    r"|^(?:precio|price|prix|preis|prezzo)(?:por|per|par|pro)?(?:kilo|kg|unidad|unit)"
)
"""A price that is not paid (squashed)."""
_ENDS = frozenset(
    {
        "part",
        "subtotal",
        "net",
        "tax",
        "tip",
        "service",
        "final",
        "inclusive",
        "total",
        "totalish",
        "cash",
        "change",
    }
    | {"rounding"}
)
_LOOSE = frozenset({"cash", "final", "change", "tip", "service", "net", "part"})
"""Kinds whose words begin names of goods too: with a quantity in front it is an item."""
_LONG = 400
"""Maximum length of a description."""
_MANY = 200
"""Maximum quantity that is read from a number before a name."""
_NAMES = 2
"""Maximum number of rows above an amount that name its item."""


class AnyRow(Protocol):
    """A row of a page: its text as plain characters, and its lines."""

    @property
    def text(self) -> str: ...  # noqa: D102

    @property
    def lines(self) -> tuple[TextLine, ...]: ...  # noqa: D102


class Times(NamedTuple):
    """Quantity, unit and unit price, as in `2 pcs x 3.50`."""

    quantity: Decimal | None
    price: Decimal | None
    unit: str | None
    row: AnyRow


@dataclass
class Line:
    """An item of a receipt being read."""

    names: list[str]
    amount: Decimal
    quantity: Decimal | None = None
    price: Decimal | None = None
    unit: str | None = None
    rows: list[AnyRow] = field(default_factory=list)

    def take(self, times: Times) -> None:
        """Set quantity and price."""
        self.quantity, self.price, self.unit = times.quantity, times.price, times.unit


class Reader:
    """Reads the rows of a receipt from top to bottom: `lines` above the first sum, and `sums`."""

    def __init__(self, decimal: str | None) -> None:
        self.lines: list[Line] = []
        self.sums: list[Decimal] = []
        self._decimal = decimal
        self._above: list[AnyRow] = []
        self._times: Times | None = None
        self._price: Decimal | None = None

    def read(self, rows: Sequence[AnyRow]) -> None:
        """Read all rows."""
        for row in rows:
            match = _AMOUNT.search(row.text) if _CENTS.search(row.text) else None
            amount = number_of(match["amount"], self._decimal) if match else None
            label = (row.text[: match.start()] if match else row.text).strip()
            bare = squash(label)
            kind = kind_of(bare)
            if kind in _LOOSE and _LEADING.match(label):
                kind = ""  # 2 Tenderloin is no tender
            if kind in _ENDS or is_total(fold(label)):
                self._sum(amount.value if amount is not None else None)
            elif (self.sums and self.lines) or _NO_ITEM.search(bare) or kind == "quantity":
                continue
            elif amount is None or _TIMES.fullmatch(row.text.strip()):
                self._text(row)
            elif _AT.search(label):  # the unit price: the amount is on the next row
                self._above.append(row)
                self._price = amount.value
            elif kind != "discount":
                self._item(row, label, amount.value)
            elif self.lines:
                self._item(row, label, -abs(amount.value))

    def _sum(self, amount: Decimal | None) -> None:
        self._above, self._times = [], None
        if self.lines and amount is not None:
            self.sums.append(amount)

    def _text(self, row: AnyRow) -> None:
        """A row without an amount of its own: a name, or quantity and price of the item above or below."""
        times = _times(row, row.text, self._decimal)
        if times is None:
            self._above.append(row)
        elif self._completes(times):
            self.lines[-1].take(times)
        else:
            self._times = times

    def _completes(self, times: Times) -> bool:
        """Whether quantity and price are those of the last item."""
        if not self.lines or self._above or self.lines[-1].price not in (None, self.lines[-1].amount):
            return False
        return product(times.quantity, times.price, self.lines[-1].amount) > 0

    def _item(self, row: AnyRow, label: str, amount: Decimal) -> None:
        line = _line(row, label, amount, self._decimal)
        if line.price is None:
            line.price = self._price
        if self._times is not None and line.price is None:
            line.take(self._times)
            line.rows.insert(0, self._times.row)
        if not line.names:
            named = [one for one in self._above[-_NAMES:] if _is_name(one.text)][-1:]
            line.names = [_AT_PRICE.sub("", one.text).strip() for one in named]
            line.rows[:0] = named
        self._above, self._times, self._price = [], None, None
        if not line.names and self._multiplies(line):
            before = self.lines[-1]
            before.quantity, before.price, before.amount = line.quantity, before.amount, amount
            before.rows += line.rows
        elif line.names or line.quantity:
            self.lines.append(line)

    def _multiplies(self, line: Line) -> bool:
        """Whether the row above had the price of one, and this row has how many and the amount."""
        if not self.lines or line.quantity is None or self.lines[-1].quantity is not None:
            return False
        return product(line.quantity, self.lines[-1].amount, line.amount) > 0


def item(line: Line, page: int) -> LineItem:
    """The line as an item, its confidence still without the sum."""
    return LineItem(
        page=page,
        row=0,
        description=" ".join(" ".join(line.names).split())[:_LONG],
        quantity=plain_decimal(line.quantity),
        unit=line.unit,
        unit_price=plain_decimal(line.price),
        amount=plain_decimal(line.amount),
        confidence=(0.8 if line.names else 0.5) + product(line.quantity, line.price, line.amount),
    )


def _line(row: AnyRow, label: str, amount: Decimal, decimal: str | None) -> Line:
    """Read what is before the amount: name, quantity, unit price."""
    line = Line([], amount, rows=[row])
    times = _times(row, label, decimal)
    if times is not None:
        line.take(times)
        label = _TIMES.sub(" ", label, count=1)
    label = label.strip(" .:-*")
    if times is None:
        label = _figures(line, label, decimal)
    leading = _LEADING.match(label)
    if leading and line.quantity is None:
        count = Decimal(leading["quantity"] or leading["glued"])
        if 0 < count <= _MANY and (line.price is None or product(count, line.price, amount) > 0):
            line.quantity = count
            label = label[leading.end() :]
    if _is_name(label):
        line.names = [label.strip()]
    return line


def _figures(line: Line, label: str, decimal: str | None) -> str:
    """Take quantity and price, as figures, from the end of a label; returns the rest."""
    count = _COUNT.search(label) or _ONLY.fullmatch(label)
    if count:
        line.quantity = Decimal(count["quantity"])
        label = label[: count.start()]
    figures: list[Decimal] = []
    while len(figures) < 3 and (match := _FIGURES.search(label)):
        number = number_of(match[1], decimal)
        if number is None:
            break
        figures.insert(0, number.value)
        label = label[: match.start()].rstrip(" .:-*")
    if len(figures) >= 2 and product(figures[0], figures[1], line.amount) > 0:
        line.quantity, line.price = figures[0], figures[1]
    elif figures and figures[-1] == line.amount:
        line.price = line.amount
    return label


def _is_name(text: str) -> bool:
    """Whether a text names an item: more than a number, a unit or a code."""
    words = text.split()
    if all(_CODE.fullmatch(word) for word in words) or _NO_NAME.search(text.strip()):
        return False
    named = [word for word in words if not is_unit(word) or len(words) > 1]
    return sum(len(_LETTERS.findall(word)) for word in named) >= 2


def _times(row: AnyRow, text: str, decimal: str | None) -> Times | None:
    match = _TIMES.search(text)
    if match is None:
        return None
    quantity, price = number_of(match["quantity"], decimal), number_of(match["price"], decimal)
    unit = match["unit"] if match["unit"] and is_unit(match["unit"]) else None
    return Times(quantity.value if quantity else None, price.value if price else None, unit, row)
