"""Turns a profile into a plan; pure: no disk, clock, socket or environment."""
