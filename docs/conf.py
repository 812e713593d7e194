"""The site of these pages, and of those that each project has: `uv run sphinx-build docs site`."""

import re
import shutil
import tempfile
import warnings
from pathlib import Path

from copier import run_copy
from copier.errors import DirtyLocalWarning

DOCS = Path(__file__).parent
PROJECT = DOCS / "project"  # the pages of the default project, made anew by each build
PAGES = ("*.md", "docs/**/*.md", "deploy/*.md")
MADE_BY_A_RUN = re.compile(r"\[(docs/requirements\.md)\]\(\.\./requirements\.md\)")

project = "copier-mlops"
html_title = project
html_theme = "furo"
extensions = ["myst_parser"]
myst_heading_anchors = 3  # as GitHub makes them
highlight_language = "none"
exclude_patterns = ["decisions/README.md"]  # decisions/index.md has it
nitpicky = True
html_copy_source = html_show_copyright = html_show_sphinx = False


def copy_project_pages() -> None:
    """Render the default project, committed or not, and take its pages."""
    shutil.rmtree(PROJECT, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        with warnings.catch_warnings(category=DirtyLocalWarning, action="ignore"):
            run_copy(str(DOCS.parent), scratch, vcs_ref="HEAD", defaults=True, quiet=True)
        for page in (page for pattern in PAGES for page in Path(scratch).glob(pattern)):
            copy = PROJECT / page.relative_to(scratch)
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = page.read_text(encoding="utf-8")
            copy.write_text(MADE_BY_A_RUN.sub(r"`\1`", text), encoding="utf-8")


copy_project_pages()
