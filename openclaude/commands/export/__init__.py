"""`openclaude export`: prints or writes the files by which something else runs a profile."""
