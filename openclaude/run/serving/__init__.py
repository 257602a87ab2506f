"""The one process of `openclaude serve`: providers in the foreground, for other machines."""
