"""`openclaude setup`: asks what is missing for the first launch, and sets it up."""
