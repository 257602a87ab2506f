"""AWS: the least a profile needs there, and a named AWS profile to reach it with."""
