"""The `nightshift` command: the composition root. What producers and operators type is one command per file.

This package is the only one here that may import `tasks`, and does so inside functions, so that `--help` stays quick.
"""

from __future__ import annotations

import logging
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from pipeline.cli import brake, callbacks, dead, failed, keys, ner, ocr, options, queues, screen, window
from pipeline.cli.actions import actions
from pipeline.cli.audit import audit
from pipeline.cli.cat import cat
from pipeline.cli.doctor import doctor
from pipeline.cli.exporter import exporter
from pipeline.cli.forecast import forecast
from pipeline.cli.forget import forget
from pipeline.cli.report import report
from pipeline.cli.reprocess import reprocess
from pipeline.cli.run import run
from pipeline.cli.settings import settings
from pipeline.cli.status import status
from pipeline.cli.submit import submit
from pipeline.cli.summarise import summarise
from pipeline.cli.why import why
from pipeline.errors import ExitCode, PipelineError
from pipeline.version import __version__

_EPILOG = """
Exit codes: 0 success; 1 error: store or broker unavailable, a model missing, nothing found; 2 usage error: wrong
arguments or settings; 3 incomplete: some documents failed or were refused; 4 discrepancies found; 5 documents wait and
no worker answers (`status`); 6 a step is paused (`status`); 7 something needs a person (`status`); 8 a device is lost,
or held by another process (`run`); 130 stopped by Ctrl-C, finished work is kept; 141 nobody reads the output any more
(`| head -1`).

Every command takes the global options before or after its name. Settings are environment variables NIGHTSHIFT_*.
"""


class Stopped(PipelineError):
    """The user pressed Ctrl-C."""

    code = "stopped"
    exit_code = ExitCode.STOPPED


class _Root(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C, which Typer would turn into a silent exit, raises `Stopped`.

        A command that has more to say raises `KeyboardInterrupt` with a sentence of its own.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            said = str(stop) or "Stopped: finished work is kept; run the same command again to continue."
            raise Stopped(said) from None


app = options.Commands(
    name="nightshift",
    cls=_Root,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Process scanned documents overnight: text, boxes and entities, as JSON and parquet.",
    epilog=_EPILOG,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nightshift {__version__}")
        raise typer.Exit


def _quiet(wanted: bool | None) -> None:
    if wanted:
        screen.terminal.quiet = True
        screen.log(logging.ERROR)


def _verbose(count: int) -> None:
    if count:
        screen.log(logging.INFO if count == 1 else logging.DEBUG)


def _no_progress(wanted: bool | None) -> None:
    if wanted:
        screen.terminal.progress = False


def _color(when: Literal["auto", "always", "never"] | None) -> None:
    if when:
        screen.colour(when)


def _option(*names: str, callback: Any, **more: Any) -> Any:
    return typer.Option(
        *names,
        callback=callback,
        expose_value=False,
        rich_help_panel=options.GLOBAL,
        show_default=False,
        **more,
    )


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit."),
    ] = False,
    quiet: Annotated[
        bool | None,
        _option("--quiet", "-q", callback=_quiet, help="Print errors only, and the result with --json."),
    ] = None,
    verbose: Annotated[
        int,
        _option("--verbose", "-v", callback=_verbose, count=True, help="Log to standard error; -vv: more."),
    ] = 0,
    no_progress: Annotated[
        bool | None, _option("--no-progress", callback=_no_progress, help="Show no progress bar.")
    ] = None,
    color: Annotated[
        Literal["auto", "always", "never"] | None,
        _option("--color", callback=_color, help="Colour the output; auto follows NO_COLOR."),
    ] = None,
) -> None:
    pass


app.command(no_args_is_help=True)(run)
app.command(no_args_is_help=True)(submit)
app.command()(status)
app.command(no_args_is_help=True)(why)
app.command()(forecast)
app.command()(doctor)
app.command()(audit)
app.command()(report)
app.command(no_args_is_help=True)(reprocess)
app.command()(summarise)
app.command(no_args_is_help=True)(forget)
app.command()(actions)
app.command(no_args_is_help=True)(cat)
app.command()(exporter)
app.command()(settings)
app.add_typer(failed.app, name="failed")
app.add_typer(dead.app, name="dead")
app.add_typer(callbacks.app, name="callbacks")
app.add_typer(brake.app, name="brake")
app.add_typer(queues.app, name="queues")
app.add_typer(keys.app, name="keys")
app.add_typer(ner.app, name="ner")
app.add_typer(ocr.app, name="ocr")
app.add_typer(window.app, name="window")
