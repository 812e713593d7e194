"""`python -m mlops` is the command `mlops`."""

from .cli import main

main()
