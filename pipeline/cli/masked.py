"""What commands print about a document, masked as NIGHTSHIFT_MASK says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import structs

if TYPE_CHECKING:
    import msgspec

    from pipeline.documents.sources import Notes

    T = TypeVar("T", bound=msgspec.Struct)

_SENTENCES = ("message", "detail", "reason")


def masked(found: T, mask: str) -> T:
    """A record of a command with its `source` masked, and its sentences: `error`, `message`, `detail`, `reason`.

    One that is not about a task has a key of the store as its source, which stays.
    """
    from pipeline.tables.masking import masked_sentence, masked_source

    source, sha256 = getattr(found, "source", ""), getattr(found, "sha256", None)
    changed: dict[str, Any] = {}
    if source and getattr(found, "task_id", "-"):
        changed["source"] = masked_source(source, mask, sha256)
    for name in _SENTENCES:
        if text := getattr(found, name, ""):
            changed[name] = masked_sentence(text, mask, source=source, sha256=sha256)
    if error := getattr(found, "error", None):
        message = masked_sentence(error.message, mask, source=source, sha256=sha256)
        changed["error"] = structs.replace(error, message=message)
    return structs.replace(found, **changed)


def mask_notes(notes: Notes, mask: str) -> None:
    """Mask the places that could not be entered."""
    from pipeline.tables.masking import masked_sentence, masked_source

    notes.unreachable = [
        (masked_source(place, mask), masked_sentence(why, mask, source=place))
        for place, why in notes.unreachable
    ]
