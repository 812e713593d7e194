import pytest
from mlops.core.formatting import MINUS
from mlops.pages.charts import Scale, format_short
from mlops.pages.environment import html


@pytest.fixture(scope="module")
def drawn():
    """The drawings as functions."""
    return html().get_template("drawings.html").module


def test_a_scale_places_values_and_keeps_them_inside():
    scale = Scale.over([2.0, None, 4.0])
    assert [scale.at(value) for value in (2.0, 3.0, 4.0, 9.0)] == [0.0, 50.0, 100.0, 100.0]
    assert scale.at(3.5, 200.0, 100.0) == 125.0


@pytest.mark.parametrize("values", [[], [None], [0.7], [0.7, 0.7]])
def test_a_scale_of_one_value_or_none_has_part(values):
    scale = Scale.over(values)
    assert scale.low < scale.high


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]),
        (0.66, 0.73, [0.66, 0.68, 0.7, 0.72]),
        (-500.0, 1500.0, [-500.0, 0.0, 500.0, 1000.0, 1500.0]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert Scale(low, high).ticks() == pytest.approx(expected)


def test_axes_are_labelled_shortly():
    texts = [format_short(value) for value in (0.25, -1500, 2e7, 3e9)]
    assert texts == ["0.25", f"{MINUS}1.5k", "20M", "3B"]


def test_bars_of_losses_go_left_of_zero(drawn):
    scale = Scale(-50.0, 50.0)
    assert "left:50.0%;width:25.0%" in drawn.bar(scale, 25.0)
    assert "left:25.0%;width:25.0%" in drawn.bar(scale, -25.0)
    assert "<i" not in drawn.bar(scale, None)


def test_a_dot_lies_on_its_interval_and_beside_the_whole(drawn):
    drawing = drawn.dot(Scale(0.0, 1.0), 0.5, 0.4, 0.7, kind="bad", whole=0.6)
    assert 'class="range bad" style="left:40.0%;width:30.0%"' in drawing
    assert 'class="dot bad" style="left:50.0%"' in drawing
    assert 'class="whole" style="left:60.0%"' in drawing
    assert "dot" not in drawn.dot(Scale(0.0, 1.0), None)
    assert "range" not in drawn.dot(Scale(0.0, 1.0), 0.5)


def test_a_failed_trial_does_not_flatten_the_others(drawn):
    scores = [0.70, 0.71, 0.72, 0.73, 0.74, -1e9]
    drawing = drawn.climb([{"candidate": "<b>", "score": score} for score in scores])
    assert "the best went from 0.700 to 0.740" in drawing
    assert "<b>" not in drawing
    assert drawing.count("<circle") == 6
    assert "0.72</text>" in drawing
