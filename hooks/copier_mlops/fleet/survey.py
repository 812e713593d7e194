"""The check of one repository, as the workers of a fleet do it."""

from dataclasses import dataclass
from functools import cache

from ..check import check
from ..findings import Report
from ..policy import Policy
from ..template import Templates
from .predict import Prediction, predict
from .repositories import Place

LEFT = ("update.conflict", "update.reject")


@dataclass(frozen=True)
class Found:
    place: Place
    report: Report
    prediction: Prediction | None = None


@dataclass(frozen=True)
class Survey:
    """What to do with each repository: compare it, and perhaps try its update."""

    template: str | None
    policy: Policy | None
    predict: bool

    def __call__(self, place: Place) -> Found:
        """What goes wrong is said in the report: one repository never stops the others."""
        report = check(place.path, _templates(self.template), self.policy)
        return Found(place, report, self._prediction(place, report))

    def lost(self, place: Place) -> Found:
        """For a repository whose check has ended its process."""
        why = "its check was ended from outside, perhaps for want of memory: check it alone."
        return Found(place, Report(str(place.path), broken=why))

    def _prediction(self, place: Place, report: Report) -> Prediction | None:
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
        return predict(place.path, str(folder), report.newest)


@cache
def _templates(only: str | None) -> Templates:
    """What this process has read of templates so far."""
    return Templates(only)
