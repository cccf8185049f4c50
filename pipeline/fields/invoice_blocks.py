"""Blocks of an invoice that name a party: below a heading such as `Bill to`, or where an address is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.fields import invoice_labels as labels
from pipeline.fields.invoice_labels import words
from pipeline.fields.rows import Span
from pipeline.fields.sheet import Cell, Rect, Sheet

_SELLER = words(
    r"verkaufer(?:in)?",
    r"lieferant(?:in)?",
    r"rechnungssteller(?:in)?",
    r"rechnungsabsender",
    r"leistungserbringer(?:in)?",
    r"auftragnehmer(?:in)?",
    r"seller",
    r"supplier",
    r"vendor",
    r"provider",
    r"(?:billed|issued|sold|invoice) (?:by|from)",
    r"fournisseur",
    r"vendeur",
    r"emetteur",
    r"prestataire",
    r"vendedor",
    r"proveedor",
    r"emisor",
    r"fornitore",
    r"cedente",
    r"mittente",
    r"leverancier",
    r"verkoper",
    r"fornecedor",
    r"emitente",
    r"prestador",
)
_BUYER = words(
    r"kaufer(?:in)?",
    r"rechnungs ?(?:empfanger(?:in)?|adresse|anschrift)",
    r"rechnung an",
    r"leistungsempfanger(?:in)?",
    r"auftraggeber(?:in)?",
    r"kunde(?:in|n)?",
    r"(?:bill(?:ed|ing)?|invoiced?|sold|charge) to",
    r"buyer",
    r"purchaser",
    r"customer(?: name| details)?",
    r"client(?:e)?",
    r"(?:billing|invoice|invoicing) address",
    r"factur[ee]e? a",
    r"adresse (?:de )?(?:facturation|client)",
    r"acheteur",
    r"destinataire",
    r"facturar a",
    r"comprador",
    r"datos (?:del )?cliente",
    r"cessionario",
    r"committente",
    r"spett(?:\.? ?le|abile)?",
    r"intestatario",
    r"destinatario",
    r"klant",
    r"factuur ?adres",
    r"factuur aan",
    r"afnemer",
    r"koper",
    r"adquirente",
    r"faturar a",
    r"tomador",
)
_OTHER = words(
    r"abweichende[rn]? [a-z]+",
    r"[a-z]*bevollmachtigter?(?: des verkaufers)?",
    r"warenempfanger(?:in)?",
    r"liefer ?(?:adresse|anschrift|an)",
    r"(?:ship|deliver|delivery|shipped|remit|pay)(?:ed)? to",
    r"(?:delivery|shipping|remittance) address",
    r"(?:adresse de )?livraison",
    r"livre a",
    r"(?:direccion de )?entrega",
    r"enviar a",
    r"destinazione(?: merce)?",
    r"lever ?adres",
    r"afleveradres",
    r"zahlungsempfanger",
    r"payee",
    r"beneficiary",
    r"bankverbindung",
    r"bank details",
)
_SHORT = words(r"an", r"to", r"a", r"from", r"von", r"de", r"kunde", r"client")
_HEADING_REST = re.compile(r"\s*(?:[/(&][a-z /()&.'-]{0,40})?\s*(?::|$)\s*")
_STOP = words(
    r"bemerkung(?:en)?",
    r"betreff",
    r"pos(?:ition(?:en|sdaten)?)?",
    r"menge",
    r"artikel",
    r"art nr",
    r"beschreibung",
    r"description",
    r"bezeichnung",
    r"item",
    r"qty",
    r"quantity",
    r"quantite",
    r"designation",
    r"cantidad",
    r"descripcion",
    r"descrizione",
    r"omschrijving",
    r"aantal",
    r"descricao",
    r"seite",
    r"page",
    r"sehr geehrte",
    r"dear",
    r"qualifizierung",
    r"terms",
)
_DATA = words(
    r"gln",
    r"nummer",
    r"globale nummer",
    r"lief nr",
    r"(?:kunden|lieferanten|debitoren|kreditoren|customer|client|account|vendor|supplier|klant|mandats?) (?:nr|no|nummer|number|id)",
    r"(?:tel|telefon|fon|phone|fax|telefax|mobil|mobile|e mail|email|mail|internet|web|www|http)",
    r"(?:ust|umsatzsteuer|mwst|vat|tva|nif|cif|iva|btw|steuer|tax|siret|siren|p iva|partita iva|kvk|hrb|hra|rcs|abteilung|gst)",
    r"(?:ansprechpartner|kontakt|contact|attn|z hd|zu handen|c o|att)",
    r"(?:weee?|oko|wee) [a-z-]+",
)
_KEYED = re.compile(r"\s*:\s*")
NAME_KEY = words(
    r"name", r"firma", r"company(?: name)?", r"raison sociale", r"societe", r"ragione sociale", r"denominazione",
    r"razon social", r"nombre", r"nom", r"nome", r"naam", r"bedrijf", r"empresa", r"firmenname",
)
ADDRESS_KEY = words(
    r"anschrift", r"adresse", r"address", r"direccion", r"domicilio", r"indirizzo", r"sede", r"adres", r"morada", r"endereco",
    r"strasse", r"street",
)
POSTCODE = re.compile(
    r"(?<![0-9A-Za-z/])(?:[A-Z]{1,3}[ -]{0,3})?(?:[0-9]{4,6} {0,2}[A-Z]?[a-z]*|[0-9]{4} ?[A-Z]{2}|[0-9]{3} ?[0-9]{2}|[0-9]{4}-[0-9]{3}) {0,2}[A-ZÄÖÜÉÈ'][\w'.() /-]{2,}"
    r"|(?<![0-9A-Za-z])[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}(?![0-9A-Za-z])|(?<![A-Z])[A-Z]{2},? [0-9]{5}(?:-[0-9]{4})?(?![0-9])"
)
_SEPARATED = re.compile(r"\s*[●•·|∙■▪*⋅]\s*|\s+[-–—]\s+|\s*[,;]\s+|\s+/\s+")
_MAX_LINES = 14
_DEEP = 30
"""Maximum number of rows of a block."""


class Part(NamedTuple):
    """A line of a block: its key (simplified), and where its value is."""

    key: str
    row: int
    span: Span
    text: str
    rect: Rect


class Block(NamedTuple):
    """Lines about one party; `side`: seller, buyer, or other for a party that is neither."""

    side: str
    sheet: Sheet
    parts: tuple[Part, ...]
    score: float
    heading: Span | None = None

    def covers(self, at: int) -> bool:
        """Whether an offset of the page's text is in one of its lines."""
        return any(part.span[0] <= at < part.span[1] for part in self.parts)


def heading_of(sheet: Sheet, cell: Cell) -> tuple[str, int] | None:
    """The side that a cell is the heading of, and where its own text begins behind the heading."""
    text = sheet.simple_text(cell)
    for side, pattern in (("other", _OTHER), ("seller", _SELLER), ("buyer", _BUYER)):
        match = pattern.match(text)
        if match and (rest := _HEADING_REST.match(text, match.end())):
            return side, rest.end()
    match = _SHORT.match(text)
    if match and text[match.end() :].strip() == ":":
        return ("seller" if match[0] in ("from", "von", "de") else "buyer"), len(text)
    return None


def headed(sheet: Sheet) -> list[Block]:
    """The blocks with a heading, in reading order."""
    found = []
    for row, cells in enumerate(sheet.cells):
        for place, cell in enumerate(cells):
            heading = heading_of(sheet, cell)
            if heading is None:
                continue
            side, after = heading
            parts = list(_down(sheet, row, cell.rect))
            if inline := _inline(sheet, cell, after):
                parts.insert(0, inline)
            elif not parts and place + 1 < len(cells) and not heading_of(sheet, cells[place + 1]):
                value = cells[place + 1]
                parts = [_part(sheet, value), *_down(sheet, row, value.rect)]
            span = (cell.line.start, cell.line.end)
            if parts or side == "other":
                found.append(Block(side, sheet, tuple(parts), 0.93, span))
    return found


def _inline(sheet: Sheet, cell: Cell, after: int) -> Part | None:
    if not re.search(r"[^\W\d_]{2}", cell.text[after:]):
        return None
    start = cell.line.start + after
    return Part("", cell.row, (start, cell.line.end), cell.text[after:], cell.rect)


def _part(sheet: Sheet, cell: Cell) -> Part:
    return Part("", cell.row, (cell.line.start, cell.line.end), cell.text, cell.rect)


def _down(sheet: Sheet, row: int, rect: Rect, far: float = 5.0) -> Iterator[Part]:
    """The lines below a heading with the same left edge, and values next to keys there."""
    edge, key, values = 2 * rect.height, "", None
    last, count = rect.bottom, 0
    for cells in sheet.cells[row + 1 : row + 1 + _DEEP]:
        place = next((n for n, c in enumerate(cells) if abs(c.rect.left - rect.left) <= edge), None)
        if place is not None:
            cell = cells[place]
            if cell.rect.top - last > far * rect.height or _is_end(sheet, cell):
                return
            part, key, values = _keyed(sheet, cells[place:], values)
            last = cell.rect.bottom
        elif values is not None and (
            found := next((c for c in cells if abs(c.rect.left - values) <= edge), None)
        ):
            part, last = _part(sheet, found)._replace(key=key), found.rect.bottom
        else:
            continue
        yield part
        count += 1
        if count >= _MAX_LINES:
            return


def _keyed(sheet: Sheet, cells: Sequence[Cell], values: float | None) -> tuple[Part, str, float | None]:
    """A line as key and value: `Name: ACME`, in one cell or in two next to each other."""
    cell = cells[0]
    text = sheet.simple_text(cell)
    colon = re.search(r"(?<=[a-z.)])\s*:(?!//)", text[:40])
    if colon is None:
        if len(cells) > 1 and cells[1].text.startswith(":"):
            value = cells[1]
            return _part(sheet, value)._replace(key=text), text, value.rect.left
        return _part(sheet, cell), "", values
    key = text[: colon.start()]
    rest = cell.text[colon.end() :]
    if rest.strip():
        start = cell.line.start + colon.end()
        return Part(key, cell.row, (start, cell.line.end), rest, cell.rect), key, values
    if len(cells) > 1:
        value = cells[1]
        return _part(sheet, value)._replace(key=key), key, value.rect.left
    return Part(key, cell.row, (cell.line.end, cell.line.end), "", cell.rect), key, values


def _is_end(sheet: Sheet, cell: Cell) -> bool:
    """Whether something else begins with a cell: another heading, the number or date of the paper, its table."""
    text = sheet.simple_text(cell)
    if heading_of(sheet, cell) or _STOP.match(text) or labels.TITLED.match(text):
        return True
    patterns = (labels.NUMBER, labels.CREDIT_NUMBER, labels.DATE, labels.DUE_DATE, labels.DELIVERY, labels.ORDER, labels.CURRENCY)
    return any(pattern.match(text) for pattern in patterns) or re.match(r"(?:datum|date|fecha|data)\b", text) is not None


def is_data(text: str) -> bool:
    """Whether a simplified line is no name and no address, but a number, a phone or a contact."""
    return _DATA.match(text) is not None or "@" in text or "://" in text or "www." in text


def senders(sheet: Sheet) -> Iterator[tuple[Block, Block | None]]:
    """Each line of a sender's name and address in small print, and the block of the addressee below it."""
    for row, cells in enumerate(sheet.cells):
        for cell in cells:
            if cell.rect.top > sheet.page.height / 2 or len(cell.text) > 140:
                continue
            pieces = [piece for piece in _SEPARATED.split(cell.text) if piece.strip()]
            if len(pieces) < 2 or not any(POSTCODE.match(piece) for piece in pieces[1:]):
                continue
            below = tuple(_window(sheet, row, cell.rect))
            start = cell.line.start + cell.text.index(pieces[0])
            name = Part("name", row, (start, start + len(pieces[0])), pieces[0], cell.rect)
            rest = (start + len(pieces[0]), cell.line.end)
            address = Part("address", row, rest, cell.text[rest[0] - cell.line.start :], cell.rect)
            addressee = Block("buyer", sheet, below, 0.9) if len(below) > 1 else None
            yield Block("seller", sheet, (name, address), 0.9 if addressee else 0.7), addressee


def _window(sheet: Sheet, row: int, rect: Rect) -> Iterator[Part]:
    """The lines of the addressee, who is somewhere below the sender's line, not always at its left edge."""
    first = next(sheet.below(row, rect, far=10.0), None)
    if first and not _is_end(sheet, first):
        yield _part(sheet, first)
        yield from _near(_down(sheet, first.row, first.rect, far=3.2))


def _near(parts: Iterator[Part]) -> Iterator[Part]:
    """The first lines that are close to each other."""
    last: Part | None = None
    for part in parts:
        if last and part.rect.top - last.rect.bottom > 3.2 * last.rect.height:
            return
        yield part
        last = part


def addresses(sheet: Sheet) -> Iterator[Block]:
    """The blocks that end with postcode and town: the seller's where a phone or a tax number follows."""
    for row, cells in enumerate(sheet.cells):
        for cell in cells:
            if not POSTCODE.match(cell.text) or len(cell.text) > 60:
                continue
            above = list(_up(sheet, row, cell))
            if not above:
                continue
            below = list(_near(_down(sheet, row, cell.rect, far=2.0)))[:7]
            parts = (*reversed(above), _part(sheet, cell))
            contact = any(is_data(part.key or _simple(sheet, part)) for part in below)
            foot = cell.rect.top > 0.8 * sheet.page.height
            if cell.rect.top < 0.6 * sheet.page.height or foot:
                side = "seller" if contact or foot else "buyer"
                yield Block(side, sheet, parts + tuple(below if side == "seller" else ()), 0.72)


def _simple(sheet: Sheet, part: Part) -> str:
    row = sheet.rows[part.row]
    return sheet.simple[part.row][part.span[0] - row.start : part.span[1] - row.start].strip()


def _up(sheet: Sheet, row: int, cell: Cell) -> Iterator[Part]:
    """The lines above an address's last line with the same left edge, at most five."""
    top, count = cell.rect.top, 0
    for cells in reversed(sheet.cells[max(0, row - 12) : row]):
        found = next((c for c in cells if abs(c.rect.left - cell.rect.left) <= cell.rect.height), None)
        if found is None:
            continue
        text = sheet.simple_text(found)
        if top - found.rect.bottom > 2.5 * cell.rect.height or _is_end(sheet, found) or is_data(text):
            return
        yield _part(sheet, found)
        top, count = found.rect.top, count + 1
        if count == 5:
            return
