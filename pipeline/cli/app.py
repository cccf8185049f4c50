"""The `nightshift` command: the composition root. What producers and operators type is one command per file.

This package is the only one here that may import `tasks`, and does so inside functions, so that `--help` stays quick.
"""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import callbacks, failed, ner, window
from pipeline.cli.audit import audit
from pipeline.cli.reprocess import reprocess
from pipeline.cli.run import run
from pipeline.cli.settings import settings
from pipeline.cli.status import status
from pipeline.cli.submit import submit
from pipeline.cli.summarise import summarise
from pipeline.version import __version__

app = typer.Typer(
    name="nightshift",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Read scanned documents overnight: text, boxes and entities, as JSON and parquet.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nightshift {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


app.command(no_args_is_help=True)(run)
app.command(no_args_is_help=True)(submit)
app.command()(status)
app.command(no_args_is_help=True)(audit)
app.command(no_args_is_help=True)(reprocess)
app.command(no_args_is_help=True)(summarise)
app.command()(settings)
app.add_typer(failed.app, name="failed")
app.add_typer(callbacks.app, name="callbacks")
app.add_typer(ner.app, name="ner")
app.add_typer(window.app, name="window")
