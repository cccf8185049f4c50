"""The conditions of a night: models, versions, settings and hosts, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.night import reprocess
from pipeline.night.night import Night
from pipeline.report import columns
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none
from pipeline.version import __version__

COLUMNS = (
    *(f"{step}_{what}" for step in reprocess.STEPS for what in ("engine", "model", "digest")),
    "pipeline_version",
    "settings",
)
_MOST = 4  # values of one condition; the others are counted


class _Release(msgspec.Struct):
    worker: str
    seconds: float


def released(store: Store, run_date: str) -> dict[str, float]:
    """Seconds after close until the models were gone, by worker."""
    prefix = keys.night(run_date, "released-").removesuffix(".json")
    notes = (read_or_none(store, key, _Release) for key in list(store.list(prefix)))
    return {note.worker: note.seconds for note in notes if note is not None}


def conditions(night: Night, table: Any | None, hosts: Mapping[str, float]) -> dict[str, str]:
    """What the results of this night were made with, and by whom; where it differed, each with its documents."""
    found: dict[str, str] = {}
    if table is not None and table.num_rows:
        for step in reprocess.STEPS:
            if made := _models(table, step):
                found[f"{step} model"] = made
        found["version"] = _listed(columns.counts(table["pipeline_version"]))
        found |= _settings(table)
    found["version of this report"] = __version__
    found["window"] = f"{night.settings.window} {night.settings.timezone}"
    found["masking"] = night.settings.mask
    if hosts:
        found["workers"] = _listed(dict.fromkeys(sorted(hosts), 1))
    return found


def _models(table: Any, step: str) -> str:
    names = [f"{step}_{what}" for what in ("engine", "model", "digest")]
    grouped = table.group_by(names, use_threads=False).aggregate([([], "count_all")]).to_pylist()
    made = {
        f"{row[names[0]]} {row[names[1]]} ({row[names[2]][:12]})": row["count_all"]
        for row in grouped
        if row[names[2]]
    }
    return _listed(dict(sorted(made.items(), key=lambda item: (-item[1], item[0]))))


def _settings(table: Any) -> dict[str, str]:
    """The settings that decide results, as the documents say."""
    values: dict[str, dict[str, int]] = {}
    for text, number in columns.counts(table["settings"]).items():
        try:
            given = msgspec.json.decode(text or "{}", type=dict[str, str])
        except msgspec.DecodeError:
            continue
        for name, value in given.items():
            of_name = values.setdefault(name, {})
            of_name[value] = of_name.get(value, 0) + number
    return {name: _listed(found) for name, found in sorted(values.items())}


def _listed(found: Mapping[str, int]) -> str:
    shown = [name for name in found if name]
    if len(shown) == 1 and len(found) == 1:
        return shown[0][:200]
    many = any(found[name] > 1 for name in shown)
    parts = [f"{name[:200]}: {found[name]:,}" if many else name[:200] for name in shown[:_MOST]]
    if len(shown) > _MOST:
        parts.append(f"… {len(shown) - _MOST} more")
    return ", ".join(parts)
