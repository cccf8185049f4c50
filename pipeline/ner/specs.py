"""The setting `ner_engine`: engine specs `name[=directory]`, separated by commas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.ner import NerSettings


class Spec(NamedTuple):
    """One engine, and the folder of its model; `None`: the one that `ner_model_dir` names."""

    name: str
    directory: str | None = None

    def narrow(self, settings: NerSettings) -> NerSettings:
        """Return `settings` for this engine alone, with its own folder."""
        if self.directory is None and settings.ner_engine == self.name:
            return settings
        return cast("NerSettings", _Narrowed(settings, self))


class _Narrowed:
    """Settings with the engine's name and folder replaced by those of a spec."""

    def __init__(self, settings: NerSettings, spec: Spec) -> None:
        self._settings = settings
        self.ner_engine = spec.name
        self.ner_model_dir = spec.directory if spec.directory is not None else settings.ner_model_dir

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)


def parse(text: str) -> list[Spec]:
    """Parse specs such as `lac,crf=/models/medical`; white space around names and folders is dropped.

    Raises `UsageError` for a spec without a name or with an empty folder, and for one named twice.
    """
    specs = []
    for part in text.split(","):
        name, equals, directory = (piece.strip() for piece in part.partition("="))
        if not name or (equals and not directory):
            raise UsageError(
                f"'{text}' is not a list of NER engines: use name or name=folder, separated by commas."
            )
        spec = Spec(name, directory or None)
        if spec in specs:
            raise UsageError(f"The NER engine '{part.strip()}' is named twice: name it once.")
        specs.append(spec)
    return specs
