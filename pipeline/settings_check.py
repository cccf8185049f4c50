"""What is checked of settings before they are in force, and which of them nobody is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec.structs import FieldInfo

from pipeline import broker_url, device_names, device_price, environment, listen, mail, mask_policy, tenants
from pipeline.environment import OPTION, PREFIX, PROCESS, Given

SECRET = frozenset(
    {
        "broker_url",
        "callback_secret",
        "encryption_keys",
        "flower_password",
        "ocr_server_token",
        "report_mail",  # addresses of persons, which the log of actions must not have
        "report_url",  # its query may have a token
        "signing_key",
        "smtp_url",
    }
)
"""Settings that nobody is shown."""
ANSWER_SHARE = 0.2
"""Maximum share of `time_limit` that one answer of an OCR server may take."""
_LONGEST_ZONE = 64  # characters: looking for a name of hundreds of folders takes more stack than there is
_KEY = 32  # characters of a signing key at least: 128 bits in hexadecimal


def _web(url: str) -> None:
    """Raises `ValueError` where a URL is not of the web."""
    found = urlsplit(url)
    _ = found.port
    if found.scheme not in ("http", "https") or not found.hostname:
        raise ValueError("not a URL of the web")


def _webs(urls: str) -> None:
    """Raises `ValueError` where one of several URLs, separated by commas, is not of the web, or names a user."""
    for url in filter(None, (part.strip() for part in urls.split(","))):
        _web(url)
        if any(c in url for c in "@?#"):
            raise ValueError("a user, a query or a fragment")


def _token(text: str) -> None:
    """Raises `ValueError` where a token can't be sent in a header; a line end after it comes from a file."""
    if not (text.isascii() and text.strip().isprintable()):
        raise ValueError("not a token")


_READ_BY: dict[str, tuple[Callable[[str], object], str]] = {
    "metrics_address": (listen.address, "host:port, such as 127.0.0.1:9809"),
    "devices": (device_names.parse, device_names.EXPECTED),
    "device_price": (device_price.parse, device_price.EXPECTED),
    "ocr_server_token": (_token, "printable ASCII characters, on one line"),
    "ocr_servers": (_webs, "URLs such as http://gpu1:8080, without user, password and query"),
    "report_mail": (mail.addresses, "addresses separated by commas, such as ops@example.org"),
    "report_url": (_web, "a URL such as https://ops.example.org/nightshift"),
    "smtp_url": (mail.server, mail.EXPECTED),
    "tenant_pages": (tenants.quotas, "tenants with pages, such as archive=20000, *=5000"),
    "tenant_users": (tenants.users, "broker users with tenants, such as scanner=archive"),
}
"""Settings that a function reads if they are set, which raises `ValueError`, and what is expected of them."""


def faults(fields: Sequence[FieldInfo], given: Mapping[str, Given]) -> dict[str, str]:
    """Those of the fields whose given values do not fit, each with one sentence that says what was expected."""
    wrong = {}
    for field in fields:
        name, it = field.name, given.get(field.name)
        if it is None:
            continue
        if not environment.fits(field.type, it.value):
            wrong[name] = environment.invalid(
                name, it, environment.expected(field.type), secret=name in SECRET
            )
        elif name == "broker_url" and (fault := broker_url.fault(it.value)):
            expected = f"{broker_url.EXPECTED}; {fault}"
            wrong[name] = environment.invalid(name, it, expected, secret=True)
        elif name in _READ_BY and it.value and not _is_read_by(_READ_BY[name][0], it.value):
            secret = name in SECRET or name in ("report_url", "ocr_servers")  # which may have a token in them
            wrong[name] = environment.invalid(name, it, _READ_BY[name][1], secret=secret)
        elif name == "signing_key" and any(len(key) < _KEY for key in it.value.split(",") if it.value):
            expected = (
                f"keys of at least {_KEY} characters, separated by commas (openssl rand -hex 32 makes one)"
            )
            wrong[name] = environment.invalid(name, it, expected, secret=True)
        elif name == "otlp_endpoint" and it.value and not _is_collector(str(it.value)):
            expected = "a URL such as http://collector:4318, without user, password and query"
            wrong[name] = environment.invalid(name, it, expected, secret="@" in str(it.value))
        elif name == "timezone" and not _is_zone(it.value):
            wrong[name] = environment.invalid(name, it, "an IANA time zone such as Europe/Berlin")
        elif name == "mask" and (why := _not_a_mask(it.value)):
            wrong[name] = environment.invalid(name, it, why)
    wrong |= _slow(fields, {n: it for n, it in given.items() if n not in wrong})
    if "require_tls" in given and "require_tls" not in wrong:
        wrong |= _plain({n: it for n, it in given.items() if n not in wrong})
    return wrong


def _slow(fields: Sequence[FieldInfo], given: Mapping[str, Given]) -> dict[str, str]:
    """One sentence if OCR servers may take too long for one answer: a page may need several requests, and retries."""
    engine = given.get("ocr_engine")
    if engine is None or engine.value != "remote":
        return {}
    defaults = {field.name: Given(field.default, PROCESS) for field in fields}
    seconds = given.get("ocr_server_seconds", defaults["ocr_server_seconds"])
    limit = float(given.get("time_limit", defaults["time_limit"]).value)
    if float(seconds.value) <= ANSWER_SHARE * limit:
        return {}
    expected = f"at most a fifth of {PREFIX}TIME_LIMIT={limit:g}"
    return {"ocr_server_seconds": environment.invalid("ocr_server_seconds", seconds, expected)}


_PLAIN = {
    "broker_url": "amqp",
    "s3_endpoint": "http",
    "allowed_sources": "http",
    "allowed_callbacks": "http",
    "management_url": "http",
    "report_url": "http",
    "ocr_servers": "http",
    "otlp_endpoint": "http",
}
"""Settings with URLs, and the scheme that `require_tls` refuses in them."""


def _plain(given: Mapping[str, Given]) -> dict[str, str]:
    """Settings with a URL without TLS where that is required, each with one sentence."""
    wrong: dict[str, str] = {}
    if not msgspec.convert(given["require_tls"].value, bool, strict=False):
        return wrong
    for name, scheme in _PLAIN.items():
        if name in given and is_plain(str(given[name].value), scheme):
            expected = f"{scheme}s:// only, as {PREFIX}REQUIRE_TLS is true"
            wrong[name] = environment.invalid(name, given[name], expected, secret=name in SECRET)
    address = given.get("metrics_address", Given("", OPTION))
    named = "metrics_hosts" in given and given["metrics_hosts"].value
    if address.value and not named and not listen.is_loopback(listen.address(str(address.value))[0]):
        expected = f"127.0.0.1, or {PREFIX}METRICS_HOSTS to be set, as {PREFIX}REQUIRE_TLS is true"
        wrong["metrics_address"] = environment.invalid("metrics_address", address, expected)
    return wrong


def is_plain(urls: str, scheme: str) -> bool:
    """Whether one of these URLs, separated by commas or semicolons, has this scheme, which is one without TLS."""
    return any(url.strip().lower().startswith(f"{scheme}://") for url in re.split("[,;]", urls))


def _is_read_by(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _is_collector(url: str) -> bool:
    try:
        found = urlsplit(url)
        _ = found.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not any(c in url for c in "@?# ")
    return plain and found.scheme in ("http", "https") and bool(found.hostname)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name[:_LONGEST_ZONE])
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the tzdata package, for a folder
        return False
    return True


def _not_a_mask(text: str) -> str:
    try:
        mask_policy.policy(text)
    except ValueError as error:
        return str(error)
    return ""
