"""MRZ: zones of invented people, with computed check digits."""

from __future__ import annotations

import pytest

from pipeline.ner.patterns.mrz import find_mrzs, read_mrz


def digit(characters: str) -> str:
    """The check digit of ICAO 9303: weights 7, 3, 1."""
    values = [0 if c == "<" else int(c, 36) for c in characters]
    return str(sum(value * weight for value, weight in zip(values, (7, 3, 1) * 30, strict=False)) % 10)


def checked(characters: str) -> str:
    return characters + digit(characters)


NUMBER, BIRTH, EXPIRY = checked("X12345678"), checked("850317"), checked("310228")
_PERSONAL = checked("<" * 14)
PASSPORT = (
    "P<UTOVAN<TESTER<<MARY<ANN".ljust(44, "<"),
    f"{NUMBER}UTO{BIRTH}F{EXPIRY}{_PERSONAL}{digit(NUMBER + BIRTH + EXPIRY + _PERSONAL)}",
)
CARD_2 = (
    "I<UTOTESTER<<JO".ljust(36, "<"),
    f"{NUMBER}UTO{BIRTH}M{EXPIRY}{'<' * 7}{digit(NUMBER + BIRTH + EXPIRY + '<' * 7)}",
)
CARD_1 = (
    f"I<UTO{NUMBER}".ljust(30, "<"),
    f"{BIRTH}M{EXPIRY}UTO{'<' * 11}{digit(NUMBER + '<' * 15 + BIRTH + EXPIRY + '<' * 11)}",
    "TESTER<<JO".ljust(30, "<"),
)
VISA = ("V<UTOTESTER<<JO".ljust(44, "<"), f"{NUMBER}UTO{BIRTH}M{EXPIRY}{'<' * 16}")
_FRENCH_NUMBER, _FRENCH_BIRTH = checked("880692310285"), checked("651206")
_FRENCH = ("IDFRADUMONT".ljust(36, "<"), f"{_FRENCH_NUMBER}{'CLAIRE'.ljust(14, '<')}{_FRENCH_BIRTH}F")
FRENCH = (_FRENCH[0], _FRENCH[1] + digit("".join(_FRENCH)))


def page(lines: tuple[str, ...]) -> str:
    return "PASSPORT\nSome text\n" + "\n".join(lines) + "\nmore"


@pytest.mark.parametrize(
    ("kind", "lines"), [("TD3", PASSPORT), ("TD2", CARD_2), ("TD1", CARD_1), ("TD3", VISA), ("TD2", FRENCH)]
)
def test_zone(kind: str, lines: tuple[str, ...]) -> None:
    zone = read_mrz(page(lines))
    assert zone is not None
    assert (zone.kind, zone.valid, zone.lines) == (kind, True, lines)
    (mention,) = find_mrzs(page(lines))
    assert mention.value == page(lines)[mention.start : mention.end] == "\n".join(lines)
    assert mention.confidence > 0.9


def test_what_a_passport_says() -> None:
    zone = read_mrz(page(PASSPORT))
    assert zone is not None
    assert (zone.name, zone.surname, zone.given_names) == ("MARY ANN VAN TESTER", "VAN TESTER", "MARY ANN")
    assert (zone.document, zone.issuer, zone.nationality, zone.number) == ("P", "UTO", "UTO", "X12345678")
    assert (zone.birth_date, zone.sex, zone.expiry) == ("1985-03-17", "F", "2031-02-28")
    assert set(zone.checks) == {"number", "birth_date", "expiry", "composite"}


def test_what_cards_say() -> None:
    for lines in (CARD_1, CARD_2):
        zone = read_mrz(page(lines))
        assert zone is not None
        assert (zone.name, zone.number, zone.birth_date) == ("JO TESTER", "X12345678", "1985-03-17")
    french = read_mrz(page(FRENCH))
    assert french is not None
    assert (french.name, french.birth_date, french.expiry) == ("CLAIRE DUMONT", "1965-12-06", None)


def test_a_child_is_born_in_this_century() -> None:
    birth = checked("150317")
    lines = (VISA[0], f"{NUMBER}UTO{birth}M{EXPIRY}{'<' * 16}")
    zone = read_mrz(page(lines))
    assert zone is not None
    assert zone.birth_date == "2015-03-17"


def test_a_long_number_continues_in_the_optional_data() -> None:
    number = "D23145890734"
    first = f"I<UTO{number[:9]}<{number[9:]}{digit(number)}".ljust(30, "<")
    rest = f"{BIRTH}M{EXPIRY}UTO{'<' * 11}"
    lines = (first, rest + digit(first[5:30] + BIRTH + EXPIRY + "<" * 11), CARD_1[2])
    zone = read_mrz(page(lines))
    assert zone is not None
    assert (zone.number, zone.valid) == (number, True)


@pytest.mark.parametrize(
    ("at", "check"), [(2, "number"), (15, "birth_date"), (23, "expiry"), (43, "composite")]
)
def test_one_wrong_digit(at: int, check: str) -> None:
    wrong = "7" if PASSPORT[1][at] != "7" else "8"
    text = page((PASSPORT[0], PASSPORT[1][:at] + wrong + PASSPORT[1][at + 1 :]))
    zone = read_mrz(text)
    assert zone is not None
    assert not zone.checks[check]
    (mention,) = find_mrzs(text)
    assert mention.value is None
    assert mention.confidence < 0.5
    assert "\n" in text[mention.start : mention.end]


def test_misread_fillers_and_letters() -> None:
    first = PASSPORT[0][:-2].replace("<<MARY", "«MARY")
    second = PASSPORT[1].replace("850317", "85O3I7").replace("<<<<<<", "<<< <<<").lower()
    zone = read_mrz(page((first.replace("«", "< <"), second)))
    assert zone is not None
    assert (zone.valid, zone.name, zone.birth_date) == (True, "MARY ANN VAN TESTER", "1985-03-17")


def test_fillers_left_out_or_added() -> None:
    short = PASSPORT[1].replace("<" * 14, "<" * 6)
    for lines in (
        (PASSPORT[0][:32], short),
        (PASSPORT[0] + "<<", PASSPORT[1]),
        (CARD_1[0][:20], *CARD_1[1:]),
    ):
        zone = read_mrz(page(lines))
        assert zone is not None
        assert (zone.valid, zone.birth_date) == (True, "1985-03-17")


@pytest.mark.parametrize("lines", [PASSPORT, CARD_1, CARD_2])
def test_lines_printed_as_one(lines: tuple[str, ...]) -> None:
    for text in ("".join(lines), " ".join(lines)):
        zone = read_mrz(f"x\n{text}\ny")
        assert zone is not None
        assert (zone.valid, zone.lines) == (True, lines)
        assert (zone.start, zone.end) == (2, 2 + len(text))


def test_a_single_line_is_found() -> None:
    for line in PASSPORT:
        (mention,) = find_mrzs(f"x\n{line}\ny")
        assert (mention.start, mention.end, mention.value) == (2, 2 + len(line), None)
    assert read_mrz(PASSPORT[1]) is None


NO_ZONES = [
    *("", "<", "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", "P<UTO", "if a<b then c<d", "A" * 44 + "\n" + "1" * 44),
    "Copyright (c) 2016 Anna Example\nCopyright (c) 2017 Jo Example-Sample\nx < y",
    *("INVOICE<<<<<<<<<<<<<<<<<<<<<<<", "<" * 100_000, "<\n" * 50_000, ("P<UTOA<<B" + "<" * 35 + "\n") * 3),
]


@pytest.mark.parametrize("text", NO_ZONES)
def test_no_zone(text: str) -> None:
    assert read_mrz(text) is None
