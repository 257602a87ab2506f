"""`openclaude report`: everything that a bug report needs, on one page that can be shown."""
