"""`openclaude export`: files by which the system's own service manager runs the proxies."""
