"""The process that holds the ports of a stopped stack while its claude sessions live."""
