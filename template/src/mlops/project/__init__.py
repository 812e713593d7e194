"""The repository itself: set up, in step, and where it came from."""
