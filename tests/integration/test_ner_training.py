"""Training on the real Paddle: the mathematics, the seed, and the engine that uses the result."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from pipeline import ner
from pipeline.errors import RunError, UsageError
from pipeline.ner import model_folder
from pipeline.ner.evaluate import LAC_NAMES, evaluate
from pipeline.ner.quiet_paddle import import_paddle
from pipeline.ner.training import save
from pipeline.ner.training.recipe import Recipe
from pipeline.ner.training.train import Progress, Trained, train
from pipeline.settings import Settings
from tests.support.labelled import joined, medical, orders, write_bio

SMALL = Recipe(embedding="none", hidden=24, epochs=8, rate=0.01, seed=3)
SENTENCES = medical(120) + orders(120)


def made(recipe: Recipe, folder: Path) -> Trained:
    trained = train(SENTENCES, recipe)
    labels = write_bio(folder.with_suffix(".txt"), SENTENCES)
    card = save.card_of("small", labels, SENTENCES, trained, recipe)
    save.save(trained, card, recipe, folder, force=False)
    return trained


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small"
    made(SMALL, folder)
    return folder


def test_the_fast_recurrence_equals_the_slow_one() -> None:
    paddle = import_paddle()
    from pipeline.ner.network import BiGru
    from pipeline.ner.training.fast_gru import FastBiGru

    paddle.seed(5)
    slow, fast = BiGru(6, 5), FastBiGru(6, 5)
    fast.set_state_dict(slow.state_dict())
    mask = paddle.to_tensor([[1.0] * 7, [1.0] * 3 + [0.0] * 4]).unsqueeze(-1)
    weight = paddle.randn([2, 7, 10]) * mask
    inputs = [paddle.randn([2, 7, 6])]
    inputs.append(inputs[0].clone())
    for net, x in zip((slow, fast), inputs, strict=True):
        x.stop_gradient = False
        (net(x, mask) * weight).sum().backward()
    assert np.allclose(slow(inputs[0], mask) * mask, fast(inputs[1], mask) * mask, atol=1e-6)
    assert np.allclose(np.asarray(inputs[0].grad), np.asarray(inputs[1].grad), atol=1e-6)
    for one, other in zip(slow.parameters(), fast.parameters(), strict=True):
        assert np.allclose(np.asarray(one.grad), np.asarray(other.grad), atol=1e-5), one.name


def test_the_loss_equals_a_sum_over_all_paths() -> None:
    import_paddle()
    from pipeline.ner.training.loss import loss_and_gradients

    draw = np.random.default_rng(2)
    scores, steps = draw.normal(size=(2, 4, 3)), draw.normal(size=(3, 3))
    labels, lengths = draw.integers(3, size=(2, 4)), np.array([4, 2])

    def by_hand(scores: np.ndarray, steps: np.ndarray) -> float:  # type: ignore[type-arg]
        loss = 0.0
        for row, length in enumerate(lengths):
            weights = {}
            for path in itertools.product(range(3), repeat=length):
                moves = sum(steps[a, b] for a, b in itertools.pairwise(path))
                weights[path] = sum(scores[row, t, tag] for t, tag in enumerate(path)) + moves
            loss += np.log(sum(np.exp(w) for w in weights.values())) - weights[tuple(labels[row, :length])]
        return loss / len(lengths)

    loss, unary, pairs = loss_and_gradients(scores, steps, labels, lengths)
    assert loss == pytest.approx(by_hand(scores, steps))
    for values, grad in ((scores, unary), (steps, pairs)):
        for place in np.ndindex(values.shape):
            kept = values[place]
            values[place] = kept + 1e-5
            up = by_hand(scores, steps)
            values[place] = kept - 1e-5
            down = by_hand(scores, steps)
            values[place] = kept
            assert grad[place] == pytest.approx((up - down) / 2e-5, abs=1e-6)


def test_a_model_learns_and_its_card_has_the_scores(model: Path) -> None:
    engine = ner.load(Settings(ner_engine=f"crf={model}"))
    scores = evaluate(engine, medical(40, seed=9) + orders(40, seed=9))
    assert scores.micro.f1 > 0.95
    card = model_folder.read_card(model)
    assert card.held_out is not None
    assert card.held_out.types.keys() == {"DRUG", "ILLNESS", "ORDER"}
    assert card.held_out.micro.f1 > 0.9
    assert (card.labels["sentences"], card.labels["learned_from"], card.labels["held_out"]) == (240, 216, 24)
    assert card.labels["entities"] == {"DRUG": 120, "ILLNESS": 120, "ORDER": 120}
    assert card.recipe["seed"] == 3


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(model: Path, tmp_path: Path) -> None:
    made(SMALL, tmp_path / "again")
    made(replace(SMALL, seed=4, epochs=1), tmp_path / "other")
    for name in ("inference.pdiparams", "transitions.npy"):
        weights = (model / name).read_bytes()
        assert (tmp_path / "again" / name).read_bytes() == weights, name
        assert (tmp_path / "other" / name).read_bytes() != weights, name
    settings = [Settings(ner_engine=f"crf={folder}") for folder in (model, tmp_path / "again")]
    assert ner.describe(settings[0]) == ner.describe(settings[1])


def test_other_layers_in_the_process_do_not_matter(model: Path, tmp_path: Path) -> None:
    paddle = import_paddle()
    trained = train(SENTENCES, SMALL)
    card = model_folder.read_card(model)
    for layers in range(90, 100, 3):  # Paddle counts layers and names weights by the count: 99, then 100
        with paddle.utils.unique_name.guard():
            for _ in range(layers):
                paddle.nn.Linear(1, 1)
            save.save(trained, card, SMALL, tmp_path / str(layers), force=False)
        weights = tmp_path / str(layers) / "inference.pdiparams"
        assert weights.read_bytes() == (model / "inference.pdiparams").read_bytes()


def test_texts_of_any_kind_are_read_and_spans_match_the_words(model: Path) -> None:
    engine = ner.load(Settings(ner_engine=f"crf={model}"))
    long = "患者有肺炎，给予青霉素治疗。" * 100
    lines = "患者有流感，服用布洛芬。\n  please cancel order 12345 today\n"
    empty, spaces, many, both, one = engine.extract(["", " \n ", long, lines, "肺"])
    assert empty == spaces == []
    assert [long[m.start : m.end] for m in many] == ["肺炎", "青霉素"] * 100
    assert {lines[m.start : m.end] for m in both} == {"流感", "布洛芬", "12345"}
    assert all(0 < m.confidence <= 1 and m.model == "small" for m in many)
    assert len(one) <= 1


def test_the_batch_a_text_is_in_does_not_matter(model: Path) -> None:
    engine = ner.load(Settings(ner_engine=f"crf={model}"))
    texts = [s.text for s in medical(40, seed=4)]
    together = engine.extract(texts)
    for text, mentions in zip(texts, together, strict=True):
        (alone,) = engine.extract([text])
        assert [(m.type, m.start, m.end) for m in alone] == [(m.type, m.start, m.end) for m in mentions]


MEASURE = """
import resource, sys
from pipeline import ner
from pipeline.settings import Settings
engine = ner.load(Settings(ner_engine="crf=" + sys.argv[1]))
engine.extract(["你好"])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
engine.extract(["患者有肺炎" * 40_000])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.long
def test_a_text_of_200_000_characters_without_a_break_takes_bounded_memory(model: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", MEASURE, str(model)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ}, check=False
    )
    assert done.stderr == ""
    assert int(done.stdout) < 250


def test_started_from_lac_it_generalises_to_unseen_words(tmp_path: Path) -> None:
    recipe = Recipe(layers="lac", epochs=2, seed=1)
    folder = tmp_path / "lac-started"
    trained = made(recipe, folder)
    assert trained.plain == "lac"
    assert len(trained.vocabulary) > 10_000
    engine = ner.load(Settings(ner_engine=f"crf={folder}"))
    unseen = "病人有鼻炎，服用头孢治疗。"  # characters that occur in no training sentence
    assert {unseen[m.start : m.end] for m in engine.extract([unseen])[0]} >= {"头孢", "鼻炎"}


def test_a_run_reports_progress_and_stops_by_the_clock() -> None:
    heard: list[Progress] = []
    trained = train(
        SENTENCES, replace(SMALL, epochs=10_000, patience=10_000, minutes=0.02), tell=heard.append
    )
    assert 1 <= trained.epochs < 1_000
    shares = [progress.share for progress in heard]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert heard[-1].f1 is not None


def test_it_stops_when_the_held_out_score_stops_improving() -> None:
    trained = train(SENTENCES, replace(SMALL, epochs=60, patience=2, held_out=0.3))
    assert trained.epochs == trained.best_epoch + 2 < 60


def test_too_little_text_and_a_missing_gpu_are_reported() -> None:
    with pytest.raises(UsageError, match="too few: label more text"):
        train(medical(1), SMALL)
    with pytest.raises(UsageError, match="40 sentences with 0 entity types"):
        train([joined([("没有", "")])] * 40, SMALL)
    if not import_paddle().device.is_compiled_with_cuda():
        with pytest.raises(RunError, match="The device is gpu, but this Paddle is a CPU build"):
            train(SENTENCES, SMALL, device="gpu")


def test_lac_is_evaluated_with_the_names_of_sighan() -> None:
    sentence = joined(
        [("王小明", "NR"), ("昨天从", ""), ("北京", "NS"), ("飞到", ""), ("上海", "NS"), ("。", "")]
    )
    scores = evaluate(ner.load(Settings()), [sentence], LAC_NAMES)
    assert {kind: f.f1 for kind, f in scores.types.items()} == {"PER": 1.0, "LOC": 1.0}
    assert json.loads(json.dumps(LAC_NAMES)) == {"NR": "PER", "NS": "LOC", "NT": "ORG"}
