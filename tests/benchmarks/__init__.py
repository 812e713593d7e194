"""Benchmarks: they print figures and ratios measured side by side, and never fail on a time."""
