"""The check of one repository, as the workers of a fleet do it."""

from dataclasses import dataclass
from functools import cache

from ..check import check
from ..findings import Report
from ..policy import Policy
from ..template import Templates
from .predict import Prediction, predict
from .repositories import Repository

LEFT = ("update.conflict", "update.reject")


@dataclass(frozen=True)
class SurveyResult:
    """What is known of one repository; `prediction` only if its update was tried."""

    repository: Repository
    report: Report
    prediction: Prediction | None = None


@dataclass(frozen=True)
class Survey:
    """What to do with each repository: compare it, and perhaps try its update."""

    template: str | None
    policy: Policy | None
    predict: bool

    def __call__(self, repository: Repository) -> SurveyResult:
        """Check one. What goes wrong is in the report: one repository never stops the others."""
        report = check(repository.path, _templates(self.template), self.policy)
        return SurveyResult(repository, report, self._predict(repository, report))

    def lost(self, repository: Repository) -> SurveyResult:
        """Make the result of a repository whose check has ended its process."""
        why = "its check was ended from outside, perhaps for want of memory: check it alone."
        return SurveyResult(repository, Report(str(repository.path), broken=why))

    def _predict(self, repository: Repository, report: Report) -> Prediction | None:
        if not (self.predict and report.behind and report.template and report.newest):
            return None
        unsolved = [
            finding.path or ""
            for finding in report.findings
            if finding.rule in LEFT and finding.waived is None
        ]
        if unsolved:
            return Prediction(report.newest, unsolved=unsolved)
        folder = _templates(self.template).get(report.template).folder
        return predict(repository.path, str(folder), report.newest)


@cache
def _templates(only: str | None) -> Templates:
    """Keep what this process has read of templates so far."""
    return Templates(only)
