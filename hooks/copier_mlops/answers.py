"""The recorded answers against the questions and the files."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .errors import UserError, fold_lines
from .findings import Finding
from .git import Entry
from .git_place import ANSWERS
from .render import Render, Version
from .rules import make_finding
from .safe_yaml import YAML_ERRORS, parse_yaml
from .trees import Tree

UNASKED = ("_commit", "_src_path")
PLATFORM = "mlops"  # the folder in src that is not the team's


def read_answers(tree: Tree) -> dict[str, Any]:
    """Read the recorded answers.

    Raises UserError if they cannot be read, or do not say where the template is.
    """
    try:
        content = tree.read(ANSWERS)
    except KeyError as error:
        raise UserError(
            f"{ANSWERS} is missing, so this was not made from a template; "
            "adopt it with copier copy, or put the file back."
        ) from error
    try:
        answers = parse_yaml(content)
    except YAML_ERRORS as error:
        reason = fold_lines(error)
        raise UserError(
            f"{ANSWERS} cannot be read: {reason}; restore it from the history."
        ) from error
    known = answers if isinstance(answers, dict) else {}
    if not all(isinstance(known.get(name), str) for name in UNASKED):
        raise UserError(
            f"{ANSWERS} does not say {' and '.join(UNASKED)}; restore it from the history."
        )
    return {str(name): value for name, value in known.items()}


def find_invalid_answers(
    recorded: Mapping[str, Any], render: Render, version: Version, newest: Version
) -> Iterator[Finding]:
    """Find answers that no question asked for, or that no question would take again."""
    for name in recorded:
        if not name.startswith("_") and name not in version.questions.data:
            yield make_finding(
                "answers.unknown",
                f'{ANSWERS} answers "{name}", which is not a question of {version.name}: '
                "take the line out.",
                ANSWERS,
            )
    refused = {name: answer for name, answer in render.answers.items() if answer.refused}
    for name, answer in refused.items():
        message = describe_invalid_answer(name, recorded[name], str(answer.refused))
        yield make_finding("answers.invalid", message, ANSWERS)
    if newest is version:
        return
    for name, answer in newest.questions.answer(recorded).items():
        if answer.refused and name not in refused:
            yield make_finding(
                "answers.invalid",
                f'{ANSWERS}: {name} "{recorded[name]}" is no longer valid in {newest.name}, an '
                f'update would silently make it "{answer.value}" ({answer.refused}); '
                f"update with --data {name}=VALUE.",
                ANSWERS,
            )


def describe_invalid_answer(name: str, value: Any, refused: str) -> str:
    """Say that no update is possible with a recorded answer, and the way out."""
    return (
        f'{ANSWERS}: {name} cannot be "{value}" ({refused.rstrip(".")}), and no update can replace '
        "it: write the answer there that the project was made with, which "
        f"'git log -p {ANSWERS}' shows, commit, then run copier update --data {name}=VALUE."
    )


def describe_other_package(render: Render, files: Mapping[str, Entry]) -> str | None:
    """Say that the code lies in another folder than the answers name; None: it does not."""
    package = render.values.get("package")
    if package is None or any(path.startswith(f"src/{package}/") for path in files):
        return None
    inside = (path.split("/") for path in files if path.startswith("src/") and path.count("/") > 1)
    folders = sorted({parts[1] for parts in inside} - {PLATFORM})
    there = f"src/{folders[0]}" if folders else "no folder in src"
    return (
        f'{ANSWERS} says the package is "{package}", but there is {there}: '
        "put the answer, or the name of the folder, back."
    )


def describe_left_package(render: Render, files: Mapping[str, Entry]) -> str | None:
    """Say that the team's files of an earlier package name are still there; None: they are not."""
    inside = f"src/{render.values.get('package')}/"
    given = {path.removeprefix(inside) for path in render.files if path.startswith(inside)}
    shared: dict[str, int] = {}
    for path in files:
        parts = path.split("/", 2)
        if parts[0] == "src" and not path.startswith(inside) and parts[-1] in given:
            shared[parts[1]] = shared.get(parts[1], 0) + 1
    left = sorted(name for name, count in shared.items() if name != PLATFORM and count > 2)
    if not left:
        return None
    return (
        f"src/{left[0]} has the files of the team's package under an earlier name, and only "
        f"{inside.rstrip('/')} is used: move what the team wrote there over the fresh files, and "
        "remove the folder."
    )


def find_contradictions(
    render: Render, files: Mapping[str, Entry], owner: Callable[[str], str | None]
) -> Iterator[Finding]:
    """Find files that these answers leave out, and that are there all the same."""
    paths_by_questions: dict[tuple[str, ...], list[str]] = {}
    for path, asked in render.absent.items():
        if path in files and owner(path) != "seeded":
            paths_by_questions.setdefault(asked, []).append(path)
    for asked, paths in paths_by_questions.items():
        conditions = " and ".join(f'{name} is "{render.values[name]}"' for name in asked)
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield make_finding(
            "answers.contradict",
            f"{paths[0]}{more} should not be there when {conditions}: remove what is left over, "
            f"or answer again with copier update --data {asked[0]}=VALUE.",
            paths[0],
        )
