"""Sending spans to a collector by OTLP over HTTP. A collector that fails costs spans, and one log line a minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from requests import Response, Session
from requests.adapters import HTTPAdapter

from pipeline import tls
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.settings import Settings

SECONDS = 5.0
"""How long one batch may take, further attempts included."""
_EVERY = 60.0  # seconds between two lines about a collector that fails
_DELAY, _QUEUE, _BATCH = 2_000, 4_096, 512  # milliseconds, spans, spans

log = logging.getLogger("nightshift.traces")


def processor(settings: Settings) -> SpanProcessor:
    """What sends spans in batches, from a thread of its own; raises `UsageError` for files of TLS."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)  # it would log each batch that is lost
    return BatchSpanProcessor(
        Collector(settings), max_queue_size=_QUEUE, schedule_delay_millis=_DELAY, max_export_batch_size=_BATCH
    )


class Collector(SpanExporter):
    """A collector; `export` never raises."""

    def __init__(self, settings: Settings) -> None:
        endpoint = settings.otlp_endpoint.rstrip("/")
        self._host = urlsplit(endpoint).netloc
        self._adapter, session = _Adapter(tls.Files.of(settings, "http")), Session()
        session.trust_env = False  # no proxies: spans go to this address or nowhere
        session.mount(endpoint, self._adapter)
        self._exporter = OTLPSpanExporter(
            f"{endpoint}/v1/traces", timeout=SECONDS, compression=Compression.Gzip, session=session
        )
        self._lost, self._said = 0, -_EVERY

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; one that can't be sent is lost."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # whatever it is, the thread must go on
            self._adapter.reason, result = type(error).__name__, SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            self._say()
        return result

    def _say(self) -> None:
        now = time.monotonic()
        if now - self._said < _EVERY:
            return
        why = self._adapter.reason or "no answer"
        log.warning("%d spans are lost: the collector at %s fails (%s)", self._lost, self._host, why)
        self._lost, self._said = 0, now

    def shutdown(self) -> None:
        """Send nothing more."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - nothing is kept
        """See `export`."""
        return True


class _Adapter(HTTPAdapter):
    """Connections that trust whom `pipeline.tls` trusts, and nobody else; `reason`: of the last failure."""

    def __init__(self, files: tls.Files) -> None:
        self._files, self._context, self.reason = files, tls.context(files), ""
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use the context for TLS."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

    def cert_verify(self, *_: Any) -> None:
        """Add no authorities: the context has them."""

    def send(self, request: Any, **options: Any) -> Response:  # type: ignore[override]
        """Send a request, and remember what became of it."""
        try:
            renewed = tls.context(self._files)
            if renewed is not self._context:  # a certificate was renewed
                self._context = renewed
                self.init_poolmanager(1, 1)
            response = super().send(request, **options)
        except UsageError as error:
            self.reason = error.message
            raise ConnectionError(error.message) from error
        except Exception as error:
            refused = tls.refusal(error, self._host_of(request), self._files)
            self.reason = refused.sentence if refused else type(error).__name__
            raise
        self.reason = "" if response.ok else f"it answered {response.status_code}"
        return response

    @staticmethod
    def _host_of(request: Any) -> str:
        return str(urlsplit(request.url).netloc)
