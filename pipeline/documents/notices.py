"""Pages that only say that the document can't be shown: what viewers and protection programs print in its place."""

from __future__ import annotations

from pipeline.documents.cover import COVER_CHARS
from pipeline.documents.notice_words import PROTECTED, UNSHOWN
from pipeline.errors import Encrypted, Unsupported


def refuse_notice(text: str) -> None:
    """Raise where the text of a one-page PDF only says that the document can't be shown."""
    if len(text) > COVER_CHARS:
        return
    text = " ".join(text.replace("\u2019", "'").split())
    if PROTECTED.search(text):
        raise Encrypted(
            "The PDF is only the cover of a protected document: send an unprotected copy.", code="protected"
        )
    if UNSHOWN.search(text):
        raise Unsupported(
            "The PDF holds only a notice that its viewer can't show the document: print it to a PDF and send that."
        )
