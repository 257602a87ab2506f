"""The folder of a stack, and the requests to its supervisor."""
