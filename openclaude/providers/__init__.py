"""What is known of each provider: its address, key, capabilities and model ids."""
