"""Weights from Paddle's model hub, if allowed: fetched once, atomically."""

from __future__ import annotations

import hashlib
import shutil
import urllib.error
import urllib.request
from http.client import HTTPException
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.errors import ModelMissing, RunError, UsageError
from pipeline.model_cache import cached
from pipeline.ner.quiet_paddle import import_paddlenlp
from pipeline.ner.taskflow import folder

SECONDS = 20.0
"""Network timeout in seconds."""

_DEFAULTS = {folder.NER: "wordtag", folder.UIE: "uie-base"}
_OFFLINE = (
    "copy the model's files to a folder and set NIGHTSHIFT_NER_MODEL_DIR to it, then nothing is fetched "
    "(docs/how-to/ner-models.md)."
)


def choose(name: str, task: str) -> tuple[str, str]:
    """Determine the model's name on the hub and its task from the settings.

    Raises `UsageError` if the settings are incomplete or contradict each other.
    """
    name = name or _DEFAULTS.get(task, "")
    if not name:
        raise UsageError(
            "The NER engine taskflow has neither a model folder nor a model name: set NIGHTSHIFT_NER_MODEL_DIR or "
            "NIGHTSHIFT_NER_MODEL_NAME."
        )
    own = folder.NER if name in ("wordtag", "lac") else folder.UIE if name.startswith("uie-") else ""
    if own and task and own != task:
        raise UsageError(f"The model {name} is made for the task {own}, but NIGHTSHIFT_NER_TASK is {task}.")
    return name, own or task or folder.CLASSIFIER


def fetch(name: str, task: str) -> Path:
    """Return the folder of a hub model, fetching its files if necessary.

    Raises `ModelMissing` for a name unknown to the hub, `RunError` (`hub_unreachable`) if it does not
    answer, (`cache_unwritable`) if the files can't be stored.
    """
    urls = _urls(name, task)

    def fill(draft: Path) -> None:
        for file, (url, md5) in urls.items():
            _download(url, md5, draft / file, name)

    return cached(f"hub-{version('paddlenlp')}-{name.replace('/', '--')}", fill)


def _urls(name: str, task: str) -> dict[str, tuple[str, str]]:
    """File -> (URL, MD5 or empty): from PaddleNLP's own list, or by its rule for community models."""
    import_paddlenlp()
    from paddlenlp.taskflow.taskflow import TASKS
    from paddlenlp.utils.downloader import COMMUNITY_MODEL_PREFIX

    if task == folder.CLASSIFIER:
        files = [names.split("|")[0] for names in folder.TOKENS.files]
        return {file: (f"{COMMUNITY_MODEL_PREFIX}/{name}/{file}", "") for file in files}
    kinds = TASKS[task]["modes"] if task == folder.NER else TASKS[task]["models"]
    kind = {"wordtag": "accurate", "lac": "fast"}.get(name, name) if task == folder.NER else name
    if kind not in kinds or name not in kinds[kind]["task_class"].resource_files_urls:
        raise ModelMissing(f"Model '{name}' is unknown to PaddleNLP for the task {task}: choose another.")
    owner = kinds[kind]["task_class"]
    links = owner.resource_files_urls[name]
    return {file: tuple(links[key]) for key, file in owner.resource_files_names.items() if key in links}


def _download(url: str, md5: str, target: Path, name: str) -> None:
    host = urlsplit(url).netloc
    try:
        with (
            urllib.request.urlopen(url, timeout=SECONDS) as answer,  # noqa: S310 - PaddleNLP's own URLs
            target.open("wb") as file,
        ):
            shutil.copyfileobj(answer, file, 1 << 20)
            whole = int(answer.headers["Content-Length"] or file.tell())
            if file.tell() < whole:  # `http.client` does not detect a truncated response
                raise ConnectionError(f"{target.name} was truncated after {file.tell()} of {whole} bytes")
    except urllib.error.HTTPError as error:
        raise ModelMissing(
            f"{target.name} of '{name}' not found on the model hub {host} (status {error.code}): {_OFFLINE}"
        ) from None
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise RunError(
            f"The model hub {host} can't be reached for '{name}' ({reason}): {_OFFLINE}",
            code="hub_unreachable",
        ) from None
    with target.open("rb") as file:
        if md5 and hashlib.file_digest(file, "md5").hexdigest() != md5:
            raise RunError(
                f"The checksum of {target.name} of '{name}' from the model hub {host} is wrong: try again.",
                code="hub_unreachable",
            )
