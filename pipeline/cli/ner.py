"""`nightshift ner`: train a NER model on labelled text, and evaluate one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline.cli import options, screen
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress as Bar

    from pipeline.ner.scores import Scores
    from pipeline.ner.training.recipe import Recipe
    from pipeline.ner.training.sentences import Sentence
    from pipeline.ner.training.train import Progress, Trained

app = options.Commands(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Train a NER model on labelled text, and evaluate one.",
)

_Labels = Annotated[
    Path, typer.Argument(metavar="LABELS", help="Tagged lines (BIO, BMES, BIOES) or JSON lines with spans.")
]
_Threads = Annotated[int, typer.Option("--threads", min=1, help="Compute threads.")]
_Device = Annotated[str, typer.Option("--device", help="cpu, gpu or gpu:0.")]
_Start = Literal["lac", "none"]


@app.command(no_args_is_help=True)
def train(
    labels: _Labels,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="MODEL_DIR", help="Folder to write the model to.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="The model's name in results. Default: the folder's.")
    ] = None,
    embedding: Annotated[
        _Start,
        typer.Option("--embedding", help="Start from LAC's character embedding, or from random values."),
    ] = "lac",
    layers: Annotated[
        _Start,
        typer.Option(
            "--layers", help="Start from LAC's layers as well: for names and places, which LAC knows."
        ),
    ] = "none",
    freeze: Annotated[bool, typer.Option("--freeze", help="Keep LAC's embedding as it is.")] = False,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Maximum number of epochs.")] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.01, help="Maximum training time.")
    ] = None,
    held_out: Annotated[
        float | None,
        typer.Option(
            "--held-out", min=0, max=0.9, help="Share of sentences held out for evaluation; 0: none."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Same seed, same weights.")] = None,
    device: _Device = "cpu",
    threads: _Threads = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace the model in MODEL_DIR.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Train a tagger (BiGRU-CRF) on LABELS and write it to MODEL_DIR, whole or not at all.

    Training stops when the score on the held-out part no longer improves, and keeps the weights with the best score.
    The same labels, options and seed give the same weights on the same machine, unless `--minutes` is given.
    `model.json` in the folder records the training data, the options and the scores. Use the model with
    `NIGHTSHIFT_NER_ENGINE=crf=MODEL_DIR`, or together with others: `lac,crf=MODEL_DIR`.

    Exit codes: 0 success, 1 folder not writable or device unavailable, 2 usage error or invalid labels.
    """
    from pipeline.ner.predictor import checked_device
    from pipeline.ner.training import labels as reader
    from pipeline.ner.training import save

    checked_device(device)
    save.refuse_existing(out, force=force)
    recipe = _recipe(
        embedding=embedding,
        layers=layers,
        freeze=freeze,
        epochs=epochs,
        minutes=minutes,
        held_out=held_out,
        seed=seed,
    )
    sentences = reader.read(labels)
    try:
        trained = _train(sentences, recipe, device, threads)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Stopped: no model was written.") from None
    card = save.card_of(name or out.resolve().name, labels, sentences, trained, recipe)
    save.save(trained, card, recipe, out, force=force)
    if as_json:
        screen.as_json(card)
        return
    if trained.scores:
        _print(trained.scores, f"Scores on the {trained.held_out} held-out sentences")
    screen.say(f"Model {card.name} in {out}: {trained.epochs} epochs, {trained.seconds / 60:.1f} min.")


def _recipe(**given: Any) -> Recipe:
    from pipeline.ner.training.recipe import Recipe

    if given["embedding"] == "none" and (given["layers"] == "lac" or given["freeze"]):
        raise UsageError("--layers lac and --freeze need LAC's embedding: add --embedding lac.")
    return Recipe(**{name: value for name, value in given.items() if value is not None})


def _train(sentences: Sequence[Sentence], recipe: Recipe, device: str, threads: int) -> Trained:
    from rich.progress import BarColumn, TextColumn
    from threadpoolctl import threadpool_limits

    from pipeline.ner.training.train import train

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
    with (
        threadpool_limits(threads),
        screen.progress(*columns) as bar,
    ):
        row = bar.add_task("loading Paddle …", total=1.0, left="")
        return train(
            sentences, recipe, device=device, threads=threads, tell=lambda progress: _show(bar, row, progress)
        )


def _show(bar: Bar, row: Any, progress: Progress) -> None:
    best = f"{progress.f1:.3f}" if progress.f1 is not None else "–"
    description = f"epoch {progress.epoch}  loss {progress.loss:.2f}  best F1 {best}"
    left = ""
    if progress.share > 0:
        seconds = int(progress.seconds * (1 - progress.share) / progress.share)
        left = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02} left (maximum)"
    bar.update(row, completed=progress.share, description=description, left=left)


@app.command(no_args_is_help=True)
def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model's folder, or engines such as lac,crf=FOLDER.")
    ],
    labels: _Labels,
    names: Annotated[
        str,
        typer.Option(
            "--map",
            metavar="LABEL=TYPE,...",
            help="Label types and the model's names for them. Default for engines: NR=PER,NS=LOC,NT=ORG.",
        ),
    ] = "",
    device: _Device = "cpu",
    threads: _Threads = 1,
    as_json: options.AsJson = False,
) -> None:
    """Print precision, recall and F1 of MODEL on LABELS, by entity type and overall (micro).

    An entity is correct when type, start and end all match. Types that do not occur in the labels are ignored.

    Exit codes: 0 success, 1 the model cannot be loaded, 2 usage error or invalid labels.
    """
    from pipeline import ner
    from pipeline.ner import evaluate as judge
    from pipeline.ner.training import labels as reader
    from pipeline.settings import Settings

    own = Path(model).is_dir()
    spec = f"crf={model}" if own else model
    if not own and ("/" in model.partition("=")[0] or model.startswith(".")):
        raise UsageError(f"There is no model folder {model}: give one that `nightshift ner train` wrote.")
    mapped = _names(names) if names or own else judge.LAC_NAMES
    engine = ner.load(Settings.from_env(ner_engine=spec, ner_device=device, ner_threads=threads))
    scores = judge.evaluate(engine, reader.read(labels), mapped)
    if as_json:
        screen.as_json(scores)
    else:
        _print(scores, f"{engine.info.name} on {scores.sentences} sentences")


def _names(text: str) -> dict[str, str]:
    names = {}
    for pair in filter(None, text.split(",")):
        label, equals, kind = (part.strip() for part in pair.partition("="))
        if not (label and equals and kind):
            raise UsageError(f'Invalid --map "{pair}": use LABEL=TYPE, such as NR=PER.')
        names[label] = kind
    return names


def _print(scores: Scores, title: str) -> None:
    rows = []
    for kind, figures in [*scores.types.items(), ("all", scores.micro)]:
        shares = (f"{share:.1%}" for share in (figures.precision, figures.recall, figures.f1))
        rows.append((kind, *shares, figures.right, figures.found, figures.support))
    screen.listing(title, ("type", "#precision", "#recall", "#F1", "#correct", "#found", "#labelled"), rows)
