"""Options and arguments that several commands share, and the options that every command has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from collections.abc import Callable

GLOBAL = "Global options"
"""Help panel of the options that every command takes, before its name or after it."""

Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="A folder, file:///path or s3://bucket/prefix. Default: NIGHTSHIFT_STORE_URL.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
RunDate = Annotated[
    str | None,
    typer.Option(
        "--run-date",
        metavar="DATE",
        help="This night only: YYYY-MM-DD, today, yesterday or last. Default: all nights.",
    ),
]
RunDateArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN_DATE",
        help="The night: YYYY-MM-DD, today, yesterday or last (the latest night with results or failures).",
        show_default=True,
    ),
]
TaskId = Annotated[str | None, typer.Option("--task-id", metavar="ID", help="This task only.")]


class Command(TyperCommand):
    """A command that also takes the global options, which are declared once, on `nightshift` itself."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Own parameters first; those of the root command's `GLOBAL` panel last."""
        shared = [p for p in ctx.find_root().command.params if getattr(p, "rich_help_panel", None) == GLOBAL]
        return [*super().get_params(ctx), *shared]


class Commands(typer.Typer):
    """A group of commands, all of class `Command`."""

    def command(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        """See `typer.Typer.command`."""
        return super().command(*args, **({"cls": Command} | kwargs))
