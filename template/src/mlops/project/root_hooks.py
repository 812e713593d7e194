"""The hooks of a project that lies in a folder, as the root of the larger repository has them.

pre-commit reads one configuration, at the root, runs each hook there and gives it paths from there.
So each hook is told its folder: which files are its own, and where its command finds its project.
"""

import re
from copy import copy
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from ..core.errors import UserError
from ..core.repository_place import Place

TITLE = "# The hooks of the projects in this repository, a block each; others may stand between.\n"
HEAD = re.compile(f"{TITLE}default_install_hook_types: \\[(?P<types>.*)\\]\nrepos:\n")
REPO = re.compile(r"^( *)- +repo:", re.MULTILINE)
FILTERS = ("files", "exclude")
COMMANDS = {"system", "unsupported", "script", "unsupported_script"}  # run as they are, at the root
STAGES_WITH_FILES = {"pre-commit", "pre-merge-commit", "pre-push", "manual"}
# Run at the root with paths from there: their settings lie beside the files, or they ask git.
TAKE_ANY_PATH = {
    *("ruff", "nbstripout", "actionlint", "detect-secrets-hook", "check-added-large-files"),
    *("check-merge-conflict", "check-toml", "check-yaml", "end-of-file-fixer"),
    "trailing-whitespace-fixer",
}
IN_FOLDER = """bash -c 'cd "$0" && exec "${@#"$0/"}"'"""  # which it cuts off each path
FLAGS = re.compile(r"\(\?([aiLmsux]+)\)")
ONE_BRANCH = re.compile(r"\^(?:\([^()^]*\)|\\.|[^\\()^|])*")  # "^" holds for all of the pattern
ANCHOR = re.compile(r"\\A|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\^")  # or what only looks like one


def move_hooks(text: str, source: str, place: Place, indent: int = 2) -> str:
    """Rewrite the repos of the configuration `source`, with `indent` blanks before each "-".

    Comments stay. Raises UserError for what is no configuration of pre-commit.
    """
    yaml = make_yaml(indent)
    configuration = load_configuration(text, source)
    configuration["repos"].fa.set_block_style()
    for repo in configuration["repos"]:
        repo.fa.set_block_style()
        repo["hooks"].fa.set_block_style()
        for hook in repo["hooks"]:
            hook.fa.set_block_style()
            move_hook(hook, configuration, place, local=repo["repo"] == "local")
    output = StringIO()
    yaml.dump({"repos": configuration["repos"]}, output)
    return output.getvalue().removeprefix("repos:\n")


def make_yaml(indent: int) -> YAML:
    """Make a reader and writer of YAML that keeps comments, quotes and long lines."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=indent + 2, offset=indent)
    return yaml


def load_configuration(text: str, source: str) -> CommentedMap:
    """Read a configuration of pre-commit. Raises UserError for what is none."""
    try:
        configuration = make_yaml(indent=2).load(text)
    except YAMLError as error:
        raise UserError(
            f"{source} cannot be read as YAML: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(configuration, CommentedMap) or not has_hooks(configuration.get("repos")):
        raise UserError(
            f"{source} is not a configuration of pre-commit: it needs 'repos', and each of them "
            "'repo' and 'hooks'."
        )
    return configuration


def has_hooks(repos: Any) -> bool:
    """Tell whether a value is a list of repos, each with its hooks."""
    return isinstance(repos, list) and all(
        isinstance(repo, dict) and "repo" in repo and isinstance(repo.get("hooks"), list)
        for repo in repos
    )


def is_shared(root: str) -> bool:
    """Tell whether the root's configuration holds nothing but blocks, or is not there yet."""
    return not root or bool(HEAD.match(root))


def make_head(root: str, text: str, source: str) -> str:
    """Make the head of the root's configuration, with what `source` installs added to it.

    Raises UserError if `text` is no configuration of pre-commit.
    """
    head = HEAD.match(root)
    types = head["types"].split(", ") if head else []
    types += load_configuration(text, source).get("default_install_hook_types", ["pre-commit"])
    return f"{TITLE}default_install_hook_types: [{', '.join(dict.fromkeys(types))}]\nrepos:\n"


def find_indent(root: str) -> int:
    """Find how many blanks stand before each "-" of the repos at the root."""
    repo = REPO.search(root)
    return len(repo[1]) if repo else 2


def move_hook(hook: Any, configuration: Any, place: Place, *, local: bool) -> None:
    """Have a hook look at the files of the project only, and run with its environment.

    What the configuration says for all hooks is said by each, for the root is shared. A hook that
    always runs does so for each change in the folder; one at a stage that has no files, such as
    commit-msg, always. The command of a hook from elsewhere stays as it is.
    """
    if "name" in hook:
        hook["name"] = f"{hook['name']} ({place.folder})"
    if "stages" not in hook and "default_stages" in configuration:
        hook["stages"] = copy(configuration["default_stages"])
    if local and hook.get("language") in COMMANDS:
        move_command(hook, place.folder)
    if STAGES_WITH_FILES.intersection(hook.get("stages", STAGES_WITH_FILES)):
        hook.pop("always_run", None)
        move_filters(hook, configuration, place.folder, local=local)


def move_filters(hook: Any, configuration: Any, folder: str, *, local: bool) -> None:
    """Put the folder before what a hook, and the configuration for all, include and exclude.

    A hook from elsewhere may include files by words of its own: what is outside is excluded.
    """
    files, exclude = (
        [node[name] for node in (configuration, hook) if node.get(name)] for name in FILTERS
    )
    included = [move_pattern(pattern, folder) for pattern in files]
    excluded = [move_pattern(pattern, folder) for pattern in exclude]
    start = f"^{re.escape(folder)}/"
    if not local and not hook.get("files"):
        excluded.insert(0, f"^(?!{start[1:]})")
    elif not included:
        included = [start]
    *others, last = included or [""]
    patterns = ("".join(f"(?={each})" for each in others) + last, "|".join(excluded))
    for name, pattern in reversed([*zip(FILTERS, patterns, strict=True)]):
        if name in hook:
            hook[name] = pattern
        elif pattern:
            hook.insert(min(len(hook), 2), name, pattern)


def move_pattern(pattern: str, folder: str) -> str:
    """Move a regular expression that is searched in a path to the path with the folder before it.

    A "^" anywhere in it is the start of what follows the folder: "^a|b" in ml is "ml/a", or "b"
    anywhere below ml.
    """
    start = f"^{re.escape(folder)}/"
    if ONE_BRANCH.fullmatch(pattern):
        return start + pattern[1:]
    flags = FLAGS.match(pattern)
    body = pattern[flags.end() :] if flags else pattern
    body = ANCHOR.sub(lambda match: f"(?<={start})" if match[0] in ("^", r"\A") else match[0], body)
    return f"{start}.*?(?{flags[1] if flags else ''}:{body})"


def move_command(hook: Any, folder: str) -> None:
    """Have a command run as in a repository of its own: paths it is given are from the root."""
    entry = hook["entry"].strip()
    by_uv, tool = entry.startswith("uv "), entry.removeprefix("uv run ").split()[0]
    if by_uv and not hook.get("pass_filenames", True):
        hook["entry"] = f"uv --directory {folder} {entry.removeprefix('uv ')}"
    elif by_uv and tool in TAKE_ANY_PATH:
        hook["entry"] = f"uv --project {folder} {entry.removeprefix('uv ')}"
    else:
        hook["entry"] = f"{IN_FOLDER} {folder} {entry}"
        hook["language"] = "system"
