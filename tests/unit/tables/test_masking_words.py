"""Names, addresses, birth dates and health data, which the policy `all` masks."""

from __future__ import annotations

import pytest

from pipeline.tables.masking import mask_text

MASKED = [
    ("患者姓名：王小明", "王小明"),
    ("姓名\n王小明", "王小明"),
    ("姓名  性别  年龄\n王小明  男  45", "王小明"),
    ("姓名：王小明 性别：男 年龄：45岁", "王小明"),
    ("姓名王小明性别男", "王小明"),
    ("Patient\nJohn Doe", "John Doe"),
    ("Patient   John Doe   DOB  01/02/1980", "John Doe"),
    ("Patient   John Doe   DOB  01/02/1980", "01/02/1980"),
    ("Patient Name: DOE, JOHN A", "DOE, JOHN"),
    ("Name: Mary-Jane O'Neil", "Mary"),
    ("病人姓名 歐陽明", "歐陽明"),
    ("Patient: John A. Doe\n\nMr. Doe reports pain. John A. Doe was seen.", "John A. Doe was"),
    ("患者王小明先生", "王小明"),
    ("Dr. Alice Doe", "Alice Doe"),
    ("出生日期：1990年1月1日", "1990"),
    ("出生年月 1990.01", "1990.01"),
    ("DOB: Jan 1, 1990", "Jan 1, 1990"),
    ("Date of Birth\n01/02/1980", "01/02"),
    ("D.O.B. 1 January 1990", "January"),
    ("born 01.02.1980", "01.02.1980"),
    ("生日 1月1日", "1月1日"),
    ("Geb. 01.02.1980", "01.02"),
    ("诊断：2型糖尿病，高血压3级", "糖尿病"),
    ("入院诊断\n1. 高血压\n2. 糖尿病", "糖尿病"),
    ("Diagnosis: Type 2 diabetes mellitus", "diabetes"),
    ("Dx: F32.1 depression", "depression"),
    ("DIAGNOSIS\nMajor depressive disorder", "depressive"),
    ("主诉 反复咳嗽两周", "咳嗽"),
    ("診斷 肝炎", "肝炎"),
    ("Chief complaint: chest pain", "chest"),
    ("过敏史：青霉素", "青霉素"),
    ("Allergies: penicillin", "penicillin"),
    ("Impression: 1. Pneumonia", "Pneumonia"),
    ("临床诊断  急性阑尾炎", "阑尾"),
    ("Diagnose: Hypertonie", "Hypertonie"),
    ("住址：江苏省苏州市工业园区示例街328号", "示例街"),
    ("地址\n江苏省苏州市工业园区示例街328号", "示例街"),
    ("Address: 12 Example Street, London NX1 6XE", "Example"),
    ("Address:\n12 Example Street\nLondon NX1 6XE", "London"),
    ("lives at 350 Example Avenue, Springfield, NY 10118", "Example"),
    ("江苏省苏州市示例街328号2幢301室", "示例街"),
    ("Wohnort: Hauptstraße 5, 50667 Köln", "Haupt"),
    ("家庭住址 上海市浦东新区示例大道100号", "示例"),
    ("通訊地址：香港九龍示例道100號", "示例"),
    ("工作单位：示例第一人民医院", "第一人民"),
    ("民族 汉 籍贯 江苏", "汉"),
    ("税号 91320594MA1MXXXX5K", "91320594"),
    ("医生签名 王医生", "王医生"),
    ("主治医师：王大夫", "王大夫"),
    (
        "既往史：高血压病史3年，口服氨氯地平，血压控制可。否认糖尿病史。青霉\n素皮试阴性，否认药物过敏史。",
        "素皮试",
    ),
    ("药品名称  规格  数量\n阿莫西林胶囊  0.5g  1盒", "阿莫西林"),
]
"""Texts, and what of them may not be seen."""
SHOWN = [
    "Invoice date: 2026-11-22",
    "Total: 1,234.56 EUR",
    "合计金额 1,234.56",
    "Item  Qty  Price\nGarden chair  2  12.50",
    "项目  数量  金额\n检查费  1  100.00",
    "Description: Garden chair",
    "发票号码 24322000000123456789",
]


@pytest.mark.parametrize(("text", "hidden"), MASKED)
def test_what_is_behind_a_label_or_in_an_address_is_masked(text: str, hidden: str) -> None:
    assert hidden in text
    shown = mask_text(text, "all")
    assert hidden not in shown
    assert len(shown) == len(text)


@pytest.mark.parametrize("text", SHOWN)
def test_amounts_dates_and_products_are_shown(text: str) -> None:
    assert mask_text(text, "all") == text


@pytest.mark.parametrize(
    ("text", "hidden"), [one for one in MASKED if not any(c.isdecimal() for c in one[0])]
)
def test_words_are_shown_under_ids(text: str, hidden: str) -> None:
    assert hidden in mask_text(text, "ids")


def test_nothing_of_a_value_stays_visible() -> None:
    assert mask_text("Patient: John Doe, MRN 00123456", "all") == "Patient: **** ***, MRN ********"
