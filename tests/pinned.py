"""The version of Claude Code that the tests use: stored in one place, which npm reads.

Knows: tests/e2e/claude/package.json. LiteLLM's is in pyproject.toml; `build/lock` copies it from
there.
"""

from __future__ import annotations

import json
from pathlib import Path

PACKAGE = "@anthropic-ai/claude-code-linux-x64"
SOURCE = Path(__file__).parent / "e2e/claude/package.json"
CLAUDE_VERSION: str = json.loads(SOURCE.read_text())["dependencies"][PACKAGE]
