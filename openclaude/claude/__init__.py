"""Everything about Claude Code: finding it, its settings files, how to launch it."""
