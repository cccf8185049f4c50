"""Parse an external URL exactly once.

The policy decides on the parts and `pipeline.remote.fetch` uses those same parts, so no second parser can
interpret the URL in another way. Ambiguous URLs are refused.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, unquote

import idna
import msgspec

MAX_URL = 4096
"""Maximum length of a URL in characters."""

PORTS = {"https": 443, "http": 80}
"""The schemes for network hosts, and their default ports."""

_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]@%]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,62}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_USER = re.compile(r"//[^/?#]*@")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a URL, each normalised.

    `host`: lower-case ASCII host, IP address without brackets, or bucket; empty for files. `parts`: path
    segments, percent-decoded once (not for s3, whose keys are literal). `target`: path and query as sent
    over HTTP, or the object's key.
    """

    scheme: str
    host: str = ""
    port: int = 0
    parts: tuple[str, ...] = ()
    target: str = ""

    @property
    def authority(self) -> str:
        """Host as written in a URL or a Host header, with the port if it is not the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS.get(self.scheme, 0) else f"{host}:{self.port}"

    def covers(self, other: Location) -> bool:
        """Whether `other` is this location or below it, by whole path segments."""
        same = (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)
        return same and self.parts == other.parts[: len(self.parts)]


def locate(url: str) -> Location:
    """Parse a URL.

    Raises `ValueError` whose text completes the sentence "The URL …".
    """
    if len(url) > MAX_URL:
        raise ValueError(f"is longer than {MAX_URL} characters")
    if _UNSAFE.search(url):
        raise ValueError("contains a control character or a backslash")
    if any("\ud800" <= c <= "\udfff" for c in url):
        raise ValueError("contains an incomplete character (a lone surrogate)")
    scheme, mark, rest = url.partition("://")
    match scheme.lower() if mark else "":
        case "file":
            return _file(rest)
        case "s3":
            return _object(rest)
        case "https" | "http":
            return _web(url)
    raise ValueError("must begin with file://, s3:// or https://")


def shown(url: str) -> str:
    """Return a URL for messages and logs: without user, query and fragment, which may contain secrets."""
    bare = _USER.sub("//", re.split(r"[?#]", url, maxsplit=1)[0])
    return "".join(c if c.isprintable() else "?" for c in bare[:200])


def _file(rest: str) -> Location:
    host, slash, path = rest.partition("/")
    if host.lower() not in ("", "localhost") or not slash:
        raise ValueError("names a host; use three slashes, as in file:///inbox/a.jpg")
    if "?" in path or "#" in path:
        raise ValueError("contains ? or #; in a file name write %3F or %23")
    return Location(scheme="file", parts=_segments(path, decode=True))


def _object(rest: str) -> Location:
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("has no valid bucket; use s3://bucket/key")
    return Location(scheme="s3", host=bucket, parts=_segments(key, decode=False), target=key)


def _web(url: str) -> Location:
    match = _URL.fullmatch(url)
    if not match:
        raise ValueError("can't be parsed")
    scheme, authority, path, query = match[1].lower(), match[2], match[3], match[4] or ""
    if "@" in authority:
        raise ValueError("names a user; remove the part before the @")
    place = _AUTHORITY.fullmatch(authority)
    if not place:
        raise ValueError("has no valid host and port")
    port = int(place[2]) if place[2] else PORTS[scheme]
    if not 0 < port < 65536:
        raise ValueError("has no valid port")
    return Location(
        scheme=scheme,
        host=_host(place[1]),
        port=port,
        parts=_segments(path.removeprefix("/"), decode=True),
        target=quote(path or "/", safe="/%:@!$&'()*+,;=~") + quote(query, safe="/%:@!$&'()*+,;=~?"),
    )


def _host(name: str) -> str:
    try:
        if name.startswith("["):
            return ipaddress.IPv6Address(name[1:-1]).compressed
        host = (name if name.isascii() else idna.encode(name, uts46=True).decode()).lower().removesuffix(".")
        labels = host.split(".")
        if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
            raise ValueError
        if re.fullmatch(
            r"[0-9]+|0x[0-9a-f]*", labels[-1]
        ):  # other parsers read 127.1 or 0x7f.1 as an address
            return str(ipaddress.IPv4Address(host))
    except ValueError:  # includes idna's errors
        raise ValueError("has no valid host") from None
    return host


def _segments(path: str, *, decode: bool) -> tuple[str, ...]:
    parts = path.removesuffix("/").split("/") if path not in ("", "/") else []
    return tuple(_segment(part, decode=decode) for part in parts)


def _segment(part: str, *, decode: bool) -> str:
    """Check one path segment, at every depth of percent-encoding that a server might decode."""
    plain = unquote(part, errors="surrogateescape") if decode else part
    step = plain
    while True:
        if not step:
            raise ValueError("contains an empty path segment (//)")
        if step.split(";", 1)[0] in (".", ".."):  # servers such as Tomcat strip ;parameters first
            raise ValueError("contains a path segment . or ..")
        if "/" in step or _UNSAFE.search(step):
            raise ValueError("contains an encoded slash, backslash or control character")
        deeper = unquote(step, errors="surrogateescape") if decode else step
        if deeper == step:
            return plain
        step = deeper


def public_source(source: str) -> str:
    """A source as shown in results: without the query of a signed URL, user and fragment, which may be secrets."""
    scheme, mark, _ = source.partition("://")
    is_url = mark and _SCHEME.fullmatch(scheme) and scheme.lower() not in ("file", "s3")
    return shown(source) if is_url else source


def public_callback(url: str) -> str:
    """A callback URL as shown in results: without user and fragment, and of a query only the `?`."""
    bare, mark, _ = url.partition("#")[0].partition("?")
    return _USER.sub("//", bare, count=1) + mark
