"""`openclaude status` and `top`: open sessions, what they cost, their processes."""
