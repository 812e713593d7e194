"""The profile of the table: looked at before it is learned from."""
