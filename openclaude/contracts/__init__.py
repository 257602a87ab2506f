"""The messages between processes and layers, as types light enough for a warm launch."""
