"""A providers instance on another machine: people's keys in front of it, and the way there."""
