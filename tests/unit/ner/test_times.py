"""TIME recogniser."""

from __future__ import annotations

import pytest

from pipeline.ner.patterns.times import find_times

HITS = [
    ("at 12:31", "12:31", "12:31"),
    ("Time: 15:53:00", "15:53:00", "15:53:00"),
    ("13 : 49", "13 : 49", "13:49"),
    ("时间：１０：２２", "１０：２２", "10:22"),
    ("07:10:35 PM", "07:10:35 PM", "19:10:35"),
    ("12:05 am", "12:05 am", "00:05"),
    ("12:05 PM", "12:05 PM", "12:05"),
    ("01:57PM", "01:57PM", "13:57"),
    ("5:18:08 P Session", "5:18:08 P", "17:18:08"),
    ("25/12/201812:33", "12:33", "12:33"),
    ("2018-03-12T10:22", "10:22", "10:22"),
    ("上午9时30分", "上午9时30分", "09:30"),
    ("下午3点半", "下午3点半", "15:30"),
    ("14时05分09秒", "14时05分09秒", "14:05:09"),
    ("下午 3:30", "下午 3:30", "15:30"),
    ("中午11点", "中午11点", "11:00"),
    ("10.30 am", "10.30 am", "10:30"),
    ("open 9am", "9am", "09:00"),
    ("1000 HRS", "1000 HRS", "10:00"),
    ("à 14h30", "14h30", "14:30"),
    ("um 14.30 Uhr", "14.30 Uhr", "14:30"),
    ("um 8 Uhr", "8 Uhr", "08:00"),
    ("alla ore 15.30", "15.30", "15:30"),
    ("kl. 14.30", "14.30", "14:30"),
    ("午後3時30分", "午後3時30分", "15:30"),
    ("오후 3시 30분", "오후 3시 30분", "15:30"),
    ("2024-03-04T10:15:30+08:00", "10:15:30", "10:15:30"),
    ("2024-03-04T10:15:30-05:00", "10:15:30", "10:15:30"),
    ("09:15 UTC+08:00", "09:15", "09:15"),
    ("TIME 12 31 00", "12 31 00", "12:31:00"),
    ("Time: 1648", "1648", "16:48"),
]
MISSES = [
    "12:75",
    "25:10",
    "12:31:75",
    "12:34:56:78",
    "1:2",
    "ratio 3:200",
    "TEL 1 : 03-6261",
    "12.31",
    "7点",
    "12:\n31",
    "part 14h3045",
    "TYPE5h30",
    "scale 1:50",
    "比分 3:20",
    "ore 15.30.20",
]


@pytest.mark.parametrize(("text", "span", "value"), HITS)
def test_reads_a_time(text: str, span: str, value: str) -> None:
    (mention,) = find_times(text)
    assert (text[mention.start : mention.end], mention.value) == (span, value)


def test_opening_hours_are_two_times() -> None:
    assert [mention.value for mention in find_times("9:00-18:30")] == ["09:00", "18:30"]


@pytest.mark.parametrize("text", MISSES)
def test_ignores_what_is_not_a_time(text: str) -> None:
    assert list(find_times(text)) == []
