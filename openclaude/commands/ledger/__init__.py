"""`openclaude usage` and `openclaude requests`: what the ledger says."""
