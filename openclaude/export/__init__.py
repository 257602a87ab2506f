"""Writes what else runs a profile: service managers, compose, Kubernetes; pure."""
