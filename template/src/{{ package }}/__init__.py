"""The team's part of the project. Updates never touch it."""
