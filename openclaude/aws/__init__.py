"""Everything about AWS: its files, credentials, errors, permissions, setting up a profile."""
