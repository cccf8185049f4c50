"""Names of currencies as printed: ISO 4217 codes, signs and words, each with the currencies it can stand for.

Codes and English names come from CLDR through Babel, read when the first amount is looked for. The signs that
countries use for their own currency are listed here: CLDR keeps them in one file per locale, and reading them all
takes seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


def _pairs(table: str) -> dict[str, str]:
    """`€ EUR  ₩ KRW`: each word and what follows it."""
    words = table.split()
    return dict(zip(words[::2], words[1::2], strict=True))


_OWN = _pairs("""
    € EUR  ₩ KRW  ฿ THB  ₹ INR  ₽ RUB  ₺ TRY  ₴ UAH  ₪ ILS  ₫ VND  ₱ PHP  ₦ NGN  ₡ CRC  ₲ PYG  ₸ KZT  ₾ GEL
    ₼ AZN  ₭ LAK  ៛ KHR  ₮ MNT  ֏ AMD  ৳ BDT  ؋ AFN  ₵ GHS  RMB CNY  RM MYR  Rp IDR  Kč CZK  zł PLN  Ft HUF
    lei RON  лв BGN  руб RUB  грн UAH  TL TRY  KSh KES  Ksh KES  TSh TZS  USh UGX  Php PHP
    SFr CHF  sFr CHF  Fr CHF  FCFA XOF  DM DEM
""")
_DOLLARS = _pairs("""
    US USD  U.S USD  U.S. USD  S SGD  HK HKD  NT TWD  A AUD  AU AUD  C CAD  CA CAD  CAN CAD  NZ NZD
    AR ARS  CL CLP  CO COP  COP COP  MOP MOP  DOP DOP
    MX MXN  MEX MXN  R BRL  RD DOP  EC XCD  BZ BZD  J JMD  TT TTD  B BND
""")
"""Letters in front of `$`."""
_APART = {
    front: _DOLLARS[front] for front in ("US", "U.S", "U.S.", "HK", "NT", "NZ", "C", "MEX", "COP", "DOP")
}
_YENS = {"JP": "JPY", "CN": "CNY"}
_DOLLAR = tuple(
    re.findall("...", "USDAUDCADSGDHKDNZDTWDMXNARSCLPCOPUYUBBDBMDBNDBSDBZDFJDGYDJMDKYDLRDNADSBDSRDTTDXCD")
)
_RUPEE = ("INR", "PKR", "LKR", "NPR", "MUR", "SCR")
_SHARED: dict[str, tuple[str, ...]] = {
    "$": _DOLLAR,
    "¥": ("CNY", "JPY"),
    "£": ("GBP", "EGP", "FKP", "GIP", "LBP", "SHP", "SSP", "SYP"),
    "Rs": _RUPEE,
    "₨": _RUPEE,
    "kr": ("", "SEK", "NOK", "DKK", "ISK"),
}
"""Signs of several currencies: the first is meant where nothing else is known, "" none is."""
_WORDS = _pairs("""
    dollar $  dollars $  bucks $  dólar $  dólares $  pound £  pounds £  quid £  libras £  sterline £  rupee Rs
    rupees Rs  krone kr  kroner kr  sterling GBP  yen JPY  yuan CNY  renminbi CNY  kuai CNY  won KRW  baht THB
    ringgit MYR  euro EUR  euros EUR  ruble RUB  rubles RUB  rouble RUB  roubles RUB  zloty PLN  zlotys PLN
    złotych PLN  złoty PLN  forint HUF  rand ZAR  reais BRL  shekel ILS  shekels ILS  lira TRY  kronor SEK
    krona SEK  franken CHF  pesetas ESP  guilders NLG  markka FIM  franc -  francs -  peso -  pesos -
    dinars -  dirhams -  lire ITL  rupiah IDR  zlotys PLN  mark -  marks -
""")
_PARTS = _pairs("cent $  cents $  pence £  penny £  ct EUR  eurocent EUR  centimes -")
_LOWER_CODES = ("usd", "eur", "gbp", "cny", "hkd", "jpy", "chf", "aud", "sgd", "myr")
_LOWER = frozenset({*_WORDS, *_PARTS, *_LOWER_CODES, "rmb"})
"""Names that count in capitals and small letters; of codes only those that are no words."""
HAN = _pairs("""
    元 CNY  圆 CNY  圓 CNY  块 CNY  人民币 CNY  人民幣 CNY  美元 USD  美金 USD  港元 HKD  港币 HKD
    港幣 HKD  欧元 EUR  日元 JPY  円 JPY
    英镑 GBP  新元 SGD  新加坡元 SGD  澳元 AUD  加元 CAD  韩元 KRW  泰铢 THB  令吉 MYR  林吉特 MYR  新台币 TWD
    新臺幣 TWD  新台幣 TWD  台币 TWD  臺幣 TWD  台幣 TWD
    瑞士法郎 CHF  歐元 EUR  日圓 JPY  日幣 JPY  英鎊 GBP  韓元 KRW  泰銖 THB  澳幣 AUD  加幣 CAD  塊 CNY  원 KRW
    卢布 RUB  印度卢比 INR  澳门元 MOP  越南盾 VND  新西兰元 NZD
""")
"""Chinese words for currencies."""
IN_FRONT = tuple(name for name in HAN if name[-1] in "币幣金" and name not in ("日幣", "澳幣", "加幣"))
"""Those that are in front of an amount too: 港币 5,000 元."""
CHINESE = ("CNY", "TWD", "HKD", "MOP")
"""Currencies whose unit is called 元; the country of the page tells which."""
_AMBIGUOUS = frozenset(re.findall("...", "ALLAMDANGBAMBOBCOPCUPDOPGELLAKMADMOPNADPENRONSARSOSTOPTRY"))
"""Codes that are words or names of things too."""
_LONG = 4
_NO_NAMES = frozenset({"real", "reals", "unit", "units", "sols", "leone", "leones"})
"""Last words of English names that are other words too."""
_FORMER = frozenset({"HRK", "DEM", "FRF", "ITL", "NLG", "ATS", "GRD", "IEP", "EEK", "LVL", "LTL", "SKK"})
"""Codes of currencies that old papers have."""
_COUNTRIES = _pairs("""
    US USD  CN CNY  GB GBP  JP JPY  CH CHF  LI CHF  MY MYR  SG SGD  HK HKD  TW TWD  AU AUD  CA CAD  NZ NZD  IN INR
    KR KRW  TH THB  AT EUR  BE EUR  DE EUR  ES EUR  FI EUR  FR EUR  GR EUR  IE EUR  IT EUR  LU EUR  NL EUR  PT EUR
""")
_BEFORE = frozenset({"$", "¥", "£", "RM", "₹", "₩", "₱", "₨", "Rs", "Rp"})


@dataclass(frozen=True, slots=True)
class Currency:
    """What a printed name means: one code, or one of several that the page decides.

    `noun`: a word behind its amount. `before`: a sign in front of it. `part`: how many make
    one unit (100 cents). `scale`: 1000000 for MEUR. `weak`: counts only on a page with that currency.
    """

    codes: tuple[str, ...]
    noun: bool = False
    before: bool = False
    part: int = 1
    scale: int = 1
    weak: bool = False

    def code(self, currency: str | None) -> str | None:
        """The code meant on a page with this currency."""
        if currency in self.codes:
            return currency
        return self.codes[0] or None


def currency_in(country: str | None) -> str | None:
    """The legal tender of a country, by ISO 3166."""
    if country is None or country in _COUNTRIES:
        return _COUNTRIES.get(country or "")
    from babel.core import get_global

    known = get_global("territory_currencies").get(country, ())
    tender = [code for code, _, until, legal in known if until is None and legal]
    return tender[0] if tender else None


def named(name: str) -> Currency | None:
    """The currency that a word or sign names: `EUR`, `Kč`, `HK$`, `dollars`, `MEUR`, `美元`."""
    table = _names()
    if name in table:
        return table[name]
    if name[-1:] in ("$", "¥"):
        front, apart = name[:-1].rstrip(), " " in name
        known = _APART if apart else _DOLLARS if name[-1] == "$" else _YENS
        # A letter alone is a word in lower case, and so are some codes.
        lower = (apart or len(front) > 1) and front.upper() not in _AMBIGUOUS
        code = known.get(front.upper() if lower else front)
        code = code or (front.upper() if len(front) == 3 and not apart and lower else "")
        return Currency((code,), before=True) if code in table else None
    return table.get(name.lower()) if name.lower() in _LOWER and name != "CT" else None


def all_names() -> list[str]:
    """All names of one word."""
    return list(_names())


@cache
def _names() -> dict[str, Currency]:
    table = {code: Currency((code,), weak=code in _AMBIGUOUS) for code in _codes()}
    for code in ("EUR", "USD", "GBP", "CHF", "AUD", "CAD", "SEK", "NOK", "DKK", "JPY", "CNY"):
        for letter, scale in (("K", 10**3), ("T", 10**3), ("M", 10**6)):
            table[letter + code] = Currency((code,), scale=scale)
    table |= {code: table[code.upper()] for code in _LOWER_CODES}
    signs: dict[str, tuple[str, ...]] = (
        {sign: (code,) for sign, code in _OWN.items()} | _SHARED | {"-": ("",)}
    )
    table |= {sign: Currency(codes, before=sign in _BEFORE) for sign, codes in signs.items()}
    table |= {"R": Currency(("", "ZAR"), before=True, weak=True), "Kr": table["kr"]}
    table |= {"P": Currency(("", "PHP"), before=True, weak=True)}
    table |= {"S/": Currency(("", "PEN"), before=True, weak=True)}
    table |= {"Fr": Currency(("CHF",), weak=True), "TL": Currency(("TRY",), weak=True)}
    table |= {word: Currency(signs.get(sign, (sign,)), noun=True) for word, sign in _WORDS.items()}
    signs["$"] = (*_DOLLAR, "EUR", "ZAR")
    table |= {word: Currency(signs.get(sign, (sign,)), noun=True, part=100) for word, sign in _PARTS.items()}
    table |= dict.fromkeys(("euro", "euros"), Currency(("EUR",)))
    table |= {word: Currency((code,), noun=True) for word, code in HAN.items()}
    table |= dict.fromkeys(("元", "圆", "圓", "块", "塊"), Currency(CHINESE, noun=True))
    table |= {word: Currency((HAN[word],)) for word in IN_FRONT}
    return table | {"rmb": table["人民币"]}


@cache
def phrases() -> tuple[frozenset[str], re.Pattern[str], dict[str, Currency]]:
    """English names (`US dollars`, `Turkish lira`, `naira`): their first words, a pattern, and what they mean."""
    names = [(code, name.lower()) for code, name in _english() if not re.search(r"[0-9()]", name)]
    table = {name: Currency((code,), noun=True) for code, name in names if " " in name}
    last: dict[str, set[str]] = {}
    for code, name in names:
        last.setdefault(name.split()[-1], set()).add(code)
    known, now = _names(), set(_codes())
    for word, codes in last.items():
        if (
            len(codes) == 1
            and codes <= now
            and len(word) >= _LONG
            and word not in known
            and word not in _NO_NAMES
        ):
            table[word] = Currency(tuple(codes), noun=True)
    pounds = Currency(("GBP",), noun=True)
    table |= {
        "pounds sterling": pounds,
        "pound sterling": pounds,
        "chinese yuan": Currency(("CNY",), noun=True),
    }
    longest = sorted(table, key=len, reverse=True)
    pattern = re.compile(f"(?:{'|'.join(map(re.escape, longest))})(?![a-z])", re.IGNORECASE)
    return frozenset(name.split()[0] for name in table), pattern, table


def _codes() -> list[str]:
    from babel.core import get_global

    known = get_global("territory_currencies").values()
    tender = {code for each in known for code, _, until, legal in each if until is None and legal}
    return sorted(tender | _FORMER | {"CNY", "CNH", "EUR", "CHF"})


def _english() -> list[tuple[str, str]]:
    from babel import Locale

    english = Locale("en")
    pairs = list(english.currencies.items())
    for code, plural in english._data["currency_names_plural"].items():
        pairs += [(code, name) for name in dict(plural).values()]
    return pairs
