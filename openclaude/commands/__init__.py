"""What each word of the command line does, and in which order; imports lazily."""
