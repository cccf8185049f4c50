"""Parts of trained models that need no Paddle: windows, examples, scores, folder."""

import random
from pathlib import Path

import pytest

from pipeline import ner
from pipeline.errors import ModelMissing, UsageError
from pipeline.ner import model_folder
from pipeline.ner.bioes import Span, tags_of
from pipeline.ner.model_folder import Card, write_card
from pipeline.ner.normalise import PLAIN
from pipeline.ner.scores import score
from pipeline.ner.training.examples import batches, characters, encode, pieces, split
from pipeline.ner.training.save import refuse_existing
from pipeline.ner.training.sentences import Sentence
from pipeline.ner.windows import MARGIN, SIZE, windows
from pipeline.settings import Settings
from tests.support.labelled import medical


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t\n ",
        "一",
        "第一行\n 第二行 \r\n\n第三行",
        "左栏   右栏",
        "字" * SIZE,
        "字" * (SIZE + 1),
        "字" * 10_000,
    ],
)
def test_every_character_counts_in_exactly_one_window(text: str) -> None:
    counted = [0] * len(text)
    for window in windows(text):
        assert 0 < window.end - window.start <= SIZE
        assert window.start <= window.first < window.last <= window.end
        assert window.first == window.start or window.first - window.start == MARGIN
        assert "\n" not in text[window.start : window.end]
        for at in range(window.first, window.last):
            counted[at] += 1
    inside = [c for c, character in zip(counted, text, strict=True) if not character.isspace()]
    assert set(inside) <= {1}
    assert sum(counted) == len(inside)


def test_long_and_broken_sentences_are_cut_between_entities() -> None:
    start = SIZE - 2
    text = "字" * start + "青霉素" + "字" * SIZE + "\n流感"
    sentence = Sentence(text, (Span("DRUG", start, start + 3), Span("X", len(text) - 4, len(text))))
    parts = list(pieces(sentence))
    assert all(len(part.text) <= SIZE for part in parts)
    assert "".join(part.text for part in parts) == text.replace("\n", "")
    assert [part.text[s.start : s.end] for part in parts for s in part.spans] == ["青霉素"]


def test_the_held_out_part_is_drawn_by_the_seed() -> None:
    sentences = medical(50)
    learn, held = split(sentences, 0.2, 1)
    assert (len(learn), len(held)) == (40, 10)
    assert sorted(learn + held) == sorted(sentences)
    assert split(sentences, 0.2, 1) == (learn, held)
    assert split(sentences, 0.2, 2)[1] != held
    assert split(sentences, 0, 1)[1] == []


def test_batches_hold_all_examples_padded() -> None:
    sentences, tags = medical(40), tags_of(["ILLNESS", "DRUG"])
    numbers = {c: n for n, c in enumerate(["?", *characters(sentences, PLAIN["width"], 1)])}
    examples = encode(sentences, PLAIN["width"], numbers, tags)
    made = batches(examples, 100, random.Random(0))
    assert sum(len(batch.lengths) for batch in made) == 40
    assert len(made) > 4
    for batch in made:
        assert batch.characters.shape == batch.tags.shape == (len(batch.lengths), batch.lengths.max())
        for row, length in enumerate(batch.lengths):
            assert batch.characters[row, :length].all()
            assert not batch.characters[row, length:].any()


def test_figures_count_exact_spans() -> None:
    gold = [[("A", 0, 2), ("B", 3, 4)], [("A", 0, 1)]]
    found = [[("A", 0, 2), ("B", 3, 5)], []]
    scores = score(gold, found)
    assert (scores.micro.precision, scores.micro.recall, scores.micro.f1) == (0.5, 0.3333, 0.4)
    assert (scores.types["A"].f1, scores.types["B"].f1, scores.sentences) == (0.6667, 0.0, 2)
    assert score([[]], [[]]).micro.f1 == 0.0


def folder(tmp_path: Path) -> Path:
    for name in model_folder.FILES:
        (tmp_path / name).touch()
    write_card(tmp_path, Card(name="n", reads="width", types=["A"]))
    return tmp_path


@pytest.mark.parametrize("name", model_folder.FILES)
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (folder(tmp_path) / name).unlink()
    with pytest.raises(
        ModelMissing, match=rf"{name} not found in .*: name one that `nightshift ner train` wrote"
    ):
        ner.describe(Settings(ner_engine=f"crf={tmp_path}"))


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (b"{", "is not a model card"),
        (b'{"name": "n"}', "is not a model card"),
        (b'{"name": "n", "reads": "width", "types": [], "format": 2}', "has format 2"),
        (b'{"name": "n", "reads": "runes", "types": []}', "reads text as 'runes'"),
    ],
)
def test_an_invalid_card_is_reported(tmp_path: Path, card: bytes, said: str) -> None:
    (folder(tmp_path) / "model.json").write_bytes(card)
    with pytest.raises(ModelMissing, match=said):
        ner.load(Settings(ner_engine=f"crf={tmp_path}"))


def test_a_trained_model_needs_a_folder_and_a_device() -> None:
    with pytest.raises(UsageError, match="needs the folder of a trained model: write crf=FOLDER"):
        ner.describe(Settings(ner_engine="crf"))


def test_other_weights_give_another_digest_another_date_does_not(tmp_path: Path) -> None:
    settings = Settings(ner_engine=f"crf={folder(tmp_path)}")
    before = ner.describe(settings)
    assert (before.engine, before.name) == ("crf", "n")
    assert ner.load(settings).info == before
    write_card(tmp_path, Card(name="n", reads="width", types=["A"], trained_at="later"))
    assert ner.describe(settings) == before
    (tmp_path / "transitions.npy").write_bytes(b"x")
    assert ner.describe(settings).digest != before.digest


def test_only_a_model_is_replaced_and_only_with_force(tmp_path: Path) -> None:
    refuse_existing(tmp_path / "new", force=False)
    with pytest.raises(UsageError, match="exists: name another folder, or use --force"):
        refuse_existing(tmp_path, force=False)
    (tmp_path / "letters.txt").touch()
    with pytest.raises(UsageError, match="is not a model, so --force does not replace it"):
        refuse_existing(tmp_path, force=True)
    refuse_existing(folder(tmp_path), force=True)
