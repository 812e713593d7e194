"""Releases on a host with Docker Compose."""
