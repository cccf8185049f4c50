"""ID_NUMBER outside China: national ids, social security and passport numbers, with their check digits or a label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention, PageLocale
from pipeline.ner.characters import found, plain
from pipeline.ner.checks import valid
from pipeline.ner.patterns.labels import Kind, Labelled, compact

_PASSPORT = (
    r"passport|passeport|reisepass(?:nummer|nr)?|passaport[oe]|pasaporte|paspoort|护照|護照|passnummer"
    r"|pass(?=[- ]?nr)|travel document"
)
_KINDS = (
    Kind(r"ssn|ss ?#|social security|soc\. ?sec\.?", r"[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}", ("us.ssn",)),
    Kind(r"itin", r"9[0-9]{2}[- ]?[0-9]{2}[- ]?[0-9]{4}", ("us.itin",)),
    Kind(
        r"nric|mykad|ic|i/c|k/p|kad pengenalan|identity card",
        r"[0-9]{6}[- ]?[0-9]{2}[- ]?[0-9]{4}",
        ("my.nric",),
    ),
    Kind(r"nric|fin|ic|uin", r"[STFGM][0-9]{7}[A-Z]", ("sg.nric",)),
    Kind(r"aadhaar|aadhar|uid|आधार", r"[0-9]{4} ?[0-9]{4} ?[0-9]{4}", ("in_.aadhaar",)),
    Kind(r"sin|social insurance", r"[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{3}", ("ca.sin",)),
    Kind(r"nhs", r"[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{4}", ("gb.nhs",)),
    Kind(r"national insurance|nino|ni", r"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]"),
    Kind(r"bsn|burgerservicenummer|sofi", r"[0-9]{4}\.?[0-9]{2}\.?[0-9]{3}|[0-9]{9}", ("nl.bsn",)),
    Kind(
        r"rijksregister|nrn|niss",
        r"[0-9]{2}\.?[0-9]{2}\.?[0-9]{2}-?[0-9]{3}\.?[0-9]{2}",
        ("be.nn",),
    ),
    Kind(r"dni|nie", r"[XYZ]?[ -]?[0-9]{7,8}[ -]?[A-Z]", ("es.nif",)),
    Kind(
        r"sécurité sociale|sécu|nir|insee|n° ?ss",
        r"[12] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3}(?: ?[0-9]{2})?",
        ("fr.nir",),
    ),
    Kind(r"cpf", r"[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}", ("br.cpf",)),
    Kind(r"pesel", r"[0-9]{11}", ("pl.pesel",)),
    Kind(
        r"codice fiscale|c\.? ?f\.?",
        r"[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]",
        ("it.codicefiscale",),
    ),
    Kind(r"curp", r"[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[0-9A-Z]{2}", ("mx.curp",)),
    Kind(r"身份證|身分證|統一證號", r"[A-Z][1289][0-9]{8}", ("tw.id",)),
    Kind(r"hkid|身份證|香港身份证|identity card", r"[A-Z]{1,2}[0-9]{6} ?\(?[0-9A]\)?", ("hk.id",)),
    Kind(r"personnummer|personnr", r"(?:19|20)?[0-9]{6}[-+]?[0-9]{4}", ("se.personnummer",)),
    Kind(r"fødselsnummer|fødselsnr|personnummer", r"[0-9]{6} ?[0-9]{5}", ("no.fodselsnummer",)),
    Kind(r"cpr", r"[0-9]{6}-?[0-9]{4}", ("dk.cpr",)),
    Kind(r"hetu|henkilötunnus", r"[0-9]{6}[-+A][0-9]{3}[0-9A-Z]", ("fi.hetu",)),
    Kind(r"ahv|avs|ahv-?(?:nummer|nr)", r"756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}", ("ch.ssn",)),
    Kind(
        r"(?:sozial|renten)?versicherungs-?(?:nummer|nr)|sv-?(?:nummer|nr)|rvnr",
        r"[0-9]{2} ?[0-9]{6} ?[A-Z] ?[0-9]{3}",
    ),
    Kind(
        r"(?:港澳[一-龥]{0,8}|台湾居民来往大陆)通行证|台胞证|回乡证|居留证|军官证|社会保障号码?|社保卡?号|医保(?:个人)?编号"
        r"|医保卡?号|个人编号",
        r"[A-Z]{0,2}[0-9]{8,18}[A-Z]?",
    ),
    Kind(r"주민등록번호", r"[0-9]{6}-?[0-9]{7}", ("kr.rrn",)),
    Kind(
        _PASSPORT,
        r"[A-Z]{1,3}[ ]?[0-9]{5,8}[A-Z]?|[0-9]{2}[A-Z]{2}[0-9]{5}|[CFGHJKLMNPRTVWXYZ0-9]{9}|[0-9]{8,9}",
    ),
    Kind(
        r"identity card|(?:personal)?ausweis(?:nummer|nr)?|carte d'identité|driver'?s? licen[cs]e|driving licen[cs]e",
        r"[A-Z0-9]{0,4}[0-9]{6,10}[A-Z0-9]{0,3}",
    ),
)
_SSN = re.compile(r"[0-9]{3}(?<![0-9A-Za-z.,/-]...)-[0-9]{2}-[0-9]{4}(?![0-9A-Za-z]|[-/.,][0-9])")
_SINGAPORE = re.compile(r"[STFGM](?<![0-9A-Za-z].)[0-9]{7}[A-Z](?![0-9A-Za-z])")
_MALAYSIA = re.compile(r"[0-9]{6}(?<![0-9A-Za-z-].{6})-[0-9]{2}-[0-9]{4}(?![0-9A-Za-z-])")
_CPF = re.compile(r"[0-9]{3}\.(?<![0-9.]....)[0-9]{3}\.[0-9]{3}-[0-9]{2}(?![0-9])")
_FISCALE = re.compile(
    r"[A-Z]{6}(?<![0-9A-Za-z]......)[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z](?![0-9A-Za-z])"
)
_SWISS = re.compile(r"756\.(?<![0-9.]....)[0-9]{4}\.[0-9]{4}\.[0-9]{2}(?![0-9])")
_HONGKONG = re.compile(r"[A-Z](?<![0-9A-Za-z].)[A-Z]?[0-9]{6}\([0-9A]\)")
_TAIWAN = re.compile(r"[A-Z](?<![0-9A-Za-z].)[12][0-9]{8}(?![0-9A-Za-z])")
_BARE = (
    (_SINGAPORE, "sg.nric", 0.9, None),
    (_CPF, "br.cpf", 0.9, None),
    (_FISCALE, "it.codicefiscale", 0.97, None),
    (_SWISS, "ch.ssn", 0.97, None),
    (_HONGKONG, "hk.id", 0.9, None),
    (_SSN, "us.ssn", 0.7, "US"),
    (_MALAYSIA, "my.nric", 0.8, "MY"),
    (_TAIWAN, "tw.id", 0.8, "TW"),
)


def find_personal_ids(text: str, locale: PageLocale | None = None) -> Iterator[Mention]:
    """Yield the ID_NUMBER mentions of `text` of other countries than China; the value is compact.

    After their label, and where the form is strict enough also without one. US, Malaysian and Taiwanese numbers without
    a label only on pages of that country.
    """
    page = plain(text)
    country = locale.country if locale else None
    for form, module, confidence, only in _BARE:
        if only in {None, country}:
            for match in form.finditer(page):
                if _valid(module, compact(match[0])):
                    yield found("ID_NUMBER", match.span(), confidence, compact(match[0]))
    yield from _LABELLED.find(page)


def nric_check(number: str) -> bool:
    """Whether the check letter of a Singapore NRIC or FIN is right."""
    letters = {
        "S": "JZIHGFEDCBA",
        "T": "JZIHGFEDCBA",
        "F": "XWUTRQPNMLK",
        "G": "XWUTRQPNMLK",
        "M": "XWUTRQPNJLK",
    }
    total = sum(int(digit) * weight for digit, weight in zip(number[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True))
    total += {"T": 4, "G": 4, "M": 3}.get(number[0], 0)
    return letters[number[0]][total % 11] == number[8]


def hkid_check(number: str) -> bool:
    """Whether the check character of a Hong Kong identity card is right (weights 9 to 1, modulo 11)."""
    values = [36, *(int(c, 36) for c in number)][-9:]
    return sum(value * weight for value, weight in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


def taiwan_check(number: str) -> bool:
    """Whether the last digit of a Taiwanese national id is right."""
    area = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0]) + 10
    digits = [area // 10, area % 10, *(int(digit) for digit in number[1:])]
    return (
        sum(digit * weight for digit, weight in zip(digits, (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1), strict=True))
        % 10
        == 0
    )


def _valid(check: str, number: str) -> bool:
    own = {"sg.nric": nric_check, "hk.id": hkid_check, "tw.id": taiwan_check}.get(check)
    return own(number) if own else valid(check, number)


_LABELLED = Labelled(
    "ID_NUMBER",
    _KINDS,
    r"card|no|nr|n[°ºo]|num(?:ber|mer|éro)?|号码|号|號碼|字號|id|#",
    frozenset({"ic", "i/c", "k/p", "fin", "uin", "uid", "sin", "ni", "nie", "nir", "c.f.", "c.f", "cf"}),
    _valid,
)
