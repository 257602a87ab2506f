"""Processes: sockets, the supervisor, the instances. Decides nothing about profiles."""
