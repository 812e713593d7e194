"""Who follows the champion, played many times over with qualities that are known."""

import numpy as np
import pytest
from mlops.core.params import GateParams
from mlops.evaluation.model_gates import judge_champion
from mlops.registry.succession import decide_succession

HALF = 0.01  # of the interval of a difference, whose error therefore is HALF / 1.96
MARGIN = 2 * HALF  # as succession.py states it: the width of that interval
# Two hundred sequences alone err by some 1.2 points, beside a share of about 3 in 100: one seed of
# many would pass or fail by luck. Five times as many tell the rule from its luck.
SEQUENCES, TRAININGS = 5 * 200, 20


def compare(version, difference):
    """What evaluation.json says of two models that are worth the same."""
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    bounds = {"difference": difference, "low": difference - HALF, "high": difference + HALF}
    return {"version": version, **bounds, "gain": nothing}


def evaluation(champion, best, note=None):
    value = {"drafted": False, "unit": "EUR"}
    return {"champion": champion, "best": best, "champion_note": note, "value": value}


def play(rule, random, change):
    """Train again and again, on newer data each time; return how far the champion ends below the
    best that was trained. `change` draws a true quality from that of the champion.
    """
    quality, champion, best = [0.0], 0, 0

    def measure(rival):
        error = random.normal(0, HALF / 1.96)
        return compare(rival, quality[-1] - quality[rival] + error)

    for _ in range(TRAININGS):
        quality.append(change(random, quality[champion]))
        beside = measure(champion)
        top = beside if best == champion else measure(best)
        crowned, leads = rule(evaluation(beside, top), champion, best)
        champion = len(quality) - 1 if crowned else champion
        best = len(quality) - 1 if crowned and leads else best
    return max(quality) - quality[champion]


def ours(evaluated, champion, best):
    gate = judge_champion(evaluated, GateParams())
    blocked = [] if gate.passed else ["champion"]
    found = decide_succession(evaluated, champion, best, blocked=blocked, is_newer=True)
    return found.crowned, found.leads


def without_best(evaluated, champion, _):
    """The rule before there was a ledger: no worse than the champion, beyond chance."""
    return ours(evaluated | {"best": evaluated["champion"]}, champion, champion)


CHANGES = {
    "small losses": lambda random, now: now + random.normal(-0.3 * HALF, 0.5 * HALF),
    "large steps": lambda random, now: now + random.normal(-0.3 * HALF, HALF),
    "as it comes": lambda random, now: random.normal(0, HALF),
}


def share_too_low(rule, change):
    """Of the sequences, in how many the champion ends more than MARGIN below the best."""
    random = np.random.default_rng(7)
    gaps = [play(rule, random, CHANGES[change]) for _ in range(SEQUENCES)]
    return np.mean(np.array(gaps) > MARGIN)


@pytest.mark.parametrize("change", CHANGES)
def test_losses_too_small_to_tell_do_not_add_up(change):
    assert share_too_low(ours, change) <= 0.05


@pytest.mark.parametrize("change", CHANGES)
def test_without_the_best_so_far_they_would(change):
    assert share_too_low(without_best, change) > 0.05


@pytest.mark.parametrize(
    ("champion", "best", "newer", "verdict", "crowned", "leads"),
    [
        (0.02, 0.02, False, "better", True, True),
        (0.02, 0.0, False, "better", True, False),
        (0.0, 0.0, True, "newer", True, False),
        (0.0, 0.0, False, "equal", False, False),
    ],
)
def test_what_takes_over_is_better_or_equal_and_newer(
    champion, best, *, newer, verdict, crowned, leads
):
    found = decide_succession(
        evaluation(compare(3, champion), compare(2, best)), 3, 2, is_newer=newer
    )
    assert found[:3] == (verdict, crowned, leads)


def test_the_first_takes_over_unless_a_gate_blocks_it():
    nobody = evaluation(None, None, "there is no champion yet")
    assert decide_succession(nobody, None, None, is_newer=True)[:3] == ("first", True, True)
    blocked = decide_succession(nobody, None, None, blocked=["value"], is_newer=True)
    assert blocked == ("blocked", False, False, "blocked by value")


def test_value_that_nobody_has_agreed_to_makes_no_model_better():
    richer = compare(3, 0.0) | {"gain": {"value": 2.0, "low": 1.0, "high": 3.0}}
    told = evaluation(richer, richer)
    assert decide_succession(told, 3, 3, is_newer=False).verdict == "better"
    told["value"]["drafted"] = True
    assert decide_succession(told, 3, 3, is_newer=False).verdict == "equal"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (evaluation(None, None, "it reads z"), "it reads z"),
        (evaluation(compare(3, 0.5), None, "the best is gone"), "the best is gone"),
        (evaluation(compare(1, 0.5), compare(2, 0.5)), "beside version 1 and 2, before version 3"),
        (evaluation(compare(3, 0.5), compare(1, 0.5)), "version 2 the best so far"),
        (
            evaluation(compare(3, 0.5) | {"high": None}, compare(2, 0.5)),
            "the test rows can tell no difference",
        ),
    ],
)
def test_what_was_not_compared_with_both_takes_over_from_nobody(told, why):
    found = decide_succession(told, 3, 2, is_newer=True)
    assert found[:3] == ("not compared", False, False)
    assert why in found.why
