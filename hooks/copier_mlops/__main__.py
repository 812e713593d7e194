"""`python -m copier_mlops` is `copier-mlops`."""

from .cli import main

main()
