"""Open a PaddleNLP `Taskflow` on a private copy of the user's folder, converted once.

On opening a model PaddleNLP rewrites its weights, converts it again at each start and mistakes any file with
".json" in its name for the model. So it never gets the user's folder but a copy in the cache, which is
marked as converted (`.cache_info` contains the digest of the weights).
"""

from __future__ import annotations

import hashlib
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.errors import ModelMissing, PipelineError
from pipeline.model_cache import cached
from pipeline.ner.lac_model import paddle_version
from pipeline.ner.quiet_paddle import import_paddlenlp
from pipeline.ner.taskflow.folder import LAC, LAC_WEIGHTS, Model

BATCH = 16
"""Windows per batch; since their length is bounded, so is memory, however long the text."""

_WEIGHTS = "model_state.pdparams"


def open_taskflow(model: Model, schema: Sequence[str], device_id: int, threads: int) -> Any:
    """Return a `Taskflow` for `model`, created in this process; `device_id` is a GPU, or -1 for the CPU.

    Raises `ModelMissing` if PaddleNLP can't open it, `RunError` if the cache can't be written.
    """
    key = "\0".join(
        [model.digest(), paddle_version(), version("paddlenlp"), Path(__file__).read_text("utf-8")]
    )
    place = cached(
        f"taskflow-{hashlib.sha256(key.encode()).hexdigest()[:16]}", lambda draft: _fill(model, draft)
    )
    return _construct(model, place, schema, device_id, threads)


def _fill(model: Model, draft: Path) -> None:
    for name in model.files:
        shutil.copyfile(model.folder / name, draft / name)
    if model.layout.converted:
        _construct(model, draft, ["?"], -1, 1)
        # From now on only its existence and digest are checked.
        (draft / _WEIGHTS).write_bytes(b"")
        nothing = hashlib.md5(b"", usedforsecurity=False).hexdigest()
        (draft / ".cache_info").write_text(f"{nothing}.json")


def _construct(model: Model, place: Path, schema: Sequence[str], device_id: int, threads: int) -> Any:
    import_paddlenlp()
    from paddlenlp import Taskflow

    options: dict[str, Any] = {}
    if schema:
        options["schema"] = list(schema)
    if model.layout in (LAC, LAC_WEIGHTS):
        options |= {"mode": "fast", "is_static_model": model.layout is LAC}
    with complaints(model.folder):
        return Taskflow(
            model.layout.task,
            task_path=str(place),
            device_id=device_id,
            num_threads=threads,
            batch_size=BATCH,
            **options,
        )


@contextmanager
def complaints(folder: Path) -> Iterator[None]:
    """Turn whatever PaddleNLP raises about a model's files into one sentence that names the folder."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (PipelineError, MemoryError):
        raise
    except Exception as error:
        first = (str(error).strip().splitlines() or ["no reason given"])[0][:200]
        raise ModelMissing(
            f"PaddleNLP can't open the NER model in {folder} ({type(error).__name__}: {first}): copy it again, "
            "or name another."
        ) from error
