"""What output is shown on: the width and colours of a terminal, tables that fit it."""
