"""`openclaude uninstall`: stops everything and removes what openclaude has written."""
