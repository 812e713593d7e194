"""copier-mlops check: each kind of damage is found and named."""

import os
from pathlib import Path

import pytest
import yaml

from copier_mlops.check import check
from copier_mlops.render import ANSWERS
from copier_mlops.template import Templates
from standards import Damage, append, list_findings, lock_stages, replace, write
from support import VERSION, commit

OLD_ACTION = "on: push\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n"
TOKEN = "ghp_" + "a1B2" * 9


def lock_all(project: Path, without: str) -> str:
    """What DVC writes into dvc.lock after a run in which the stage `without` failed."""
    stages = lock_stages(project)
    del stages[without]
    return yaml.safe_dump({"schema": "2.0", "stages": stages})


DAMAGES: dict[str, tuple[Damage, str, str, str]] = {
    "managed file gone": (
        lambda p: (p / ".dvcignore").unlink(),
        "managed.missing",
        ".dvcignore",
        ".dvcignore is gone: put it back with copier-mlops restore .dvcignore",
    ),
    "managed file changed": (
        lambda p: append(p / "src/mlops/cli.py", "# ours\n"),
        "managed.changed",
        "src/mlops/cli.py",
        f"is not as {VERSION} renders it: put it back with copier-mlops restore",
    ),
    "managed file executable": (
        lambda p: (p / "src/mlops/cli.py").chmod(0o755),
        "managed.changed",
        "src/mlops/cli.py",
        "is executable",
    ),
    "managed file a link": (
        lambda p: ((p / ".dvcignore").unlink(), (p / ".dvcignore").symlink_to("README.md")),
        "managed.changed",
        ".dvcignore",
        "is not as",
    ),
    "answers edited": (
        lambda p: append(p / ANSWERS, "# a note\n"),
        "managed.changed",
        ANSWERS,
        "change answers with copier update --data NAME=VALUE",
    ),
    "shared file gone": (
        lambda p: (p / "LICENSE").unlink(),
        "shared.missing",
        "LICENSE",
        "restore it with copier-mlops restore LICENSE",
    ),
    "problem statement gone": (
        lambda p: (p / "problem.yaml").unlink(),
        "required.missing",
        "problem.yaml",
        "problem.yaml is missing",
    ),
    "settings gone": (
        lambda p: (p / "params.yaml").unlink(),
        "required.missing",
        "params.yaml",
        "restore it from the history",
    ),
    "contract gone": (
        lambda p: (p / "contract.yaml").unlink(),
        "required.missing",
        "contract.yaml",
        "contract.yaml is missing",
    ),
    "conflict in a shared file": (
        lambda p: append(
            p / "README.md",
            "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n",
        ),
        "update.conflict",
        "README.md",
        "holds an unsolved conflict",
    ),
    "reject": (
        lambda p: write(p / "README.md.rej", "@@\n"),
        "update.reject",
        "README.md.rej",
        "lines that an update could not place",
    ),
    "answer nobody asked for": (
        lambda p: append(p / ANSWERS, "colour: red\n"),
        "answers.unknown",
        ANSWERS,
        '"colour", which is not a question',
    ),
    "answer that is invalid": (
        lambda p: replace(
            p / ANSWERS, "data_engineer: '@acme/data-engineering'", "data_engineer: me"
        ),
        "answers.invalid",
        ANSWERS,
        'data_engineer cannot be "me" (An owner is a team',
    ),
    "another package": (
        lambda p: replace(p / ANSWERS, "package: flights", "package: trains"),
        "answers.contradict",
        ANSWERS,
        'says the package is "trains", but there is src/flights',
    ),
    "folder the answers leave out": (
        lambda p: write(p / "deploy/k8s/base/deployment.yaml", "kind: Deployment\n"),
        "answers.contradict",
        "deploy/k8s/base/deployment.yaml",
        'should not be there when deploy is "compose"',
    ),
    "no answers": (
        lambda p: (p / ANSWERS).unlink(),
        "answers.missing",
        ANSWERS,
        "adopt it with copier copy",
    ),
    "answers without origin": (
        lambda p: write(p / ANSWERS, "package: flights\n"),
        "answers.missing",
        ANSWERS,
        "does not say _commit and _src_path",
    ),
    "unknown commit": (
        lambda p: replace(p / ANSWERS, f"_commit: {VERSION}", "_commit: v9.9.9"),
        "version.unknown",
        ANSWERS,
        "v9.9.9, which the template does not have",
    ),
    "no decision": (
        lambda p: replace(p / "problem.yaml", 'decision: "Should', 'decision: "" # "Should'),
        "problem.incomplete",
        "problem.yaml",
        "problem.yaml:5: decision is not said",
    ),
    "blank owner": (
        lambda p: replace(
            p / "problem.yaml", 'ml_engineer: "@acme/ml-engineering"', 'ml_engineer: ""'
        ),
        "owners.missing",
        "problem.yaml",
        "owners.ml_engineer names nobody",
    ),
    "owner CODEOWNERS does not know": (
        lambda p: replace(p / "problem.yaml", "@acme/business", "@acme/sales"),
        "owners.disagree",
        ".github/CODEOWNERS",
        "problem.yaml is asked of @acme/business, but problem.yaml names @acme/sales as",
    ),
    "no CODEOWNERS": (
        lambda p: write(p / ".github/CODEOWNERS", "# nobody\n"),
        "owners.disagree",
        ".github/CODEOWNERS",
        "is asked of nobody",
    ),
    "gate switched off": (
        lambda p: replace(p / "params.yaml", "max_loss: 0.0 ", "max_loss: null "),
        "gates.weakened",
        "params.yaml",
        "gates.max_loss is null, so nothing blocks, and the policy asks for <= 0.05",
    ),
    "secret in a file with an odd name": (
        lambda p: write(Path(os.fsdecode(os.fsencode(p) + b"/n\xff.txt")), f"x: {TOKEN}\n"),
        "secret.found",
        "n\udcff.txt",
        "this looks like a GitHub token",
    ),
    "action by tag": (
        lambda p: write(p / ".github/workflows/ours.yml", OLD_ACTION),
        "actions.unpinned",
        ".github/workflows/ours.yml",
        "ours.yml:5: actions/checkout@v4 can change under your feet",
    ),
    "token": (
        lambda p: write(p / "notebooks/try.py", f"\nTOKEN = '{TOKEN}'\n"),
        "secret.found",
        "notebooks/try.py",
        "notebooks/try.py:2: this looks like a GitHub token: revoke it",
    ),
    "key of a cloud": (
        lambda p: write(p / "key", "AKIA" + "Z7" * 8 + "\n"),
        "secret.found",
        "key",
        "key:1: this looks like an AWS key: revoke it",
    ),
    "password in an address": (
        lambda p: append(p / "README.md", "\npostgresql://jo:hunter22@db.acme/flights\n"),
        "secret.found",
        "README.md",
        "this looks like a password",
    ),
    "private key": (
        lambda p: write(p / "key", "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        "secret.found",
        "key",
        "this looks like a private key",
    ),
    "pickle by name": (
        lambda p: write(p / "assets/model.pkl", "x"),
        "pickle.file",
        "assets/model.pkl",
        "store ONNX, Parquet or JSON",
    ),
    "pickle by content": (
        lambda p: write(p / "assets/model.dat", b"\x80\x04K\x01."),
        "pickle.file",
        "assets/model.dat",
        "is a pickle",
    ),
    "code that unpickles": (
        lambda p: write(p / "src/flights/ours.py", "import joblib as j\n\nMODEL = j.load('m')\n"),
        "pickle.code",
        "src/flights/ours.py",
        "src/flights/ours.py:3: joblib.load runs whatever code is in the file",
    ),
    "settings that are no YAML": (
        lambda p: write(p / "params.yaml", "gates: [\n"),
        "file.unreadable",
        "params.yaml",
        "params.yaml: cannot be read",
    ),
    "stage unknown to dvc.yaml": (
        lambda p: write(p / "dvc.lock", "schema: '2.0'\nstages: {gone: {cmd: x}}\n"),
        "lock.stale",
        "dvc.lock",
        "holds a stage gone that dvc.yaml does not have: run uv run mlops project lock --tidy",
    ),
    "gate that blocks": (
        lambda p: (
            write(p / "dvc.lock", lock_all(p, without="release")),
            write(p / "reports/gate.json", '{"gates": [{"name": "max_loss", "passed": false}]}'),
        ),
        "gates.blocked",
        "reports/gate.json",
        "reports/gate.json: max_loss blocked the model",
    ),
}


@pytest.mark.parametrize("case", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_found_and_named(
    project: Path, templates: Templates, case: tuple[Damage, str, str, str]
) -> None:
    """In the last commit, and in the folder before it is committed; and nothing else is said."""
    damage, rule, path, says = case
    damage(project)
    edited = check(project, templates, at=None)
    committed = check(commit(project), templates)
    before_commit = "managed.edited" if rule == "managed.changed" else rule
    assert set(list_findings(edited)) == {(before_commit, path)}
    assert set(list_findings(committed)) == {(rule, path)}
    assert any(says in each.message for each in committed.findings), committed.findings
    assert committed.failed == (rule not in ("shared.missing", "answers.unknown"))
