"""Where the files lie that a project has beside its code, as they lie in the template."""

import os
from pathlib import Path

FILES = Path(os.environ.get("MACHINERY_PROJECT") or Path(__file__).parents[2] / "template")
