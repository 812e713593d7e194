"""Who follows the champion.

`champion` is the version in use, `best` the best so far. A newcomer takes over only if neither is
better beyond chance (gate `champion`), and if it is better than the champion, or equal and made
from newer data. The best so far gives way only to what is better beyond chance. So losses that are
each too small to tell do not add up: the champion's true quality stays within the width of the
interval of the best that was ever trained (test_succession.py plays it). What cannot be compared
waits for a person, whose reason is kept.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from ..core.formatting import listed
from .versions import Version

if TYPE_CHECKING:
    from ..evaluation.evaluation_report import ChampionDifference, Evaluation

# Tags of a version: how it stood, beside which champion, whether it was the best so far, and the
# sentence of why.
VERDICT, BESIDE, LEADS, WHY = "verdict", "beside", "leads", "why"
FIRST, BETTER, NEWER, EQUAL, UNKNOWN, BLOCKED = (
    *("first", "better", "newer", "equal", "not compared", "blocked"),
)


class Succession(NamedTuple):
    """How a newcomer stands, by `verdict` and in words; whether it becomes the champion, and
    whether it leads all before it.
    """

    verdict: str
    crowned: bool
    leads: bool
    why: str


def decide_succession(
    evaluation: "Evaluation",
    champion: int | None,
    best: int | None,
    *,
    blocked: Iterable[str] = (),
    is_newer: bool,
) -> Succession:
    """Decide whether a newcomer becomes the champion.

    `evaluation` compares it, and must have done so with the present `champion` and `best`, which
    are versions; `blocked` are the gates that it failed, `is_newer` whether its data is newer.
    """
    if blocked:
        return Succession(BLOCKED, False, False, f"blocked by {listed(blocked)}")
    if champion is None:
        return Succession(FIRST, True, True, "the first")
    beside, top = evaluation["champion"], evaluation["best"]
    if why := explain_no_comparison(evaluation, champion, best):
        return Succession(UNKNOWN, False, False, f"not compared: {why}")
    value_counts = not evaluation["value"]["drafted"]
    leads = is_better(top, value_counts)
    who = f"the champion, version {champion}"
    if is_better(beside, value_counts):
        return Succession(BETTER, True, leads, f"better than {who}")
    if is_newer:
        why = f"equal to {who}, within what chance explains, and made from newer data"
        return Succession(NEWER, True, leads, why)
    why = f"no better than {who}, beyond chance, and made from no newer data"
    return Succession(EQUAL, False, leads, why)


def explain_no_comparison(evaluation: "Evaluation", champion: int, best: int | None) -> str:
    """Explain why the evaluation says nothing of the present champion and best; "" if it does."""
    beside, top = evaluation["champion"], evaluation["best"]
    if evaluation["champion_note"]:
        return evaluation["champion_note"]
    now = [difference["version"] if difference else None for difference in (beside, top)]
    if now != [champion, best]:
        return (
            f"it was evaluated beside version {listed(map(str, dict.fromkeys(now)))}, before "
            f"version {champion} was the champion and version {best} the best so far"
        )
    measured = [beside["high"], top["high"]] if beside and top else [None]
    return "the test rows can tell no difference" if None in measured else ""


def is_better(difference: "ChampionDifference | None", value_counts: bool) -> bool:
    """Tell whether a newcomer is better beyond chance, by metric or, where it counts, by value."""
    if difference is None:
        return False
    lows = [difference["low"], difference["gain"]["low"] if value_counts else None]
    return any(low is not None and low > 0 for low in lows)


def is_newer(ours: Version, theirs: Version | None) -> bool:
    """Tell whether a version was made from data that changed after that of the other one."""
    if theirs is None:
        return True
    changed = [
        json.loads(version.tags.get("lineage", "{}")).get("data_changed") or ""
        for version in (ours, theirs)
    ]
    return bool(changed[0] > changed[1])
