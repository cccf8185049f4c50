"""Numbers of persons as people write them and OCR reads them, which the policy `ids` masks."""

from __future__ import annotations

import time

import pytest

from pipeline.tables.masking import mask_spans, mask_text, sensitive_spans


def citizen(first: str) -> str:
    """A citizen number with its check digit."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(first))
    return first + "10X98765432"[total % 11]


def luhn(first: str) -> str:
    """A card number with its check digit."""
    doubled = [sum(divmod(int(d) * 2, 10)) if at % 2 == 0 else int(d) for at, d in enumerate(reversed(first))]
    return first + str(-sum(doubled) % 10)


ID = citizen("32050219851230451")
C, V, M, A = (
    luhn("622848040256489001"),
    luhn("455673758689985"),
    luhn("542523343010990"),
    luhn("37828224631000"),
)
MASKED = [
    (f"身份证 {ID[:3]} {ID[3:6]} {ID[6:10]} {ID[10:14]} {ID[14:]}", ID[6:10]),
    (f"{ID[:6]}\n{ID[6:]}", ID[6:14]),
    (f"ID card {ID[:6]}·{ID[6:14]}·{ID[14:]}", ID[6:14]),
    (f"身份证号码：{ID[:6]} {ID[6:14]}\n{ID[14:]}", ID[6:14]),
    (f"公民身份号码\n{ID}", ID[:14]),
    (f"公民身份号码{ID.replace('8', 'B', 1)}", ID[9:13]),
    (f"张伟 {ID.replace('0', 'O', 1)}", ID[6:13]),
    (f"张伟 {ID.replace('1', 'l', 1)}", ID[8:13]),
    (f"张伟 {ID[:9]}{(int(ID[9]) + 1) % 10}{ID[10:]}", ID[10:14]),
    ("居民身份证号 320502851230451", "320502851230"),
    ("王芳 320502851230451", "320502851230"),
    ("身分證字號：F223456781", "F2234"),
    ("身分證統一編號 F223456781", "F2234"),
    ("身份證號碼 K987654(A)", "K98"),
    ("HKID: K987654(A)", "K98"),
    ("香港身份證：AB987654(3)", "AB98"),
    ("澳門身份證 1234567(8)", "123"),
    ("Macau ID 5/123456/7", "5/12"),
    ("護照號碼 G12345678", "G1234"),
    ("Passport: G 12345678", "1234"),
    ("Passport Number\nG12345678", "G1234"),
    ("PASSPORT NO 5281234567", "528123"),
    ("港澳居民来往内地通行证 H1234567801", "H12345"),
    ("台胞证号 12345678", "1234"),
    ("驾驶证号 320502198512304519", "3205021985"),
    ("SSN: 212 09 9999", "212"),
    ("Social Security Number 212099999", "21209"),
    ("212-09-9999", "212-09"),
    ("NRIC: 850123-14-5523", "850123"),
    ("850123-14-5523", "850123"),
    ("MyKad No 850123145523", "850123"),
    ("NRIC/FIN S8512345A", "S8512"),
    ("FIN G1234567X", "G123"),
    ("NI Number QQ 12 34 56 C", "12 34"),
    ("AB123456C", "AB123"),
    ("Driver's License No. D123-4567-8901", "D123"),
    ("DL No: SMITH 851230 JS9", "851230"),
    (f"卡号 {C[:4]} {C[4:8]} {C[8:12]} {C[12:16]} {C[16:]}", C[:4]),
    (f"卡号: {C[:6]}-{C[6:]}", C[6:12]),
    (f"{V[:4]} {V[4:8]} {V[8:12]} {V[12:]}", V[4:8]),
    (f"{V[:4]}-{V[4:8]}-{V[8:12]}-{V[12:]}", V[4:8]),
    (f"Order ref {V}", V[:10]),
    (f"参考号 {V}", V[:10]),
    (f"编号 {V}", V[:10]),
    (f"流水号：{V}", V[:10]),
    (f"Ref: {M}", M[:10]),
    (f"No. {M}", M[:10]),
    (f"ID {M}", M[:10]),
    (f"单号 {M}", M[:10]),
    (f"账号 {C}", C[:10]),
    (f"帐 号：{C}", C[:10]),
    (f"收款账户 {C}", C[:10]),
    (f"Amex {A[:4]} {A[4:10]} {A[10:]}", A[4:10]),
    (f"{V[:8]}\n{V[8:]}", V[:6]),
    (f"card {V.replace('5', 'S', 1)}", V[3:10]),
    (f"卡号\n{C}", C[:10]),
    (f"卡号  持卡人\n{C}  王芳", C[:10]),
    ("户口号码：012-345678-901", "345678"),
    ("戶口號碼 012 345678 901", "345678"),
    ("银行账号: 4000 0231 0920 0123 456", "4000 0231"),
    ("开户行及账号：中国银行苏州分行 4563 5161 0060 1234567", "4563 5161"),
    ("开户银行及账号 建行\n32201988836051501234", "3220198883"),
    ("开户行：工行 账号：1102020119000012345", "110202011"),
    ("A/C No. 123-456789-001", "456789"),
    ("Account # 000123456789", "00012345"),
    ("Bank account 12345678", "1234"),
    ("Acct: 98-7654-321", "98-7"),
    ("Account number\n123456789012", "12345678"),
    ("Routing 021000021 Account 1234567890", "02100"),
    ("ABA/Routing No: 021000021", "02100"),
    ("Sort code 12-34-56 Account 12345678", "12-3"),
    ("Kontonummer 1234567890", "123456"),
    ("BSB 062-000 Account 12345678", "1234"),
    ("IBAN: GB82 WEST 1234 5698 7654 32", "1234 5698"),
    ("GB82WEST12345698765432", "WEST123"),
    ("FR14 2004 1010 0505 0001 3M02 606", "2004 1010"),
    ("IBAN DE89 3704 0044\n0532 0130 00", "3704"),
    ("手机号 138-1234-5678", "138-1"),
    ("手机：138 1234\n5678", "138 1"),
    ("+86 138 1234 5678", "138 1"),
    ("(86)13812345678", "138123"),
    ("联系电话 0512-65123456", "65123"),
    ("电话：65123456", "6512"),
    ("TEL 6512345", "651"),
    ("電話 2345 6789", "2345"),
    ("(415) 555-2671", "415"),
    ("415-555-2671", "415-5"),
    ("415.555.2671", "415.5"),
    ("+1 415 555 2671", "415 5"),
    ("Phone 555-2671", "555"),
    ("call me at 415 555 2671", "415 5"),
    ("020 7946 0958", "020 7"),
    ("+44 (0)20 7946 0958", "7946"),
    ("07700 900123", "07700"),
    ("0161 496 0000", "0161"),
    ("zhang_san@example.org", "zhang_san@"),
    ("zhang.san @ hospital.example.org", "zhang.san"),
    ("E-mail: a.b-c@mail.example.org", "a.b-c"),
    ("john(at)example(dot)com", "john"),
    ("MRN: 00123456", "0012"),
    ("MRN 12345", "123"),
    ("Medical Record No. A-1234567", "A-12"),
    ("Patient ID: P00123456", "P001"),
    ("病历号：0001234567", "000123"),
    ("住院号 1234567", "1234567"),
    ("住院号：ZY2026-00123", "ZY20"),
    ("门诊号 M20261122001", "M2026"),
    ("医保卡号 A12345678", "A1234"),
    ("醫保號碼 12345678", "1234"),
    ("就诊卡号 8800123456", "880012"),
    ("社保卡号 A12345678", "A1234"),
    ("Health insurance no. 1EG4-TE5-MK73", "1EG4"),
    ("Medicare Number 1EG4TE5MK73", "1EG4TE"),
    ("Member ID W123456789", "W1234"),
    ("车牌号 苏E·A1234", "苏E·A12"),
    ("粤B D12345", "D123"),
]
"""Texts, and what of them may not be seen."""
SHOWN = [
    "Invoice No. 2026112200123",
    "Order no 110105199001",
    "合计 ¥1,234.56",
    "订单号 2026112212345678",
    "发票号码 24322000000123456789",
    "商品编码 6901234567892",
    "EAN 4006381333931",
    "Art.-Nr. 123-456-789",
    "Date 2026-11-22",
    "数量 100 单价 12.50 金额 1250.00",
    "SKU 1234-5678",
    "Batch 20261122-001",
    "Tracking 1Z999AA10123456784",
    "Rechnung 2026-00123",
    "Total 415.55",
    "Qty 12 x 345.67",
    "PO 4500123456",
    "Part no 415-555-2671",
    "物料 100200300",
    "运单号 SF1234567890123",
    "ISBN 978-3-16-148410-0",
    "2026-11-22 13:45:00",
    "22.11.2026 12:30",
    "Kundennummer 100234",
    "2 x 1,234.00 = 2,468.00",
    "流水号 20261122123456789012",
    "Page 1 of 12",
    "Invoice 0012345678",
    "020 1234",
    "Table 12 Guests 4",
    "1000 2000 3000 4000",
    "10 20 30 40 50 60 70 80 90",
    "GST 9% 1,234.00",
    "Account balance 12,345.67",
    "Card payment 45.60",
    "Phone case black 12.00",
    "Mobile phone 699.00",
    "Product name: Garden chair",
    "iPhone 15 128GB",
    "合同编号 HT-2026-001",
    "凭证号 00012345",
    "规格 120*60*75",
]
"""What is on invoices and receipts."""


@pytest.mark.parametrize("policy", ["ids", "all"])
@pytest.mark.parametrize(("text", "hidden"), MASKED)
def test_a_number_of_a_person_is_masked(text: str, hidden: str, policy: str) -> None:
    assert hidden in text
    shown = mask_text(text, policy)
    assert hidden not in shown
    assert len(shown) == len(text)
    assert shown.count("\n") == text.count("\n")


@pytest.mark.parametrize("text", SHOWN)
def test_other_numbers_are_shown(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize("label", ["Ref no", "账号", "编号", "Order ref", "No.", "参考号:", "Transaction ID"])
def test_no_label_unmasks_a_card(label: str) -> None:
    assert mask_text(f"{label} {V}") == f"{label} {'*' * 12}{V[-4:]}"


def test_invisible_characters_do_not_divide_a_number() -> None:
    text = f"手机 138\u200b1234\u200b5678, 卡号 {C[:9]}\u00ad{C[9:]}"
    shown = mask_text(text)
    assert "1381" not in shown.replace("\u200b", "")
    assert C[:9] not in shown


def test_a_list_of_types_masks_these_alone() -> None:
    text = f"Passport G12345678, card {V}, a@b.org"
    shown = mask_spans(text, sensitive_spans(text, (), "BANK_CARD,EMAIL"))
    assert shown == f"Passport G12345678, card {'*' * 12}{V[-4:]}, *@*.*rg"
    assert mask_text(text, "none") == text


@pytest.mark.parametrize(
    "text",
    [
        "1 2 3 4 5 6 7 8 9 0 " * 5_000,
        "1234567890" * 10_000,
        "账号 姓名 \n" * 10_000,
        "姓名\n" * 25_000,
        "Account no " * 10_000,
        "a@a." * 25_000,
        "120 Main " * 10_000,
        "人民路1号" * 15_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    mask_text(text, "all")
    assert time.process_time() - began < 5
