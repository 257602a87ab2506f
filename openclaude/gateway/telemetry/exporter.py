"""Gives the figures of requests to OpenTelemetry's SDK, which sends them and sums them up.

Knows: the SDK, which instruments there are. Independent of: which figures (`attributes`), who reads
them. Imported only where a profile asks for it: `openclaude[otel]` installs the SDK. Nothing here
runs in a request's way: the ledger's thread hands entries over, the SDK's own threads send them,
and what cannot be sent is dropped and said once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from openclaude.contracts.routing import TelemetryTargets
from openclaude.gateway.telemetry import attributes
from openclaude.ledger.entry import RequestEntry

log = logging.getLogger("openclaude.telemetry")
SCOPE = "openclaude"
SEND_SPANS_MS, SEND_METRICS_MS = 2_000, 15_000  # how often
LONGEST_QUEUE, MOST_AT_ONCE = 2048, 512  # spans; more are dropped
SEND_TIMEOUT_S = 5.0  # with all of its retries
END_S = 2.0  # how long the end of the process waits for what is left
# what the conventions advise
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304)


class Exporter:
    """The figures of one instance."""

    def __init__(self, targets: TelemetryTargets, version: str) -> None:
        self._targets = targets
        self._version = version
        self._registry = CollectorRegistry()
        self._reading = threading.Lock()
        self._tracers: TracerProvider | None = None
        self._meters: MeterProvider | None = None
        self._tracer: Any = None
        self._instruments: dict[str, Any] = {}

    def start(self) -> None:
        """Begin, once this process is confined: a thread from before that would not be."""
        names = {"service.name": SCOPE, "service.version": self._version}
        resource = Resource({**names, "openclaude.profile": self._targets.profile})
        readers: list[Any] = []
        if self._targets.prometheus:
            readers.append(
                PrometheusMetricReader(registry=self._registry, scope_info_enabled=False)
            )
        if self._targets.otlp:
            spans = OTLPSpanExporter(**self._sending("v1/traces"))
            metrics = OTLPMetricExporter(**self._sending("v1/metrics"))
            for one in (spans, metrics):
                tell_failures_once(one, self._targets.otlp)
            readers.append(
                PeriodicExportingMetricReader(
                    metrics,
                    export_interval_millis=SEND_METRICS_MS,
                    export_timeout_millis=1000 * SEND_TIMEOUT_S,
                )
            )
            self._tracers = TracerProvider(
                sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False
            )
            self._tracers.add_span_processor(
                BatchSpanProcessor(
                    spans,
                    max_queue_size=LONGEST_QUEUE,
                    schedule_delay_millis=SEND_SPANS_MS,
                    max_export_batch_size=MOST_AT_ONCE,
                )
            )
            self._tracer = self._tracers.get_tracer(SCOPE, self._version)
        self._meters = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
        self._instruments = instruments(self._meters.get_meter(SCOPE, self._version))

    def _sending(self, path: str) -> dict[str, Any]:
        session = requests.Session()
        session.trust_env = False  # no proxy, no login from a netrc file
        return {
            "endpoint": f"{self._targets.otlp}/{path}",
            "session": session,
            "timeout": SEND_TIMEOUT_S,
        }

    def take(self, entries: Iterable[RequestEntry]) -> None:
        """Count requests that have ended; sends nothing itself."""
        for entry in entries:
            if self._instruments:
                self._measure(entry)
            if self._tracer is not None:
                self._trace(entry)

    def _measure(self, entry: RequestEntry) -> None:
        series = attributes.of_series(entry)
        found = self._instruments
        found["requests"].add(1, {**series, "http.response.status_code": entry.status})
        found["duration"].record(entry.total_ms / 1000, series)
        first = attributes.seconds(entry.first_ms)
        if first is not None:
            found["first"].record(first, series)
        if entry.dollars:
            found["dollars"].add(entry.dollars, series)
        usage = {"input": attributes.whole_input(entry), "output": entry.tokens_out}
        for kind, number in usage.items():
            if number is not None:
                found["usage"].record(number, {**series, "gen_ai.token.type": kind})
        for kind, number in attributes.tokens(entry).items():
            if number:
                found["tokens"].add(number, {**series, "gen_ai.token.type": kind})
        for window, used in (("5h", entry.used_5h), ("7d", entry.used_7d)):
            if used is not None:
                place = {"openclaude.profile": entry.profile, "openclaude.window": window}
                found["plan"].set(used, place)

    def _trace(self, entry: RequestEntry) -> None:
        began = round(entry.at * 1e9)
        span = self._tracer.start_span(
            attributes.span_name(entry),
            context=Context(),
            kind=SpanKind.CLIENT,
            attributes=attributes.of_span(entry),
            start_time=began,
        )
        if error := attributes.error_type(entry):
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(began + entry.total_ms * 1_000_000)

    def page(self, accept: str) -> tuple[bytes, str]:
        """What Prometheus reads, and its type; takes milliseconds."""
        encode, content_type = choose_encoder(accept)
        with self._reading:  # its reader gathers into a queue that has no lock
            return encode(self._registry), content_type

    def stop(self) -> None:
        """Send what is left, as far as that is possible in time."""
        ending = threading.Thread(target=self._shut_down, name="telemetry-end", daemon=True)
        ending.start()
        ending.join(END_S)

    def _shut_down(self) -> None:
        for provider in (self._tracers, self._meters):
            if provider is not None:
                provider.shutdown()


def instruments(meter: Any) -> dict[str, Any]:
    """What is counted."""
    histogram, counter = meter.create_histogram, meter.create_counter
    return {
        "duration": histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="How long requests took.",
            explicit_bucket_boundaries_advisory=SECONDS,
        ),
        "first": histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            unit="s",
            description="How long it took until a reply began.",
            explicit_bucket_boundaries_advisory=SECONDS,
        ),
        "usage": histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Tokens of a request, those of caches among its input, and of its reply.",
            explicit_bucket_boundaries_advisory=TOKENS,
        ),
        "requests": counter("openclaude.requests", description="Requests that have ended."),
        "tokens": counter("openclaude.tokens", description="Tokens, each of one kind."),
        "dollars": counter("openclaude.cost", description="What slots have cost, in US dollars."),
        "plan": meter.create_gauge(
            "openclaude.plan.used", description="How much of the plan is used up, 0 to 1."
        ),
    }


def tell_failures_once(exporter: Any, address: str) -> None:
    """Say in the log when a receiver stops taking what it is sent, and when it does again.

    The SDK's own lines, one for each try, are left out: in an hour they would be hundreds.
    """
    for name in ("opentelemetry.exporter", "opentelemetry.sdk"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    original: Callable[..., Any] = exporter.export
    was_taken = True

    def export(*arguments: Any, **options: Any) -> Any:
        nonlocal was_taken
        result = original(*arguments, **options)
        is_taken = result.name == "SUCCESS"
        if is_taken != was_taken:
            how = "takes figures again" if is_taken else "does not take figures: they are dropped"
            log.warning("the receiver of telemetry at %s %s", address, how)
        was_taken = is_taken
        return result

    exporter.export = export
