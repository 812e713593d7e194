"""What the model is worth, told to the people who decide."""
