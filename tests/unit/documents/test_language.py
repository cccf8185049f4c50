"""The language of a document's text."""

import pytest

from pipeline.documents.language import language_of


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "购买方名称 示例科技有限公司 金额合计 贰佰伍拾圆整 开票日期 2024年3月1日"),
        ("zh", "PayPal 微信支付 Total 12.00"),
        ("en", "This page is the signature page of contract no. 2024-117 of both parties."),
        (
            "de",
            "Bitte überweisen Sie den Betrag bis zum 14. Mai auf unser Konto. Gesamtbetrag 120,00 EUR",
        ),  # codespell:ignore
        ("fr", "Le montant total est à régler avant la fin du mois. Merci de votre confiance."),
        ("es", "El importe total debe abonarse antes del fin de mes. Gracias por su compra."),
        ("it", "Il totale deve essere pagato entro la fine del mese. Grazie per il vostro acquisto."),
        ("pt", "O valor total deve ser pago até o fim do mês. Obrigado pela sua compra."),  # codespell:ignore
        ("nl", "Het totaalbedrag moet voor het einde van de maand worden betaald."),
        ("ja", "請求書をお送りいたします。お支払いは月末までにお願いします。"),
        ("ko", "결제 금액은 월말까지 지불해야 합니다"),
        ("ru", "Общая сумма должна быть оплачена до конца месяца. Спасибо за покупку."),
        ("ar", "يجب دفع المبلغ الإجمالي قبل نهاية الشهر"),
        (
            "en",
            "Invoice 4711 of 2024-05-14\nThe amount is due within thirty days, www.example.com a1@b.example",
        ),
    ],
)
def test_the_language_is_told_from_the_text(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["ACME", "12.50 100", "A 12 B 3", "温", "K7-55 X 00 Q 12.3", "—"])
def test_too_little_to_tell_is_undetermined(text: str) -> None:
    assert language_of(text) == "und"


@pytest.mark.parametrize("text", ["", " \n "])
def test_no_text_has_no_language(text: str) -> None:
    assert language_of(text) is None
