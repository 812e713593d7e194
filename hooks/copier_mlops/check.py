"""One repository against the template it was made from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .answers import (
    describe_left_package,
    describe_other_package,
    find_contradictions,
    find_invalid_answers,
    read_answers,
)
from .answers_in_files import find_other_settings
from .conflicts import find_conflicts
from .drift import find_drift, find_missing
from .errors import UserError, fold_lines
from .findings import Finding, Report
from .git import Objects
from .git_place import ANSWERS
from .policy import Policy
from .render import Render, Version
from .repository_view import RepositoryView
from .review import review
from .root_files import find_root_drift
from .rules import RULES, make_finding
from .template import Template, Templates
from .trees import CommitTree, FolderTree, Tree
from .unfinished_update import UNDO
from .update_traces import find_traces
from .waivers import apply_waivers

GENERATED = ("uv.lock", "dvc.lock")  # large, and written by tools
POLICIES_READ = ("problem.yaml", "params.yaml", ".github/CODEOWNERS", "pyproject.toml", *GENERATED)


def check(
    repository: Path,
    templates: Templates | None = None,
    policy: Policy | None = None,
    at: str | None = "HEAD",
) -> Report:
    """Compare a repository, bare or not, with the standards.

    `templates` keeps what was read of templates from one repository to the next, so pass the same
    to each call. `policy` is the organisation's; None: that of the template's newest release. `at`
    is the commit to look at; None: the files as they lie in the folder. What cannot be read is
    said in `Report.broken`: no repository raises an error.
    """
    try:
        with open_tree(repository, at) as tree:
            return RepositoryCheck(tree, templates or Templates(), policy).report(repository)
    except UserError as error:
        return Report(str(repository), broken=str(error))
    except Exception as error:  # a repository like none before: the others are still checked
        message = f"{type(error).__name__}: {fold_lines(error)}"
        return Report(str(repository), broken=f"{repository} could not be checked, {message}.")


@contextmanager
def open_tree(repository: Path, at: str | None) -> Iterator[Tree]:
    """Open the files of a commit, or with `at` None those in the folder.

    Raises UserError if there is no such repository or commit.
    """
    if at is None:
        yield FolderTree(repository)
        return
    with Objects(repository) as objects:
        yield CommitTree(objects, at)


@dataclass
class Standard:
    """What a repository is compared with."""

    template: Template
    version: Version
    newest: Version
    render: Render

    def owner(self, path: str) -> str | None:
        """Look up whose a file is: seeded, shared or managed; None: nobody's."""
        return self.template.owner(self.version, path)

    def rendered(self, path: str) -> bytes | None:
        """Render a file as it came from the template; None: it did not."""
        if path not in self.render.files:
            return None
        with Objects(self.template.folder) as objects:
            return self.version.content(self.render.files[path].source, self.render.values, objects)


class RepositoryCheck:
    """The check of one tree of files: its findings are gathered step by step."""

    def __init__(self, tree: Tree, templates: Templates, policy: Policy | None) -> None:
        self._tree = tree
        self._templates = templates
        self._policy = policy
        self._recorded: dict[str, Any] = {}
        self._findings: list[Finding] = []

    def report(self, repository: Path) -> Report:
        """Check everything there is to check. Raises UserError if the files cannot be read."""
        standard = self._find_standard()
        if standard:
            self._compare(standard)
            self._findings += find_traces(self._tree, standard.template, standard.render)
        policy = self._policy or (standard.template.policy if standard else Policy())
        self._findings += find_missing(self._tree)
        changed = self._read_changed(standard)
        self._findings += find_conflicts(self._tree.files, changed)
        if self._tree.unfinished:
            message = f"An update was stopped half-way: {UNDO}; then update again."
            self._findings.append(make_finding("update.unfinished", message, ANSWERS))
        self._findings += find_root_drift(self._tree)
        rendered = standard.rendered if standard else lambda path: None
        reviewed = review(RepositoryView(self._tree, changed, policy, rendered))
        self._findings += reviewed.findings
        if standard:
            self._findings += self._find_lag(standard, policy)
        today = datetime.now(UTC).date()
        rules = {*RULES, *reviewed.rules}
        findings = apply_waivers(
            apply_severities(self._findings, policy), self._tree, policy, today, rules
        )
        return Report(
            repository=str(repository),
            template=self._recorded.get("_src_path"),
            version=self._recorded.get("_commit"),
            newest=standard.template.newest if standard else None,
            behind=standard.template.behind(standard.version.name) if standard else None,
            findings=findings,
            facts={name: value for name, value in self._recorded.items() if name[0] != "_"},
        )

    def _find_standard(self) -> Standard | None:
        """Find what to compare with; None: there is nothing, and the findings say why."""
        try:
            self._recorded = read_answers(self._tree)
        except UserError as error:
            self._findings.append(make_finding("answers.missing", str(error), ANSWERS))
            return None
        allowed = self._policy.template.addresses if self._policy else ()
        address, commit = self._recorded["_src_path"], self._recorded["_commit"]
        if allowed and address not in allowed:
            message = (
                f"{ANSWERS} names the template {address}, and the policy allows "
                f"{', '.join(allowed)}: write one of those there as _src_path, then update."
            )
            self._findings.append(make_finding("template.foreign", message, ANSWERS))
            return None
        try:
            template = self._templates.get(address)
        except UserError as error:
            self._findings.append(make_finding("template.unreachable", str(error), ANSWERS))
            return None
        if not template.knows(commit):
            message = (
                f"{ANSWERS} says it is at {commit}, which the template does not have: "
                "put back what Copier wrote there."
            )
            self._findings.append(make_finding("version.unknown", message, ANSWERS))
            return None
        version = template.version(commit)
        newest = template.version(template.newest) if template.newest else version
        return Standard(template, version, newest, version.render(self._recorded))

    def _compare(self, standard: Standard) -> None:
        """Find what is not as the recorded version and answers have it."""
        render, version = standard.render, standard.version
        invalid = list(find_invalid_answers(self._recorded, render, version, standard.newest))
        self._findings += invalid
        if sentence := describe_other_package(render, self._tree.files):
            self._findings.append(make_finding("answers.contradict", sentence, ANSWERS))
            return
        self._findings += find_contradictions(render, self._tree.files, standard.owner)
        if sentence := describe_left_package(render, self._tree.files):
            self._findings.append(make_finding("answers.contradict", sentence, ANSWERS))
        self._findings += find_other_settings(render, self._tree, standard.rendered)
        explained = {finding.path for finding in invalid}
        for finding in find_drift(render, self._tree, standard.owner, version.name):
            if finding.path not in explained:
                self._findings.append(finding)

    def _read_changed(self, standard: Standard | None) -> dict[str, bytes]:
        """Read what is not as the template has it, at one go with what policies look into."""
        rendered = standard.render.files.values() if standard else ()
        known = {file.blob for file in rendered}
        changed = {
            path
            for path, entry in self._tree.files.items()
            if path not in GENERATED and entry.blob not in known
        }
        wanted = changed.union(path for path in POLICIES_READ if path in self._tree.files)
        contents = dict(self._tree.read_all(sorted(wanted)))
        return {path: content for path, content in contents.items() if path in changed}

    def _find_lag(self, standard: Standard, policy: Policy) -> Iterator[Finding]:
        """Find how many releases it is behind, graver beyond the limit of the policy."""
        behind = standard.template.behind(standard.version.name)
        if not behind:
            return
        many = "one release" if behind == 1 else f"{behind} releases"
        lag = f"It is at {standard.version.name}, {many} behind {standard.newest.name}"
        limit = policy.template.max_behind
        if limit is not None and behind > limit:
            message = f"{lag}, and the policy allows {limit}: run uvx copier update."
            yield make_finding("version.old", message, ANSWERS)
        else:
            yield make_finding("version.behind", f"{lag}: run uvx copier update.", ANSWERS)


def apply_severities(findings: list[Finding], policy: Policy) -> list[Finding]:
    """Give findings the severities of the policy; what it switches off is left out."""
    graded = []
    for finding in findings:
        severity = policy.severities.get(finding.rule, finding.severity)
        if severity != "off":
            graded.append(replace(finding, severity=severity))
    return graded
