"""The supervisor: owns the sockets, keeps the units running."""
