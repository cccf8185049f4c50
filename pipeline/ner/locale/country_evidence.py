"""What on a page is evidence for its country: forms of postcodes, phones and amounts, and words."""

from __future__ import annotations

import re

ABROAD = "-"
"""Evidence against the United States and for no single country, such as a euro sign or the word VAT."""

_BY_DIGIT = (
    "CT MA ME NH NJ RI VT PR", "NY PA DE", "DC MD NC SC VA WV", "AL FL GA MS TN", "IN KY MI OH",
    "IA MN MT ND SD WI", "IL KS MO NE", "AR LA OK TX", "AZ CO ID NM NV UT WY", "AK CA HI OR WA",
)  # fmt: skip
ZIP_DIGIT = {state: str(digit) for digit, states in enumerate(_BY_DIGIT) for state in states.split()}
"""First digit of the ZIP codes of each state."""
_STATE_NAMES = (
    "alabama alaska arizona arkansas california colorado connecticut delaware florida hawaii idaho illinois indiana"
    " iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana"
    " nebraska nevada hampshire jersey mexico york carolina dakota ohio oklahoma oregon pennsylvania island tennessee"
    " texas utah vermont virginia washington wisconsin wyoming"
)
STATE_NAMES = frozenset(_STATE_NAMES.split())
"""Names of states, or their last words."""
CODES = re.compile(r"[0-9]{5}(?:[0-9]|[0-9]{4})?(?![0-9A-Za-z])")
"""Candidates for postcodes of five or six digits, or of nine (ZIP+4)."""
WORD_BEFORE = re.compile(r"([A-Z]?[a-z]+|[A-Z]+)[ ,.(]{0,3}\Z")

NANP = re.compile(
    r"(?P<area>[2-9][0-9]{2})\)? ?[-.]? ?[2-9][0-9]{2} ?[-.] ?[0-9]{4}(?![0-9A-Za-z]|[-.,/][0-9])"
)
"""A phone number of North America: (212) 555-0123, 212-555-0123, 212.555.0123."""
NOT_BEFORE = re.compile(r"(?<!1)[-.]\Z|[0-9A-Za-z+,/]\Z|[0-9][0-9][-. ]\(?\Z")
"""What a phone number does not follow."""
_CANADIAN_AREAS = (
    "204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 403 416 418 428 431 437 438 450 468 474 506 514 519"
    " 548 568 579 581 584 587 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 902 905"
)
CANADIAN_AREAS = frozenset(_CANADIAN_AREAS.split())
DIALLED = re.compile(
    r"(?:\+ ?|00(?<![0-9A-Za-z.,-]00)(?=[1-9][0-9]{1,2}[ .(-]))(?P<code>[1-9][0-9]{1,2})(?=(?:[ ().-]{0,2}[0-9]){6})"
)
DIALLING = {
    "20": "EG", "27": "ZA", "30": "GR", "31": "NL", "32": "BE", "33": "FR", "34": "ES", "36": "HU", "39": "IT",
    "40": "RO", "41": "CH", "43": "AT", "44": "GB", "45": "DK", "46": "SE", "47": "NO", "48": "PL", "49": "DE",
    "51": "PE", "52": "MX", "54": "AR", "55": "BR", "56": "CL", "57": "CO", "60": "MY", "61": "AU", "62": "ID",
    "63": "PH", "64": "NZ", "65": "SG", "66": "TH", "81": "JP", "82": "KR", "84": "VN", "86": "CN", "90": "TR",
    "91": "IN", "92": "PK", "94": "LK", "351": "PT", "352": "LU", "353": "IE", "358": "FI", "370": "LT", "371": "LV",
    "372": "EE", "380": "UA", "385": "HR", "386": "SI", "420": "CZ", "421": "SK", "852": "HK", "853": "MO",
    "880": "BD", "886": "TW", "961": "LB", "965": "KW", "966": "SA", "971": "AE", "972": "IL", "974": "QA",
}  # fmt: skip

FORMS: tuple[tuple[re.Pattern[str], str, float], ...] = tuple(
    (re.compile(form), country, weight)
    for form, country, weight in (
        (
            r"[0-9](?:(?<=[A-Z][0-9] [0-9])|(?<=[A-Z][0-9][0-9A-Z] [0-9]))[ABD-HJLNP-UW-Z]{2}(?![0-9A-Za-z])",
            "GB",
            2,
        ),
        (r"[0-9](?<=[ABCEGHJ-NPRSTVXY][0-9][A-Z] [0-9])[A-Z][0-9](?![0-9A-Za-z])", "CA", 2),
        (r"D-(?<![A-Za-z]D-)[0-9]{5} [A-ZÄÖÜ]", "DE", 2),
        (r"F-(?<![A-Za-z]F-)[0-9]{5} [A-ZÉ]", "FR", 2),
        (r"CH-[1-9][0-9]{3}(?![0-9])", "CH", 2),
        (r"CHE[- ]?[0-9]{3}[. ]?[0-9]{3}", "CH", 2),
        (r"A-(?<![A-Za-z]A-)[1-9][0-9]{3} [A-ZÄÖÜ]", "AT", 2),
        (r"ATU ?[0-9]{8}(?![0-9])", "AT", 2),
        (r"[1-9](?<![0-9A-Za-z,.-][0-9])[0-9]{3} [A-Z]{2} {1,2}[A-Z][A-Za-z]{2}", "NL", 2),
        (r"[0-9](?:(?<=NSW [0-9])|(?<=VIC [0-9])|(?<=QLD [0-9])|(?<=TAS [0-9]))[0-9]{3}(?![0-9])", "AU", 2),
        (r"RM(?<![A-Za-z]RM) ?[0-9]", "MY", 2),
        (r"S\$(?<!US\$) ?[0-9]", "SG", 2),
        (r"HK\$", "HK", 2),
        (r"NT\$", "TW", 2),
        (r"R\$ ?[0-9]", "BR", 2),
        (r"₹", "IN", 2),
        (r"Rs(?<![A-Za-z]Rs)\.? ?[0-9]", "IN", 1.5),
        (r"₩", "KR", 2),
        (r"฿", "TH", 2),
        (r"₱", "PH", 2),
        (r"₫", "VN", 2),
        (r"₺", "TR", 2),
        (r"zł", "PL", 2),
        (r"Kč", "CZ", 2),
        (r"£ ?[0-9]", "GB", 1.5),
        (r"[£€]", ABROAD, 1.5),
        (r"〒 ?[0-9]{3}-[0-9]{4}", "JP", 2),
        (r"S\.L\.(?<![A-Za-z]....)(?:U\.)?(?![A-Za-z])", "ES", 1.5),
        (r"C\.I\.F(?![A-Za-z])", "ES", 1.5),
        (r"P\. ?IVA|S\.r\.l\.|S\.p\.A\.|S\.R\.L\.", "IT", 1.5),
        (r"B0[0-9](?<=[0-9]{3}B0[0-9])(?![0-9A-Za-z])|B0[0-9](?<=[0-9]\.B0[0-9])(?![0-9A-Za-z])", "NL", 1.5),
        (r"税込|税抜|消費税|株式会社|有限会社|御請求", "JP", 4.5),
        (r"香港|九龍", "HK", 2),
        (r"[Ss]ort ?[Cc]ode", "GB", 1),  # of Ireland too
        (r"澳門", "MO", 2),
        (r"S/\.? ?[0-9](?<![A-Za-z0-9/]S/[0-9])", "PE", 0.75),
        (r"統一編號|統一發票|賣方|[臺台][北中南]|高雄|新北|桃園|臺灣|台灣|新臺幣|新台幣", "TW", 2),
    )
)
# Five digits and the name of a town: in which country, the language tells.
DOMAIN = re.compile(
    r"\.(?<=[a-z0-9-]{2}\.)(?:com?\.)?"
    r"(?P<country>at|au|be|br|ca|ch|cz|de|dk|es|fi|fr|hk|ie|in|it|jp|my|nl|no|nz|ph|pl|pt|se|sg|th|tw|uk|za)(?![A-Za-z0-9-])"
)
"""The end of a website or e-mail address."""
TOWN = re.compile(r"[0-9](?<![0-9A-Za-z.,-][0-9])[0-9]{4} [A-ZÄÖÜÉÎ][A-Za-zÀ-ÿ]{2}")
OF_LANGUAGE = {"de": "DE", "fr": "FR", "es": "ES", "it": "IT"}

_WORDS: dict[str, tuple[tuple[str, float], ...]] = {
    "MY": (
        (
            "malaysia kuala selangor johor penang sarawak sabah melaka perak kedah kelantan terengganu pahang putrajaya"
            " jalan tunai faks jumlah",
            2,
        ),
        ("sdn bhd", 3),
        ("taman gst sst", 0.75),
    ),
    "SG": (("singapore spore", 2), ("pte uen", 2), ("gst", 0.75)),
    "HK": (("kowloon hongkong hkd", 2),),
    "CH": (("schweiz suisse svizzera switzerland", 2), ("chf", 1.5), ("zürich", 1)),
    "AT": (("österreich austria", 2), ("wien firmenbuch firmenbuchnummer", 1)),
    "DE": (
        ("deutschland germany", 2),
        ("gmbh ust mwst umsatzsteuer mehrwertsteuer", 1),
        ("handelsregister amtsgericht finanzamt hrb hra ustidnr steuernummer", 1.5),
    ),
    "FR": (("france", 2), ("siret siren naf rcs ape", 2), ("sarl", 1), ("tva", 0.5), ("paris", 0.75)),
    "BE": (("belgique belgië belgium", 2), ("sprl bvba", 2), ("tva btw", 0.5)),
    "LU": (("luxembourg", 2),),
    "NL": (("nederland netherlands", 2), ("kvk", 2), ("btw bv", 1), ("amsterdam", 1)),
    "ES": (("españa spain", 2), ("cif madrid barcelona", 1)),
    "IT": (("italia italy", 2), ("srl fiscale piva", 1.5), ("roma milano", 0.75)),
    "PT": (("portugal", 2), ("nipc lda contribuinte", 1.5), ("lisboa", 1)),
    "BR": (("brasil brazil", 2), ("cnpj cpf", 2), ("ltda", 1)),
    "GB": (("kingdom england scotland wales", 2), ("london", 1.5), ("vat", 0.5), ("gbp", 1)),
    "IE": (("ireland dublin", 2),),
    "AU": (
        ("australia", 2),
        ("abn", 2),
        ("pty", 1),
        ("gst aud", 0.75),
        ("sydney melbourne brisbane perth", 1),
    ),
    "NZ": (("zealand", 2), ("nzbn", 2), ("gst nzd", 0.75), ("auckland", 1)),
    "IN": (
        ("india", 2),
        ("gstin cgst sgst igst pvt hsn", 2),
        ("gst inr", 0.75),
        ("mumbai delhi bangalore bengaluru chennai hyderabad", 1.5),
    ),
    "CA": (
        ("canada", 2),
        ("hst qst tvq tps", 2),
        ("gst cad", 0.75),
        ("toronto ontario québec quebec montréal montreal vancouver calgary ottawa alberta", 1),
    ),
    "US": (
        ("usa", 2),
        ("llc inc ein", 0.5),
        (
            "arizona california colorado florida illinois indiana massachusetts michigan minnesota missouri nevada ohio"
            " oklahoma oregon pennsylvania tennessee texas utah virginia wisconsin",
            0.75,
        ),
    ),
    "AE": (("uae emirates dubai", 2), ("trn aed", 1.5)),
    "PL": (("polska poland", 2), ("pln nabywca sprzedawca", 1.5), ("warszawa kraków wrocław nip", 1)),
    "CZ": (("republika", 1), ("czk dič ičo odběratel dodavatel", 1.5), ("praha brno ostrava", 1)),
    "DK": (("danmark denmark", 2), ("aps cvr dkk forfaldsdato", 1.5), ("københavn aarhus odense", 1)),
    "SE": (
        ("sverige sweden", 2),
        ("bankgiro plusgiro förfallodatum fakturadatum", 1.5),
        ("moms", 0.75),
        ("stockholm göteborg malmö uppsala", 1),
    ),
    "NO": (("norge norway", 2), ("mva forfallsdato", 1.5), ("oslo trondheim stavanger", 1)),
    "FI": (("suomi finland", 2),),
    "TH": (("thailand bangkok", 2), ("thb baht", 1.5)),
    "ID": (("indonesia jakarta", 2), ("idr", 1.5)),
    "PH": (("philippines manila", 2), ("php", 1), ("makati quezon cebu", 1)),
    "VN": (("vietnam", 2), ("vnd", 1.5)),
    "JP": (("japan tokyo", 2), ("jpy", 1)),
    "KR": (("korea seoul", 2), ("krw", 1.5)),
    "TW": (("taiwan taipei", 2), ("ntd twd", 1.5)),
    "ZA": (("africa zar", 1.5), ("rand pty", 1), ("johannesburg pretoria durban gauteng", 1.5)),
    "TR": (("türkiye turkey", 1),),
    "MX": (("méxico", 2), ("mexico", 1), ("rfc mxn cfdi", 1.5)),
    "AR": (("argentina", 2), ("cuit ars", 1.5)),
    "CL": (("chile", 1), ("clp santiago", 1)),
    "CO": (("colombia", 2), ("bogotá", 1.5)),
    "PE": (("perú peru", 2), ("ruc sunat lima", 1)),
    ABROAD: (("gst vat tva mwst iva btw ust eur gbp", 1.5),),
}
OF_WORD: dict[str, list[tuple[str, float]]] = {}
for _country, _groups in _WORDS.items():
    for _group, _weight in _groups:
        for _word in _group.split():
            OF_WORD.setdefault(_word, []).append((_country, _weight))
