"""What every part of the night works with."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.night.schedule import Schedule
from pipeline.settings import Settings
from pipeline.storage import Store, open_store


@dataclass(frozen=True)
class Night:
    """Settings, the store they name, and the schedule they describe."""

    settings: Settings
    store: Store
    schedule: Schedule

    @classmethod
    def of(cls, settings: Settings) -> Night:
        """Raises `UsageError` for settings that don't fit; the store is not asked for anything yet."""
        store = open_store(settings.store_url, settings)
        return cls(settings, store, Schedule(settings, store))
