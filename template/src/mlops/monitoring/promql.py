"""PromQL of this project: who else is watched by the same Prometheus has other jobs."""

from ..core.team import package_name

WORK = "~/predict|/feedback"
CHAMPION = "champion"
SCORE = "(score)"
OTHER, MISSING = "__other__", "__missing__"


def watching() -> str:
    """The job of `monitor watch`, beside that of the service."""
    return f"{package_name()}-watch"


def series(name: str, job: str | None = None, **labels: str) -> str:
    """A metric of the service, or a recorded one; a value after ~ is a regular expression.

    >>> series("requests_total", job="a", path="~/predict|/feedback")
    'requests_total{job="a",path=~"/predict|/feedback"}'
    """
    matchers = [f'job="{job or package_name()}"']
    for label, value in labels.items():
        how = "=~" if value.startswith("~") else "!=" if value.startswith("!") else "="
        matchers.append(f'{label}{how}"{value.lstrip("~!")}"')
    return f"{name}{{{','.join(matchers)}}}"


def watch(name: str, **labels: str) -> str:
    """A metric of `monitor watch`."""
    return series(name, watching(), **labels)


def total(metric: str, window: str, by: str = "", how: str = "rate") -> str:
    """Of all instances and labels but those named: how much a counter grew in a window."""
    return f"sum{f' by ({by}) ' if by else ''}({how}({metric}[{window}]))"


def of_champion(metric: str) -> str:
    """What is told of each version, of the one that answers only."""
    champion = series("model_info", role=CHAMPION)
    return f"max by (version) ({metric}) and on (version) {champion}"
