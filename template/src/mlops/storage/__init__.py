"""How fast storage is, measured."""
