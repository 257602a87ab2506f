"""What users write: the schema of a profile, its name, and the library of all profiles."""
