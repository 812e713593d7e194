"""The site is built without a warning, says what the models say, and shows commands that exist."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from mlops.cli import app as of_a_project
from typer import TyperException
from typer.main import get_command

from copier_mlops.cli import app as of_the_platform
from support import ROOT, Render, run

DOCS = ROOT / "docs"
STRICT = ("--fail-on-warning", "--keep-going", "--quiet")
COMMANDS = {"mlops": get_command(of_a_project), "copier-mlops": get_command(of_the_platform)}
FILES = re.compile(r"[\w./-]*(?:/|\.(?:md|yaml|toml|yml|json|txt))|\.[\w-]+(?:/[\w-]+)*")
MADE_BY_A_RUN = ("reports/", "docs/requirements.md", "dvc.lock", "uv.lock")


def build(source: Path, site: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "sphinx", *STRICT, "-d", f"{site}-read", *options)
    return run(*command, source, site, cwd=ROOT, check=False)


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    built = build(DOCS, tmp_path / "site")
    assert built.returncode == 0, built.stdout
    start = (tmp_path / "site/index.html").read_text(encoding="utf-8")
    for name in ("project/docs/roles/business-owner", "reference/params", "decisions/index"):
        assert f'href="{name}.html"' in start


def test_a_link_that_leads_nowhere_fails(tmp_path: Path) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    (source / "index.md").write_text("# Start\n\n[page](gone.md) [part](#gone) [up](../gone.txt)\n")
    (source / "lost.md").write_text("# In no list of contents\n")
    settings = re.findall(
        r"^(?:extensions|myst_heading_anchors|nitpicky) = .*$", read_settings(), re.M
    )
    (source / "conf.py").write_text("\n".join(settings))
    built = build(source, tmp_path / "site")
    assert built.returncode != 0
    for words in ("gone.md", "'gone'", "gone.txt", "lost.md: WARNING: document isn't included"):
        assert words in built.stdout


def read_settings() -> str:
    return (DOCS / "conf.py").read_text(encoding="utf-8")


def test_the_reference_is_what_the_models_say(tmp_path: Path) -> None:
    run(sys.executable, DOCS / "make_reference.py", tmp_path, cwd=ROOT)
    made = {page.name: page.read_text(encoding="utf-8") for page in tmp_path.iterdir()}
    assert len(made) == 4
    for name, text in made.items():
        kept = (DOCS / "reference" / name).read_text(encoding="utf-8")
        assert kept == text, f"{name} is old: run uv run python docs/make_reference.py"


def test_each_command_shown_exists(render: Render) -> None:
    own = [*ROOT.glob("*.md"), *DOCS.glob("*.md"), *DOCS.glob("decisions/*.md")]
    shown = list_commands([*own, *list_pages(render({}))])
    assert len(shown) > 60
    assert [fault for words in shown if (fault := find_fault(words))] == []


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("mlops data ad TABLE", "No such command"),
        ("mlops data add TABLE --goal COLUMN", "No such option"),
        ("mlops model compare 1", "second missing"),
        ("copier-mlops check --at HEAD --frmat json", "No such option"),
    ],
)
def test_a_command_that_does_not_exist_is_found(tmp_path: Path, typed: str, fault: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Type `uv run {typed}`, or\n\n```\nuv run {typed} && uv run dvc repro\n```\n")
    faults = [find_fault(words) for words in list_commands([page])]
    assert len(faults) == 2
    assert all(fault in found for found in faults)


@pytest.mark.parametrize("answers", [{}, {"sample": "empty", "deploy": "none"}])
def test_each_file_that_the_instructions_name_is_there(
    render: Render, answers: dict[str, str]
) -> None:
    for folder in (ROOT, render(answers)):
        tokens = read_tokens(folder / "AGENTS.md")
        spans = {token.content for token in tokens if token.type == "code_inline"}
        named = {span for span in spans if FILES.fullmatch(span)}
        assert len(named) > 5
        missing = {name for name in named if not (folder / name).exists()}
        left_out = {"contract.yaml", "data/log.jsonl", "data/raw", "deploy/"} if answers else set()
        assert {n for n in missing - left_out if not n.startswith(MADE_BY_A_RUN)} == set()


def list_pages(project: Path) -> list[Path]:
    return [
        page for where in ("*", "docs/**/*", "deploy/*") for page in project.glob(f"{where}.md")
    ]


def list_commands(pages: list[Path]) -> list[list[str]]:
    """List the commands of ours that pages show, in blocks and within sentences, as words."""
    texts = [(page, text) for page in pages for text in list_shown(page)]
    lines = [line for _, text in texts for line in text.replace("\\\n", " ").splitlines()]
    parts = [part for line in lines for part in re.split(r"&&|;|\"\$\(|\)\"", line)]
    return [words for part in parts if (words := cut(part))]


def list_shown(page: Path) -> Iterator[str]:
    """List what a page shows as code, but for blocks in a language."""
    for token in read_tokens(page):
        if token.type == "code_inline" or (token.type == "fence" and not token.info):
            yield token.content


def read_tokens(page: Path) -> list[Any]:
    tokens = MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
    return [inner for token in tokens for inner in (token, *(token.children or ()))]


def cut(line: str) -> list[str]:
    """Cut a command of ours into words, from its name on; [] if it is none."""
    found = re.search(r"(?:^|\s)((?:copier-)?mlops\s+[a-z-].*)$", line)
    return shlex.split(re.sub(r"[\[\]]", "", found[1]), comments=True) if found else []


def find_fault(words: list[str]) -> str:
    """Find what is wrong with a command: a name, an option, an argument that is not given.

    Where none at all is given, a sentence only names the command.
    """
    command, rest = COMMANDS[words[0]], words[1:]
    context = command.context_class(command)
    try:
        while hasattr(command, "commands"):
            if rest == ["--help"]:
                return ""
            _, command, rest = command.resolve_command(context, rest)
            context = command.context_class(command, parent=context)
        values, *_ = command.make_parser(context).parse_args(list(rest))
    except TyperException as error:
        return f"{' '.join(words)}: {error.format_message()}"
    needed = [param.name for param in command.params if param.required]
    missing = [name for name in needed if rest and not values.get(name)]
    return f"{' '.join(words)}: {', '.join(missing)} missing" if missing else ""
