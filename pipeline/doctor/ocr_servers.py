"""The servers of the engine `remote`: whether each is ready, and, on request, reads a test page."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pipeline.doctor.finding import Finding, fault, of_message, ok
from pipeline.errors import PipelineError
from pipeline.served.engine import servers_of
from pipeline.served.server import Busy, Down, Failed, Server
from pipeline.served.servers import Servers
from pipeline.settings import Settings

_NAME = "ocr server"
_SECONDS = 10.0


def check(settings: Settings, *, load: bool) -> Iterator[Finding]:
    """Ask each server by `/health`; `load`: have it read a page, too."""
    for server in servers_of(settings) if settings.ocr_engine == "remote" else ():
        try:
            yield ok(_NAME, _answers(server, load=load))
        except Busy:
            yield fault(_NAME, f"{server.name} is overloaded.", "wait, or add a server")
        except Failed as error:
            yield fault(_NAME, error.sentence, "see its log")
        except Down as error:
            yield of_message(_NAME, error.reason.message)
        except PipelineError as error:
            yield of_message(_NAME, error.message)


def _answers(server: Server, *, load: bool) -> str:
    server.health(_SECONDS)
    if not load:
        return f"{server.name} is ready."
    began = time.monotonic()
    Servers([server], _SECONDS).check()
    return f"{server.name} reads a test page in {time.monotonic() - began:.1f} s."
