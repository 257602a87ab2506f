"""The commands: which steps each one takes, in which order."""
