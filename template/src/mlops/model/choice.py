"""What the search has chosen: models/choice.json, which stage train writes and others read."""

from typing import TypedDict, cast

from ..core.paths import CHOICE, read_json


class CandidateScore(TypedDict):
    """How a candidate did: its best score, and what all of its trials took, in seconds."""

    name: str
    score: float
    seconds: float
    trials: int


class Choice(TypedDict):
    """The plan that was chosen, and what it was chosen from.

    `keep` is the share of the features; `threshold` is None but for a yes/no target; `score` is of
    `metric`, on rows that it did not learn from; `trials` counts those of all `candidates`;
    `left_out` says of each other candidate why it could not be tried.
    """

    candidate: str
    parameters: dict[str, float]
    keep: float
    inputs: list[str]
    threshold: float | None
    metric: str
    score: float | None
    trials: int
    candidates: list[CandidateScore]
    left_out: list[str]


def read_choice() -> Choice:
    """Read the choice. Raises UserError if stage train has not made one."""
    return cast(Choice, read_json(CHOICE))
