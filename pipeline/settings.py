"""The environment, read once into one frozen value.

Every setting is a field here; its environment variable is `NIGHTSHIFT_` and the field's name in
capitals. `python -m pipeline.settings` prints the table of docs/reference/settings.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from pipeline.errors import UsageError
from pipeline.limits import Limits

PREFIX = "NIGHTSHIFT_"
_DECIDING = (*Limits.__struct_fields__, "ocr_engine", "ocr_max_side", "ner_engine")
_SECRET = frozenset({"broker_url", "callback_secret"})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings with their defaults. Credentials are not among them: boto3's own chain has them."""

    store_url: Annotated[
        str, Meta(description="Where results go: a folder, `file:///path` or `s3://bucket/prefix`.")
    ] = "out"
    timezone: Annotated[str, Meta(description="IANA time zone of the run date.")] = "UTC"

    broker_url: Annotated[
        str, Meta(description="RabbitMQ: `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS.")
    ] = "amqp://guest:guest@localhost:5672//"
    window: Annotated[
        str,
        Meta(
            description="When GPU work may run: `22:00-06:00`, several, by weekday, `always` (docs/reference/window.md)."
        ),
    ] = "22:00-06:00"
    urgent_by_day: Annotated[
        bool, Meta(description="Whether tasks of priority 8 and 9 run outside the window too.")
    ] = False
    close_grace: Annotated[
        float,
        Meta(
            ge=0,
            description="Seconds after close at which GPU work still running is stopped and handed back; urgent work "
            "by day keeps its models as long.",
        ),
    ] = 25.0
    spread_pages: Annotated[
        int,
        Meta(ge=1, description="A longer document is read by several workers at once, so many pages each."),
    ] = 40
    max_retries: Annotated[
        int,
        Meta(
            ge=0, description="Retries of a step after failures that may pass, such as a source that is away."
        ),
    ] = 6
    allowed_sources: Annotated[
        str,
        Meta(
            description="URL prefixes that messages may name, with commas between them; nothing else is fetched."
        ),
    ] = ""
    allow_private_hosts: Annotated[
        bool, Meta(description="Whether allowed sources and callbacks may lie on hosts of internal networks.")
    ] = False
    allowed_callbacks: Annotated[
        str, Meta(description="URL prefixes that may be called back, with commas between them.")
    ] = ""
    callback_secret: Annotated[str, Meta(description="Key that callbacks are signed with (HMAC-SHA256).")] = (
        ""
    )

    s3_endpoint: Annotated[
        str, Meta(description="URL of an S3-compatible server; empty means AWS (or `AWS_ENDPOINT_URL`).")
    ] = ""
    s3_region: Annotated[str, Meta(description="Region; empty leaves it to the AWS configuration.")] = ""
    s3_path_style: Annotated[
        bool, Meta(description="Bucket in the path, as most S3-compatible servers want it.")
    ] = True
    s3_sse: Annotated[
        str, Meta(description="Server-side encryption of every object written: empty, `AES256` or `aws:kms`.")
    ] = ""
    s3_sse_kms_key: Annotated[str, Meta(description="Key id for `aws:kms`.")] = ""

    ocr_engine: Annotated[
        str,
        Meta(description="`rapidocr` (offline), `paddleocr`, or an entry point of `nightshift.ocr`."),
    ] = "rapidocr"
    ocr_device: Annotated[str, Meta(description="`cpu`, `gpu` or `gpu:0`; for `paddleocr`.")] = "cpu"
    ocr_model_dir: Annotated[
        str | None, Meta(description="Local models of `paddleocr`: a folder with `det/` and `rec/`.")
    ] = None
    ocr_max_side: Annotated[
        int, Meta(ge=320, le=4096, description="Longest side, pixels, at which text is searched for.")
    ] = 960
    ocr_threads: Annotated[int, Meta(ge=1, description="Compute threads of one worker's OCR model.")] = 1
    ocr_download: Annotated[
        bool, Meta(description="Whether `paddleocr` may fetch weights from a model hub.")
    ] = False

    ner_engine: Annotated[
        str,
        Meta(
            description="Engines `name` or `name=folder`, with commas between them: `lac` (with the patterns), "
            "`patterns`, `crf=folder`, `taskflow` (PaddleNLP), or an entry point of `nightshift.ner` "
            "(docs/how-to/ner-models.md)."
        ),
    ] = "lac"
    ner_device: Annotated[str, Meta(description="`cpu` or `gpu`.")] = "cpu"
    ner_model_dir: Annotated[
        str | None, Meta(description="Local model of NER engines that name no folder of their own.")
    ] = None
    ner_threads: Annotated[int, Meta(ge=1, description="Compute threads of one worker's NER model.")] = 1
    ner_download: Annotated[
        bool, Meta(description="Whether a NER engine may fetch weights from a model hub.")
    ] = False
    ner_task: Annotated[
        str,
        Meta(
            description="What a `taskflow` model is for: `ner`, `information_extraction` or "
            "`token_classification`; empty: told from its folder (docs/how-to/ner-models.md)."
        ),
    ] = ""
    ner_schema: Annotated[
        str,
        Meta(
            description='Types a UIE model looks for: a JSON list such as `["姓名", "日期"]`, or a file with one; '
            "empty: schema.json beside the weights."
        ),
    ] = ""
    ner_model_name: Annotated[
        str,
        Meta(
            description="Model of the hub for `taskflow`, where no folder is named: `wordtag`, `uie-base` …"
        ),
    ] = ""

    document_types: Annotated[
        str | None,
        Meta(description="Folder of your own examples for the document types (docs/reference/fields.md)."),
    ] = None

    max_bytes: Annotated[int, Meta(ge=1, description="Largest document, bytes.")] = 256 * 1024 * 1024
    max_pages: Annotated[int, Meta(ge=1, description="Most pages a document may have.")] = 2000
    max_pixels: Annotated[int, Meta(ge=1, description="Largest page image, pixels.")] = 100_000_000
    render_dpi: Annotated[
        int, Meta(ge=36, le=600, description="Dots per inch at which PDF pages are rendered.")
    ] = 200
    max_side: Annotated[
        int,
        Meta(
            ge=320,
            description="Longest side of a page image in pixels, larger ones are scaled down; strips: five times it.",
        ),
    ] = 4000
    text_layer: Annotated[
        bool, Meta(description="Keep the text of PDF pages that carry a good text layer instead of OCR.")
    ] = True

    page_group: Annotated[
        int, Meta(ge=1, description="Pages handed to a worker at once; longer documents spread over workers.")
    ] = 8
    time_limit: Annotated[
        float,
        Meta(
            gt=0,
            description="Seconds a document, or a page group of one, may take before its worker is stopped.",
        ),
    ] = 300.0
    max_attempts: Annotated[
        int,
        Meta(
            ge=1,
            description="Tries of a document that kills or hangs its worker, without progress between them.",
        ),
    ] = 3
    mask: Annotated[
        bool, Meta(description="Mask ID numbers, bank cards and phone numbers in parquet and tables.")
    ] = True

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Read `NIGHTSHIFT_*`; `overrides` that are not `None` win.

        Raises `UsageError` naming the variable that is unknown or does not fit.
        """
        environ = os.environ if environ is None else environ
        known = {PREFIX + name.upper(): name for name in cls.__struct_fields__}
        values: dict[str, Any] = {known[k]: v for k, v in environ.items() if k in known and v != ""}
        values |= {k: v for k, v in overrides.items() if v is not None}
        try:
            settings = msgspec.convert(values, cls, strict=False)
            ZoneInfo(settings.timezone)
        except msgspec.ValidationError as error:
            raise UsageError(f"A setting does not fit ({PREFIX}…, docs/reference/settings.md): {error}.") from None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise UsageError(
                f"{PREFIX}TIMEZONE names no IANA time zone; give one like Europe/Berlin."
            ) from None
        return settings

    def replaced(self, changes: Mapping[str, str]) -> Settings:
        """These settings with some changed; raises `UsageError` as `from_env` does."""
        if not changes:
            return self
        return self.from_env({}, **(msgspec.structs.asdict(self) | dict(changes)))

    def __repr__(self) -> str:
        """Show no secrets: a repr ends up in logs."""
        shown = {n: getattr(self, n) for n in self.__struct_fields__ if n not in _SECRET}
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
    def deciding(self) -> dict[str, str]:
        """The settings that decide what is found, as results tell them; weights are told by `ModelInfo`."""
        return {
            n: str(getattr(self, n)).lower() if n == "text_layer" else str(getattr(self, n))
            for n in _DECIDING
        }

    def digest(self, *more: str) -> str:
        """16 hex digits over the limits and `more`: what decides a result besides the bytes."""
        return hashlib.sha256(msgspec.json.encode([self.limits, *more])).hexdigest()[:16]


def table() -> str:
    """All settings as a markdown table."""
    rows = ["| variable | default | what it does |", "| --- | --- | --- |"]
    for field in msgspec.structs.fields(Settings):
        kind = msgspec.inspect.type_info(field.type)
        text = (getattr(kind, "extra_json_schema", None) or {}).get("description", "")
        default = "" if field.default in (None, "") else f"`{field.default}`"
        rows.append(f"| `{PREFIX}{field.name.upper()}` | {default} | {text} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())  # noqa: T201
