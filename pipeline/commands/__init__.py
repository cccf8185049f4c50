"""What producers and operators type: one command a file, besides `run`.

This package and `pipeline.cli` are the only ones here that may import `tasks`, and do so inside functions,
so that `--help` stays quick.
"""

from __future__ import annotations

from pipeline.cli import app
from pipeline.commands import callbacks, failed, ner, window
from pipeline.commands.audit import audit
from pipeline.commands.reprocess import reprocess
from pipeline.commands.status import status
from pipeline.commands.submit import submit
from pipeline.commands.summarise import summarise

app.command(no_args_is_help=True)(submit)
app.command()(status)
app.command(no_args_is_help=True)(audit)
app.command(no_args_is_help=True)(reprocess)
app.command(no_args_is_help=True)(summarise)
app.add_typer(failed.app, name="failed")
app.add_typer(callbacks.app, name="callbacks")
app.add_typer(ner.app, name="ner")
app.add_typer(window.app, name="window")
