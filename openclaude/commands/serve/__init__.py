"""`openclaude serve`: a profile's models for other machines, with a key for each person."""
