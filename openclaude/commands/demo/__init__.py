"""`openclaude demo`: plays a session against loopback stand-ins, without any account."""
