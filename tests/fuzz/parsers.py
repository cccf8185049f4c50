"""What operators and producers write: settings, windows, times, conditions, URLs, task ids. A first word says which."""

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.errors import PermanentError, PipelineError, UsageError
from pipeline.night import conditions, failures
from pipeline.night.window import OffPeakWindow, until
from pipeline.remote.policy import SourcePolicy
from pipeline.remote.urls import Location, locate, shown
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.tables.schemas import SCHEMAS
from tests.fuzz.checks import code_of, ensure
from tests.fuzz.mutation import Mutator

NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
PREFIXES = "file:///inbox/a,s3://inbox/scans,https://dms.example/docs,http://[2001:db8::1]:8080/x"
POLICY = SourcePolicy.sources(PREFIXES)


def _window(text: str) -> str:
    spec, _, zone = text.partition("|")
    window = OffPeakWindow.parse(spec, zone or "Europe/Berlin")
    window.run_date(NOW)
    window.describe(NOW)
    opens = window.next_open(NOW)
    ensure(opens is None or (opens > NOW and window.contains(opens)), "the window is open when it opens")
    closes = window.next_close(NOW)
    ensure(
        closes is None or (closes > NOW and not window.contains(closes)),
        "the window is closed when it closes",
    )
    return "window"


def _time(text: str) -> str:
    at = until(text, NOW, "Europe/Berlin")
    ensure(NOW < at <= NOW + timedelta(days=366), "a time within a year")
    return "time"


def _current(column: str) -> Mapping[str, str | None]:
    return {column: "x"} if column == "pipeline_version" else {column: None}


def _condition(text: str) -> str:
    found = conditions.parse(text, SCHEMAS["documents"], _current)
    found.may_hold("2026-11-22")
    SCHEMAS["documents"].empty_table().append_column("run_date", [[]]).filter(found.expression)
    return "condition"


def _url(text: str) -> str:
    try:
        place = locate(text)
    except ValueError as error:
        code_of(UsageError(f"The URL {shown(text)} {error}."))
        place = None
    try:
        allowed, prefix = POLICY.match(text)
    except PermanentError:
        return "refused"
    ensure(place == allowed, "one URL is one place")
    _below(allowed, prefix)
    return "allowed"


def _below(place: Location, prefix: Location) -> None:
    """An allowed place is where the prefix is, however it was spelled."""
    ensure(
        (place.scheme, place.host, place.port) == (prefix.scheme, prefix.host, prefix.port), "another host"
    )
    ensure(place.parts[: len(prefix.parts)] == prefix.parts, f"{place} is not below {prefix}")
    ensure(not {"..", ".", ""} & set(place.parts), f"a way out in {place}")
    ensure("\r" not in place.target and "\n" not in place.target, "two lines in a request")


def _prefixes(text: str) -> str:
    SourcePolicy.sources(text)
    SourcePolicy.callbacks(text)
    return "prefixes"


def _key(text: str) -> str:
    for make in (
        keys.pending,
        lambda t: keys.result("2026-11-22", t),
        lambda t: keys.callback("2026-11-22", t),
    ):
        key = make(text)
        ensure(keys.task_id_of(key) == text, f"{key} is not {text!r}")
        name = key.rsplit("/", 1)[-1]
        ensure(len(name.encode()) <= 240 and not name.startswith("."), f"{name!r} is no name for a file")
        ensure(
            name.isascii() and key.count("/") == key.rpartition("/")[0].count("/") + 1,
            f"{key!r} leaves its folder",
        )
    derived = keys.derived(text, "#0123456789ab")
    keys.pending(derived)
    keys.claim(text, "0123456789ab")
    return "key"


def _settings(text: str) -> str:
    pairs = (line.partition("=") for line in text.split("\n"))
    given = {"NIGHTSHIFT_" + name.strip().upper(): value for name, _, value in pairs}
    settings = Settings.from_env(given)
    repr(settings)
    ensure(all(math.isfinite(v) for v in (settings.time_limit, settings.close_grace)), "endless seconds")
    return "settings"


def _file(text: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "env"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        from pipeline.environment import _parse, _read_file, raise_first

        _, values, problems = _read_file(str(path))
        ensure(isinstance(values, dict) and callable(_parse), "values")
        raise_first([problem.replace(folder, "") for problem in problems])
    return ".env"


def _overrides(text: str) -> str:
    failures.overrides(text.split("\n"))
    return "overrides"


PARSERS: dict[str, Callable[[str], str]] = {
    "window": _window, "time": _time, "condition": _condition, "url": _url, "prefixes": _prefixes,
    "key": _key, "settings": _settings, "file": _file, "overrides": _overrides,
}  # fmt: skip
EXAMPLES: dict[str, tuple[str, ...]] = {
    "window": (
        "22:00-06:00",
        "mon-fri 22:00-06:00; sat-sun 24h|Asia/Shanghai",
        "always",
        "weekdays 1:30 - 24:00,3:00-4:00",
        "fri-mon 02:30-02:45|America/St_Johns",
        "never|Pacific/Apia",
    ),
    "time": (
        "03:00",
        "2026-11-23T03:00",
        "2026-11-23T03:00:00+08:00",
        "24:00",
        "2026-W48-1",
        "20261123T0300Z",
    ),
    "condition": (
        "pages > 3 and not (status = 'partial' or mean_confidence < 0.9)",
        "ocr_model != current",
        "run_date >= 2026-11-01 and task_id in ('a', \"b\", c)",
        "language is not null",
        "not not pages=1e3",
        "done_at < '2026-11-01T22:00:00+08:00'",
    ),
    "url": (
        "file:///inbox/a/b%20c.png",
        "s3://inbox/scans/x?y#z",
        "https://dms.example/docs/1.pdf?sig=a%2Fb",
        "https://DMS.example:443/docs/%41",
        "http://[2001:db8:0::1]:8080/x/y",
        "https://dms.example/docs;a=b/..;/c",
        "https://bücher.example/docs/",
        "file://localhost/inbox/a/..",
        "https://user:pw@dms.example/docs",
    ),
    "prefixes": (PREFIXES, "s3://inbox/, , https://x.example:444/a", "file:///", "https://a.example/?q"),
    "key": (
        "scan-17",
        "a/b.jpg",
        "..",
        ".hidden",
        "发票 42",
        "%2E%2E",
        "x" * 200,
        "a?b#c",
        "con",
        "~",
        "\U0001f4c4",
    ),
    "settings": (
        "window=22:00-06:00\nrender_dpi=300\nmask=false",
        "time_limit=nan",
        "max_bytes=1e3\nTIMEZONE=Asia",
        "broker_url=amqp://u:p@h//;amqp://u:p@i//",
        "ocr_max_side=0x400",
        "close_grace=inf",
        "s3_sse=AES256",
    ),
    "file": (
        "NIGHTSHIFT_WINDOW='22:00-06:00' # night\nexport AWS_REGION=x\n",
        'A="${B}\\n"\nNIGHTSHIFT_MASK\n',
        "\ufeffA=1",
    ),
    "overrides": (
        "max_pages=10\ntime_limit=600",
        "render_dpi=abc",
        "nothing",
        "=",
        "max_pages=10\nmax_pages=11",
    ),
}


class _Parsers:
    tokens: Sequence[bytes] = (
        b"mon", b"-", b";", b"24h", b"24:00", b"00:00", b",", b"|", b"UTC", b"../../etc/passwd", b"%2e%2e",
        b"%252e", b"%00", b"%", b"\\", b"//", b"@", b"?", b"#", b":99999", b"[::1]", b"127.1", b"0x7f.1",
        b"xn--", b"(", b")", b" and ", b" or ", b"not ", b"in (", b"'", b'"', b" is null", b"current",
        b"pages", b"=", b"<=", b"1e400", b"nan", b"inf", b"_", b"0b1", b"\xff", b"\xc2\x85",
        b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\n", b"\r", b"\0", b"\x1b[2J", "ⅷ".encode(), "٣".encode(),
        "。".encode(), "İ".encode(), "ß".encode(), b"(" * 60, b"not " * 60, b"${A}", b"x" * 4096,
        b"max_pixels", b"max_bytes",
    )  # fmt: skip

    def seeds(self) -> list[bytes]:
        return [f"{name} {text}".encode() for name, texts in EXAMPLES.items() for text in texts]

    def change(self, mutator: Mutator, data: bytes) -> bytes:
        name, _, rest = data.partition(b" ")
        if mutator.rng.random() < 0.03:
            name = mutator.rng.choice(list(PARSERS)).encode()
        return name + b" " + mutator.change(rest)

    def check(self, data: bytes) -> str:
        name, _, rest = data.partition(b" ")
        parse = PARSERS.get(name.decode("ascii", "replace"))
        if parse is None:
            return "no parser"
        try:
            return parse(rest.decode("utf-8", "surrogateescape"))
        except PipelineError as error:
            return f"{name.decode()}: {code_of(error)}"


TARGET = _Parsers()
