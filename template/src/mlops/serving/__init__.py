"""The model at work: decisions for rows that have no answer yet."""
