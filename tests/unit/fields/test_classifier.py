from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.fields import describe, examples
from pipeline.fields.classifier import Classifier, features
from pipeline.settings import Settings

TEXTS = {
    "receipt": "Corner Cafe\nTAX INVOICE\nCashier: Ann\nSubtotal 6.00\nTotal 6.00\nCash 10.00\nChange 4.00",
    "vat_invoice": "某市增值税普通发票\n开票日期\n购买方 名称：甲公司\n纳税人识别号\n价税合计（大写）\n销售方",
    "id_card": "姓名 甲乙丙\n性别 女 民族 汉\n出生\n住址 某市\n公民身份号码",
    "medical": "示范医院 门诊病历\n姓名 年龄 科室\n主诉 头痛三天\n诊断\n处理意见 医师签名",
    "ticket": "Subject: printer down\nHello support team, my ticket is still open. Priority high. Kind regards",
    "other": "采购合同\n甲方 乙方\n第一条 付款方式\n第二条 违约责任\n争议解决\n签订日期",
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
