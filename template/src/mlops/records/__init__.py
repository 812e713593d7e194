"""Records in, changed and out; each change is a version in git."""
