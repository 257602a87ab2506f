"""`openclaude profiles`: lists, creates, edits, checks and shares profiles."""
