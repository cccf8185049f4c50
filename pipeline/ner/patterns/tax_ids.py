"""TAX_ID: the numbers of tax payers outside China, checked by python-stdnum. China's are in `identifiers` (USCC)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention
from pipeline.ner.characters import found, plain
from pipeline.ner.checks import valid, vat_ids
from pipeline.ner.patterns.labels import UNCHECKED, Kind, Labelled, compact

_D3 = "[0-9]{3}"
_KINDS = (
    Kind(
        r"steuer-?(?:nummer|nr)|st\.? ?-? ?nr",
        r"[0-9]{2,3}[ /.-]{1,3}[0-9]{3,4}[ /.-]{1,3}[0-9]{4,5}|[0-9]{10,13}",
        ("de.stnr",),
    ),
    Kind(
        r"steuer-?id(?:entifikationsnummer|[- ]?nr)?|idnr",
        r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
        ("de.idnr",),
    ),
    Kind(
        r"(?:federal )?(?:f?ein|tin|tax|employer (?:id|identification))",
        r"[0-9]{2}-[0-9]{7}",
        ("us.ein",),
    ),
    Kind("abn", rf"[0-9]{{2}} ?{_D3} ?{_D3} ?{_D3}", ("au.abn",)),
    Kind("(?:gst|ird)", rf"[0-9]{{2,3}}[- ]{_D3}[- ]{_D3}", ("nz.ird",), weak=True),
    Kind("(?:gst|sst)", "00[0-9]{10}", ()),
    Kind(r"pan", r"[A-Z]{5}[0-9]{4}[A-Z]", ("in_.pan",)),
    Kind(
        r"(?:gst|uen|co|roc|rcb|company)\.?",
        r"(?:[0-9]{8,9}|(?:19|20)[0-9]{7}|[TSR][0-9]{2}[A-Z]{2}[0-9]{4})[A-Z]",
        ("sg.uen",),
        weak=True,
    ),
    Kind(r"cnpj", r"[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}/?[0-9]{4}-?[0-9]{2}", ("br.cnpj",)),
    Kind(r"(?:vat|mwst|tax)", rf"{_D3} ?[0-9]{{4}} ?[0-9]{{2}}|{_D3} ?{_D3} ?{_D3}", ("gb.vat",)),
    Kind(r"(?:p\.? ?iva|partita iva|c\.? ?f|codice fiscale|vat)\.?", r"[0-9]{11}", ("it.iva",)),
    Kind(r"(?:nif|cif|nie|dni|vat)", r"[A-Z][ -]?[0-9]{7}[ -]?[0-9A-Z]|[0-9]{8}[ -]?[A-Z]", ("es.nif",)),
    Kind(r"(?:nif|contribuinte|nipc)", rf"{_D3} ?{_D3} ?{_D3}", ("pt.nif",)),
    Kind(r"nip", r"[0-9]{3}-?[0-9]{2,3}-?[0-9]{2}-?[0-9]{2,3}", ("pl.nip",)),
    Kind(
        r"(?:btw|tva|ondernemingsnummer|rpr|rpm|bce|kbo)", r"[01]?[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}", ("be.vat",)
    ),
    Kind(r"rfc", r"[A-ZÑ&]{3,4}-?[0-9]{6}-?[A-Z0-9]{3}", ("mx.rfc",)),
    Kind(r"事業者登録番号|登録番号|登録 ?no", r"T ?[0-9]{13}", ("jp.cn",)),
    Kind(r"統一編號|統編|賣方|買方", r"[0-9]{8}", ("tw.ubn",), weak=True),
    Kind(r"사업자등록번호|등록번호", r"[0-9]{3}-[0-9]{2}-[0-9]{5}", ("kr.brn",)),
)
_MORE = (
    r"reg(?:istration|n|d)?|id(?:ent(?:ification|ifikation)?s?)?|no|nr|num(?:ber|mer|éro)?|code"
    r"|intracom[a-z]{0,12}|n[°º]|uid|mwst|vat"
)


def _valid(check: str, number: str) -> bool:
    return valid(check, number.removeprefix("T") if check == "jp.cn" else number)


_LABELLED = Labelled(
    "TAX_ID",
    _KINDS,
    _MORE,
    frozenset({"tin", "pan", "tax", "vat", "gst", "c.f.", "c.f", "cf", "nie", "btw", "tva"}),
    _valid,
)

_VAT_LABEL = re.compile(
    r"(?:vat|u(?:msatz)?st|uid|tva|btw|moms|mwst|iva|nif|cif|nip|tax|ust-?id)[^0-9\n]{0,30}\Z", re.IGNORECASE
)
_BEFORE = 40
_SHORT = 8
"""Digits of which one number in ten is valid by chance: such ones without a label have no gap behind their letters."""
_GSTIN = re.compile(r"[0-9]{2}[A-Z]{5}(?<![0-9A-Za-z].......)[0-9]{4}[A-Z][0-9A-Z]Z[0-9A-Z](?![0-9A-Za-z])")
_CNPJ = re.compile(r"[0-9]{2}\.(?<![0-9.]...)[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}(?![0-9])")
_NORWEGIAN = re.compile(r"(?=[0-9N])(?:NO ?)?[0-9]{3} ?[0-9]{3} ?[0-9]{3} ?MVA(?![A-Za-z])")
_BARE = ((_GSTIN, "in_.gstin"), (_CNPJ, "br.cnpj"), (_NORWEGIAN, "no.mva"))


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
            number = compact(match[0])
            if valid(module, number):
                yield found("TAX_ID", match.span(), 0.97, number)
    yield from _LABELLED.find(page)
