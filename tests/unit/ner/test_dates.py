"""DATE recogniser: formats, calendar, near misses."""

from __future__ import annotations

from typing import Literal

import pytest

from pipeline.models import PageLocale
from pipeline.ner.patterns.dates import find_dates

HITS = [
    ("4. marts 2024 København", "4. marts 2024", "2024-03-04"),
    ("4 marca 2024 r. Warszawa", "4 marca 2024", "2024-03-04"),
    ("4. března 2024", "4. března 2024", "2024-03-04"),
    ("den 4 maj 2024", "4 maj 2024", "2024-05-04"),
    ("2024년 3월 4일", "2024년 3월 4일", "2024-03-04"),
    ("开票日期：2023年8月26日", "2023年8月26日", "2023-08-26"),
    ("2023 年 08 月 26 日", "2023 年 08 月 26 日", "2023-08-26"),
    ("２０２３年８月２６日", "２０２３年８月２６日", "2023-08-26"),
    ("2023年08月26曰", "2023年08月26曰", "2023-08-26"),
    ("于二〇二三年八月二十六日签订", "二〇二三年八月二十六日", "2023-08-26"),
    ("二零二三年十二月三十一日", "二零二三年十二月三十一日", "2023-12-31"),
    ("贰零贰叁年零捌月贰拾陆日", "贰零贰叁年零捌月贰拾陆日", "2023-08-26"),
    ("2023年8月", "2023年8月", "2023-08"),
    ("二〇二三年八月", "二〇二三年八月", "2023-08"),
    ("23年8月26日", "23年8月26日", "2023-08-26"),
    ("2023/8/26", "2023/8/26", "2023-08-26"),
    ("2023-08-26", "2023-08-26", "2023-08-26"),
    ("2023.08.26", "2023.08.26", "2023-08-26"),
    ("2023 - 08 - 26", "2023 - 08 - 26", "2023-08-26"),
    ("at 2018-03-12T10:22:05Z", "2018-03-12", "2018-03-12"),
    ("交易时间: 20180312102233", "20180312", "2018-03-12"),
    ("日期 20230826", "20230826", "2023-08-26"),
    ("20230826 10:22", "20230826", "2023-08-26"),
    ("日期 2023 08 26", "2023 08 26", "2023-08-26"),
    ("期间: 2023-08", "2023-08", "2023-08"),
    ("Date:25/12/2018", "25/12/2018", "2018-12-25"),
    ("25/12/201812:33", "25/12/2018", "2018-12-25"),
    ("27/05/20188:07 PM", "27/05/2018", "2018-05-27"),
    ("05/01/1811:44", "05/01/18", "2018-01-05"),
    ("copy 1: 15/01/2018 15:11", "15/01/2018", "2018-01-15"),
    ("12/05/18:12:33", "12/05/18", "2018-05-12"),
    ("25-12-18 13:49 SH01", "25-12-18", "2018-12-25"),
    ("Date20-05-18", "20-05-18", "2018-05-20"),
    ("12/08/17TIME", "12/08/17", "2017-08-12"),
    ("05-05~18", "05-05~18", "2018-05-05"),
    ("25.12.2018", "25.12.2018", "2018-12-25"),
    ("25 . 12 . 2018", "25 . 12 . 2018", "2018-12-25"),
    ("25.12.18", "25.12.18", "2018-12-25"),
    ("25/12/76", "25/12/76", "1976-12-25"),
    ("3/4/2018", "3/4/2018", "2018-04-03"),
    ("12/25/2018", "12/25/2018", "2018-12-25"),
    ("报告日期 10-08-06", "10-08-06", "2010-08-06"),
    ("O5/01/2O18", "O5/01/2O18", "2018-01-05"),
    ("12 Mar 2018", "12 Mar 2018", "2018-03-12"),
    ("12-MAR-18", "12-MAR-18", "2018-03-12"),
    ("30-Jan-18", "30-Jan-18", "2018-01-30"),
    ("12/Mar/2018", "12/Mar/2018", "2018-03-12"),
    ("12MAR2018", "12MAR2018", "2018-03-12"),
    ("24 Mar 1809:12:41", "24 Mar 18", "2018-03-24"),
    ("1st of June, 2018", "1st of June, 2018", "2018-06-01"),
    ("15 OGOS 2018", "15 OGOS 2018", "2018-08-15"),
    ("March 12, 2018", "March 12, 2018", "2018-03-12"),
    ("Mar 12 2018", "Mar 12 2018", "2018-03-12"),
    ("2018-Mar-12", "2018-Mar-12", "2018-03-12"),
    ("in March 2018.", "March 2018", "2018-03"),
    ("Date 25 12 2018", "25 12 2018", "2018-12-25"),
    ("29/02/2016", "29/02/2016", "2016-02-29"),
    ("Berlin, den 12. März 2018", "12. März 2018", "2018-03-12"),
    ("Lieferdatum: 10. Okt. 2023", "10. Okt. 2023", "2023-10-10"),
    ("le 1er juin 2014", "1er juin 2014", "2014-06-01"),
    ("9 aout 2019", "9 aout 2019", "2019-08-09"),
    ("2 févr. 2018", "2 févr. 2018", "2018-02-02"),
    ("el 5 de mayo de 2020", "5 de mayo de 2020", "2020-05-05"),
    ("5 de abril del 2020", "5 de abril del 2020", "2020-04-05"),
    ("12 de outubro de 2021", "12 de outubro de 2021", "2021-10-12"),
    ("8 maggio 2014", "8 maggio 2014", "2014-05-08"),
    ("3 mrt 2014", "3 mrt 2014", "2014-03-03"),
    ("4th of July, 1995", "4th of July, 1995", "1995-07-04"),
    ("07-May-14", "07-May-14", "2014-05-07"),
    ("REG0001JAN.06'07", "JAN.06'07", "2007-01-06"),
    ("Jul19'14", "Jul19'14", "2014-07-19"),
    ("Jul.30'11 9:15", "Jul.30'11", "2011-07-30"),
    ("ThuAug09,2012", "Aug09,2012", "2012-08-09"),
    ("Tue09/20/16", "09/20/16", "2016-09-20"),
    ("SunAug052012", "Aug052012", "2012-08-05"),
    ("JAN 05,13 12:30", "JAN 05,13", "2013-01-05"),
    ("Aug/09/12", "Aug/09/12", "2012-08-09"),
    ("9 th of August 2012", "9 th of August 2012", "2012-08-09"),
    ("Rechnungsdatum 1.5.14", "1.5.14", "2014-05-01"),
    ("MAY7,2014", "MAY7,2014", "2014-05-07"),
    ("2020/23/Sep", "2020/23/Sep", "2020-09-23"),
    ("10/Oct/2000:13:55:36", "10/Oct/2000", "2000-10-10"),
    ("令和6年5月7日", "令和6年5月7日", "2024-05-07"),
    ("令和元年5月1日", "令和元年5月1日", "2019-05-01"),
    ("平成31年4月30日", "平成31年4月30日", "2019-04-30"),
    ("昭和64年1月7日", "昭和64年1月7日", "1989-01-07"),
    ("請求日 R6.5.7 です", "R6.5.7", "2024-05-07"),
    ("中華民國 103 年 05 月 07 日", "中華民國 103 年 05 月 07 日", "2014-05-07"),
    ("民国元年1月1日", "民国元年1月1日", "1912-01-01"),
    ("103年5月7日", "103年5月7日", "2014-05-07"),
]

MISSES = [
    "31/02/2018",
    "29/02/2018",
    "2023年13月1日",
    "2023-02-30",
    "32 Mar 2018",
    "25/12/1818",
    "2018-03-12-0042",
    "1.2.18",
    "192.168.10.18",
    "XC12-08-17",
    "12-08-17A",
    "10.15.20",
    "INV 20230826",
    "20231326 10:22",
    "LOT 5/6/17 JALAN",
    "May 12",
    "2012-0029",
    "12 Marine 2018",
    "三年八月",
    "25/12",
    "25/12\n/2018",
    "133-03-03-2020",
    "v2.12.2014",
    "Version 10.12.14",
    "§ 10.12.2014",
    "Sort code: 20-12-14",
    "4 x 10-12-14 mm",
    "Abschnitt 1.5.14",
    "on May 5, 14 and 20",
    "7/7/5",
    "1-01-5",
    "令和元年4月30日",
    "平成31年5月1日",
    "昭和64年1月8日",
    "release R6.5.7",
    "BUY 1 SET 20",
    "out 2018",
    "Feb 30 2019",
    "12 Mar  2018",
]

RANGES = [
    ("July 1 - July 31 , 2014", ["2014-07-01", "2014-07-31"]),
    ("July 1-31, 2014", ["2014-07-01", "2014-07-31"]),
    ("Service 1 Apr - 30 Jun 2019", ["2019-04-01", "2019-06-30"]),
    ("1-31 May 2014", ["2014-05-01", "2014-05-31"]),
    ("vom 1. bis 31. Mai 2014", ["2014-05-01", "2014-05-31"]),
    ("du 1er au 31 mai 2014", ["2014-05-01", "2014-05-31"]),
    ("del 1 al 31 de mayo de 2014", ["2014-05-01", "2014-05-31"]),
    ("15 Dec - 14 Jan 2019", ["2018-12-15", "2019-01-14"]),
    ("May - July 2014", ["2014-05", "2014-07"]),
    ("01.05.14-31.05.14", ["2014-05-01", "2014-05-31"]),
    ("01.04.-30.06.2019", ["2019-04-01", "2019-06-30"]),
    ("1.-31.05.2014", ["2014-05-01", "2014-05-31"]),
    ("01/05-31/05/2014", ["2014-05-01", "2014-05-31"]),
    ("01/05/2014 - 31/05/2014", ["2014-05-01", "2014-05-31"]),
    ("05/01 to 05/31/2014", ["2014-05-01", "2014-05-31"]),
    ("自2014年5月1日起至12月31日止", ["2014-05-01", "2014-12-31"]),
    ("2014年5月1日至31日", ["2014-05-01", "2014-05-31"]),
    ("2014年5月1日～6月30日", ["2014-05-01", "2014-06-30"]),
    ("2013年12月25日-1月5日", ["2013-12-25", "2014-01-05"]),
    ("2014年5月至7月", ["2014-05", "2014-07"]),
    ("令和6年4月1日から30日", ["2024-04-01", "2024-04-30"]),
    ("2014/05/01 - 05/31", ["2014-05-01", "2014-05-31"]),
]


@pytest.mark.parametrize(("text", "span", "value"), HITS)
def test_reads_a_date(text: str, span: str, value: str) -> None:
    (mention,) = find_dates(text)
    assert (text[mention.start : mention.end], mention.value) == (span, value)
    assert mention.type == "DATE"
    assert mention.engine == "patterns"


@pytest.mark.parametrize("text", MISSES)
def test_ignores_what_is_not_a_date(text: str) -> None:
    assert list(find_dates(text)) == []


@pytest.mark.parametrize(("text", "values"), RANGES)
def test_a_range_is_two_dates(text: str, values: list[str]) -> None:
    assert [m.value for m in find_dates(text)] == values


def test_an_ambiguous_date_has_lower_confidence_and_its_other_reading() -> None:
    (ambiguous,), (clear,) = find_dates("03/04/2018"), find_dates("23/04/2018")
    assert ambiguous.confidence < 0.7 < clear.confidence
    assert (ambiguous.value, ambiguous.other, clear.other) == ("2018-04-03", "2018-03-04", None)


@pytest.mark.parametrize(
    ("order", "value"), [("dmy", "2018-04-03"), ("mdy", "2018-03-04"), ("ymd", "2018-04-03")]
)
def test_the_page_decides_the_order(order: Literal["dmy", "mdy", "ymd"], value: str) -> None:
    (mention,) = find_dates("03/04/2018", PageLocale(date_order=order))
    assert mention.value == value
    assert (mention.other is None) == (order != "ymd")


def test_the_order_of_another_date_of_the_page_decides() -> None:
    first, _ = find_dates("03/04/2018 until 04/25/2018")
    assert (first.value, first.other) == ("2018-03-04", None)


def test_the_same_day_with_the_name_of_its_month_decides() -> None:
    numeric, _ = find_dates("printed 06/10/2019\nvisit of June 10, 2019")
    assert (numeric.value, numeric.other) == ("2019-06-10", None)
    assert numeric.confidence > 0.8


def test_a_range_that_goes_forward_decides() -> None:
    first, last = find_dates("03/04/2019 - 04/02/2019")
    assert (first.value, last.value) == ("2019-03-04", "2019-04-02")
    assert (first.other, last.other) == (None, None)


def test_an_undecided_range_has_both_readings_at_both_ends() -> None:
    first, last = find_dates("03/04 - 05/06/2018")
    assert (first.value, first.other, last.value, last.other) == (
        "2018-04-03",
        "2018-03-04",
        "2018-06-05",
        "2018-05-06",
    )


def test_an_english_word_is_a_month_where_the_page_is_in_its_language() -> None:
    assert [m.value for m in find_dates("5 set 18", PageLocale(languages=("pt",)))] == ["2018-09-05"]
    assert list(find_dates("5 set 18", PageLocale(languages=("en",)))) == []


def test_a_page_of_dates_takes_steps_in_proportion() -> None:
    line = "03/04/2018 1-31 May 2014 Jul19'14\n"
    assert len(list(find_dates(line * 2_500))) == 10_000


def test_a_number_of_any_length_is_no_year() -> None:
    assert list(find_dates("令和" + "1" * 5000 + "年5月7日 " + "1" * 5000 + "年5月7日")) == []


def test_one_stray_character_does_not_make_a_page_chinese() -> None:
    (mention,) = find_dates("人\nSUNRISE PAPER SDN BHD\n17-06-18 12:56")
    assert mention.value == "2018-06-17"


def test_finds_each_of_several() -> None:
    text = "01/02/2018-03/02/2018\n12 Mar 2018"
    assert sorted(m.value or "" for m in find_dates(text)) == ["2018-02-01", "2018-02-03", "2018-03-12"]


def test_a_two_digit_year_may_be_first() -> None:
    (mention,) = find_dates("24-04-03", PageLocale())
    assert (mention.value, mention.other, mention.confidence) == ("2003-04-24", "2024-04-03", 0.55)
    (mention,) = find_dates("24-04-03", PageLocale(date_order="dmy"))
    assert (mention.value, mention.other) == ("2003-04-24", None)
