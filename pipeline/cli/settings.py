"""`nightshift settings`: what is in force, and where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from pipeline.cli import screen
from pipeline.cli.options import AsJson
from pipeline.errors import ExitCode, RunError, UsageError

if TYPE_CHECKING:
    from pipeline.environment import Environment
    from pipeline.settings import Settings


class Setting(msgspec.Struct, frozen=True):
    """One setting as it is shown: its variable, its value without secrets, and where that comes from.

    origin: `default`, `environment`, or the path of the file that sets it.
    """

    name: str
    value: str
    origin: str


def settings(
    everything: Annotated[bool, typer.Option("--all", help="Also show settings at their defaults.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the settings in force and where each comes from: the environment, the `.env` file or the default.

    Only changed settings are shown unless `--all` is given, which also says how documents are confined. Secrets and
    passwords are hidden. Errors in settings are listed after the table, all of them.

    Exit codes: 0 all settings are valid, 2 a setting is unknown or invalid.
    """
    from pipeline import environment
    from pipeline.settings import Settings

    found = environment.read(Settings.__struct_fields__)
    wrong = _wrong(found)
    rows = [row for row in _rows(found, wrong) if everything or row.origin != "default"]
    problems = [*found.problems, *wrong.values()]
    file = str(found.file or "")
    if as_json:
        screen.as_json({"env_file": file, "settings": rows, "problems": problems})
    else:
        _print(rows, file, everything, "All other settings" if problems else "All settings")
        if everything and not problems:
            _print_sandbox()
    for problem in problems:
        typer.echo(f"nightshift: {problem}", err=True)
    if problems:
        raise typer.Exit(ExitCode.USAGE)


def _print_sandbox() -> None:
    """Say how documents are parsed here, found out by starting such a process."""
    from pipeline import reader
    from pipeline.settings import Settings

    try:
        screen.say(reader.described(Settings.from_env()))
    except RunError as error:
        typer.echo(f"nightshift: {error.message}", err=True)


def _rows(found: Environment, wrong: dict[str, str]) -> list[Setting]:
    """Every setting that is in force, in the order of the docs."""
    from pipeline.environment import PREFIX
    from pipeline.settings import Settings, shown

    values = Settings.from_env({}, **{n: it.value for n, it in found.given.items() if n not in wrong})
    return [
        Setting(
            name=PREFIX + name.upper(),
            value=shown(name, getattr(values, name)),
            origin=found.given[name].origin if name in found.given else "default",
        )
        for name in Settings.__struct_fields__
        if name not in wrong
    ]


def _wrong(found: Environment) -> dict[str, str]:
    """Fields with a value that does not fit, each with its sentence."""
    from pipeline.encryption.keyring import keyring
    from pipeline.night import keep_days
    from pipeline.night.window import OffPeakWindow
    from pipeline.remote.policy import callback_policy, source_policy
    from pipeline.settings import Settings, invalid

    def window(settings: Settings) -> object:
        return OffPeakWindow.parse(settings.window, settings.timezone)

    def keep(settings: Settings) -> object:
        return keep_days.parse(settings.keep_days)

    wrong = invalid(found.given)
    fitting = Settings.from_env({}, **{n: it.value for n, it in found.given.items() if n not in wrong})
    grammars = {
        "window": window,
        "keep_days": keep,
        "allowed_sources": source_policy,
        "allowed_callbacks": callback_policy,
        "encryption_keys": keyring,
    }
    plain = msgspec.structs.replace(fitting, http_ca="", http_cert="", http_key="")  # see below
    for name, parse in grammars.items():
        try:
            parse(plain)
        except UsageError as error:
            wrong[name] = error.message
    return wrong | _wrong_files(fitting)


def _wrong_files(settings: Settings) -> dict[str, str]:
    """Fields of TLS with a file that can't be used."""
    from pipeline import tls

    wrong = {}
    for service in tls.SERVICES:
        files = tls.Files.of(settings, service)
        try:
            if files.given:
                tls.context(files)
        except UsageError as error:
            named = {error.message.find(files.setting(part)): part for part in tls.PARTS}
            first = min(place for place in named if place >= 0)
            wrong[f"{service}_{named[first]}"] = error.message
    return wrong


def _print(rows: list[Setting], file: str, everything: bool, rest: str) -> None:
    if rows:
        cells = [(row.name, Path(row.origin).name, row.value) for row in rows]
        screen.listing("", ("setting", "from", "value"), cells)
    else:
        screen.say(f"{rest} are at their defaults.")
    if file:
        screen.say(f"{Path(file).name} is {file}")
    if not everything:
        screen.say("`nightshift settings --all` also shows the defaults.")
