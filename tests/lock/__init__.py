"""The lock file, from its text to its page."""
