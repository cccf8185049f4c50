"""Who did what: one immutable object per action of a person or a start, without personal data or secrets.

An action is recorded before it is carried out, so that none is carried out unrecorded. Each entry names the latest one
before it with its SHA-256: one that was deleted or changed shows, unless it is the last, or two were written at the
same moment. That nobody deletes the last ones as well is up to the rights on the store, or its object lock.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline import clock
from pipeline.environment import printable
from pipeline.errors import Damaged, NotFound, RunError
from pipeline.ledger import pseudonyms
from pipeline.models import from_json, to_json
from pipeline.settings import Settings, shown
from pipeline.storage import Store, keys
from pipeline.threads import in_threads
from pipeline.version import __version__


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log.

    `at`: UTC. `actor`: NIGHTSHIFT_ACTOR, else `user`: the user of the operating system, and the host. `command`: the
    program and its first word. `subject`: what it is about; a task by its pseudonym (`of_task`). `previous`, `sha256`:
    key and hash of the latest entry before it.
    """

    at: str
    actor: str
    user: str
    command: str
    version: str
    action: str
    subject: str = ""
    detail: dict[str, str] = {}
    previous: str = ""
    sha256: str = ""


class Entry(NamedTuple):
    """An entry as it is in the store: `action` is `None` if it can't be read; `sha256` of the object."""

    key: str
    action: Action | None
    sha256: str


def record(store: Store, action: str, *, subject: str = "", detail: Mapping[str, str] | None = None) -> str:
    """Write what is about to be done; returns the key of the entry. Raises what the store raises.

    `action`: such as `window.open`. `subject` and `detail` must contain neither personal data nor secrets.
    """
    before = _latest(store)
    now = clock.utc()
    entry = Action(
        at=now.isoformat(timespec="milliseconds"),
        actor=actor(),
        user=_user(),
        command=_command(),
        version=__version__,
        action=action,
        subject=subject,
        detail=dict(detail or {}),
        previous=before.key if before else "",
        sha256=before.sha256 if before else "",
    )
    key = keys.action(now, secrets.token_hex(4))
    store.put(key, to_json(entry))
    return key


def actor() -> str:
    """Who runs this process: NIGHTSHIFT_ACTOR, else the user and host."""
    return printable(Settings.from_env().actor) or _user()


def of_task(store: Store, task_id: str) -> str:
    """How the log names a task: its id may say who it is about, and outlives the document here."""
    return f"task {pseudonyms.of(store, task_id)[:16]}"


def record_settings(store: Store, what: str, settings: Settings) -> None:
    """Record the settings with which a process (`what`: `worker`, `beat`, `run`) starts: those that were changed."""
    fields = msgspec.structs.fields(Settings)
    values = {f"NIGHTSHIFT_{f.name.upper()}": shown(f.name, getattr(settings, f.name)) for f in fields}
    defaults = {f"NIGHTSHIFT_{f.name.upper()}": shown(f.name, f.default) for f in fields}
    changed = {name: value for name, value in values.items() if value != defaults[name]}
    digest = hashlib.sha256(msgspec.json.encode(values)).hexdigest()[:16]
    record(store, f"start.{what}", subject=f"settings {digest}", detail=changed)


def entries(store: Store, since: str = "") -> list[Entry]:
    """The entries from this UTC date on (YYYY-MM-DD), in order; all without one."""
    days = [day for day in _days(store) if day >= since]
    found = (key for day in days for key in store.list(keys.actions_of(day)))
    return list(in_threads(lambda key: _read(store, key), found))


def problems(store: Store, found: list[Entry]) -> Iterator[str]:
    """One sentence for each entry that can't be read, and each that a later one names and that is not what it was."""
    known = {entry.key: entry for entry in found}
    for entry in found:
        if entry.action is None:
            yield f"{entry.key} is damaged, or encrypted with a key that is not known here."
        elif before := entry.action.previous:
            there = known.get(before) or _or_none(store, before)
            if there is None:
                yield f"{before} is missing: {entry.key} names it as the one before."
            elif "" not in (there.sha256, entry.action.sha256) and there.sha256 != entry.action.sha256:
                yield f"{before} was changed: it is not the object that {entry.key} names as the one before."


def _days(store: Store) -> list[str]:
    return [name.removeprefix("date=") for name in store.folders(keys.ACTIONS)]


def _latest(store: Store) -> Entry | None:
    for day in reversed(_days(store)):
        if found := list(store.list(keys.actions_of(day))):
            return _or_none(store, found[-1])
    return None


def _or_none(store: Store, key: str) -> Entry | None:
    with suppress(NotFound):
        return _read(store, key)
    return None


def _read(store: Store, key: str) -> Entry:
    """An entry; one that can't be decrypted, such as without its key, has no hash."""
    action = None
    try:
        data = store.get(key)
    except (Damaged, RunError):
        return Entry(key, None, "")
    with suppress(msgspec.DecodeError):
        action = from_json(data, Action)
    return Entry(key, action, hashlib.sha256(data).hexdigest())


def _user() -> str:
    """The user who runs this process, not who the environment says it is, and the host."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container
        name = f"uid {os.getuid()}"
    if (by := os.environ.get("SUDO_USER", "")) and by != name:
        name = f"{printable(by)} as {name}"
    return f"{name}@{socket.gethostname()}"


def _command() -> str:
    """The program and its first word: what follows may name documents."""
    words = [Path(sys.argv[0] or "python").name, *sys.argv[1:2]]
    return " ".join(word for word in words if word.replace("-", "").replace(".", "").isalpha())
