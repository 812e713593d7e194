"""When each alert fires and when it does not: metrics as a healthy service has them, and changes.

Series are written as promtool reads them, a sample a minute: `0+60x120` grows by 60 a minute.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

END = 200  # minutes that series last
DAY = 86400
UP = 'up{job="flights",instance="a"}'
ANSWERED = 'requests_total{job="flights",path="/predict",status="200.0"}'
FAILED = 'requests_total{job="flights",path="/predict",status="500"}'
REFUSED = 'requests_total{job="flights",path="/predict",status="422"}'
SLOW = 'requests_slow_total{job="flights",path="/predict"}'
ASKED = 'last_prediction_timestamp_seconds{job="flights",instance="a"}'
LOST = 'journal_rows_total{job="flights",outcome="lost"}'
MOVED = 'journal_faults_total{job="flights",reason="gone"}'
JOURNAL = 'journal_up{job="flights",instance="a"}'
MEMORY = 'process_resident_memory_bytes{job="flights",instance="a"}'
TRAINED = 'model_trained_timestamp_seconds{job="flights",version="1"}'
CHANGED = 'data_changed_timestamp_seconds{job="flights",version="1"}'
LOOKED = 'watch_last_run_timestamp_seconds{job="flights-watch"}'
FAILURES = 'retraining_total{job="flights-watch",outcome="failed"}'
UNSEEN = 'input_unseen_total{job="flights",version="1",input="carrier"}'
PERFORMANCE = 'performance{job="flights-watch",metric="roc_auc",column="",value=""}'
JUDGED = 'performance_rows{job="flights-watch",column="",value=""}'
VALUE = 'value_gained_per_thousand{job="flights-watch"}'

Series = dict[str, str]
LIMITS = {
    "availability": 0.995,
    "latency_share": 0.99,
    "latency_seconds": 0.1,
    "reject_rate": 0.1,
    "psi": 0.2,
    "missing": 0.1,
    "unseen": 0.05,
    "min_rows": 500,
    "performance": 0.622,
    "value": 0,
    "model_age_seconds": 180 * DAY,
    "data_age_seconds": 30 * DAY,
    "silence_seconds": 3600,
    "watch_silence_seconds": 9000,
    "memory_bytes": 512 * 2**20,
}
"""As the answers and settings of a new project make them, but for the age of its data."""
SHARES = {
    "distance": {"up to 5": 0.5, "above 5": 0.5, "__missing__": 0.0},
    "carrier": {"AA": 0.6, "UA": 0.38, "__other__": 0.02, "__missing__": 0.0},
    "(score)": {"up to 0.5": 0.7, "above 0.5": 0.3, "__missing__": 0.0},
}


def steady(value: float) -> str:
    return f"{value}x{END}"


def growing(by: float) -> str:
    """A counter, by so much a minute."""
    return f"0+{by}x{END}"


def limit_of(name: str) -> str:
    return f'mlops_limit{{job="flights",limit="{name}"}}'


def counted(name: str, *rows: float, version: str = "1") -> Series:
    """So many values a minute in each bin of an input."""
    return {
        f'input_values_total{{job="flights",version="{version}",input="{name}",bin="{label}"}}':
            growing(many)
        for label, many in zip(SHARES[name], rows, strict=True)
    }  # fmt: skip


def expected() -> Series:
    labels = 'job="flights",version="1"'
    return {
        f'input_expected_ratio{{{labels},input="{name}",bin="{label}"}}': steady(share)
        for name, shares in SHARES.items()
        for label, share in shares.items()
    }


def limits() -> Series:
    """As both jobs export them."""
    return {
        f'mlops_limit{{job="{job}",limit="{name}"}}': steady(limit)
        for job in ("flights", "flights-watch")
        for name, limit in LIMITS.items()
    }


HEALTHY: Series = {
    **limits(),
    UP: steady(1),
    ANSWERED: growing(60),
    FAILED: steady(0),
    SLOW: steady(0),
    ASKED: f"0+60x{END}",
    'journal_rows_total{job="flights",outcome="written"}': growing(60),
    LOST: steady(0),
    MOVED: steady(0),
    JOURNAL: steady(1),
    MEMORY: steady(2e8),
    'model_info{job="flights",role="champion",version="1",sha256="f00"}': steady(1),
    'model_info{job="flights",role="shadow",version="2",sha256="ba2"}': steady(1),
    'model_trained_timestamp_seconds{job="flights",version="2"}': steady(-999 * DAY),
    TRAINED: steady(-100 * DAY),
    CHANGED: steady(-20 * DAY),
    **expected(),
    **counted("distance", 30, 30, 0),
    **counted("carrier", 36, 23, 1, 0),
    **counted("(score)", 42, 18, 0),
    UNSEEN: growing(0.6),
    'input_expected_unseen_ratio{job="flights",version="1",input="carrier"}': steady(0.01),
    LOOKED: f"0+60x{END}",
    FAILURES: steady(0),
    PERFORMANCE: steady(0.67),
    JUDGED: steady(9000),
    VALUE: steady(250),
}


class Case(NamedTuple):
    """What `fires` the alert, and what nearly does, laid over the healthy series (None: gone).

    `measured` is printed in the description; `labels` are those that come from the series, `by`
    the severities that fire, `also` other alerts that the same fault rightly raises.
    """

    alert: str
    fires: dict[str, str | None]
    quiet: list[dict[str, str | None]]
    measured: str
    labels: Mapping[str, str] = MappingProxyType({})
    by: tuple[str, ...] = ("ticket",)
    also: tuple[str, ...] = ()
    minutes: int = 180
    job: str = "flights"


OF_DISTANCE = {"version": "1", "input": "distance"}
FEW = {ANSWERED: growing(0.1), **counted("distance", 2.5, 0, 0)}
OF_BURN = {"objective": "availability"}

CASES = [
    Case("LimitsMissing", {limit_of("psi"): None}, [{}], ""),
    Case("LimitsMissing", {limit_of(name): None for name in LIMITS}, [{}], ""),
    Case("ServiceDown", {UP: steady(0)}, [{}], "", by=("page",)),
    Case("ServiceDown", {UP: None}, [{}], "", by=("page",)),
    Case("JournalDown", {JOURNAL: steady(0)}, [{}], "", {"instance": "a"}, ("page",)),
    Case("JournalMoved", {MOVED: growing(1)}, [{}], ""),
    Case("RowsLost", {LOST: growing(1)}, [{}], "15"),
    Case("MemoryHigh", {MEMORY: steady(5e8)}, [{MEMORY: steady(4.8e8)}], "476.8Mi",
         {"instance": "a"}),
    Case("NoTraffic", {ASKED: "0+60x100 6000x100"},
         [{ASKED: "0+60x140 8400x100"}, {ASKED: "0+60x100 6000x100", UP: steady(0)},
          {ASKED: "0+60x100 6000x100", limit_of("silence_seconds"): steady(1e18)}],
         "1h 20m 0s"),
    Case("RequestsRefused", {REFUSED: growing(10)},
         [{REFUSED: growing(5)}, {ANSWERED: None, FAILED: None, REFUSED: growing(0.04)}], "14.29%"),
    Case("DataOld", {CHANGED: steady(-31 * DAY)}, [{}, {CHANGED: None}], "31d 3h 0m 0s",
         {"version": "1"}),
    Case("ModelOld", {TRAINED: steady(-181 * DAY)}, [{}], "181d 3h 0m 0s", {"version": "1"}),
    Case("InputDrift", {**counted("distance", 48, 12, 0)},
         [{**counted("distance", 36, 24, 0)}, {**FEW},
          {**counted("distance", 60, 0, 0, version="2")}], "0.416", OF_DISTANCE),
    Case("ScoreDrift", {**counted("(score)", 20, 40, 0)}, [{**counted("(score)", 38, 22, 0)}],
         "0.565", {"version": "1", "input": "(score)"}),
    Case("MissingValues", {**counted("distance", 25, 25, 10)}, [{**counted("distance", 28, 28, 4)}],
         "16.67%", OF_DISTANCE, also=("InputDrift",)),
    # Rare and never met lie in one bin, and are told apart.
    Case("UnseenCategories", {UNSEEN: growing(8)},
         [{UNSEEN: growing(3)}, {**counted("carrier", 34, 22, 4, 0)}, {UNSEEN: None}], "12.05%",
         {"version": "1", "input": "carrier"}),
    Case("PerformanceLow", {PERFORMANCE: steady(0.62)},
         [{PERFORMANCE: steady(0.63)}, {PERFORMANCE: steady(0.5), JUDGED: steady(499)},
          {'performance{job="flights-watch",metric="roc_auc",column="carrier",value="AA"}':
           steady(0.1)}], "0.620", {"metric": "roc_auc"}, job="flights-watch"),
    Case("ValueLow", {VALUE: steady(-2)}, [{VALUE: steady(2)},
         {VALUE: steady(-2), JUDGED: steady(499)}], "-2.00", job="flights-watch"),
    # As the gate: it has to be more, and no more than doing nothing is not.
    Case("ValueLow", {VALUE: steady(0)}, [{VALUE: steady(0.5)}], "+0.00", job="flights-watch"),
    Case("WatchStopped", {LOOKED: "0+60x20"}, [{LOOKED: None}, {LOOKED: "0+60x100"}],
         "2h 40m 0s", job="flights-watch"),
    Case("RetrainingFailed", {FAILURES: f"0x20 1x{END}"}, [{}], "1", {"outcome": "failed"},
         job="flights-watch"),
    # A sixth of all requests fails: 33 times what is allowed. It is a ticket, too, but inhibited.
    Case("RequestsFail", {FAILED: growing(12)}, [{FAILED: growing(0.2)}], "33.3", OF_BURN,
         ("page", "ticket")),
    # That was, but it is over: nobody gets up for it.
    Case("RequestsFail", {FAILED: f"0+12x60 720x{END}"}, [{}], "12.5", OF_BURN),
    # Four times, and a little more than is allowed.
    Case("RequestsFail", {FAILED: growing(1.2)}, [{}], "3.9", OF_BURN),
    Case("RequestsFail", {FAILED: growing(0.36)}, [{}], "1.2", OF_BURN),
    # All of a few fail.
    Case("RequestsFail", {ANSWERED: None, REFUSED: None, FAILED: growing(0.1)},
         [{ANSWERED: None, FAILED: growing(0.02)}], "200.0", OF_BURN, ("page", "ticket")),
    Case("RequestsSlow", {SLOW: growing(12)}, [{SLOW: growing(0.5)}], "20.0",
         {"objective": "latency"}, ("page", "ticket")),
    Case("RequestsSlow", {SLOW: growing(2)}, [{}], "3.3", {"objective": "latency"}),
]  # fmt: skip
