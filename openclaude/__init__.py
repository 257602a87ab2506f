"""openclaude: Claude Code on the models you choose, one profile at a time."""

__version__ = "0.2.0"
