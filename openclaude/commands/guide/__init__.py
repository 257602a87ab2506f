"""The guided start: from a fresh machine to a first answer, by a few questions."""
