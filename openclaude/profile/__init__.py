"""What a person writes: profiles, where they live, and the models they can name."""
