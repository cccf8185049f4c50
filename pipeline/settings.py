"""The settings, read once from the environment into one frozen value.

Every setting is a field here; its environment variable is `NIGHTSHIFT_` and the field's name in capitals.
`python -m pipeline.settings` prints the table for the docs, `nightshift settings` shows what is in force.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from pipeline import broker_url, device_names, environment, mask_policy, settings_check
from pipeline.environment import OPTION, Given
from pipeline.limits import Limits
from pipeline.settings_check import SECRET

PREFIX = environment.PREFIX
PAGE_SHARE, PAGE_LEAST = 0.4, 20.0
"""Share of `time_limit` that one page may take in processor time, and seconds that it may take in any case."""
_DECIDING = (*Limits.__struct_fields__, "ocr_engine", "ocr_max_side", "ner_engine")
_LEAST = 4  # documents in progress that a device of its own needs to be kept busy
# The password of a URL: up to the last @, or the last before `;scheme://`, where a list of brokers continues.
_PASSWORD = re.compile(r"(://[^:/@;]*):(?:(?!;[a-z0-9+]+://).)*@", re.DOTALL | re.IGNORECASE)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings with their defaults. AWS credentials are not among them: boto3 finds them itself."""

    store_url: Annotated[
        str,
        Meta(
            description="Store for documents and results: a folder, `file:///path` or `s3://bucket/prefix`."
        ),
    ] = "out"
    timezone: Annotated[str, Meta(description="IANA time zone of the window and the run date.")] = "UTC"

    actor: Annotated[
        str,
        Meta(
            description="Who acts, in the log of actions; empty: the user of the operating system and the host."
        ),
    ] = ""

    broker_url: Annotated[
        str,
        Meta(
            description="RabbitMQ: `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS; several URLs, "
            "separated by `;`, for the nodes of a cluster."
        ),
    ] = "amqp://guest:guest@localhost:5672//"
    broker_ca: Annotated[
        str,
        Meta(
            description="PEM file with the authorities whose certificates RabbitMQ may have; empty: the system's."
        ),
    ] = ""
    broker_cert: Annotated[
        str, Meta(description="PEM file with the client certificate for RabbitMQ, and its intermediates.")
    ] = ""
    broker_key: Annotated[
        str,
        Meta(description="PEM file with its key, without a password; empty: the key is in the same file."),
    ] = ""
    require_tls: Annotated[
        bool,
        Meta(
            description="Whether `amqp://` and `http://` are refused at start, for the broker, S3, sources, callbacks, "
            "reports, OCR servers and traces, on the loopback address too; mail is sent by TLS only."
        ),
    ] = False
    window: Annotated[
        str,
        Meta(
            description="When GPU work may run: `22:00-06:00`, several spans, spans by weekday, `always` or "
            "`never` (docs/reference/window.md)."
        ),
    ] = "22:00-06:00"
    urgent_by_day: Annotated[
        bool, Meta(description="Whether tasks of priority 8 and 9 also run outside the window.")
    ] = False
    close_grace: Annotated[
        float,
        Meta(
            ge=0,
            description="Seconds after the window closes at which GPU work still running is stopped and "
            "requeued. Outside the window, urgent work keeps its models loaded for the same time.",
        ),
    ] = 25.0
    idle_grace: Annotated[
        float,
        Meta(
            ge=0,
            description="Seconds without GPU work inside the window after which a worker ends the processes that hold "
            "models; new work loads them again. 0: they are kept until the window closes.",
        ),
    ] = 300.0
    spread_pages: Annotated[
        int,
        Meta(
            ge=1, description="Pages per worker: a document with more pages is split among several workers."
        ),
    ] = 40
    max_retries: Annotated[
        int,
        Meta(
            ge=0,
            description="Maximum retries of a step after temporary failures, such as an unavailable source.",
        ),
    ] = 6
    tenant_pages: Annotated[
        str,
        Meta(
            description="Pages per night and tenant, as in `archive=20000, *=5000`; what exceeds them becomes backfill "
            "(docs/how-to/tenants.md)."
        ),
    ] = ""
    tenant_users: Annotated[
        str,
        Meta(
            description="RabbitMQ users that may submit for a tenant, as in `scanner=archive, portal=archive`. No "
            "other user may submit for these tenants (docs/how-to/tenants.md)."
        ),
    ] = ""
    allowed_sources: Annotated[
        str,
        Meta(
            description="URL prefixes that messages may refer to, separated by commas. No other URL is fetched."
        ),
    ] = ""
    allow_private_hosts: Annotated[
        bool, Meta(description="Whether allowed sources and callbacks may be on hosts of internal networks.")
    ] = False
    allowed_callbacks: Annotated[
        str, Meta(description="URL prefixes that callbacks may be sent to, separated by commas.")
    ] = ""
    http_ca: Annotated[
        str,
        Meta(
            description="PEM file with the authorities whose certificates sources, receivers of callbacks and reports, "
            "the mail server, OCR servers, and the collector of traces may have; empty: the system's."
        ),
    ] = ""
    http_cert: Annotated[
        str,
        Meta(
            description="PEM file with the client certificate for sources, callback receivers, OCR servers and the "
            "collector of traces, where they ask for one."
        ),
    ] = ""
    http_key: Annotated[
        str,
        Meta(description="PEM file with its key, without a password; empty: the key is in the same file."),
    ] = ""
    callback_secret: Annotated[str, Meta(description="Key that signs callbacks (HMAC-SHA256).")] = ""
    signing_key: Annotated[
        str,
        Meta(
            description="Keys that sign the messages of steps (HMAC-SHA256), separated by commas, of at least 32 "
            "characters: the first one signs, each of them verifies. With a key, workers refuse messages without a "
            "valid signature; empty: messages are not signed (docs/how-to/rights.md)."
        ),
    ] = ""
    remote_control: Annotated[
        Literal["off", "read", "all"],
        Meta(
            description="Which of Celery's remote control commands workers obey: `off` none, `read` those that change "
            "nothing, `all` (docs/how-to/rights.md)."
        ),
    ] = "read"
    management_url: Annotated[
        str,
        Meta(
            description="RabbitMQ's management interface, for Flower's page of queues: `http://host:15672`, asked as "
            "the user of the broker URL; empty: on the broker's host, without TLS."
        ),
    ] = ""
    flower_user: Annotated[
        str,
        Meta(description="User name for Flower's login, without a colon; set it together with the password."),
    ] = ""
    flower_password: Annotated[
        str,
        Meta(
            description="Password for Flower's login. Without a login, Flower only listens on the loopback "
            "address."
        ),
    ] = ""
    metrics_address: Annotated[
        str,
        Meta(
            description="Where each worker serves `/metrics`, `/healthz` and `/livez`, as `host:port` (`:9809` is "
            "127.0.0.1); empty: nowhere, and nothing is counted (docs/how-to/monitoring.md)."
        ),
    ] = ""
    metrics_hosts: Annotated[
        str,
        Meta(
            description="Host names, separated by commas, by which metrics may be requested, in addition to "
            "`localhost` and IP addresses; `*`: any. With `NIGHTSHIFT_REQUIRE_TLS`, metrics are served to other "
            "machines, without TLS, only if this is set."
        ),
    ] = ""

    s3_endpoint: Annotated[
        str, Meta(description="URL of an S3-compatible server; empty: AWS, or `AWS_ENDPOINT_URL`.")
    ] = ""
    s3_region: Annotated[str, Meta(description="S3 region; empty: from the AWS configuration.")] = ""
    s3_path_style: Annotated[
        bool,
        Meta(description="Whether the bucket is part of the path, as most S3-compatible servers require."),
    ] = True
    s3_ca: Annotated[
        str,
        Meta(
            description="PEM file with the authorities whose certificates the S3 server may have; empty: boto3's, or "
            "`AWS_CA_BUNDLE`."
        ),
    ] = ""
    s3_cert: Annotated[str, Meta(description="PEM file with the client certificate for the S3 server.")] = ""
    s3_key: Annotated[
        str,
        Meta(description="PEM file with its key, without a password; empty: the key is in the same file."),
    ] = ""
    s3_sse: Annotated[
        Literal["", "AES256", "aws:kms", "aws:kms:dsse"],
        Meta(
            description="Server-side encryption of every object written: empty, `AES256`, `aws:kms` or "
            "`aws:kms:dsse`."
        ),
    ] = ""
    s3_sse_kms_key: Annotated[str, Meta(description="Key ID for `aws:kms`.")] = ""

    encryption_keys: Annotated[
        str,
        Meta(
            description="Keys that encrypt the store, as `id:key` (32 bytes as base64), separated by commas, or "
            "`@/path` of a file with one per line: the first encrypts, all decrypt; empty: off "
            "(docs/how-to/encryption.md)."
        ),
    ] = ""
    encryption_required: Annotated[
        bool,
        Meta(
            description="Whether objects that are not encrypted are refused as damaged; to be set after "
            "`nightshift keys rotate`."
        ),
    ] = False
    encryption_summary: Annotated[
        bool,
        Meta(
            description="Whether the parquet tables are encrypted, too: then only Nightshift can read them."
        ),
    ] = False

    ocr_engine: Annotated[
        str,
        Meta(
            description="`rapidocr` (offline), `paddleocr`, `remote` (docs/how-to/ocr-servers.md), or an entry point "
            "of `nightshift.ocr`."
        ),
    ] = "rapidocr"
    ocr_device: Annotated[str, Meta(description="Device of `paddleocr`: `cpu`, `gpu` or `gpu:0`.")] = "cpu"
    ocr_model_dir: Annotated[
        str | None,
        Meta(description="Local OCR models: a folder with `det/` and `rec/` (`nightshift ocr tune`)."),
    ] = None
    ocr_max_side: Annotated[
        int,
        Meta(ge=320, le=4096, description="Longest side, in pixels, of the image in which text is detected."),
    ] = 960
    ocr_threads: Annotated[
        int, Meta(ge=1, description="Compute threads per OCR model; each worker process has one.")
    ] = 1
    ocr_download: Annotated[
        bool, Meta(description="Whether `paddleocr` may download weights from a model hub.")
    ] = False
    ocr_servers: Annotated[
        str,
        Meta(
            description="PaddleX servers of `remote`, as URLs separated by commas, such as "
            "`http://gpu1:8080,http://gpu2:8080`; each page goes to one of them."
        ),
    ] = ""
    ocr_server_model: Annotated[
        str,
        Meta(
            description="What these servers run, as results state it, such as `PP-OCRv6_medium/paddlex-3.7.2`; to be "
            "changed together with their models."
        ),
    ] = ""
    ocr_server_token: Annotated[
        str, Meta(description="Token that they are sent (`Authorization: Bearer`), such as for a proxy.")
    ] = ""
    ocr_server_seconds: Annotated[
        float,
        Meta(
            gt=0,
            description="Maximum seconds for one answer of an OCR server; at most a fifth of `NIGHTSHIFT_TIME_LIMIT`.",
        ),
    ] = 60.0

    devices: Annotated[
        str,
        Meta(
            description="Devices that a process of their own holds, which all documents in progress share: `gpu:0`, "
            "`gpu:0,gpu:1` or `cpu`; empty: each worker process loads the OCR models itself "
            "(docs/explanation/device.md). `NIGHTSHIFT_OCR_DEVICE` has no effect then."
        ),
    ] = ""
    processes: Annotated[
        int,
        Meta(
            ge=0,
            description="Processes of a worker or of `nightshift run`, each with one document in progress, unless `-c` "
            "or `-j` says so; 0: one per core, two per core (at least four) with `NIGHTSHIFT_DEVICES`.",
        ),
    ] = 0

    ner_engine: Annotated[
        str,
        Meta(
            description="NER engines as `name` or `name=folder`, separated by commas: `lac` (includes the "
            "patterns), `patterns`, `crf=folder`, `taskflow` (PaddleNLP), or an entry point of "
            "`nightshift.ner` (docs/how-to/ner-models.md)."
        ),
    ] = "lac"
    ner_device: Annotated[
        str, Meta(description="Device of the NER engines: `cpu` or `gpu`; for `taskflow` also `gpu:0`.")
    ] = "cpu"
    ner_model_dir: Annotated[
        str | None, Meta(description="Local model for NER engines without a folder of their own.")
    ] = None
    ner_threads: Annotated[
        int, Meta(ge=1, description="Compute threads per NER model; each worker process has one.")
    ] = 1
    ner_download: Annotated[
        bool, Meta(description="Whether NER engines may download weights from a model hub.")
    ] = False
    ner_task: Annotated[
        str,
        Meta(
            description="Task of a `taskflow` model: `ner`, `information_extraction` or `token_classification`; "
            "empty: detected from its folder (docs/how-to/ner-models.md)."
        ),
    ] = ""
    ner_schema: Annotated[
        str,
        Meta(
            description='Entity types that a UIE model extracts: a JSON list such as `["姓名", "日期"]`, or a file '
            "that contains one; empty: `schema.json` next to the weights."
        ),
    ] = ""
    ner_model_name: Annotated[
        str,
        Meta(
            description="Hub model for `taskflow` when no folder is given, such as `wordtag` or `uie-base`."
        ),
    ] = ""

    document_types: Annotated[
        str | None,
        Meta(
            description="Folder with your own example documents for each document type (docs/reference/fields.md)."
        ),
    ] = None

    max_bytes: Annotated[int, Meta(ge=1, description="Maximum size of a document, in bytes.")] = (
        256 * 1024 * 1024
    )
    max_pages: Annotated[int, Meta(ge=1, description="Maximum pages per document.")] = 2000
    max_pixels: Annotated[int, Meta(ge=1, description="Maximum pixels per page image.")] = 100_000_000
    render_dpi: Annotated[
        int, Meta(ge=36, le=600, description="Resolution, in dots per inch, at which PDF pages are rendered.")
    ] = 200
    max_side: Annotated[
        int,
        Meta(
            ge=320,
            description="Maximum length, in pixels, of the longer side of a page image; larger images are scaled "
            "down. Long narrow pages may have up to five times as many.",
        ),
    ] = 4000
    text_layer: Annotated[
        bool, Meta(description="Whether a good text layer of a PDF page is used instead of OCR.")
    ] = True

    page_group: Annotated[
        int,
        Meta(
            ge=1,
            description="Pages processed in one go. `nightshift run` splits longer documents among its workers.",
        ),
    ] = 8
    time_limit: Annotated[
        float,
        Meta(
            gt=0,
            description="Maximum seconds for a document, or for one page group of a longer document, before its "
            "worker is stopped. One page may take 0.4 times as many seconds of processor time.",
        ),
    ] = 300.0
    worker_memory: Annotated[
        int,
        Meta(
            ge=0,
            description="Memory, in MiB, that one worker process may use; 0: no limit. A process with a GPU may use "
            "three times as much, as its libraries do; the process that parses documents for it, 0.7 times as much. A "
            "page that needs more is recorded as unreadable, and its process is replaced.",
        ),
    ] = 2560
    max_attempts: Annotated[
        int,
        Meta(
            ge=1,
            description="Attempts, without progress in between, for a document that crashes or hangs its worker.",
        ),
    ] = 3
    keep_days: Annotated[
        str,
        Meta(
            description="Days for which things are kept, such as `documents=30,checkpoints=30,results=365`: also "
            "`failures`, `reports` and `all`; empty: everything is kept (docs/how-to/delete-data.md)."
        ),
    ] = ""
    report_language: Annotated[
        Literal["en", "zh"],
        Meta(description="Language of the morning report: `en` or `zh` (docs/how-to/morning-report.md)."),
    ] = "en"
    report_url: Annotated[
        str,
        Meta(
            description="URL to which the morning report of each night is posted as JSON, signed like a callback with "
            "`NIGHTSHIFT_CALLBACK_SECRET`; empty: it is not."
        ),
    ] = ""
    report_mail: Annotated[
        str,
        Meta(
            description="Addresses to which the morning report of each night is mailed, separated by commas; empty: it "
            "is not. It needs `NIGHTSHIFT_SMTP_URL`."
        ),
    ] = ""
    smtp_url: Annotated[
        str,
        Meta(
            description="Mail server: `smtps://user:password@host:465`, or `smtp://` for STARTTLS. The sender is the "
            "user, or `?from=address`."
        ),
    ] = ""
    device_price: Annotated[
        str,
        Meta(
            description="What an hour of the device costs, such as `2.10 USD`: the report then says what 1,000 pages "
            "cost; empty: it does not."
        ),
    ] = ""
    sandbox: Annotated[
        Literal["auto", "require", "off"],
        Meta(
            description="Whether documents are parsed by a process without secrets, network and files: `auto` (as far "
            "as the kernel can), `require` (refuse to start without), `off` (docs/explanation/parsing.md)."
        ),
    ] = "auto"
    log_format: Annotated[
        Literal["console", "json"],
        Meta(
            description="Form of log lines: `console`, or `json`, one object per line (docs/how-to/logs.md)."
        ),
    ] = "console"
    log_level: Annotated[
        Literal["", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        Meta(
            description="Least level of the log lines of workers and beat; empty: Celery's `--loglevel` decides."
        ),
    ] = ""
    otlp_endpoint: Annotated[
        str,
        Meta(
            description="URL of an OpenTelemetry collector that receives traces by OTLP over HTTP, such as "
            "`http://collector:4318`; empty: no traces (docs/how-to/traces.md)."
        ),
    ] = ""
    otlp_ratio: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Share of the traces that begin here which are sent; of a trace that a producer began, the "
            "producer decides.",
        ),
    ] = 1.0
    temp_dir: Annotated[
        str,
        Meta(
            description="Folder for temporary files, in a private folder of its own for each user; empty: the system's."
        ),
    ] = ""
    recent_mb: Annotated[
        int,
        Meta(
            ge=0,
            description="Maximum size, in MiB, of what the workers of a host keep among the temporary files for the "
            "next step, for a minute at most: documents, pages, entities, markers; 0: nothing.",
        ),
    ] = 256
    mask: Annotated[
        str,
        Meta(
            description="Which personal data are masked in parquet files, printed output and logs: `ids` (numbers of "
            "persons, tax payers, patients, accounts, cards and phones, e-mail addresses, plates), `all` (names, "
            "addresses, birth dates and health data as well), `none`, or types separated by commas "
            "(docs/reference/parquet.md#masking)."
        ),
    ] = mask_policy.IDS

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Read `NIGHTSHIFT_*` from the environment and from `.env`, or from `environ` alone if it is given.

        `overrides` that are not `None` win. Raises `UsageError` that names the variable that is unknown or invalid.
        """
        found = environment.read(cls.__struct_fields__, environ)
        given = found.given | {n: Given(v, OPTION) for n, v in overrides.items() if v is not None}
        environment.raise_first([*found.problems, *invalid(given).values()])
        return msgspec.convert({n: value for n, (value, _) in given.items()}, cls, strict=False)

    def replaced(self, changes: Mapping[str, str]) -> Settings:
        """These settings with some changed; raises `UsageError` as `from_env` does."""
        if not changes:
            return self
        return self.from_env({}, **(msgspec.structs.asdict(self) | dict(changes)))

    def __repr__(self) -> str:
        """Show no secrets: a repr ends up in logs."""
        shown = {n: getattr(self, n) for n in self.__struct_fields__ if n not in SECRET}
        return f"Settings({', '.join(f'{n}={v!r}' for n, v in shown.items())})"

    @property
    def limits(self) -> Limits:
        """What intake refuses or scales down."""
        return Limits(
            max_bytes=self.max_bytes,
            max_pages=self.max_pages,
            max_pixels=self.max_pixels,
            render_dpi=self.render_dpi,
            max_side=self.max_side,
            text_layer=self.text_layer,
        )

    @property
    def signing_keys(self) -> tuple[str, ...]:
        """The keys of `signing_key`; none if messages are not signed."""
        return tuple(filter(None, self.signing_key.split(",")))

    @property
    def page_seconds(self) -> float:
        """Seconds of processor time that one page may take, or a document to be opened."""
        return max(PAGE_SHARE * self.time_limit, PAGE_LEAST)

    @property
    def memory_limit(self) -> int:
        """MiB that a worker process may use; 0: as much as there is."""
        held = {self.ner_device} if self.devices else {self.ocr_device, self.ner_device}
        return self.worker_memory * (1 if held == {"cpu"} else 3)

    @property
    def device_names(self) -> tuple[str, ...]:
        """The devices that have a process of their own."""
        return device_names.parse(self.devices)

    @property
    def process_count(self) -> int:
        """Processes of a worker, or of `nightshift run`, where the command does not say."""
        cores = len(os.sched_getaffinity(0))
        return self.processes or (max(2 * cores, _LEAST) if self.devices else cores)

    @property
    def deciding(self) -> dict[str, str]:
        """The settings that affect what is found, as results show them; weights are identified by `ModelInfo`."""
        return {
            n: str(getattr(self, n)).lower() if n == "text_layer" else str(getattr(self, n))
            for n in _DECIDING
        }

    def digest(self, *more: str) -> str:
        """16 hex digits over the limits and `more`: what a result depends on, apart from the bytes."""
        return hashlib.sha256(msgspec.json.encode([self.limits, *more])).hexdigest()[:16]


_FIELDS = msgspec.structs.fields(Settings)  # once: it takes a millisecond


def invalid(given: Mapping[str, Given]) -> dict[str, str]:
    """The fields whose values do not fit, each with one sentence that says what was expected."""
    return settings_check.faults(_FIELDS, given)


def shown(name: str, value: Any) -> str:
    """A setting's value as it may be shown to people: without secrets, without passwords of URLs."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    text = environment.printable(str(value))
    if name not in SECRET or name == "broker_url":
        hidden = _PASSWORD.sub(r"\1:***@", text)
        if name != "broker_url" or hidden != text or not broker_url.fault(text):
            return hidden
    return "(set)" if text else ""


def table() -> str:
    """All settings as a markdown table."""
    rows = ["| variable | default | what it does |", "| --- | --- | --- |"]
    for field in _FIELDS:
        kind = msgspec.inspect.type_info(field.type)
        text = (getattr(kind, "extra_json_schema", None) or {}).get("description", "")
        value = str(field.default).lower() if isinstance(field.default, bool) else field.default
        default = "" if value in (None, "") else f"`{value}`"
        rows.append(f"| `{PREFIX}{field.name.upper()}` | {default} | {text} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())  # noqa: T201
