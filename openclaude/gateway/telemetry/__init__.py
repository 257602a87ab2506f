"""Tells OpenTelemetry and Prometheus the figures of each request, if the profile says so."""
