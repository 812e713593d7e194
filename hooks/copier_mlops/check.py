"""One repository against the template it was made from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .answers import answers_findings, contradictions, other_package, recorded_answers
from .conflicts import find_conflicts
from .drift import drift, required
from .errors import UserError
from .findings import Finding, Report
from .git import Objects
from .policy import Policy
from .render import ANSWERS, Render, Version
from .repository_view import RepositoryView
from .review import review
from .rules import RULES, finding
from .template import Template, Templates
from .trees import CommitTree, FolderTree, Tree
from .waivers import waived

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
        with opened(repository, at) as tree:
            return Checked(tree, templates or Templates(), policy).report(repository)
    except UserError as error:
        return Report(str(repository), broken=str(error))
    except Exception as error:  # a repository like none before: the others are still checked
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return Report(str(repository), broken=f"{repository} could not be checked, {said}.")


@contextmanager
def opened(repository: Path, at: str | None) -> Iterator[Tree]:
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
        return self.template.owner(self.version, path)

    def rendered(self, path: str) -> bytes | None:
        """The content of a file as it came from the template; None: it did not."""
        if path not in self.render.files:
            return None
        with Objects(self.template.folder) as objects:
            return self.version.content(self.render.files[path].source, self.render.values, objects)


class Checked:
    """The findings in one tree of files."""

    def __init__(self, tree: Tree, templates: Templates, policy: Policy | None) -> None:
        self._tree = tree
        self._templates = templates
        self._policy = policy
        self._recorded: dict[str, Any] = {}
        self._findings: list[Finding] = []

    def report(self, repository: Path) -> Report:
        standard = self._standard()
        if standard:
            self._against(standard)
        policy = self._policy or (standard.template.policy if standard else Policy())
        self._findings += required(self._tree)
        changed = self._changed(standard)
        self._findings += find_conflicts(self._tree.files, changed)
        rendered = standard.rendered if standard else lambda path: None
        reviewed = review(RepositoryView(self._tree, changed, policy, rendered))
        self._findings += reviewed.findings
        if standard:
            self._findings += self._lag(standard, policy)
        today = datetime.now(UTC).date()
        rules = {*RULES, *reviewed.rules}
        findings = waived(graded(self._findings, policy), self._tree, policy, today, rules)
        return Report(
            repository=str(repository),
            template=self._recorded.get("_src_path"),
            version=self._recorded.get("_commit"),
            newest=standard.template.newest if standard else None,
            behind=standard.template.behind(standard.version.name) if standard else None,
            findings=findings,
            facts={name: value for name, value in self._recorded.items() if name[0] != "_"},
        )

    def _standard(self) -> Standard | None:
        """None where there is none to compare with: the findings say why."""
        try:
            self._recorded = recorded_answers(self._tree)
        except UserError as error:
            self._findings.append(finding("answers.missing", str(error), ANSWERS))
            return None
        allowed = self._policy.template.addresses if self._policy else ()
        address, commit = self._recorded["_src_path"], self._recorded["_commit"]
        if allowed and address not in allowed:
            message = (
                f"{ANSWERS} names the template {address}, and the policy allows "
                f"{', '.join(allowed)}: write one of those there as _src_path, then update."
            )
            self._findings.append(finding("template.foreign", message, ANSWERS))
            return None
        try:
            template = self._templates.get(address)
        except UserError as error:
            self._findings.append(finding("template.unreachable", str(error), ANSWERS))
            return None
        if not template.knows(commit):
            message = (
                f"{ANSWERS} says it is at {commit}, which the template does not have: "
                "put back what Copier wrote there."
            )
            self._findings.append(finding("version.unknown", message, ANSWERS))
            return None
        version = template.version(commit)
        newest = template.version(template.newest) if template.newest else version
        return Standard(template, version, newest, version.render(self._recorded))

    def _against(self, standard: Standard) -> None:
        render, version = standard.render, standard.version
        said = list(answers_findings(self._recorded, render, version, standard.newest))
        self._findings += said
        if sentence := other_package(render, self._tree.files):
            self._findings.append(finding("answers.contradict", sentence, ANSWERS))
            return
        self._findings += contradictions(render, self._tree.files, standard.owner)
        explained = {found.path for found in said}
        for found in drift(render, self._tree, standard.owner, version.name):
            if found.path not in explained:
                self._findings.append(found)

    def _changed(self, standard: Standard | None) -> dict[str, bytes]:
        """What is not as the template has it. Read at one go, with what policies look into."""
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

    def _lag(self, standard: Standard, policy: Policy) -> Iterator[Finding]:
        behind = standard.template.behind(standard.version.name)
        if not behind:
            return
        many = "one release" if behind == 1 else f"{behind} releases"
        said = f"It is at {standard.version.name}, {many} behind {standard.newest.name}"
        limit = policy.template.max_behind
        if limit is not None and behind > limit:
            message = f"{said}, and the policy allows {limit}: run uvx copier update."
            yield finding("version.old", message, ANSWERS)
        else:
            yield finding("version.behind", f"{said}: run uvx copier update.", ANSWERS)


def graded(findings: list[Finding], policy: Policy) -> list[Finding]:
    """With the severities of the policy; what it switches off is left out."""
    wanted = [(found, policy.severities.get(found.rule, found.severity)) for found in findings]
    return [replace(found, severity=grave) for found, grave in wanted if grave != "off"]
