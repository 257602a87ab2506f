"""`openclaude aws`: prints the permissions a profile needs, sets up an AWS profile."""
