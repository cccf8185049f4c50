import pytest

from pipeline.ner.lac import word_spans
from pipeline.ner.lac_rules import Word, entities


def found(*parts: tuple[str, str | None] | tuple[str, str | None, float]) -> list[tuple[str, str | None]]:
    """Run the rules over a text given as words."""
    text, words = "", []
    for part in parts:
        chance = part[2] if len(part) == 3 else 0.9
        words.append(Word(len(text), len(text) + len(part[0]), part[1], chance))
        text += part[0]
    return [(text[word.start : word.end], word.kind) for word in entities(words, text)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([("中美", "LOC"), ("贸易", None)], [("中", "LOC"), ("美", "LOC")]),
        ([("港澳台", "LOC")], [("港", "LOC"), ("澳", "LOC"), ("台", "LOC")]),
        ([("日本", "LOC")], [("日本", "LOC")]),
        ([("华北地区", "LOC")], [("华北", "LOC")]),
        ([("本地区", "LOC")], [("本地区", "LOC")]),
        ([("苗族", "ORG"), ("人", None)], []),
        ([("赵医生", "PER"), ("说", None)], [("赵", "PER")]),
        ([("先生", "PER")], [("先生", "PER")]),
        ([("赵小明、钱", "PER")], [("赵小明", "PER")]),
        ([("，赵", "PER")], []),
        ([("⊗贰仟肆佰陆拾圆整", "ORG")], []),
        ([("万元", "LOC")], [("万元", "LOC")]),
        ([("上海", "LOC"), ("人民医院", "ORG")], [("上海人民医院", "ORG")]),
        ([("上海", "LOC"), ("的", None), ("人民医院", "ORG")], [("上海", "LOC"), ("人民医院", "ORG")]),
        ([("甲国", "LOC"), ("—", None), ("乙国友好协会", "ORG")], [("甲国—乙国友好协会", "ORG")]),
        ([("甲", None), ("—", None), ("乙国友好协会", "ORG")], [("乙国友好协会", "ORG")]),
        ([("第三届", None), ("董事会", "ORG")], [("第三届董事会", "ORG")]),
        ([("2023年、2024年", "TIME")], [("2023年、2024年", "TIME")]),
        ([("现任样例集团", "ORG")], [("样例集团", "ORG")]),
        ([("样例股份有限公司财务部会计处", "ORG")], [("样例股份有限公司", "ORG")]),
        ([("样例公司第三届董事会", "ORG")], [("样例公司", "ORG")]),
        ([("样例银行城东分行国际业务部", "ORG")], [("样例银行城东分行", "ORG")]),
        ([("样例公司城东营业部", "ORG")], [("样例公司城东营业部", "ORG")]),
        ([("人力资源部", "ORG"), ("经理", None)], []),
        ([("教育部", "ORG")], [("教育部", "ORG")]),
        ([("曾任", "PER"), ("“", None)], []),
        ([("现任赵小明", "PER")], [("赵小明", "PER")]),
    ],
)
def test_rules(words: list[tuple[str, str | None]], expected: list[tuple[str, str]]) -> None:
    assert found(*words) == expected


def test_improbable_spans_are_dropped() -> None:
    assert found(("甲市", "LOC", 0.29), ("和", None), ("乙市", "LOC", 0.31)) == [("乙市", "LOC")]


def test_a_joined_name_has_the_confidence_of_its_weakest_part() -> None:
    words = [Word(0, 2, "LOC", 0.5), Word(2, 6, "ORG", 0.8)]
    assert entities(words, "上海人民医院") == [Word(0, 6, "ORG", 0.5)]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([], []),
        (["nr-B", "nr-I", "v-B"], [(0, 2, "nr"), (2, 3, "v")]),
        (["nr-B", "nr-B"], [(0, 1, "nr"), (1, 2, "nr")]),
        (["nr-I", "ns-I", "ns-I"], [(0, 1, "nr"), (1, 3, "ns")]),
        (["O", "n-I"], [(0, 1, ""), (1, 2, "n")]),
    ],
)
def test_words_encoded_by_labels(labels: list[str], words: list[tuple[int, int, str]]) -> None:
    assert list(word_spans(labels)) == words
