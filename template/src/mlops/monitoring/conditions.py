"""Alerts that need nothing recorded: of the service, of its model, and of who watches over it."""

from ..core.formatting import metric, number
from ..core.params import seconds
from .alerts import Alert, literal
from .facts import Facts
from .promql import of_champion, series, total, watch

DAY = 86400
# Of the memory granted: above it the next large request may have the process killed.
FULL = 0.9
# Fewer refused requests than that are somebody's mistake, and no change in the data.
LEAST_REFUSED = 10
# How long it is remembered that there is a watch, and how long one look may take beside training.
REMEMBERED, SPARE = "7d", 900


def service(facts: Facts) -> list[Alert]:
    role, limits = "devops_engineer", facts.limits
    up = series("up")
    found = [
        Alert(
            "ServiceDown",
            role,
            "page",
            f"(sum({up}) or vector(0)) == 0",
            "The service does not answer",
            "Prometheus reaches {{ $value }} instances of the service.",
            "1m",
        ),
        Alert(
            "JournalDown",
            role,
            "page",
            f"{series('journal_up')} == 0",
            "The journal cannot be written",
            "{{ $labels.instance }} cannot write to the journal; what waits to be written is lost "
            "if that goes on.",
            "1m",
        ),
        Alert(
            "RowsLost",
            role,
            "ticket",
            f"{total(series('journal_rows_total', outcome='lost'), '15m', how='increase')} > 0",
            "Predictions or truths are not in the journal",
            "{{ $value | printf `%.0f` }} rows were lost in the last 15 minutes.",
        ),
        Alert(
            "MemoryHigh",
            role,
            "ticket",
            f"{series('process_resident_memory_bytes')} > {FULL * facts.memory:.0f}",
            "The service needs more memory than planned",
            "{{ $labels.instance }} holds {{ $value | humanize1024 }}B of "
            f"{number(facts.memory / 2**20, 0)} MiB.",
            "5m",
        ),
    ]
    if limits.max_silence is not None:
        asked = total(series("requests_total", path="/predict"), limits.max_silence, how="increase")
        found.append(
            Alert(
                "NoTraffic",
                role,
                "ticket",
                f"({asked} or vector(0)) == 0\n"
                f"and on () max({up} offset {limits.max_silence}) == 1\nand on () max({up}) == 1",
                "Nobody asks the model",
                f"There was no request for a prediction in the last {limits.max_silence}.",
            )
        )
    return found


def data(facts: Facts) -> list[Alert]:
    role, limits = "data_engineer", facts.limits
    asked, refused = (
        total(series("requests_total", path="/predict", **more), limits.window, how="increase")
        for more in ({}, {"status": "422"})
    )
    rate = facts.params.data.max_reject_rate
    found = [
        Alert(
            "RequestsRefused",
            role,
            "ticket",
            f"{refused} / {asked} > {rate}\nand {refused} >= {LEAST_REFUSED}",
            "Requests break the contract",
            "{{ $value | humanizePercentage }} of the requests in the last "
            f"{limits.window} hold values that contract.yaml does not allow.",
        )
    ]
    if limits.max_data_age_days is not None:
        found.append(
            Alert(
                "DataOld",
                role,
                "ticket",
                aged("data_changed_timestamp_seconds", limits.max_data_age_days),
                "The model learned from old data",
                "The table that version {{ $labels.version }} learned from was changed "
                "{{ $value | humanizeDuration }} ago.",
            )
        )
    return found


def model(facts: Facts) -> list[Alert]:
    limits, found = facts.limits, list[Alert]()
    judged = watch("performance_rows", column="", value="")
    enough = f"and on () max({judged}) >= {limits.min_rows}"
    least = facts.least_performance
    if least is not None:
        measured = watch("performance", metric=facts.metric, column="", value="")
        found.append(
            Alert(
                "PerformanceLow",
                "data_scientist",
                "ticket",
                f"max({measured}) < {least}\n{enough}",
                "The model is worse than it was judged to be",
                f"{metric(facts.metric)}, by the truths of the last {limits.truth_days} days: "
                f"{{{{ $value | printf `%.3f` }}}}; "
                f"it was {facts.reached:g}, the least is {least:g}.",
            )
        )
    floor, unit = facts.least_value, literal(facts.problem.value.unit or "units")
    found.append(
        Alert(
            "ValueLow",
            "business_owner",
            "ticket",
            f"max({watch('value_realised_per_thousand')}) < {floor}\n{enough}",
            "Decisions are worth less than agreed",
            f"A thousand decisions were worth {{{{ $value | printf `%.2f` }}}} {unit}; at least "
            f"{floor:g} was agreed.",
        )
    )
    if limits.max_model_age_days is not None:
        found.append(
            Alert(
                "ModelOld",
                "ml_engineer",
                "ticket",
                aged("model_trained_timestamp_seconds", limits.max_model_age_days),
                "The model is old",
                "Version {{ $labels.version }} was trained {{ $value | humanizeDuration }} ago.",
            )
        )
    return found


def watcher(facts: Facts) -> list[Alert]:
    """Of `monitor watch`, once it has been run."""
    looked = f"max(last_over_time({watch('watch_last_run_timestamp_seconds')}[{REMEMBERED}]))"
    every = seconds(facts.limits.watch.every)
    patience = 2 * every + round(facts.params.budgets.seconds) + SPARE
    ended = watch("retraining_total", outcome="~failed|rolled_back")
    return [
        Alert(
            "WatchStopped",
            "ml_engineer",
            "ticket",
            f"time() - {looked} > {patience}",
            "Nobody watches over the model",
            "`monitor watch` looked {{ $value | humanizeDuration }} ago; it was to look every "
            f"{facts.limits.watch.every}.",
        ),
        Alert(
            "RetrainingFailed",
            "ml_engineer",
            "ticket",
            f"{total(ended, '1d', 'outcome', 'increase')} > 0",
            "A new model did not come into use: {{ $labels.outcome }}",
            "{{ $value | printf `%.0f` }} times in the last day, `monitor watch` ended with "
            "{{ $labels.outcome }}.",
        ),
    ]


def aged(moment: str, days: float) -> str:
    return f"time() - ({of_champion(series(moment))}) > {days * DAY:.0f}"


EVERY = (service, data, model, watcher)
