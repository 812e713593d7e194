"""Releases in a cluster."""
