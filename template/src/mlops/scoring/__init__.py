"""The packaged model's answers for a table."""
