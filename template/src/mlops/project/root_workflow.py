"""A workflow of a project that lies in a folder, as the root of the larger repository has it.

GitHub starts workflows of the root only, and there each path begins at the root. What a repository
has once (environments, caches, queues, names of images) two projects must not share.
"""

import re
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from ..core.errors import UserError
from ..core.repository_place import Place

FILTERED = ("push", "pull_request", "pull_request_target")  # events that know which files changed
HASHED = re.compile(r"hashFiles\('([^']+)'\)")
SWITCH = re.compile(r"(?<=vars\.)(?:CD|MONITORING)\b|(?<=variable )(?:CD|MONITORING)\b")
REGISTRY = "vars.REGISTRY || format('ghcr.io/{0}', github.repository)"
CHECKOUT, DOWNLOAD, CACHE = "actions/checkout@", "actions/download-artifact@", "actions/cache"
EVERY_FILE = re.compile(
    r"(?P<run>(?:uv run [^\n|&;]*)?\bpre-commit run\b[^\n|&;]*?) (?:--all-files|-a)\b"
    r"(?P<options>[^\n|&;]*)"
)
FILES_HERE = (
    "git ls-files -z | xargs --null --no-run-if-empty"
    r' \g<run> --config "$(git rev-parse --show-toplevel)/.pre-commit-config.yaml"'
    r"\g<options> --files"
)
PATHS = ("path", "sbom-path")  # inputs of actions that name files
KEYS = ("key", "restore-keys")  # of caches, which all workflows of a repository share
CALLED = "./.github/workflows/"  # before a workflow that a job calls
LOCAL = "./"  # before an action of the repository itself
# zizmor has its settings at the root, which is not ours.
UNTOUCHED = "zizmor: ignore[self-repository] GitHub Enterprise Server knows no $/"


def move_workflow(text: str, source: str, place: Place, target: str) -> str:
    """Rewrite the workflow `source` for `target`, both paths from the root; comments stay.

    Raises UserError for what is no workflow.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    try:
        workflow = yaml.load(move_expressions(text, place))
    except YAMLError as error:
        raise UserError(
            f"{source} cannot be read as YAML: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(workflow, CommentedMap) or not {"on", "jobs"} <= workflow.keys():
        raise UserError(f"{source} is not a GitHub workflow: it needs 'on' and 'jobs'.")
    workflow["name"] = f"{workflow.get('name', source)} ({place.folder})"
    workflow["on"] = move_triggers(workflow["on"], place, target)
    move_queue(workflow, place)
    add_working_directory(workflow, place.folder, "jobs")
    workflow.yaml_set_comment_before_after_key("jobs", before="\n")
    for job in workflow["jobs"].values():
        move_job(job, place)
    output = StringIO()
    yaml.dump(workflow, output)
    return output.getvalue()


def move_expressions(text: str, place: Place) -> str:
    """Rewrite what expressions ask GitHub for: hashes of files, switches, the registry."""
    text = HASHED.sub(lambda match: f"hashFiles('{place.folder}/{match[1]}')", text)
    text = SWITCH.sub(lambda match: place.name_variable(match[0]), text)
    return text.replace(REGISTRY, f"format('{{0}}/{place.label}', {REGISTRY})")


def move_triggers(triggers: Any, place: Place, target: str) -> Any:
    """Have a change start the workflow only if it touches the project, or the workflow itself."""
    if not isinstance(triggers, dict):
        triggers = dict.fromkeys([triggers] if isinstance(triggers, str) else triggers)
    for event in FILTERED:
        if event in triggers:
            filters = triggers[event] or {}
            paths = filters.pop("paths", ["**"])
            paths += [f"!{path}" for path in filters.pop("paths-ignore", [])]
            moved = [move_pattern(path, place) for path in paths]
            triggers[event] = {**filters, "paths": [*moved, target]}
    return triggers


def move_pattern(pattern: str, place: Place) -> str:
    """Put the folder before a path of a filter; "!" stays in front."""
    path = pattern.removeprefix("!")
    return f"{pattern[: len(pattern) - len(path)]}{place.folder}/{path}"


def add_working_directory(node: Any, folder: str, before: str) -> None:
    """Have commands run in `folder`, unless `node`, a workflow or job, says otherwise."""
    if "defaults" not in node:
        node.insert(list(node).index(before), "defaults", {})
    node["defaults"].setdefault("run", {}).setdefault("working-directory", folder)


def move_job(job: Any, place: Place) -> None:
    """Rewrite a job; one that checks nothing out has no folder to work in."""
    move_queue(job, place)
    move_environment(job, place)
    if job.get("uses", "").startswith(CALLED):
        job["uses"] = f"{CALLED}{place.label}-{job['uses'].removeprefix(CALLED)}"
    steps = job.get("steps", [])
    for step in steps:
        move_step(step, place)
    if steps and not any(step.get("uses", "").startswith(CHECKOUT) for step in steps):
        add_working_directory(job, ".", "steps")


def move_queue(node: Any, place: Place) -> None:
    """Give the project queues of its own; the name of the workflow is its own already."""
    queue = node.get("concurrency")
    if isinstance(queue, str):
        node["concurrency"] = queue = {"group": queue}
    if queue and "github.workflow" not in queue["group"]:
        queue["group"] = f"{place.label}-{queue['group']}"


def move_environment(job: Any, place: Place) -> None:
    """Give the project environments of its own, with their secrets, variables and reviewers."""
    environment = job.get("environment")
    if isinstance(environment, str):
        job["environment"] = place.name_environment(environment)
    elif environment:
        environment["name"] = place.name_environment(environment["name"])


def move_step(step: Any, place: Place) -> None:
    """Rewrite what an action is given: it knows no working directory. Hooks see its files only."""
    if "run" in step:
        step["run"] = type(step["run"])(EVERY_FILE.sub(FILES_HERE, step["run"]))
    action = step.get("uses", "")
    if action.startswith((LOCAL, DOWNLOAD)):
        step.setdefault("with", {})
    inputs = step.get("with", {})
    if action.startswith(LOCAL):
        step["uses"] = f"{LOCAL}{place.folder}/{action.removeprefix(LOCAL)}"
        step.yaml_add_eol_comment(UNTOUCHED, "uses")
        inputs["folder"] = f"{place.folder}/"
    for name in inputs.keys() & {*PATHS, *(KEYS if action.startswith(CACHE) else ())}:
        inputs[name] = move_lines(inputs[name], place)
    if action.startswith(DOWNLOAD):
        inputs.setdefault("path", place.folder)


def move_lines(text: str, place: Place) -> str:
    """Put the folder before each line."""
    lines = [f"{place.folder}/{line}" if line else "" for line in text.split("\n")]
    return type(text)("\n".join(lines))
