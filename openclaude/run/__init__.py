"""Processes, sockets and signals; knows nothing about profiles."""
