"""The objects of a PDF as `plain_copy` writes it: dictionaries and streams, of which PDFium tells little."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_TOKEN = re.compile(
    rb"[\s\0]*(?:(?P<open><<|\[)|(?P<close>>>|\])|/(?P<name>[^\s\0()<>\[\]{}/%]*)|(?P<ref>\d+)[\s\0]+\d+[\s\0]+R\b"
    rb"|(?P<text>\()|(?P<hex><[^>]*>)|(?P<word>[^\s\0()<>\[\]{}/%]+)|%[^\r\n]*)"
)
_STRING = re.compile(rb"\\.|[()]", re.DOTALL)
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_SECTION = re.compile(rb"\s*(\d+) (\d+)\s*\n")
_ENTRY = 20
MAX_DEPTH = 50


class Ref(NamedTuple):
    """A reference to another object."""

    number: int


class Stream(NamedTuple):
    """A stream as it is stored."""

    about: dict[bytes, Any]
    data: bytes


class Objects:
    """What a plain copy holds. Values are dictionaries, lists, names and words (both as bytes), `Ref` and `Stream`."""

    def __init__(self, plain: bytes) -> None:
        self._plain = plain
        self._starts: dict[int, int] = {}
        found = re.search(rb"startxref\s+(\d+)\s+%%EOF\s*$", plain)
        at = int(found[1]) + len(b"xref") if found else len(plain)
        while section := _SECTION.match(plain, at):
            at = section.end()
            for number in range(int(section[1]), int(section[1]) + int(section[2])):
                if plain[at + 17 : at + 18] == b"n":
                    self._starts[number] = int(plain[at : at + 10])
                at += _ENTRY
        trailer = _parsed(plain, plain.find(b"<<", at))[0]
        self.root = self.get(trailer.get(b"Root")) if isinstance(trailer, dict) else None

    def get(self, value: Any) -> Any:
        """What a value refers to, itself if it is no reference; `None` for an object that the file lacks."""
        if not isinstance(value, Ref):
            return value
        start = self._starts.get(value.number)
        header = re.compile(rb"\d+ \d+ obj\b").match(self._plain, start) if start is not None else None
        if header is None:
            return None
        found, end = _parsed(self._plain, header.end())
        begins = re.compile(rb"\s*stream\r?\n").match(self._plain, end)
        if begins is None or not isinstance(found, dict):
            return found
        length = found.get(b"Length", b"")
        size = int(length) if isinstance(length, bytes) and length.isdigit() else 0
        return Stream(found, self._plain[begins.end() : begins.end() + size])

    def under(self, holder: Any, key: bytes) -> Any:
        """The value of a key of a dictionary or stream; `None` without it."""
        about = holder.about if isinstance(holder, Stream) else holder
        return self.get(about.get(key)) if isinstance(about, dict) else None

    def pages(self, most: int) -> list[dict[bytes, Any]]:
        """The dictionaries of the pages, in order, with the resources that they inherit; `most` at most."""
        found = list[dict[bytes, Any]]()
        waiting: list[tuple[Any, Any]] = [(Ref(-1), None)]
        seen = set[int]()
        while waiting and len(found) < most:
            value, inherited = waiting.pop()
            node = self.under(self.root, b"Pages") if value == Ref(-1) else self.get(value)
            if not isinstance(node, dict):
                found.append({})  # counted as a page by those who count
                continue
            resources = node.get(b"Resources", inherited)
            kids = self.under(node, b"Kids")
            if not isinstance(kids, list):
                found.append({**node, b"Resources": resources})
                continue
            new = [kid for kid in kids if not isinstance(kid, Ref) or kid.number not in seen]
            seen |= {kid.number for kid in new if isinstance(kid, Ref)}
            waiting += [(kid, resources) for kid in reversed(new)]
        return found


def _parsed(data: bytes, at: int) -> tuple[Any, int]:
    """The object that begins at `at`, and where it ends; `None` for what is none."""
    stack: list[list[Any]] = [[]]
    while len(stack) <= MAX_DEPTH:
        token = _TOKEN.match(data, at)
        if token is None:
            return None, at
        at = token.end()
        match token.lastgroup:
            case "open":
                stack.append([])
                continue
            case "close" if len(stack) > 1:
                items = stack.pop()
                value: Any = (
                    dict(zip(items[::2], items[1::2], strict=False)) if token["close"] == b">>" else items
                )
            case "name":
                value = unescaped(token["name"])
            case "ref":
                value = Ref(int(token["ref"]))
            case "text":
                at, value = _after_string(data, at), b""
            case "hex":
                value = b""
            case "word":
                value = token["word"]
            case None:
                continue  # a comment
            case _:
                return None, at
        stack[-1].append(value)
        if len(stack) == 1:
            return value, at
    return None, at


def _after_string(data: bytes, at: int) -> int:
    depth = 1
    while depth:
        found = _STRING.search(data, at)
        if found is None:
            return len(data)
        depth += {b"(": 1, b")": -1}.get(found[0], 0)
        at = found.end()
    return at


def unescaped(name: bytes) -> bytes:
    """A name without its escapes (`#20`)."""
    return _ESCAPED.sub(lambda code: bytes([int(code[1], 16)]), name)
