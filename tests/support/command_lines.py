"""Command lines of files that start our processes, parsed by the programs that they start."""

from collections.abc import Sequence
from typing import Any


def parse(words: Sequence[str]) -> None:
    """Parse a command line without running it; raises `click.UsageError` or `AssertionError`."""
    program, *rest = words
    match program.rpartition("/")[2]:
        case "celery":
            _celery(rest)
        case "nightshift":
            import typer

            from pipeline.cli.app import app

            _subcommand(typer.main.get_command(app), rest)
        case other:
            raise AssertionError(f"{other} is not one of our programs")


def _celery(words: Sequence[str]) -> None:
    from celery import Celery
    from celery.bin.base import CLIContext
    from celery.bin.celery import celery

    assert list(words[:2]) == ["-A", "tasks"]
    if words[2] == "flower":
        _flower(words[3:])
    else:
        _subcommand(celery, words[2:], CLIContext(app=Celery(), no_color=True, workdir=None))


def _subcommand(group: Any, words: Sequence[str], obj: Any = None) -> None:
    parent = group.context_class(group, obj=obj)
    command = group.get_command(parent, words[0])
    assert command is not None, words[0]
    command.make_context(words[0], list(words[1:]), parent=parent).close()


def _flower(words: Sequence[str]) -> None:
    import flower.options  # noqa: F401 - it defines them
    from tornado.options import options

    for word in words:
        name, _, value = word.removeprefix("--").partition("=")
        assert name in options
        assert value
