"""A release in service: brought there, checked, watched, and taken back."""
