"""Whether the model in production is still the one that was judged."""
