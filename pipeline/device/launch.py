"""How a device process is started: with the settings of its engine, and without anything else of its parent."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pipeline.device.counters import EXIT_LOST
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.ocr import OcrSettings
    from pipeline.ocr.batched import BatchModels

EXIT_LOAD = 92
"""Exit code of a process that can't load its models, as `reason_file` says: another one could not either."""
EXIT_BLANK = 93
"""Exit code of a process that loaded its models, but could not compute a blank image; it has said why in one line."""

_PASSED_ON = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")
_GROUPS_PASSED_ON = (
    *("CUDA_", "NVIDIA_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_"),
    *("FLAGS_", "PADDLE_", "OV_", "HF_", "XDG_", "LC_", "NIGHTSHIFT_FAKE_"),
)
_SET_PDEATHSIG = 1  # linux/prctl.h


def reason_file(address: Path) -> Path:
    """Where a process that can't load its models for `address` says why, in a sentence or two."""
    return address.with_name(f"{address.name}.reason")


class Config(msgspec.Struct, frozen=True):
    """The settings of an engine; they are in the command line of the process and hold no secret."""

    ocr_engine: str
    ocr_device: str
    ocr_model_dir: str | None
    ocr_max_side: int
    ocr_threads: int
    ocr_download: bool


def start(address: Path, settings: OcrSettings, device: str) -> subprocess.Popen[bytes]:
    """Start a process that serves `device` (`cpu`, `gpu:0`) at `address`; raises `OSError`.

    Who may enter the folder of `address` may ask: it should be private. The process is ready once `read_counters` says
    its process id. It ends with the thread that calls this: call it from one that lives as long as the process does.
    On SIGTERM it says to its clients that it ends on purpose.
    """
    config = Config(
        ocr_engine=settings.ocr_engine,
        ocr_device=device,
        ocr_model_dir=settings.ocr_model_dir,
        ocr_max_side=settings.ocr_max_side,
        ocr_threads=settings.ocr_threads,
        ocr_download=settings.ocr_download,
    )
    command = [sys.executable, "-m", "pipeline.device", str(address), msgspec.json.encode(config).decode()]
    return subprocess.Popen(  # noqa: S603 - nothing of a document is in the command
        [*command, str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=environment(),
        process_group=0,  # the parent handles Ctrl-C
    )


def environment() -> dict[str, str]:
    """What such a process gets of this one's environment: no settings, no credentials, no proxies."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith(_GROUPS_PASSED_ON)
    }
    return kept | {"PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)}


def main(address: str, config: str, parent: str) -> None:
    """What the process does: load the models, listen, compute; it never returns."""
    ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        os._exit(0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.basicConfig(level=logging.INFO, format="device process: %(levelname)s: %(message)s")
    from pipeline import ocr
    from pipeline.device import process

    settings = msgspec.json.decode(config, type=Config)
    try:
        models = ocr.load_models(settings, settings.ocr_device)
    except (PipelineError, ModuleNotFoundError) as error:
        missing = f"The OCR engine '{settings.ocr_engine}' needs a package that is not installed: {error}."
        reason = error.message if isinstance(error, PipelineError) else missing
        reason_file(Path(address)).write_text(reason, encoding="utf-8")
        sys.exit(EXIT_LOAD)
    _try(models)
    process.run(Path(address), models)


def _try(models: BatchModels) -> None:
    """Compute blank images, or end this process."""
    from pipeline.device import blank
    from pipeline.ocr.batched import DeviceLost

    try:
        blank.compute(models)
    except Exception as error:
        words = " ".join(str(error).split())
        logging.getLogger("nightshift").error(
            "a blank image can't be computed (%s): %s", type(error).__name__, words
        )
        os._exit(EXIT_LOST if isinstance(error, DeviceLost) else EXIT_BLANK)  # what is loaded may be broken
