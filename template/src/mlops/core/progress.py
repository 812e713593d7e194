"""How far long work has come, shown to whoever waits for it."""

from rich.console import Console
from rich.progress import Progress


def show_progress() -> Progress:
    """Make the bars of work that takes long: on stderr, and only where that is a terminal."""
    console = Console(stderr=True)
    return Progress(console=console, disable=not console.is_terminal)
