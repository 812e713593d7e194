"""The standards by name: how grave it is when one is not kept, and what it asks."""

from dataclasses import dataclass

from .findings import Finding, Severity


@dataclass(frozen=True)
class Rule:
    """How grave it is when the standard is not kept, and what it asks for, in one clause."""

    severity: Severity
    asks: str


RULES = {
    "answers.missing": Rule("error", "`.copier-answers.yml` says which template it is made from"),
    "answers.unknown": Rule("warning", "every recorded answer belongs to a question"),
    "answers.invalid": Rule(
        "error", "answers are valid, for the newest release too: else an update takes the default"
    ),
    "answers.contradict": Rule("error", "answers and files say the same"),
    "template.unreachable": Rule("error", "the template can be read, so that there is a standard"),
    "template.foreign": Rule("error", "the template is one of those that the policy names"),
    "version.unknown": Rule("error", "the recorded commit is one of the template's"),
    "version.behind": Rule("warning", "it is at the template's newest release"),
    "version.old": Rule("error", "it is no more releases behind than the policy allows"),
    "managed.missing": Rule("error", "every managed file is there"),
    "managed.changed": Rule("error", "managed files are as the recorded version renders them"),
    "managed.edited": Rule("error", "nobody is editing a managed file in place"),
    "root.changed": Rule(
        "error",
        "in a larger repository, its root has the workflows, owners and hooks of the project",
    ),
    "shared.missing": Rule("warning", "every shared file is there"),
    "required.missing": Rule(
        "error", "`problem.yaml` and `params.yaml` are there, and with data `contract.yaml`"
    ),
    "update.conflict": Rule("error", "no conflict of an update is left unsolved"),
    "update.reject": Rule("error", "no `*.rej` or `*.orig` file of an update is left"),
    "update.lost": Rule("error", "no line of the team's went with a file that an update changed"),
    "update.returned": Rule("error", "no update brings back what the team had removed"),
    "update.unfinished": Rule("error", "no update was stopped half-way"),
    "file.unreadable": Rule("error", "files that are read are valid YAML or TOML"),
    "problem.incomplete": Rule("error", "the problem statement says all that a release needs"),
    "owners.missing": Rule("error", "each stage has an owner"),
    "owners.disagree": Rule("error", "CODEOWNERS asks the owners that `problem.yaml` names"),
    "gates.weakened": Rule("error", "no gate or budget is weaker than the policy's floors"),
    "gates.missing": Rule(
        "error", "each stage that judges is in `dvc.yaml`, and reads what the template's reads"
    ),
    "tests.skipped": Rule("error", "no test is left out of the run by a setting"),
    "requirement.weaker": Rule(
        "error", "no package may be older than the template's lower bound says"
    ),
    "gates.blocked": Rule("error", "no gate has refused the model that the last run made"),
    "actions.unpinned": Rule("error", "actions of workflows are pinned by commit SHA"),
    "secret.found": Rule("error", "no key, token or password is in a file"),
    "pickle.file": Rule("error", "no pickle is stored: loading one runs code"),
    "pickle.code": Rule("error", "no code loads a pickle"),
    "lock.missing": Rule("warning", "`uv.lock` is committed"),
    "lock.stale": Rule("error", "`uv.lock` and `dvc.lock` agree with what they lock"),
    "policy.broken": Rule("error", "the policies themselves can be tried"),
    "waiver.malformed": Rule("error", "a waiver has a rule, a reason, an owner and an expiry"),
    "waiver.expired": Rule("error", "no waiver has expired"),
    "waiver.refused": Rule("error", "no waiver goes beyond what the policy allows"),
    "waiver.unused": Rule("note", "every waiver is still needed"),
}


def make_finding(
    rule: str, message: str, path: str | None = None, line: int | None = None
) -> Finding:
    """Make a finding with the severity of its rule. Raises KeyError if there is no such rule."""
    return Finding(rule, RULES[rule].severity, path, line, message)
