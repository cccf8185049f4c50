"""Every way a document, or a run, can fail: by type, so that what happens next needs no guessing.

A `TransientError` is worth another try; a `PermanentError` is not, and sends its document to
`failed/` with one sentence that says what is wrong, where, and what to do. A `RunError` concerns
no single document: the run itself can't go on.
"""

from __future__ import annotations


class PipelineError(Exception):
    """Base of all errors Nightshift raises on purpose.

    `code` is a stable snake_case word for machines (failed/…json, parquet, metrics); the message is
    one plain sentence for people and holds no document text.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process with the code intact."""
        return (_rebuild, (type(self), self.message, self.code))


def _rebuild(kind: type[PipelineError], message: str, code: str) -> PipelineError:
    return kind(message, code=code)


class TransientError(PipelineError):
    """May go away by itself (store or network away): try again later."""

    code = "transient"


class StoreUnavailable(TransientError):
    """The store did not answer, or answered that it is overloaded."""

    code = "store_unavailable"


class NotRead(TransientError):
    """What an earlier step had read is not in the store under the settings in force here."""

    code = "not_read"


class PermanentError(PipelineError):
    """Trying again gives the same: record the document as failed and go on."""

    code = "permanent"


class Unsupported(PermanentError):
    """The bytes are no document type that Nightshift reads."""

    code = "unsupported_type"


class Unreadable(PermanentError):
    """The bytes claim a known type but can't be decoded."""

    code = "unreadable"


class Encrypted(PermanentError):
    """The document asks for a password."""

    code = "encrypted"


class OverLimit(PermanentError):
    """The document is larger than a limit allows: bytes, pages or pixels."""

    code = "over_limit"


class Poison(PermanentError):
    """The document killed or hung its worker too often."""

    code = "poison"


class RunError(PipelineError):
    """The run itself can't start or go on."""

    code = "run_failed"


class Damaged(RunError):
    """An object in the store is not what was written there."""

    code = "damaged"


class UsageError(PipelineError):
    """What was asked for makes no sense: a missing path, a wrong option."""

    code = "usage"
    exit_code = 2


class NotFound(PermanentError):
    """No object lies under this key."""

    code = "not_found"


class ModelMissing(RunError):
    """A model file an engine needs is not there, and nothing may be downloaded."""

    code = "model_missing"
