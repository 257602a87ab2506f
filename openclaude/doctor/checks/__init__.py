"""Judges the snapshot: one module for each subject."""
