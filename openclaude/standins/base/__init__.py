"""The parts that every stand-in is built from: HTTP, scripts, recorded requests."""
