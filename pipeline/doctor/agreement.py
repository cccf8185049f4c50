"""Whether workers, beat and this command have the same settings, by what each recorded when it started."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from pipeline import clock
from pipeline.doctor.finding import Finding, fault, ok, warning
from pipeline.environment import PREFIX
from pipeline.ledger import actions
from pipeline.ledger.actions import Action
from pipeline.night.night import Night
from pipeline.settings import Settings, shown

_SINCE = timedelta(days=90)  # starts that are looked at
_OWN = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "ACTOR",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "MANAGEMENT_URL",
        "METRICS_ADDRESS",
        "METRICS_HOSTS",
        "OTLP_ENDPOINT",
        "OTLP_RATIO",
        "BROKER_URL",
        "BROKER_CA",
        "BROKER_CERT",
        "BROKER_KEY",
        "HTTP_CA",
        "HTTP_CERT",
        "HTTP_KEY",
        "S3_CA",
        "S3_CERT",
        "S3_KEY",
        "S3_ENDPOINT",
        "TEMP_DIR",
        "FLOWER_USER",
        "FLOWER_PASSWORD",
        "OCR_DEVICE",
        "DEVICES",
        "PROCESSES",
        "NER_DEVICE",
        "OCR_THREADS",
        "NER_THREADS",
        "OCR_MODEL_DIR",
        "NER_MODEL_DIR",
        "WORKER_MEMORY",
        "DOCUMENT_TYPES",
        "STORE_URL",
    )
)
"""Settings that may differ from machine to machine, or from role to role."""


class _Process(msgspec.Struct, frozen=True):
    """One process, as it started."""

    name: str
    at: str
    changed: dict[str, str]


def check(night: Night) -> Iterator[Finding]:
    """Compare the latest start of each kind of process on each host with this command's settings."""
    settings = night.settings
    since = (clock.utc() - _SINCE).date().isoformat()
    latest: dict[tuple[str, str], Action] = {}
    for entry in actions.entries(night.store, since):
        if entry.action and entry.action.action in ("start.worker", "start.beat"):
            latest[entry.action.action, entry.action.user] = entry.action
    if not latest:
        yield warning("settings", "No worker and no beat has started with this store.", "start them")
        return
    processes = [_process(action) for _, action in sorted(latest.items())]
    different = list(_differences(processes, settings))
    yield from different
    if not different:
        yield ok("settings", f"{_count(len(processes))} the settings that this command has.")


def _count(number: int) -> str:
    return "One process has" if number == 1 else f"{number} processes have"


def _process(action: Action) -> _Process:
    kind = action.action.removeprefix("start.")
    return _Process(f"{kind} of {action.user}", action.at, dict(action.detail))


def _differences(processes: list[_Process], settings: Settings) -> Iterator[Finding]:
    """One finding for each process and setting that differ."""
    fields = msgspec.structs.fields(Settings)
    default = {f"{PREFIX}{f.name.upper()}": shown(f.name, f.default) for f in fields}
    ours = {f"{PREFIX}{f.name.upper()}": shown(f.name, getattr(settings, f.name)) for f in fields}
    deciding = {f"{PREFIX}{name.upper()}" for name in (*settings.deciding, "window", "timezone", "mask")}
    for process in processes:
        for name in sorted(default.keys() - _OWN):
            theirs = process.changed.get(name, default[name])
            if theirs == ours[name]:
                continue
            said = (
                f'The {process.name} started {process.at[:10]} with {name}="{theirs[:40]}", this command has '
                f'"{ours[name][:40]}".'
            )
            make = fault if name in deciding else warning
            yield make("settings", said, "give all processes the same settings, and start them again")
