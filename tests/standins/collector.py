"""The stand-in for an OpenTelemetry collector: takes OTLP over HTTP, in protobuf.

Knows: the protocol's messages. Independent of: who sends what. It may answer slowly.
"""

from __future__ import annotations

import threading
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from openclaude.standins.base.exchange import Recorded, Reply
from openclaude.standins.base.standin import Standin

TRACES, METRICS = "/v1/traces", "/v1/metrics"
PROTOBUF = (("content-type", "application/x-protobuf"),)


class CollectorStandin(Standin[Recorded]):
    """A loopback collector."""

    name = "collector stand-in"

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.may_answer = threading.Event()  # while it is not set, everyone waits
        self.may_answer.set()

    def _inspect(self, request: Recorded) -> Recorded:
        return request

    def _reply(self, request: Recorded) -> Reply:
        wait_s = 0.0 if self.may_answer.is_set() else 20.0
        kinds: dict[str, Any] = {
            TRACES: ExportTraceServiceResponse,
            METRICS: ExportMetricsServiceResponse,
        }
        if request.path not in kinds:
            return Reply(status=404)
        body = kinds[request.path]().SerializeToString()
        return Reply(headers=PROTOBUF, body=body, wait_s=wait_s)

    def spans(self) -> list[dict[str, Any]]:
        """Every span that has come: its name, kind, times and attributes."""
        found = []
        for request in self.requests:
            if request.path == TRACES:
                read = ExportTraceServiceRequest.FromString(request.body)
                for resource in read.resource_spans:
                    for scope in resource.scope_spans:
                        found += [span_of(one) for one in scope.spans]
        return found

    def sums(self) -> dict[str, dict[tuple[tuple[str, Any], ...], float]]:
        """The newest sums and histograms' sums by metric, then by attributes."""
        found: dict[str, dict[tuple[tuple[str, Any], ...], float]] = {}
        for request in self.requests:
            if request.path == METRICS:
                read = ExportMetricsServiceRequest.FromString(request.body)
                for resource in read.resource_metrics:
                    for scope in resource.scope_metrics:
                        for metric in scope.metrics:
                            found.setdefault(metric.name, {}).update(points_of(metric))
        return found


def span_of(span: Any) -> dict[str, Any]:
    """One span."""
    return {
        "name": span.name,
        "kind": span.kind,
        "status": span.status.code,
        "began": span.start_time_unix_nano / 1e9,
        "seconds": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        **attributes_of(span),
    }


def points_of(metric: Any) -> dict[tuple[tuple[str, Any], ...], float]:
    """The points of one metric."""
    data = getattr(metric, metric.WhichOneof("data"))
    found = {}
    for point in data.data_points:
        kind = point.WhichOneof("value") if "value" in point.DESCRIPTOR.oneofs_by_name else "sum"
        found[tuple(sorted(attributes_of(point).items()))] = getattr(point, kind)
    return found


def attributes_of(carrier: Any) -> dict[str, Any]:
    """Attributes by name."""
    return {
        one.key: getattr(one.value, one.value.WhichOneof("value")) for one in carrier.attributes
    }
