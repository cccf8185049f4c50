"""W3C Trace Context: what `traceparent` and `tracestate` say (https://www.w3.org/TR/trace-context/).

Anyone may send them, so nothing is raised: what is invalid counts as not given, and a new trace begins.
"""

from __future__ import annotations

import re

import msgspec

MAX_STATE = 512
"""Characters of a `tracestate` that are passed on."""

_PARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?",
    re.ASCII,
)
_MOST = 1024  # characters of a `traceparent` of a later version
_TRACE = re.compile(r"(?!0{32})[0-9a-f]{32}", re.ASCII)
_KEY = r"[a-z0-9][a-z0-9_\-*/]{0,240}(?:@[a-z][a-z0-9_\-*/]{0,13})?"
_MEMBER = re.compile(rf"(?P<key>{_KEY})=[ !-+\--<>-~]{{0,255}}[!-+\--<>-~]", re.ASCII)
_MEMBERS, _LONG = 32, 128
_KNOWN_FLAGS = 0b11  # sampled, random


class Context(msgspec.Struct, frozen=True):
    """Where a trace continues: a valid `traceparent` of version 00, and a valid `tracestate`; both may be empty."""

    parent: str = ""
    state: str = ""

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self.parent)

    @property
    def trace_id(self) -> str:
        """32 hex digits; empty if there is no trace."""
        return self.parent[3:35]

    @property
    def span_id(self) -> str:
        """16 hex digits; empty if there is no trace."""
        return self.parent[36:52]

    @property
    def flags(self) -> int:
        """Bit 0: sampled."""
        return int(self.parent[53:] or "0", 16)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that are not empty."""
        found = {"traceparent": self.parent, "tracestate": self.state}
        return {name: value for name, value in found.items() if value}


NONE = Context()


def context(traceparent: object, tracestate: object = "") -> Context:
    """The context of two headers, as anyone may send them; `NONE` without a valid `traceparent`."""
    if not isinstance(traceparent, str) or len(traceparent) > _MOST:
        return NONE
    found = _PARENT.fullmatch(traceparent.strip(" \t"))
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["more"]):
        return NONE
    if not is_trace_id(found["trace"]) or found["span"] == "0" * 16:
        return NONE
    flags = int(found["flags"], 16) & _KNOWN_FLAGS
    return Context(f"00-{found['trace']}-{found['span']}-{flags:02x}", _state(tracestate))


def is_trace_id(text: str) -> bool:
    """Whether a text is the id of a trace: 32 hex digits in lower case, not all of them 0."""
    return _TRACE.fullmatch(text) is not None


def _state(given: object) -> str:
    """A `tracestate`, shortened to `MAX_STATE` as the standard says; empty if it is invalid."""
    if not isinstance(given, str) or len(given) > 16 * MAX_STATE:
        return ""
    members = [member.strip(" \t") for member in given.split(",") if member.strip(" \t")]
    found = [_MEMBER.fullmatch(member) for member in members]
    known = {one["key"] for one in found if one}
    if len(known) < len(members) or len(members) > _MEMBERS:  # malformed, or a key twice
        return ""
    if len(",".join(members)) > MAX_STATE:
        members = [member for member in members if len(member) <= _LONG]
    while len(",".join(members)) > MAX_STATE:
        members.pop()
    return ",".join(members)
