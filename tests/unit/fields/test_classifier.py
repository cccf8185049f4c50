import time
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.fields import clues, describe, examples
from pipeline.fields.classifier import Classifier, features
from pipeline.settings import Settings

TEXTS = {
    "receipt": "Corner Cafe\nTAX INVOICE\nCashier: Ann\nSubtotal 6.00\nTotal 6.00\nCash 10.00\nChange 4.00",
    "vat_invoice": "某市增值税普通发票\n开票日期\n购买方 名称：甲公司\n纳税人识别号\n价税合计（大写）\n销售方",
    "invoice": "Muster AG\nRECHNUNG Nr. 17\nKundennummer 4\nPos.  Menge  Preis\nNettobetrag 10,00\nMwSt. 1,90\n"
    "Zahlbar sofort\nIBAN DE00",
    "credit_note": "Muster AG\nGutschrift Nr. 3\nzu Rechnung Nr. 17\nNettobetrag 10,00\nMwSt. 1,90\nIBAN DE00",
    "train_ticket": "电子发票（铁路电子客票）\n发票号码：1\n甲站  G1  乙站\n二等座\n票价：¥1.00",
    "air_ticket": "航空运输电子客票行程单\n旅客姓名\n自：甲 至：乙\n票价  民航发展基金  燃油附加费",
    "taxi_receipt": "某市出租汽车专用发票\n车号\n上车 10:00\n下车 10:20\n里程 5.0\n金额 17.00",
    "ride_list": "某出行-行程单\n共2笔行程，合计40.00元\n序号  上车时间  起点  终点  金额",
    "medical_bill": "某省医疗住院收费票据（电子）\n票据代码：1\n交款人：甲\n医保统筹基金支付：1.00\n个人自费：2.00",
    "payment_receipt": "收款收据\n今收到 甲公司\n交来 押金\n人民币（大写）壹佰圆整\n经手人",
    "bank_advice": "某银行 电子回单\n付款人 户名\n收款人 户名\n开户行\n交易流水号\n金额",
    "bank_statement": "RELEVE DE COMPTE\nDate  Libellé  Débit  Crédit\nSolde précédent  1,00\nNouveau solde  2,00",
    "payslip": "PAYSLIP\nEmployee Ann\nGross pay 10.00\nDeductions 1.00\nNet pay 9.00",
    "id_card": "姓名 甲乙丙\n性别 女 民族 汉\n出生\n住址 某市\n公民身份号码",
    "contract": "采购合同\n甲方 乙方\n第一条 付款方式\n第二条 违约责任\n争议解决\n签订日期",
    "delivery_note": "LIEFERSCHEIN\nLieferadresse\nMenge\nGesamtgewicht\nWare erhalten",
    "medical": "示范医院 门诊病历\n姓名 年龄 科室\n主诉 头痛三天\n诊断\n处理意见 医师签名",
    "ticket": "Subject: printer down\nHello support team, my ticket is still open. Priority high. Kind regards",
    "other": "ANGEBOT Nr. 5\nKundennummer 4\nPos.  Menge  Preis\nNettobetrag 10,00\nMwSt. 1,90\nIBAN DE00",
}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(examples.load(None))


@pytest.mark.parametrize("kind", TEXTS)
def test_types_are_recognised(classifier: Classifier, kind: str) -> None:
    found, sure = classifier.classify(TEXTS[kind])
    assert found == kind
    assert 0.6 <= sure <= 1


@pytest.mark.parametrize("text", ["", "qqq zzz xxyy", "12.50 13:00", "如，和对旅"])
def test_a_text_without_evidence_is_other(classifier: Classifier, text: str) -> None:
    assert classifier.classify(text) == ("other", 0.0)


def test_a_till_slip_with_the_title_of_an_invoice_is_a_receipt(classifier: Classifier) -> None:
    slip = "LANTERN SDN BHD\nINVOICE\nInvoice No: 5\nMILK  3.00\nTOTAL  3.00\nCASH  5.00\nCHANGE  2.00\nTHANK YOU"
    assert classifier.classify(slip)[0] == "receipt"
    assert classifier.classify(slip.replace(" ", ""))[0] == "receipt"  # OCR lost the blanks


def test_a_label_is_not_the_title_of_the_paper(classifier: Classifier) -> None:
    paper = "Lieferschein-Nr : 5\nRECHNUNG\nKundennummer 4\nNettobetrag 10,00\nZahlbar sofort\nIBAN DE00"
    assert classifier.classify(paper)[0] == "invoice"
    spaced = paper.replace("RECHNUNG", "R E C H N U N G")
    assert classifier.classify(spaced) == classifier.classify(paper)


def test_an_invoice_with_subtotal_and_tax_is_no_receipt(classifier: Classifier) -> None:
    paper = (
        "Fern Ltd\nTAX INVOICE\nInvoice No: F-5\nBuyer: Moss Ltd\nItem  Qty  Rate  Amount\n"
        "Pump  2  300.00  600.00\nHose  1  20.00  20.00\nSubtotal  620.00\nGST 9%  55.80\nGrand Total  675.80"
    )
    assert classifier.classify(paper)[0] == "invoice"


def test_a_bill_of_a_utility_is_an_invoice(classifier: Classifier) -> None:
    paper = (
        "Fern Energy\nAccount number  850 0123\nBill date  12 March 2031\nYour gas bill\n"
        "Gas used  52.09\nStanding charge  15.47\nVAT at 5%  3.38\nTotal charges  70.94\nAmount due  70.94"
    )
    assert classifier.classify(paper)[0] == "invoice"


def test_a_list_of_open_invoices_is_no_invoice(classifier: Classifier) -> None:
    paper = (
        "CUSTOMER STATEMENT\nFern Ltd\nStatement date: 30 April 2031\nDate  Invoice  Amount  Paid  Outstanding\n"
        "02/04/2031  INV-7001  420.00  420.00  0.00\n18/04/2031  INV-7044  310.00  310.00\nTotal outstanding  310.00"
    )
    assert classifier.classify(paper)[0] == "other"


def test_a_table_of_numbers_is_no_receipt(classifier: Classifier) -> None:
    rows = [f"{name}  120,331  51,220  3,402.1" for name in ("North", "East", "South", "West", "Total")]
    assert classifier.classify("Table 4. Income by district\n" + "\n".join(rows))[0] == "other"


@pytest.mark.parametrize(
    "text", ["flight gate seat passenger", "account balance amount date", "姓名 单位 金额"]
)
def test_words_without_a_clue_are_no_kind_of_paper(classifier: Classifier, text: str) -> None:
    assert classifier.classify(text)[0] == "other"


@pytest.mark.parametrize(
    "piece", ["description\n", "total ", "1.00\n", "<", ". ", "a\t", "医疗", "rechnung "]
)
def test_hostile_text_is_searched_in_linear_time(piece: str) -> None:
    started = time.process_time()
    clues.weigh(piece * 200_000)
    assert time.process_time() - started < 5


def test_between_two_types_it_is_other() -> None:
    both = Classifier({"a": ["one two three four"], "b": ["one two three four"]})
    assert both.classify("one two three four") == ("other", 0.5)


def test_spaced_characters_are_one_word() -> None:
    assert features("名      称 Total") == {"名称", "total"}


def test_custom_examples(tmp_path: Path, classifier: Classifier) -> None:
    text = "Boarding card flight gate seat passenger luggage"
    assert classifier.classify(text)[0] == "other"
    (tmp_path / "boarding.txt").write_text(
        "boarding card flight gate seat\n---\npassenger luggage flight boarding time"
    )
    (tmp_path / "menu").mkdir()
    (tmp_path / "menu" / "one.txt").write_text("starters mains desserts drinks")
    own = Classifier(examples.load(str(tmp_path)))
    assert own.classify(text)[0] == "boarding"
    assert own.classify("Desserts and drinks, starters, mains")[0] == "menu"
    assert own.classify(TEXTS["receipt"])[0] == "receipt"
    before = describe(Settings()).digest
    assert describe(Settings(document_types=str(tmp_path))).digest != before
    assert describe(Settings()).digest == before


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contains no examples"):
        examples.load(str(tmp_path))
    with pytest.raises(UsageError, match="can't be read"):
        examples.load(str(tmp_path / "missing"))
