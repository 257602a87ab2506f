"""Loopback stand-ins of the two clouds, for the demo, the tests and the benchmarks."""
