"""Texts as recognised: entities, fields and rows of the tables by rules alone, whatever is written on the page."""

from collections.abc import Sequence
from functools import cached_property

from pipeline.documents.base import PageInput
from pipeline.documents.language import language_of
from pipeline.documents.layout import assemble
from pipeline.documents.open import open_document
from pipeline.errors import PermanentError
from pipeline.fields import load
from pipeline.fields.filler import Filler
from pipeline.models import DocumentResult, ModelInfo, Page, to_json
from pipeline.ner import locale
from pipeline.ner.base import extract_in
from pipeline.ner.pattern_engine import PatternEngine
from pipeline.settings import Settings
from pipeline.steps.entities import entities_of
from pipeline.tables.rows import rows_of
from tests.fuzz.checks import code_of, ensure
from tests.fuzz.documents import LIMITS
from tests.fuzz.mutation import Mutator

# Pieces of documents, in the forms that the patterns look for; made up.
PIECES = """
Invoice No. 2026-0417|Rechnung Nr. R-417|发票号码：00417366|Facture n° 12/B|Date: 12 May 2024|05/12/24
12.05.2024|2024年5月12日|31/02/2023|Total 1,250.00 EUR|Summe 1.250,00 €|合计（大写）壹仟贰佰伍拾圆整
￥12,500-|(12.50)|USD 1'000|Rs. 1,00,000.00/-|19 % MwSt 3,80|VAT 20%|IBAN DE89 3704 0044 0532 0130 00
BIC COBADEFFXXX|DE123456788|ESB58378431|tel. +49 30 901820|(030) 123-456|138 0013 8000|ann@shop.example
https://shop.example/a?b|P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<
L898902C36UTO7408122F1204159ZE184226B<<<<<10|4111 1111 1111 1111|110101199003078515
From 1 to 31 January 2024|22:00-06:00|Acme Ltd.|示例科技有限公司|株式会社サンプル|Muster GmbH & Co. KG
Description Qty Price Amount|Pen 2 1.50 3.00|Zwischensumme|Cash 20.00 Change 3.50|Receipt|RECHNUNG|收据
Balance brought forward 1.00-|Patient: J. Doe|Flight AB123 FRA 10:15 - LHR 11:00|Gross pay
Net pay 2,100.00|twelve thousand and five hundred dollars|one half|½|1e5|0x1F|١٢٣٫٤٥|१,२३,४५६|Ⅷ|№ 5|§ 12
#|*|/|-|.|,|:|+|%|€|$|¥|  |\t|\f|\u200b|\u202e|\u0301|\ufeff|\ufffd|\U0001f4c4|00000000000000000000000000
1.2.3.4.5.6.7.8
"""


class _Texts:
    tokens: Sequence[bytes] = tuple(
        piece.encode() for line in PIECES.strip("\n").split("\n") for piece in line.split("|")
    )
    _info = ModelInfo(engine="patterns", name="patterns", digest="0" * 16)

    @cached_property
    def _fields(self) -> Filler:
        return load(Settings())

    def seeds(self) -> list[bytes]:
        return [b"\n".join(self.tokens[at : at + 12]) for at in range(0, len(self.tokens), 6)]

    def change(self, mutator: Mutator, data: bytes) -> bytes:
        rng = mutator.rng
        if rng.random() < 0.3:
            pieces = rng.choices(self.tokens, k=rng.choice((2, 10, 60)))
            data = rng.choice((b" ", b"\n", b"", b"   ")).join(pieces)
            return data * rng.choice((1, 1, 1, 30))
        return mutator.change(data)

    def check(self, data: bytes) -> str:
        data = b"\xef\xbb\xbf" + data.decode("utf-8", "replace").encode()  # text, whatever it looks like
        try:
            with open_document(data, LIMITS) as document:
                pages = tuple(self._page(document.page(n)) for n in range(1, min(document.page_count, 4) + 1))
        except PermanentError as error:
            return code_of(error)
        texts = [page.text for page in pages]
        found = extract_in(PatternEngine(self._info), texts, locale.read_all(texts))
        entities = tuple(e for page, of in zip(pages, found, strict=True) for e in entities_of(page, of))
        pages = locale.localised(pages)
        extraction = self._fields.fill(pages, entities)
        result = DocumentResult(
            task_id="t", sha256="0" * 64, source="message", status="done", run_date="2026-11-22",
            pages=pages, entities=entities, extraction=extraction, language=language_of("".join(texts)),
            done_at="2026-11-22T22:00:00+00:00", first_seen="2026-11-22T22:00:00+00:00",
        )  # fmt: skip
        to_json(result)
        rows_of([result], "all")
        rows_of([result], "ids")
        for entity in entities:
            ensure(0 <= entity.start < entity.end, f"a span from {entity.start} to {entity.end}")
            ensure(
                entity.text == texts[entity.page - 1][entity.start : entity.end],
                "an entity that is not in the text",
            )
            ensure(0 <= entity.confidence <= 1, f"a confidence of {entity.confidence}")
        for field in extraction.fields:
            ensure(0 <= field.confidence <= 1, f"a confidence of {field.confidence} of {field.name}")
        return f"{extraction.document_type}: {min(len({e.type for e in entities}), 9)} types"

    @staticmethod
    def _page(given: PageInput) -> Page:
        text, lines = assemble(given.lines or (), given.width, given.height)
        return Page(
            number=given.number,
            width=given.width,
            height=given.height,
            text_from="text_layer",
            text=text,
            lines=lines,
        )


TARGET = _Texts()
