"""Whether the model at work is still the one that was judged."""
