"""`openclaude switch`: gives running sessions other models."""
