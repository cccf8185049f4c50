"""Every way a document, or a run, can fail: by type, so that what happens next needs no guessing.

A `TransientError` is worth another attempt. A `PermanentError` is not, and sends its document to `failed/` with one
sentence that says what is wrong, where, and what to do. A `RunError` concerns no single document: the run itself
can't continue. `pipeline.steps.verdict` maps each of them to how a document ends.
"""

from __future__ import annotations

import errno
from enum import IntEnum


class ExitCode(IntEnum):
    """What every command returns to the shell."""

    OK = 0
    ERROR = 1
    """The command could not do its job: store or broker unavailable, a model missing, nothing found."""
    USAGE = 2
    """Wrong arguments or settings."""
    INCOMPLETE = 3
    """Done, but some documents failed, were refused or could not be handled."""
    DISCREPANCY = 4
    """`audit` found documents that are not accounted for."""
    NO_WORKER = 5
    """`status`: the window is open, documents wait, and no worker answers."""
    PAUSED = 6
    """`status`: a step is paused, as documents in a row fail for the same reason."""
    ATTENTION = 7
    """`status`: something needs a person, such as failed documents."""
    DEVICE = 8
    """A worker, or `run`: a device of NIGHTSHIFT_DEVICES is lost, or held by another process."""
    STOPPED = 130
    """Interrupted (Ctrl-C): what was finished is kept."""
    CLOSED_PIPE = 141
    """Nobody reads the output any more, as after `| head -1`: the code of a tool that SIGPIPE ends."""


class PipelineError(Exception):
    """Base of all errors Nightshift raises on purpose.

    `code` is a stable snake_case word for machines (failed/…json, parquet, metrics); the message is
    one plain sentence for people and holds no document text.
    """

    code = "error"
    exit_code = ExitCode.ERROR

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
    """May pass by itself, such as a source that is unavailable: retry later."""

    code = "transient"


class StoreUnavailable(TransientError):
    """The store did not answer, or answered that it is overloaded."""

    code = "store_unavailable"


class SourceUnavailable(TransientError):
    """Where documents come from can't be reached at all, or is overloaded: no document is at fault."""

    code = "source_unavailable"


class DeviceUnavailable(TransientError):
    """The process that holds the models of a device has ended, or does not answer: no document is at fault."""

    code = "device_unavailable"


class OcrUnavailable(DeviceUnavailable):
    """No server that reads pages can be reached, or none has room: no document is at fault."""

    code = "ocr_unavailable"


class NotRead(TransientError):
    """What an earlier step has read is not in the store under the settings in force here."""

    code = "not_read"


class PermanentError(PipelineError):
    """Another attempt gives the same: record the document as failed and continue."""

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
    """The document crashed or hung its worker too often."""

    code = "poison"


class NotFound(PermanentError):
    """There is no object under this key."""

    code = "not_found"


class RunError(PipelineError):
    """The run itself can't start or continue."""

    code = "run_failed"


class ModelMissing(RunError):
    """A model file that an engine needs is missing, and nothing may be downloaded."""

    code = "model_missing"


class DeviceGone(RunError):
    """No process can hold a device: it is lost, its models can't be loaded, or another process has it."""

    code = "device_gone"
    exit_code = ExitCode.DEVICE


class Newer(RunError):
    """A later version of Nightshift wrote it: nothing is wrong with it, but this version can't read it."""

    code = "newer_version"


class BrokerUnavailable(RunError):
    """RabbitMQ does not answer, or refuses access."""

    code = "broker_unavailable"


class BrokerRefused(BrokerUnavailable):
    """The user in NIGHTSHIFT_BROKER_URL lacks a permission at RabbitMQ."""

    code = "broker_refused"


class Damaged(PipelineError):
    """An object in the store is not what was written there: retrying does not help, a person must act."""

    code = "damaged"


class UsageError(PipelineError):
    """What was asked for is not possible: a missing path, a wrong option or setting."""

    code = "usage"
    exit_code = ExitCode.USAGE


_OF_MACHINE = frozenset(
    {
        # a network file system that is unavailable, or refuses this machine's credentials
        errno.ESTALE,
        errno.ENOTCONN,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.ECONNABORTED,
        errno.ETIMEDOUT,
        errno.EKEYEXPIRED,
        errno.EKEYREVOKED,
        errno.EKEYREJECTED,
        errno.ENOKEY,
        # no room on a disk, no descriptor left
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EMFILE,
        errno.ENFILE,
    }
)


def is_of_machine(error: OSError) -> bool:
    """Whether an error of the operating system concerns this machine, so that no file is at fault."""
    return error.errno in _OF_MACHINE
