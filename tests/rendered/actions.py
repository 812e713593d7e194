"""Workflows of a rendered project, executed here by `act` instead of only read.

Jobs run on this machine, each in a copy of what is committed, so the project is never touched. All
that a step of the workflow runs is real, and `actions/checkout` is act's own. Other actions are
JavaScript that speaks to GitHub: those in tests/stand_ins take their place, with the same inputs.
Caches and artifacts are kept in a folder, so that jobs, and runs that are given the same one, pass
them on; uv is the one that is here; what asks GitHub for something does nothing, and says so.

Also not as on GitHub: no environment waits for a person, no OIDC token is given out, permissions do
not bind.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from support import ROOT, commit, git

STAND_INS = ROOT / "tests" / "rendered" / "stand_ins"
USED = re.compile(r"\buses: ([\w.-]+/[\w.-]+)(?:/[\w./-]+)?@(\w+)")
BUILT_IN = "actions/checkout"
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
SECONDS = 1500
"""After which a run is ended: a job that hangs must not hang the tests."""


@dataclass
class Job:
    """Its conclusion is success, failure or skipped; steps have theirs, by name."""

    conclusion: str = "skipped"
    seconds: float = 0
    log: str = ""
    summary: str = ""
    steps: dict[str, str] = field(default_factory=dict)


class Run(dict[str, Job]):
    """What became of the jobs of a workflow, by their id."""

    @property
    def conclusions(self) -> dict[str, str]:
        return {name: job.conclusion for name, job in self.items()}

    @property
    def log(self) -> str:
        return "".join(f"--- {name}: {job.conclusion}\n{job.log}" for name, job in self.items())

    @property
    def summary(self) -> str:
        return "".join(job.summary for job in self.values())


def act(
    project: Path,
    event: str,
    workflow: str = "ci.yml",
    *,
    job: str | None = None,
    ref: str = "HEAD",
    secrets: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    inputs: Mapping[str, str] | None = None,
    environments: Mapping[str, Mapping[str, str]] | None = None,
    env: Mapping[str, str] | None = None,
    payload: Mapping[str, Any] | None = None,
    store: Path | None = None,
    trunk: str = "main",
) -> Run:
    """Run what an event (push, pull_request, schedule, workflow_dispatch) starts of a workflow.

    `job` runs only that one and those it needs. `ref` of the project, a git repository, is checked
    out; `trunk` is its default branch, and `git push` reaches it. `payload` is laid over what is
    told of the event, `environments` holds the secrets and variables that an environment has of its
    own, `env` is what the machine has in its environment, and `store` is a folder of caches and
    artifacts that outlives the run.
    """
    with tempfile.TemporaryDirectory(prefix="act-") as name:
        folder = Path(name)
        branch = "change" if event == "pull_request" else trunk
        checkout = clone_checkout(project, ref, branch, folder)
        event_payload = merge_settings(tell(checkout, trunk), payload or {})
        (folder / "event.json").write_text(json.dumps(event_payload), encoding="utf-8")
        written = (checkout / ".github/workflows" / workflow).read_text(encoding="utf-8")
        source = folder / workflow
        source.write_text(inline_environments(written, environments or {}), encoding="utf-8")
        command = ["act", event, "--json", "--workflows", str(source), "--pull=false"]
        command += ["--eventpath", f"{folder}/event.json", "--action-cache-path", f"{folder}/work"]
        command += ["--no-cache-server", "--action-offline-mode", "--container-daemon-socket=-"]
        command += ["--concurrent-jobs=1"]  # as each has a machine of its own on GitHub
        command += ["--platform=ubuntu-24.04=-self-hosted", *(["--job", job] if job else [])]
        command += list_stand_ins(checkout, folder / "stand-ins")
        for place, values in (environments or {}).items():
            named = [f"{place}_{name}={value}" for name, value in values.items()]
            command += [f"--{kind}={each}" for kind in ("secret", "var") for each in named]
        for option, values in (("secret", secrets), ("var", variables), ("input", inputs)):
            command += [f"--{option}={key}={value}" for key, value in (values or {}).items()]
        machine = {
            **os.environ,
            # Steps see no terminal on GitHub, but one here: no pages, no colours, one width.
            **{"GIT_PAGER": "cat", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"},
            # What the address on GitHub means here.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{project.resolve()}.insteadOf",
            "GIT_CONFIG_VALUE_0": git(checkout, "remote", "get-url", "origin").strip(),
            "RUNNER_STORE": str(store or folder / "store"),
            **(env or {}),
        }
        lines = run_act(command, checkout, machine)
        return parse_run(lines, yaml.safe_load(written)["jobs"])


def inline_environments(text: str, environments: Mapping[str, Mapping[str, str]]) -> str:
    """A workflow whose jobs take from their environment what it has of its own; act knows none."""
    if not environments:
        return text
    workflow = yaml.safe_load(text)
    workflow["on"] = workflow.pop(True)  # as YAML 1.1 reads it
    for name, job in workflow["jobs"].items():
        place = job.get("environment", "")
        place = place if isinstance(place, str) else place["name"]
        text_of_job = json.dumps(job)
        for value in environments.get(place, ()):
            text_of_job = re.sub(rf"(secrets|vars)\.{value}\b", rf"\1.{place}_{value}", text_of_job)
        workflow["jobs"][name] = json.loads(text_of_job)
    return json.dumps(workflow)


def clone_checkout(project: Path, ref: str, branch: str, folder: Path) -> Path:
    """A clone of what is committed, as of `ref`, that believes it came from GitHub."""
    checkout = folder / "checkout"
    commit = git(project, "rev-parse", ref).strip()
    git(folder, "clone", "--quiet", "--no-checkout", str(project), str(checkout))
    git(checkout, "checkout", "--quiet", "-B", branch, commit)
    git(checkout, "remote", "set-url", "origin", f"https://github.com/acme/{project.name}")
    return checkout


def tell(checkout: Path, trunk: str) -> dict[str, Any]:
    """What GitHub says of a push to the default branch, and of a pull request of the repository."""
    head, before = git(checkout, "rev-parse", "HEAD", f"origin/{trunk}").split()
    repository = {"full_name": f"acme/{checkout.name}", "default_branch": trunk}
    repository |= {"fork": False, "private": False}
    sides = {
        "base": {"ref": trunk, "sha": before, "repo": repository},
        "head": {"ref": "change", "sha": head, "repo": repository},
    }
    request = {"number": 1, "title": "A change", "user": {"login": "jo"}, **sides}
    return {
        "ref": f"refs/heads/{trunk}",
        "before": before,
        "after": head,
        "number": 1,
        "pull_request": request,
        "repository": repository,
    }


def merge_settings(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: merge_settings(below[key], value) if isinstance(below.get(key), dict) else value
        for key, value in above.items()
    }
    return {**below, **both}


def list_stand_ins(checkout: Path, folder: Path) -> list[str]:
    """Options that put a stand-in, as a repository, in the place of each action that is used."""
    options = []
    for file in sorted(checkout.glob("**/.github/**/*.yml")):
        for action, version in USED.findall(file.read_text(encoding="utf-8")):
            place = folder / action
            if action == BUILT_IN:
                continue
            assert (STAND_INS / action).is_dir(), f"{file.name}: {action} has no stand-in"
            if not place.exists():
                commit(shutil.copytree(STAND_INS / action, place))
            options.append(f"--local-repository={action}@{version}={place}")
    return options


def run_act(
    command: list[str], checkout: Path, environment: dict[str, str]
) -> list[dict[str, Any]]:
    """What act said, line by line. It ends by itself, or after SECONDS with all it started."""
    with subprocess.Popen(
        command,
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            output, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()
            raise
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert any("jobID" in line for line in lines), f"No job was run:\n{output}"
    return lines


def parse_run(lines: list[dict[str, Any]], jobs: Mapping[str, Any]) -> Run:
    run = Run({name: Job() for name in jobs})
    began: dict[str, datetime] = {}
    for line in filter(lambda line: line.get("jobID") in run, lines):
        job, now = run[line["jobID"]], datetime.fromisoformat(line["time"])
        job.seconds = (now - began.setdefault(line["jobID"], now)).total_seconds()
        if line.get("command") == "summary":
            job.summary += line["content"]
        elif "jobResult" in line:
            worse = job.conclusion == "failure"
            job.conclusion = "failure" if worse else line["jobResult"]
        elif "stepResult" in line and line.get("stage") == "Main" and len(line["stepID"]) == 1:
            job.steps[line["step"]] = line["stepResult"]
        job.log += COLOUR.sub("", line["msg"]).rstrip("\n") + "\n"
    return run
