"""F1 of models trained by `nightshift ner train`, and the training time on one CPU thread.

    python benchmarks/ner_train.py [DATA] [--only NAME ...] [--seed N]

Medical questions (cMedQANER, ten types): trained on DATA/ner/cmedqaner_train.txt only, evaluated on
cmedqaner_test.txt. `random`: nothing from LAC; `frozen` and `tuned`: LAC's character embedding, unchanged or
fine-tuned (the default recipe); `layers`: LAC's embedding and both GRU layers. News (MSRA, persons, places,
organisations): trained on the first half of msra_test.char.bmes, evaluated on the second, compared with LAC
alone (without the patterns) on the same half.

Exact spans are counted, all types together, as in `nightshift ner evaluate`; the model is saved and loaded
like a user's. Minutes are CPU time, so that other work on the machine does not count. A tenth of the training
sentences, chosen by the seed, is held out for early stopping; the test part is used only at the end.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace
from threadpoolctl import threadpool_limits

from pipeline import ner
from pipeline.ner.evaluate import LAC_NAMES, evaluate
from pipeline.ner.lac import LacEngine
from pipeline.ner.training import save
from pipeline.ner.training.labels import read
from pipeline.ner.training.recipe import Recipe
from pipeline.ner.training.sentences import Sentence
from pipeline.ner.training.train import train
from pipeline.settings import Settings

MEDICAL = {
    "random": Recipe(embedding="none"),
    "frozen": Recipe(freeze=True),
    "tuned": Recipe(),
    "layers": Recipe(layers="lac"),
}


def measure(
    name: str, labels: Path, learn: Sequence[Sentence], test: Sequence[Sentence], recipe: Recipe
) -> None:
    begun = time.process_time()
    trained = train(learn, recipe)
    minutes = (time.process_time() - begun) / 60
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "model")
        save.save(trained, save.card_of(name, labels, learn, trained, recipe), recipe, target, force=False)
        scores = evaluate(ner.load(Settings(ner_engine=f"crf={target}")), test)
    held = trained.scores.micro.f1 if trained.scores else 0.0
    types = ", ".join(f"{kind} {figures.f1:.3f}" for kind, figures in scores.types.items())
    print(
        f"{name}: {minutes:.1f} min, {trained.epochs} epochs, held out F1 {held:.3f}, "
        f"test P {scores.micro.precision:.3f} R {scores.micro.recall:.3f} F1 {scores.micro.f1:.3f} ({types})",
        flush=True,
    )


def medical(folder: Path, name: str, seed: int) -> None:
    labels = folder / "cmedqaner_train.txt"
    recipe = replace(MEDICAL[name], seed=seed)
    measure(f"medical, {name}", labels, read(labels), read(folder / "cmedqaner_test.txt"), recipe)


def news(folder: Path, seed: int) -> None:
    labels = folder / "msra_test.char.bmes"
    sentences = read(labels)
    learn, test = sentences[: len(sentences) // 2], sentences[len(sentences) // 2 :]
    lac = evaluate(LacEngine(Settings()), test, LAC_NAMES).micro
    print(f"news, LAC alone: test P {lac.precision:.3f} R {lac.recall:.3f} F1 {lac.f1:.3f}", flush=True)
    measure("news, layers", labels, learn, test, replace(MEDICAL["layers"], seed=seed))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get("NIGHTSHIFT_DATA", "data")
    parser.add_argument("data", nargs="?", type=Path, default=Path(default), metavar="DATA")
    parser.add_argument("--only", nargs="+", default=["news", *MEDICAL], choices=["news", *MEDICAL])
    parser.add_argument(
        "--seed", type=int, default=Recipe().seed, help="seed of weights, order and held-out part"
    )
    options = parser.parse_args()
    folder = options.data / "ner"
    if not folder.is_dir():
        print(f"{folder} does not exist: name the data folder.", file=sys.stderr)
        return 2
    with threadpool_limits(1):
        for name in options.only:
            if name == "news":
                news(folder, options.seed)
            else:
                medical(folder, name, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
