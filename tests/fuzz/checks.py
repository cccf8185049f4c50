"""What a fuzzed input may lead to: a result, or one sentence that a person can read."""

from pipeline.errors import PipelineError

MAX_SENTENCE = 800
"""Characters: what fits on a screen and in a header of a dead letter."""


class Violation(AssertionError):
    """The product did what it never may; the text says what."""


def sentence(text: str) -> None:
    """Raise `Violation` unless this is a sentence for people: one line, bounded, printable, valid Unicode."""
    if not text.strip():
        raise Violation("an error without a sentence")
    if len(text) > MAX_SENTENCE:
        raise Violation(f"a sentence of {len(text)} characters: {text[:80]!r}")
    if odd := sorted({c for c in text if not c.isprintable()}):
        raise Violation(f"unprintable characters {odd[:5]!r} in {text[:200]!r}")


def code_of(error: PipelineError) -> str:
    """The error's code, after its sentence was checked."""
    sentence(error.message)
    return error.code


def ensure(condition: object, what: str) -> None:
    """Raise `Violation` unless `condition` holds."""
    if not condition:
        raise Violation(what)
