"""`openclaude doctor`: finds problems before they occur."""
