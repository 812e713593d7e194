"""What is demanded, of whom, and by which line of whose file."""
