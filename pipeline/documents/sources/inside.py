"""What is inside a file: the documents in an archive, an e-mail or a PDF. For processes that are guarded."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NoReturn

from pipeline.documents.sources import containers
from pipeline.documents.sources.base import Notes, Source
from pipeline.documents.sources.files import BEING_WRITTEN, opened
from pipeline.documents.sources.names import shown
from pipeline.errors import PermanentError

_PDF = ".pdf"


def may_hold_documents(path: Path) -> bool:
    """Whether a file must be opened to know which documents it is; its first bytes and its name say so."""
    return path.suffix.lower() == _PDF or containers.kind_of_file(path) is not None


def documents(path: Path, url: str, max_bytes: int, notes: Notes) -> list[Source]:
    """The documents in the file that `url` names, in a stable order; none where it is itself the only one."""
    if path.suffix.lower() == _PDF:
        return _of_pdf(path, url, max_bytes)
    kind = containers.kind_of_file(path)
    return list(containers.of_file(path, url, kind, max_bytes, notes)) if kind else []


def _of_pdf(path: Path, url: str, max_bytes: int) -> list[Source]:
    from pipeline.documents.portfolio import members

    try:
        with opened(path, deadline=0.0):
            found = members(path, path.name, max_bytes)
    except OSError:  # fails alone when it is read
        return []
    except PermanentError as error:
        # one that is still being written is waited for when it is read
        return [] if error.code == BEING_WRITTEN else [Source(url, partial(_refused, error))]
    return [
        Source(f"{url}!{shown(one.name)}" if one.name else url, partial(one.read, max_bytes)) for one in found
    ]


def _refused(error: PermanentError) -> NoReturn:
    raise error
