"""The only place that builds storage keys.

External input (task ids, dates, hashes) is checked or quoted here, so that it can't name an object it
should not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import NamedTuple
from urllib.parse import quote, unquote

from pipeline.errors import PermanentError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HEX = re.compile(r"[0-9a-f]{8,64}")
_RECEIPT = re.compile(
    r"receipts/date=(?P<day>[\d-]{10})/(?:[0-9a-f]{2}/)?"
    r"(?P<content>[0-9a-f]{32})(?:-(?P<writer>[0-9a-f]{16})-(?P<number>\d+))?\.jsonl"
)
_MAX_NAME = 200  # bytes: below the 255 of common file systems, with room for ".json" and a temporary suffix

ACTIONS = "actions/"
BRAKES = "control/brake-"
CALLBACKS = "callbacks/"
ATTEMPTS = "attempts/"
CLAIMS = "claims/"
COUNTERS = "counters/"
DEADLINES = "deadlines/"
DELAYED = "delayed/"
DISCARDED = "discarded/"
DOCUMENTS = "documents/"
FORGETTING = "forgetting/"
FORGOTTEN = "forgotten/"
TOMBSTONES = f"{FORGOTTEN}tasks/"
NIGHTS = "nights/"
PENDING = "pending/"
RESULTS = "results/"
FAILED = "failed/"
FAILED_AGAIN = "failed_again/"
PARTIAL = "partial/"
CHANGED = "changed/"
RECEIPTS = "receipts/"
REPORTS = "reports/"
REPORTS_DUE = "control/report-"
SUMMARY = "summary/"
TIMELINE = "timeline/"
UNDELIVERED = "undelivered/"


def is_safe(key: str) -> bool:
    """Whether a key names nothing outside the store: no empty segment, no `.` or `..`, no zero byte."""
    closed = f"/{key}/"  # parts are not split: this is asked for each object
    return "//" not in closed and "/./" not in closed and "/../" not in closed and "\0" not in key


def _name(task_id: str) -> str:
    """Quote a task id into one path segment (RFC 3986 percent-encoding).

    Raises `PermanentError` if it is empty, contains control characters or incomplete ones (lone surrogates), or gets
    longer than 200 bytes.
    """
    quoted = _quoted(task_id)
    unfit = any(ord(c) < 32 or ord(c) == 127 or "\ud800" <= c <= "\udfff" for c in task_id)
    if not task_id or unfit or len(quoted) > _MAX_NAME:
        raise PermanentError(
            f"The task id {task_id[:40]!r} is invalid: use 1 to 200 printable characters "
            "(non-ASCII ones count as up to 12).",
            code="bad_task_id",
        )
    # neither a hidden file nor a temporary file of a local store
    return f"%2E{quoted[1:]}" if quoted.startswith(".") else quoted


def _quoted(task_id: str) -> str:
    quoted = quote(task_id, safe="", errors="replace")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")  # no folder has such a name


def derived(task_id: str, mark: str) -> str:
    """A task id derived from another: `task_id` and `mark`.

    If necessary it is shortened to fit in a key, with a digest of the whole, so that two long ids stay two.
    """
    if len(_quoted(task_id + mark)) <= _MAX_NAME:
        return task_id + mark
    mark = f"#{hashlib.sha256(task_id.encode(errors='replace')).hexdigest()[:8]}{mark}"
    while len(_quoted(task_id + mark)) > _MAX_NAME:
        task_id = task_id[:-1]
    return task_id + mark


def _of_generation(task_id: str, generation: int) -> str:
    """One path segment for one generation of a task; quoting leaves no `@` in the name itself."""
    return f"{_name(task_id)}@{generation}" if generation else _name(task_id)


def _hash(digest: str) -> str:
    if not _HEX.fullmatch(digest):
        raise ValueError(f"not a lower-case hex digest: {digest[:80]!r}")
    return digest


def _day(run_date: str) -> str:
    return date.fromisoformat(run_date).isoformat()


def document(sha256: str) -> str:
    """Original bytes, content-addressed."""
    return f"{DOCUMENTS}{_hash(sha256)}"


def receipt(run_date: str, content: str, writer: str, number: int) -> str:
    """Receipt of accepted work, immutable: `content` is its hash, `number` counts the receipts of a writer from 1."""
    return f"{receipts_of(run_date, content)}-{_hash(writer)}-{number}.jsonl"


def receipts_of(run_date: str, content: str) -> str:
    """Prefix of the receipts of a run date with this content; in folders, so that a local store lists few files."""
    return f"{receipts(run_date)}{_hash(content)[:2]}/{content}"


def receipts(run_date: str) -> str:
    """Prefix of a run date's receipts."""
    return f"{RECEIPTS}date={_day(run_date)}/"


class ReceiptName(NamedTuple):
    """What a `receipt` key says. Receipts of older versions have no writer, and the number 0."""

    run_date: str
    content: str
    writer: str
    number: int


def receipt_name(key: str) -> ReceiptName | None:
    """The parts of a `receipt` key; `None` for another key."""
    found = _RECEIPT.fullmatch(key)
    if not found:
        return None
    return ReceiptName(found["day"], found["content"], found["writer"] or "", int(found["number"] or 0))


def claim(task_id: str, origin: str) -> str:
    """What is known of the submission that claimed a task id."""
    return f"{claims(task_id)}{_hash(origin)}.json"


def taken(task_id: str, origin: str, run_date: str) -> str:
    """Claim of a submission to a task id, on a run date."""
    return f"{claims(task_id)}{_hash(origin)}@{_day(run_date)}"


def generation(task_id: str, number: int) -> str:
    """Note that a task has had a generation, from 1."""
    return f"{claims(task_id)}@{number}.json"


def derived_from(task_id: str, mark: str) -> str:
    """How the ids begin that are derived from a task id by a mark of this length, which follows."""
    return derived(task_id, f"#{mark}").removesuffix(mark)


def claims(task_id: str) -> str:
    """Prefix of all claims to a task id, and of the notes of its generations."""
    return f"{CLAIMS}{_name(task_id)}/"


def claimed_task(key: str) -> str:
    """Task id in a key under `claims`."""
    return unquote(key.split("/")[1])


def origin_of(key: str) -> str:
    """Origin in a `claim` or `taken` key; empty for a note of a generation."""
    return key.rsplit("/", 1)[-1].removesuffix(".json").partition("@")[0]


def taken_on(key: str) -> str:
    """Run date in a `taken` key; empty in a `claim` key."""
    return key.rsplit("/", 1)[-1].partition("@")[2].removesuffix(".json")


def delayed(not_before: datetime, task_id: str) -> str:
    """Marker of a delayed task: the keys sort by the time (UTC) from which it may start."""
    return f"{DELAYED}{not_before.astimezone(UTC):%Y%m%dT%H%M%SZ}/{_name(task_id)}.json"


def delayed_until(key: str) -> datetime:
    """The time in a `delayed` key."""
    return datetime.strptime(key.split("/")[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def deadline(at: datetime, kind: str, pages: int, task_id: str, *, moved: bool = False) -> str:
    """Note of a task with a deadline: the keys sort by it (UTC), and say of what kind it is and how many pages it has.

    `moved`: to the urgent lane.
    """
    size = f"{kind}-{pages}{'-urgent' if moved else ''}"
    return f"{DEADLINES}{at.astimezone(UTC):%Y%m%dT%H%M%SZ}/{size}/{_name(task_id)}.json"


class DeadlineName(NamedTuple):
    """What a `deadline` key says."""

    at: datetime
    kind: str
    pages: int
    task_id: str
    moved: bool


def deadline_name(key: str) -> DeadlineName | None:
    """The parts of a `deadline` key; `None` for another key."""
    try:
        _, moment, size, _ = key.split("/")
        at = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        kind, pages, *moved = size.split("-")
        return DeadlineName(at, kind, int(pages), task_id_of(key), moved == ["urgent"])
    except ValueError:
        return None


def attempts(task_id: str, step: str, message: str = "") -> str:
    """Number of times a message, identified by its id, for a step of a task was started and not finished."""
    return f"{ATTEMPTS}{_name(task_id)}/{_name(f'{step}-{message}')}.json"


def attempts_of(task_id: str) -> str:
    """Prefix of all attempts of a task."""
    return f"{ATTEMPTS}{_name(task_id)}/"


def retry(task_id: str, step: str, first: int = 0) -> str:
    """Note that a step, or its part from page `first` on, is retried; quoting leaves no `@` in an `attempts` key."""
    return f"{retries_of(task_id)}{_name(f'{step}-{first}')}.json"


def retries_of(task_id: str) -> str:
    """Prefix of the notes of all retries of a task."""
    return f"{attempts_of(task_id)}@"


def output(task_id: str, step: str, generation: int = 0) -> str:
    """Output of a step of a custom task type."""
    return f"outputs/{_of_generation(task_id, generation)}/{_name(step)}.json"


def outputs_of(task_id: str, generation: int = 0) -> str:
    """Prefix of the outputs of one generation of a task."""
    return f"outputs/{_of_generation(task_id, generation)}/"


def doctor(mark: str) -> str:
    """Object that `nightshift doctor` writes and deletes; `mark`: hex digits that no other has."""
    return f"doctor/{_hash(mark)}"


def forgetting(run: str) -> str:
    """What is being forgotten, until it is."""
    return f"{FORGETTING}{_name(run)}.json"


def forgotten(run: str) -> str:
    """What became of one run of forgetting, without personal data."""
    return f"{FORGOTTEN}runs/{_name(run)}.json"


def tombstone(pseudonym: str, run: str) -> str:
    """Note that a task was forgotten, under its pseudonym."""
    return f"{tombstones_of(pseudonym)}{_name(run)}.json"


def tombstones_of(pseudonym: str) -> str:
    """Prefix of the tombstones of one task id."""
    return f"{TOMBSTONES}{_hash(pseudonym)}/"


def pseudonym_of(tombstone: str) -> str:
    """The pseudonym in the key of a tombstone."""
    return tombstone.removeprefix(TOMBSTONES).partition("/")[0]


def rewritten(receipt: str) -> str:
    """Note that lines of this receipt were forgotten."""
    return FORGOTTEN + receipt


def control(name: str) -> str:
    """Objects that control workers, such as the operator's override of the window."""
    return f"control/{_name(name)}.json"


def brake(step: str) -> str:
    """Note that a step is paused."""
    return f"{BRAKES}{_name(step)}.json"


def action(at: datetime, mark: str) -> str:
    """One entry of the log of actions: the keys sort by time; `mark`: hex digits that no other has."""
    moment = at.astimezone(UTC)
    return f"{actions_of(f'{moment:%Y-%m-%d}')}{moment:%H%M%S%f}-{_hash(mark)}.json"


def actions_of(day: str) -> str:
    """Prefix of the actions of one day (UTC)."""
    return f"{ACTIONS}date={_day(day)}/"


def night(run_date: str, name: str) -> str:
    """State of a night: `opened`, `summarised`, `released-<worker>`."""
    return f"{NIGHTS}run_date={_day(run_date)}/{_name(name)}.json"


def tenant_pages(run_date: str, writer: str = "") -> str:
    """Pages by tenant that one process has ingested on a run date; without a writer, the prefix of all of them."""
    return f"{NIGHTS}run_date={_day(run_date)}/pages-" + (f"{_hash(writer)}.json" if writer else "")


def measured(run_date: str, writer: str = "") -> str:
    """What one process has measured of a night; without a writer, the prefix of all of them."""
    return f"{NIGHTS}run_date={_day(run_date)}/pace-" + (f"{_hash(writer)}.json" if writer else "")


def callback(run_date: str, task_id: str, generation: int = 0) -> str:
    """Marker of a callback that is not delivered yet."""
    return f"{CALLBACKS}run_date={_day(run_date)}/{_of_generation(task_id, generation)}.json"


def caches_of(sha256: str) -> tuple[str, str, str]:
    """Prefixes of everything that was computed from the bytes of one document."""
    return readings(sha256), f"ner/{_hash(sha256)}/", spent_of(sha256)


def callback_url(task_id: str) -> str:
    """The whole URL of a task's callback, if it has a query, which may contain a secret."""
    return f"callback_urls/{_name(task_id)}"


def undelivered(run_date: str, task_id: str, generation: int = 0) -> str:
    """Record of a callback that could not be delivered."""
    return f"{UNDELIVERED}run_date={_day(run_date)}/{_of_generation(task_id, generation)}.json"


def undelivered_of(run_date: str) -> str:
    """Prefix of a run date's callbacks that could not be delivered."""
    return f"{UNDELIVERED}run_date={_day(run_date)}/"


def beginning(task_id: str) -> str:
    """How the key segments of all task ids begin that begin like this; `""` for none."""
    quoted = quote(task_id, safe="", errors="replace")
    return f"%2E{quoted[1:]}" if quoted.startswith(".") else quoted


def pending(task_id: str, generation: int = 0) -> str:
    """Marker of an accepted, unfinished task; each generation has its own."""
    return f"{PENDING}{_of_generation(task_id, generation)}.json"


def pages(sha256: str, digest: str) -> str:
    """Prefix of the page checkpoints of one document and one model."""
    return f"ocr/{_hash(sha256)}/{_hash(digest)}/"


def page(sha256: str, digest: str, number: int) -> str:
    """Checkpoint of one page; `number` counts from 1."""
    return f"{pages(sha256, digest)}{number:06d}.json"


def readings(sha256: str) -> str:
    """Prefix of all page checkpoints of one document, by whatever model."""
    return f"ocr/{_hash(sha256)}/"


def spent(sha256: str, digest: str) -> str:
    """Processor time that a slow document took beyond its share, by one model."""
    return f"{spent_of(sha256)}{_hash(digest)}.json"


def spent_of(sha256: str) -> str:
    """Prefix of the `spent` keys of one document."""
    return f"spent/{_hash(sha256)}/"


def page_number(key: str) -> int:
    """Page number in a checkpoint's key."""
    return int(key.rsplit("/", 1)[-1].removesuffix(".json"))


def entities(sha256: str, digest: str) -> str:
    """Entities of one document by one NER model on one OCR output."""
    return f"ner/{_hash(sha256)}/{_hash(digest)}.json"


def result(run_date: str, task_id: str) -> str:
    """Complete result of a finished task."""
    return f"{RESULTS}run_date={_day(run_date)}/{_name(task_id)}.json"


def results(run_date: str) -> str:
    """Prefix of a run date's results."""
    return f"{RESULTS}run_date={_day(run_date)}/"


def failed(run_date: str, task_id: str, generation: int = 0) -> str:
    """Record of a task that failed permanently; each generation has its own, so that a redrive removes exactly one."""
    return f"{FAILED}run_date={_day(run_date)}/{_of_generation(task_id, generation)}.json"


def discarded(key: str) -> str:
    """Marker that an operator has discarded the failure of this key: its record stays."""
    return DISCARDED + key


def failures(run_date: str) -> str:
    """Prefix of a run date's failures."""
    return f"{FAILED}run_date={_day(run_date)}/"


def partial(run_date: str, task_id: str) -> str:
    """Note of a result with something missing: the record without its pages, next to the whole one in `results/`."""
    return f"{PARTIAL}run_date={_day(run_date)}/{_name(task_id)}.json"


def partials(run_date: str) -> str:
    """Prefix of a run date's partial results."""
    return f"{PARTIAL}run_date={_day(run_date)}/"


def result_of_partial(key: str) -> str:
    """Key of the whole result that a `partial` key is a note of."""
    return RESULTS + key.removeprefix(PARTIAL)


def failed_again(run_date: str, task_id: str) -> str:
    """Record of a done task that could not be reprocessed: its previous result is kept."""
    return f"{FAILED_AGAIN}run_date={_day(run_date)}/{_name(task_id)}.json"


def failures_again(run_date: str) -> str:
    """Prefix of a run date's failures to reprocess."""
    return f"{FAILED_AGAIN}run_date={_day(run_date)}/"


def changed(run_date: str, task_id: str, done_at: str) -> str:
    """Marker that a result was replaced since its night was last summarised; one per replacement."""
    moment = hashlib.sha256(done_at.encode()).hexdigest()[:8]
    return f"{changes(run_date)}{_name(task_id)}-{moment}"


def changes(run_date: str) -> str:
    """Prefix of the `changed` markers of a run date."""
    return f"{CHANGED}run_date={_day(run_date)}/"


def changed_task(key: str) -> str:
    """Task id in a `changed` key."""
    return unquote(key.rsplit("/", 1)[-1].rpartition("-")[0])


def run_dates(folders: Iterable[str]) -> list[str]:
    """The run dates that folders are named after, in order; those that Nightshift did not make are left out."""
    return sorted({name for folder in folders if _DATE.fullmatch(name := folder.partition("=")[2])})


def run_date_of(key: str) -> str:
    """Run date in a key that contains one."""
    return key.split("run_date=", 1)[1].split("/", 1)[0]


def summary(table: str, run_date: str, part: int = 0) -> str:
    """One part of a parquet table of a run date, hive-partitioned: most have one."""
    return f"{summary_parts(table, run_date)}{part:05d}.parquet"


def summary_parts(table: str, run_date: str) -> str:
    """What the parts of a parquet table of a run date begin with."""
    return f"{SUMMARY}{table}/run_date={_day(run_date)}/part-"


def timeline(run_date: str, minute: str = "") -> str:
    """Sample of a night at a minute (`HHMM`, UTC); without one, the prefix of them all."""
    return f"{TIMELINE}run_date={_day(run_date)}/" + (f"{minute}.json" if minute else "")


def counter(run_date: str, writer: str) -> str:
    """What one process has counted, on a run date."""
    return f"{COUNTERS}{_day(run_date)}/{_hash(writer)}.json"


def counter_base(number: int, at: datetime, writer: str) -> str:
    """What all counters were together, as they were read at that time: the last one in the order of keys counts."""
    return f"{COUNTERS}base-{number:09d}-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{_hash(writer)}.json"


def is_counter_base(key: str) -> bool:
    """Whether this is a `counter_base` key."""
    return key.startswith(f"{COUNTERS}base-")


def report(run_date: str, name: str) -> str:
    """A file of the morning report, `index.html` or `report.json`; a note about it, `written.json` or `sent.json`."""
    return f"{REPORTS}run_date={_day(run_date)}/{name}"


def report_due(run_date: str) -> str:
    """Mark that the report of a night is to be written: what it is about has changed."""
    return f"{REPORTS_DUE}{_day(run_date)}.json"


def due_report(key: str) -> str:
    """Run date in a `report_due` key; empty in another one."""
    name = key.removeprefix(REPORTS_DUE).removesuffix(".json")
    return name if _DATE.fullmatch(name) else ""


def task_id_of(key: str) -> str:
    """Task id in a `pending`, `results`, `failed` or `callback` key."""
    return unquote(key.rsplit("/", 1)[-1].removesuffix(".json").partition("@")[0])


def generation_of(key: str) -> int:
    """Generation in a `pending`, `failed`, `callback` or `generation` key."""
    return int(key.rsplit("/", 1)[-1].removesuffix(".json").partition("@")[2] or 0)


def owner(key: str) -> str:
    """Id of the task whose steps write this object; empty for what belongs to none, or to several."""
    parts = key.split("/")
    if parts[0] in ("attempts", "callback_urls", "claims", "outputs"):
        return unquote(parts[1].partition("@")[0])
    if parts[0] in ("failed", "failed_again", "partial", "results", "undelivered"):
        return task_id_of(key)
    return ""
