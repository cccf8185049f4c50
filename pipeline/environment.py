"""Environment variables: where they are set (the process or the `.env` file), and what is wrong with them.

`.env` is a file in the working folder with lines `NAME=value`. Its `NIGHTSHIFT_*` are settings and stay out of
`os.environ`. Its `AWS_*` are added to `os.environ`, because boto3 looks for credentials there. Other names are ignored:
the file may belong to another program as well. A variable of the process wins over the same name in the file.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from pipeline.errors import UsageError

PREFIX = "NIGHTSHIFT_"
ENV_FILE = f"{PREFIX}ENV_FILE"  # another file than .env; empty: none
PROCESS, OPTION = "environment", "option"  # origins of a value; any other is the path of a file

# Names with our prefix that are not settings. Every other one is reported as mistyped.
_OTHER_NAMES = re.compile(
    rf"{ENV_FILE}"
    rf"|{PREFIX}DATA"  # labelled documents for `make bench`
    rf"|{PREFIX}FAKE_\w+"  # the fake engines of pipeline.testing
    # Kubernetes sets these in every pod for a service whose name begins with `nightshift`:
    rf"|{PREFIX}(\w+_)?SERVICE_(HOST|PORT(_\w+)?)"
    rf"|{PREFIX}(\w+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?"
)
_KUBERNETES_PORT = re.compile(r"(tcp|udp|sctp)://")  # value of its NIGHTSHIFT_…PORT

_OFF = f"set {ENV_FILE} to an empty value to read no such file"


class Given(NamedTuple):
    """A value as it was given, and its origin: `PROCESS`, `OPTION`, or the path of the file that sets it."""

    value: Any
    origin: str


class Environment(NamedTuple):
    """What was found: settings by field name, the file that was read (if any), and one sentence for each mistake."""

    given: dict[str, Given]
    file: Path | None
    problems: list[str]


def read(fields: Iterable[str], environ: Mapping[str, str] | None = None) -> Environment:
    """The variables that set one of `fields`: those of the process and of `.env`, or those in `environ` alone.

    An empty variable leaves its setting at the default. Raises nothing: mistakes are listed in `problems`.
    """
    file: Path | None = None
    problems: list[str] = []
    given: dict[str, Given] = {}
    if environ is None:
        environ = os.environ
        file, lines, problems = _read_file(environ.get(ENV_FILE))
        for name, value in lines.items():
            if name.startswith("AWS_"):
                os.environ.setdefault(name, value)
            elif name.startswith(PREFIX):
                given[name] = Given(value, str(file))
    given |= {name: Given(value, PROCESS) for name, value in environ.items() if name.startswith(PREFIX)}
    known = {PREFIX + field.upper(): field for field in fields}
    problems += [
        _unknown(name, origin, known)
        for name, (value, origin) in given.items()
        if name not in known and not _is_other(name, value)
    ]
    found = {known[name]: it for name, it in given.items() if name in known and it.value != ""}
    return Environment(found, file, problems)


def pin() -> None:
    """Copy the file's settings to `os.environ` and read no file from now on.

    For a long-running process that owns its environment: processes that it starts later keep its settings, even if
    the file has changed in the meantime.
    """
    _, lines, _ = _read_file(os.environ.get(ENV_FILE))
    for name, value in lines.items():
        if name.startswith((PREFIX, "AWS_")):
            os.environ.setdefault(name, value)
    os.environ[ENV_FILE] = ""


def raise_first(problems: list[str]) -> None:
    """Raise `UsageError` with the first sentence, if there is one, and the number of the others."""
    if problems:
        others = len(problems) - 1
        raise UsageError(problems[0] + (f" (`nightshift settings` shows {others} more.)" if others else ""))


def fits(kind: Any, value: Any) -> bool:
    """Whether a value, as text or of the type itself, is one of this type; a number must be finite."""
    try:
        found = msgspec.convert(value, kind, strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError):  # the latter: bytes that are not UTF-8
        return False
    return not isinstance(found, float) or math.isfinite(found)


def invalid(field: str, given: Given, expected: str, *, secret: bool = False) -> str:
    """One sentence about a value that does not fit; a secret one is not shown."""
    shown = "" if secret else f'="{printable(str(given.value))[:60]}"'
    where = {PROCESS: "", OPTION: " (or its option)"}.get(given.origin, f" in {given.origin}")
    return f"Invalid setting {PREFIX}{field.upper()}{shown}{where}: expected {expected}."


def expected(kind: Any) -> str:
    """What values of a type look like, as in `an integer from 36 to 600`."""
    found = inspect.type_info(kind)
    match found.type if isinstance(found, inspect.Metadata) else found:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() as number:
            return "an integer" + _range(number)
        case inspect.FloatType() as number:
            return "a number" + _range(number)
        case inspect.LiteralType(values=values):
            *most, last = (str(value) for value in values if value)
            return f"one of {', '.join(most)} or {last}"
    return "text"


def printable(text: str) -> str:
    """The text with control characters, and bytes that are not UTF-8, as escapes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.gt is not None:
        return f" above {kind.gt}"
    if kind.ge is None:
        return ""
    return f" of at least {kind.ge}" if kind.le is None else f" from {kind.ge} to {kind.le}"


def _is_other(name: str, value: str) -> bool:
    if name.endswith("PORT") and _KUBERNETES_PORT.match(value):
        return True
    return _OTHER_NAMES.fullmatch(name) is not None


def _unknown(name: str, origin: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    bare = [setting.removeprefix(PREFIX) for setting in known]
    close = get_close_matches(name.removeprefix(PREFIX).upper(), bare, n=1)
    hint = f"did you mean {PREFIX}{close[0]}?" if close else "`nightshift settings --all` lists all settings."
    where = "" if origin == PROCESS else f" in {origin}"
    return f"Unknown setting {printable(name)[:100]}{where}: {hint}"


def _read_file(named: str | None) -> tuple[Path | None, dict[str, str], list[str]]:
    """The file that was read, its variables, and its mistakes."""
    if named == "":
        return None, {}, []
    path = Path(named or ".env").absolute()
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        if named is None:  # a folder of this name is most often a Python virtual environment
            return None, {}, []
        return None, {}, [f"{ENV_FILE} names {path}, which can't be read: {error.strerror}."]
    except OSError as error:
        return path, {}, [f"{path} can't be read: {error.strerror}; {_OFF}."]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return path, {}, [f"{path}, line {line}: not UTF-8 text; save the file as UTF-8, or {_OFF}."]
    return path, *_parse(path, text)


def _parse(path: Path, text: str) -> tuple[dict[str, str], list[str]]:
    """Variables, `${NAME}` in their values replaced as python-dotenv does, and mistakes."""
    from io import StringIO

    from dotenv.main import DotEnv
    from dotenv.parser import parse_stream

    good, problems = [], []
    for binding in parse_stream(StringIO(text)):
        source = binding.original.string
        if binding.error or (binding.value is None and (binding.key or "").startswith(PREFIX)):
            blank = source[: len(source) - len(source.lstrip())]
            line = binding.original.line + blank.count("\n")
            problems.append(f"{path}, line {line}: expected NAME=value; fix the line, or {_OFF}.")
        else:
            good.append(source)
    values = DotEnv(None, StringIO("".join(good)), override=False).dict()
    return {name: value for name, value in values.items() if value is not None}, problems
