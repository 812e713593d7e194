"""Whether what the model reads, and what it answers, is still distributed as in training.

By the population stability index, the sum over the bins of (a - e) ln(a / e), where a is the share
of live values in a bin and e that in training, none below 0.0001 (Siddiqi, Credit Risk Scorecards,
2006: below 0.1 nothing has changed, above 0.25 much).
"""

from ..core.params import Monitoring, seconds
from ..core.team import package_name
from .alerts import Alert, Rule
from .promql import CHAMPION, MISSING, OTHER, SCORE, series, total

LEAST_SHARE = 0.0001
LONG = 3600
LIVE, ROWS, SHARE, EXPECTED = (
    "bin:values:increase",
    "input:values:increase",
    "bin:values:ratio",
    "bin:expected:ratio",
)
PSI, ABSENT, UNSEEN = "input:psi", "input:missing:surplus", "input:unseen:surplus"


def interval(limits: Monitoring) -> str:
    """How often this is judged: a day's samples of all bins are many."""
    return "1m" if seconds(limits.window) >= LONG else "15s"


def recordings(limits: Monitoring) -> list[Rule]:
    """For the champion: the rows in the window, shares of bins, and what follows from them."""
    counted = total(
        series("input_values_total"), limits.window, "version, input, bin", how="increase"
    )
    champion = series("model_info", role=CHAMPION)
    live, expected = (f"clamp_min({series(each)}, {LEAST_SHARE})" for each in (SHARE, EXPECTED))
    rules = {
        LIVE: f"{counted}\nand on (version) {champion}",
        ROWS: f"sum by (version, input) ({series(LIVE)})",
        SHARE: f"{series(LIVE)} / on (version, input) group_left () ({series(ROWS)} > 0)",
        EXPECTED: f"max by (version, input, bin) ({series('input_expected_ratio')})",
        PSI: f"sum by (version, input) (\n  ({live} - {expected})\n  * ln({live} / {expected})\n)",
        ABSENT: surplus(MISSING),
        UNSEEN: surplus(OTHER),
    }
    labels = {"job": package_name()}
    return [{"record": name, "expr": expr, "labels": labels} for name, expr in rules.items()]


def surplus(bin_: str) -> str:
    """By how much the share of a bin exceeds that in training, of each input, more than chance
    would have it: three standard errors of a share among so many rows.
    """
    live, expected = series(SHARE, bin=bin_), series(EXPECTED, bin=bin_)
    more = f"sum by (version, input) ({live} - {expected})"
    error = f"sqrt({expected} * (1 - {expected}) / on (version, input) {series(ROWS)})"
    return f"{more}\n- 3 * sum by (version, input) ({error})"


def alerts(limits: Monitoring) -> list[Alert]:
    since = f"in the last {limits.window}"
    found = []
    if limits.max_psi is not None:
        text = (
            f"its distribution {since} is {{{{ $value | printf `%.3f` }}}} away from that in "
            f"training (population stability index; the limit is {limits.max_psi})."
        )
        found += [
            Alert(
                "InputDrift",
                "data_scientist",
                "ticket",
                above(PSI, limits.max_psi, limits, input=f"!{SCORE}"),
                "An input is not as it was: {{ $labels.input }}",
                f"{{{{ $labels.input }}}}: {text}",
            ),
            Alert(
                "ScoreDrift",
                "data_scientist",
                "ticket",
                above(PSI, limits.max_psi, limits, input=SCORE),
                "The model's answers are not as they were",
                f"The score: {text}",
            ),
        ]
    if limits.max_missing is not None:
        found.append(
            Alert(
                "MissingValues",
                "data_engineer",
                "ticket",
                above(ABSENT, limits.max_missing, limits),
                "Values are missing: {{ $labels.input }}",
                f"{{{{ $labels.input }}}}: {since}, the share of missing values exceeds that in "
                "training by more than {{ $value | humanizePercentage }} of the rows.",
            )
        )
    if limits.max_unseen is not None:
        found.append(
            Alert(
                "UnseenCategories",
                "data_engineer",
                "ticket",
                above(UNSEEN, limits.max_unseen, limits),
                "Categories that training did not know: {{ $labels.input }}",
                f"{{{{ $labels.input }}}}: {since}, the share of categories without a bin exceeds "
                "that in training by more than {{ $value | humanizePercentage }} of the rows.",
            )
        )
    return found


def above(figure: str, limit: float, limits: Monitoring, **labels: str) -> str:
    rows = f"{series(ROWS)} >= {limits.min_rows}"
    return f"{series(figure, **labels)} > {limit}\nand on (version, input) {rows}"
