"""What `data` of a `--json` document has, for each command."""
