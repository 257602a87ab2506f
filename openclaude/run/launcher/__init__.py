"""The launching process, until it becomes claude."""
