"""The process of an instance, and the forkserver that forks it."""
