"""The platform's part of the project: from a raw table to decisions. Updates replace it."""
