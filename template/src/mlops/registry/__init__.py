"""Versions of the model, and which of them is the champion."""
