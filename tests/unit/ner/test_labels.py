"""Label files: valid formats, and error messages for invalid files."""

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.ner.bioes import Span, may_follow, spans_of, spell, tags_of
from pipeline.ner.training.labels import read
from pipeline.ner.training.sentences import Sentence, apart

CITY = Sentence("他住北京。", (Span("LOC", 2, 4),))
MARKS = {
    "BIO": "他 O\n住 O\n北 B-LOC\n京 I-LOC\n。 O\n\n",
    "BMES": "他\tO\n住\tO\n北\tB-LOC\n京\tE-LOC\n。\tO\n\n\n京\tS-LOC\n海\tB-LOC\n南\tM-LOC\n省\tE-LOC\n",
    "BIOES": "他 O\r\n住 O\r\n北 B-LOC\r\n京 E-LOC\r\n。 O\r\n\r\n京 S-LOC\r\n海 B-LOC\r\n南 I-LOC\r\n省 E-LOC\r\n",
    "underscores": "他 O\n住 O\n北 B_LOC\n京 I_LOC\n。 O",
    "indented": "  他 O\n  住 O\n  北 B-LOC\n  京 I-LOC\n  。 O\n",
    "byte order mark": "\ufeff他 O\n住 O\n北 B-LOC\n京 I-LOC\n。 O\n",
}


def file(folder: Path, text: str) -> Path:
    path = folder / "labels.txt"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("text", MARKS.values(), ids=MARKS)
def test_every_scheme_gives_the_same_spans(tmp_path: Path, text: str) -> None:
    first, *rest = read(file(tmp_path, text))
    assert first == CITY
    assert rest in ([], [Sentence("京海南省", (Span("LOC", 0, 1), Span("LOC", 1, 4)))])


def test_a_type_may_contain_marks_and_a_tag_may_follow_other_columns(tmp_path: Path) -> None:
    text = "-DOCSTART- -X- O O\n\n甲 NN x B_my_type-2\n乙 NN x I_my_type-2\n"
    assert read(file(tmp_path, text)) == [Sentence("甲乙", (Span("my_type-2", 0, 2),))]


def test_underscores_in_a_type_stay_however_the_tag_is_written(tmp_path: Path) -> None:
    for mark in "-_":
        text = f"青 B{mark}DRUG_NAME\n霉 I{mark}DRUG_NAME\n"
        assert read(file(tmp_path, text)) == [Sentence("青霉", (Span("DRUG_NAME", 0, 2),))]


def test_a_blank_may_be_a_character(tmp_path: Path) -> None:
    assert read(file(tmp_path, "a O\n  O\n北 B-LOC\n")) == [Sentence("a 北", (Span("LOC", 2, 3),))]


def test_words_are_joined_with_spaces_and_characters_are_not(tmp_path: Path) -> None:
    words = "Mr O\nJohn B-PER\nSmith I-PER\n, O\nof O\n( O\nACME B-ORG\n) O\n在 O\n北京 B-LOC\n见 O\n"
    (sentence,) = read(file(tmp_path, words))
    assert sentence.text == "Mr John Smith, of (ACME)在北京见"
    assert [sentence.text[s.start : s.end] for s in sentence.spans] == ["John Smith", "ACME", "北京"]
    characters = "A O\n  O\nc B-X\n4 I-X\n"
    assert read(file(tmp_path, characters)) == [Sentence("A c4", (Span("X", 2, 4),))]


def test_json_lines_with_spans(tmp_path: Path) -> None:
    text = (
        '{"text": "他住北京。", "label": {"LOC": {"北京": [[2, 3]]}}}\n\n'
        '{"text": "他住北京。", "entities": [{"type": "LOC", "start": 2, "end": 4, "id": 7}]}\n'
        '{"text": "他。", "entities": []}\n'
    )
    assert read(file(tmp_path, text)) == [CITY, CITY, Sentence("他。", ())]


WRONG = {
    "": "contains no sentences",
    "\n \n": "contains no sentences",
    "他 O\n住\n": "line 2 has no tag",
    "他 O\n住 LOC\n": "line 2 has the invalid tag 'LOC'",
    "他 O\n\n住 I-LOC\n": "line 3 has I-LOC after nothing, which BIO does not allow",
    "北 B-LOC\n京 I-ORG\n": "line 2 has I-ORG after B-LOC, which BIO does not allow",
    "北 B-LOC\n京 O\n海 S-LOC\n": "line 2 has O after B-LOC, which BIOES does not allow",
    "北 B-LOC\n京 M-LOC\n": "line 2 ends its sentence with M-LOC, which BMES does not allow",
    "北 B-LOC\n京 M-LOC\n京 E-LOC\n北 B-LOC\n京 I-LOC\n": "line 5 mixes the prefixes M and I",
    '{"text": "他"}': "line 1 has neither 'entities' nor 'label'",
    '{"text": "他", "entities": []}\n{"text": 1, "entities": []}': "line 2 is not a JSON object",
    '{"text": "他", "entities": [}': "line 1 is not a JSON object",
    '{"text": "他", "entities": [{"type": "X", "start": 0, "end": 2}]}': "line 1: the X from 0 to 2 is outside",
    '{"text": "他", "entities": [{"type": "X", "start": -1, "end": 1}]}': "from -1 to 1 is outside",
    '{"text": "他", "entities": [{"type": "X", "start": 1, "end": 1}]}': "from 1 to 1 is outside",
    '{"text": "他", "entities": [{"type": "", "start": 0, "end": 1}]}': "has no printable type",
    '{"text": "他", "label": {"X": {"她": [[0, 0]]}}}': "differs from its label",
    '{"text": "他", "label": {"X": {"他们": [[0, 1]]}}}': "from 0 to 2 is outside",
}


@pytest.mark.parametrize(("text", "said"), WRONG.items())
def test_invalid_labels_are_reported_with_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    path = file(tmp_path, text)
    with pytest.raises(UsageError, match=said) as caught:
        read(path)
    assert str(path) in caught.value.message
    assert caught.value.exit_code == 2


def test_a_file_that_is_missing_or_not_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gbk.txt"
    path.write_bytes("a O\n他 O\n".encode("gbk"))
    with pytest.raises(UsageError, match=r"gbk\.txt, line 2 is not UTF-8"):
        read(path)
    with pytest.raises(UsageError, match=r"nothing\.txt can't be read \(No such file"):
        read(tmp_path / "nothing.txt")


def test_tags_spell_spans_and_back() -> None:
    spans = [Span("A", 0, 1), Span("A", 1, 4), Span("B", 5, 7)]
    tags = spell(spans, 8)
    assert tags == ["S-A", "B-A", "I-A", "E-A", "O", "B-B", "E-B", "O"]
    assert spans_of(tags) == spans
    assert all(may_follow(a, b) for a, b in zip(["O", *tags], [*tags, "O"], strict=True))
    assert not may_follow("B-A", "O")
    assert not may_follow("O", "I-A")
    assert not may_follow("I-A", "E-B")
    assert tags_of(["B", "A"]) == ["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B", "S-B"]


def test_of_overlapping_labels_the_longer_is_used() -> None:
    assert apart([Span("A", 0, 2), Span("B", 1, 5), Span("C", 5, 6)]) == [Span("B", 1, 5), Span("C", 5, 6)]
