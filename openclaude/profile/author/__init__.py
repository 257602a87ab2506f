"""Changes profiles: sets single keys, creates, exports, reviews."""
