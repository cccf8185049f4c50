"""What another package registers, as if it were installed in this process."""

from importlib import metadata

import pytest

from pipeline.steps import task_types


def register(monkeypatch: pytest.MonkeyPatch, group: str, name: str, value: str) -> None:
    """Add the entry point `name = value` to `group`, next to those that are installed."""
    installed, added = metadata.entry_points, metadata.EntryPoint(name, value, group)

    def entry_points(*, group: str) -> metadata.EntryPoints:
        return metadata.EntryPoints([*installed(group=group), *([added] if added.group == group else [])])

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    monkeypatch.setattr(task_types, "registered", task_types.registered.__wrapped__)  # reads them each time
