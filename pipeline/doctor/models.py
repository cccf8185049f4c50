"""The models: whether their files are there, which they are, and, on request, whether they load."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pipeline.doctor.finding import Finding, fault, of_message, ok
from pipeline.errors import PipelineError
from pipeline.settings import Settings
from pipeline.steps.engines import Engines

_STEPS = ("ocr", "ner", "fields")


def check(settings: Settings, *, load: bool) -> Iterator[Finding]:
    """Describe each model; `load` them too, which takes seconds and their memory."""
    engines = Engines(settings)
    for step in _STEPS:
        name = f"model {step}"
        try:
            info = getattr(engines, f"{step}_info")
            said = f"{info.engine} {info.name}, digest {info.digest[:16]}"
            if load:
                began = time.monotonic()
                getattr(engines, step)
                said += f", loaded in {time.monotonic() - began:.1f} s"
            yield ok(name, f"{said}.")
        except PipelineError as error:
            yield of_message(name, error.message)
        except Exception as error:  # of the engines' libraries
            reason = f"The model cannot be used ({type(error).__name__})."
            yield fault(
                name, reason, "install its library and weights again; nightshift doctor --load -v shows more"
            )
