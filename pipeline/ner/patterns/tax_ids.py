"""TAX_ID: the numbers of tax payers outside China, checked by python-stdnum. China's are in `identifiers` (USCC)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.models import Mention
from pipeline.ner.characters import found, plain
from pipeline.ner.checks import valid, vat_ids
from pipeline.ner.patterns.identifiers import UNCHECKED


class _Kind(NamedTuple):
    """A labelled number: its label and form, and the modules of python-stdnum of which one must find it valid.

    Without modules there is no check. Of a weak kind, only valid numbers are reported: its label has other meanings.
    """

    label: str
    form: str
    modules: tuple[str, ...]
    weak: bool = False


_D3 = "[0-9]{3}"
_KINDS = (
    _Kind(
        r"steuer-?(?:nummer|nr)|st\.? ?-? ?nr",
        r"[0-9]{2,3}[ /.-]{1,3}[0-9]{3,4}[ /.-]{1,3}[0-9]{4,5}|[0-9]{10,13}",
        ("de.stnr",),
    ),
    _Kind(
        r"steuer-?id(?:entifikationsnummer|[- ]?nr)?|idnr",
        r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
        ("de.idnr",),
    ),
    _Kind(
        r"(?:federal )?(?:f?ein|tin|tax|employer (?:id|identification))",
        r"[0-9]{2}-[0-9]{7}",
        ("us.ein",),
    ),
    _Kind("abn", rf"[0-9]{{2}} ?{_D3} ?{_D3} ?{_D3}", ("au.abn",)),
    _Kind("acn", rf"{_D3} ?{_D3} ?{_D3}", ("au.acn",)),
    _Kind("(?:gst|ird)", rf"[0-9]{{2,3}}[- ]{_D3}[- ]{_D3}", ("nz.ird",), weak=True),
    _Kind("(?:gst|sst)", "00[0-9]{10}", ()),
    _Kind(r"pan", r"[A-Z]{5}[0-9]{4}[A-Z]", ("in_.pan",)),
    _Kind(
        r"(?:gst|uen|co|roc|rcb|company)\.?",
        r"(?:[0-9]{8,9}|(?:19|20)[0-9]{7}|[TSR][0-9]{2}[A-Z]{2}[0-9]{4})[A-Z]",
        ("sg.uen",),
        weak=True,
    ),
    _Kind(r"cnpj", r"[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}/?[0-9]{4}-?[0-9]{2}", ("br.cnpj",)),
    _Kind(r"(?:vat|mwst|tax)", rf"{_D3} ?[0-9]{{4}} ?[0-9]{{2}}|{_D3} ?{_D3} ?{_D3}", ("gb.vat",)),
    _Kind(r"(?:p\.? ?iva|partita iva|c\.? ?f|codice fiscale|vat)\.?", r"[0-9]{11}", ("it.iva",)),
    _Kind(r"(?:nif|cif|nie|dni|vat)", r"[A-Z][ -]?[0-9]{7}[ -]?[0-9A-Z]|[0-9]{8}[ -]?[A-Z]", ("es.nif",)),
    _Kind(r"(?:nif|contribuinte|nipc)", rf"{_D3} ?{_D3} ?{_D3}", ("pt.nif",)),
    _Kind(r"nip", r"[0-9]{3}-?[0-9]{2,3}-?[0-9]{2}-?[0-9]{2,3}", ("pl.nip",)),
    _Kind(
        r"(?:btw|tva|ondernemingsnummer|rpr|rpm|bce|kbo)", r"[01]?[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}", ("be.vat",)
    ),
    _Kind(r"rfc", r"[A-ZÑ&]{3,4}-?[0-9]{6}-?[A-Z0-9]{3}", ("mx.rfc",)),
    _Kind(r"事業者登録番号|登録番号|登録 ?no", r"T ?[0-9]{13}", ("jp.cn",)),
    _Kind(r"統一編號|統編|賣方|買方", r"[0-9]{8}", ("tw.ubn",), weak=True),
    _Kind(r"사업자등록번호|등록번호", r"[0-9]{3}-[0-9]{2}-[0-9]{5}", ("kr.brn",)),
)
_REST = (
    r"(?:[ .-]{0,2}(?:reg(?:istration|n|d)?|id(?:ent(?:ification|ifikation)?s?)?|no|nr|num(?:ber|mer|éro)?|code"
    r"|intracom[a-z]{0,12}|n[°º]|uid|mwst|vat)\.?(?![a-z])){0,4}[ .:#/()-]{0,6}\n?[ ]?"
)
_LABEL = re.compile(
    rf"(?:(?<![A-Za-zÀ-ÿ])(?P<label>{'|'.join(kind.label for kind in _KINDS)})(?![a-z]))(?P<rest>{_REST})",
    re.IGNORECASE,
)
_LABELS = [re.compile(kind.label, re.IGNORECASE) for kind in _KINDS]
_FORMS = [re.compile(rf"(?:{kind.form})(?![0-9A-Za-z]|[-/.][0-9])") for kind in _KINDS]

_VAT_LABEL = re.compile(
    r"(?:vat|u(?:msatz)?st|uid|tva|btw|moms|mwst|iva|nif|cif|nip|tax|ust-?id)[^0-9\n]{0,30}\Z", re.IGNORECASE
)
_BEFORE = 40
_SHORT = 8
"""Digits of which one number in ten is valid by chance: such ones without a label have no gap behind their letters."""
_GSTIN = re.compile(r"[0-9]{2}[A-Z]{5}(?<![0-9A-Za-z].......)[0-9]{4}[A-Z][0-9A-Z]Z[0-9A-Z](?![0-9A-Za-z])")
_CNPJ = re.compile(r"[0-9]{2}\.(?<![0-9.]...)[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}(?![0-9])")
_NORWEGIAN = re.compile(r"(?:NO ?)?[0-9]{3} ?[0-9]{3} ?[0-9]{3} ?MVA(?![A-Za-z])")
_BARE = ((_GSTIN, "in_.gstin"), (_CNPJ, "br.cnpj"), (_NORWEGIAN, "no.mva"))


_AMBIGUOUS = frozenset({"tin", "pan", "tax", "vat", "gst", "c.f.", "c.f", "cf", "nie", "btw", "tva"})
"""Labels that mean something else as well, unless a word such as "no" follows."""


def find_tax_ids(text: str) -> Iterator[Mention]:
    """Yield the TAX_ID mentions of `text`; the value is compact, `None` if a labelled number fails its check.

    Valid VAT ids with the letters of their country (EU, United Kingdom, Switzerland), Norwegian ones with MVA, Indian
    GSTIN and Brazilian CNPJ need no label; those of other countries and German Steuernummern do.
    """
    page = plain(text)
    for one in vat_ids(page):
        labelled = _VAT_LABEL.search(page[max(0, one.start - _BEFORE) : one.start]) is not None
        digits = len(one.number) - 2
        glued = page[one.start + 2].isalnum()
        if one.valid and (labelled or digits > _SHORT or (glued and digits == _SHORT)):
            yield found("TAX_ID", (one.start, one.end), 0.98 if labelled else 0.85, one.number)
        elif labelled and not one.valid:
            yield found("TAX_ID", (one.start, one.end), UNCHECKED, None)
    for form, module in _BARE:
        for match in form.finditer(page):
            number = _compact(match[0])
            if valid(module, number):
                yield found("TAX_ID", match.span(), 0.97, number)
    for match in _LABEL.finditer(page):
        yield from _labelled(page, match)


def _labelled(page: str, label: re.Match[str]) -> Iterator[Mention]:
    shape: re.Match[str] | None = None
    for kind, of_kind, form in zip(_KINDS, _LABELS, _FORMS, strict=True):
        match = form.match(page, label.end()) if of_kind.fullmatch(label["label"]) else None
        if match is None:
            continue
        number = _compact(match[0])
        if any(valid(module, number) for module in kind.modules) or not kind.modules:
            yield found("TAX_ID", match.span(), 0.97 if kind.modules else 0.8, number)
            return
        shape = shape or (None if kind.weak else match)
    if shape and (label["rest"].strip(" .:#/()-\n") or label["label"].lower() not in _AMBIGUOUS):
        yield found("TAX_ID", shape.span(), UNCHECKED, None)


def _compact(number: str) -> str:
    return re.sub(r"[ ./-]", "", number)
