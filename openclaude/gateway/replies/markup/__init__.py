"""Reads the tool calls and reasoning that open models write into their text."""
