"""The operating system: processes, their resources, listening sockets."""
