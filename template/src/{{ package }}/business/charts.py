"""Drawings for the page: tables with bars and dots in them, and two small SVG charts.

Colours are CSS classes of the page, so a drawing follows light, dark and print. Whatever a drawing
shows stands in the page as text too. All text is escaped on its way in.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ..words import count, score, short

# Of an SVG, in its own units: the whole, and the area between the axes.
WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 348, 12, 208


@dataclass(frozen=True)
class Table:
    """`kinds` has a letter for each column: t text, n number, d drawing."""

    caption: str
    heads: tuple[str, ...]
    kinds: str
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Scale:
    """From a value to its place in percent, between `low` and `high`."""

    low: float
    high: float

    @classmethod
    def over(
        cls, values: Iterable[float | None], zero: bool = False, margin: float = 0.0
    ) -> "Scale":
        """Holds all values that are known (and zero), and a margin, a share of their span."""
        known = [value for value in values if value is not None]
        known += [0.0] if zero or not known else []
        low, high = min(known), max(known)
        room = (high - low) * margin if high > low else 0.5
        return cls(low - room, high + room)

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def ticks(self) -> list[float]:
        """About four round values between the ends."""
        rough = (self.high - self.low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = min((1, 2, 2.5, 5, 10), key=lambda nice: abs(nice * power - rough)) * power
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [round(place * step, 12) for place in range(first, last + 1)]


def draw(shape: str, *values: object) -> Markup:
    # The shapes are literals of this project; format() escapes the values.
    return Markup(shape).format(*values)  # noqa: S704


def bar(scale: Scale, value: float | None, kind: str = "") -> Markup:
    """A bar from zero to the value, in a cell of a table."""
    return track(stretch("bar", scale, 0.0, value, kind) if value is not None else Markup(""))


def dot(
    scale: Scale,
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    kind: str = "",
    whole: float | None = None,
) -> Markup:
    """A dot at the value, on the line of its interval, in a cell of a table.

    `whole`: where a fine line stands across, to compare with.
    """
    across = '<i class="whole" style="left:{}%"></i>'
    behind = draw(across, scale.at(whole)) if whole is not None else Markup("")
    if value is None:
        return track(behind)
    known = low is not None and high is not None
    line = stretch("range", scale, low or 0.0, high or 0.0, kind) if known else Markup("")
    return track(
        behind + line + draw('<i class="dot {}" style="left:{}%"></i>', kind, scale.at(value))
    )


def stretch(shape: str, scale: Scale, one: float, other: float, kind: str) -> Markup:
    start, end = sorted((scale.at(one), scale.at(other)))
    place = f"left:{start:g}%;width:{end - start:.4g}%"
    return draw('<i class="{} {}" style="{}"></i>', shape, kind, place)


def track(content: Markup) -> Markup:
    return draw('<span class="track" aria-hidden="true">{}</span>', content)


@dataclass(frozen=True)
class Plane:
    """The area between the axes of an SVG."""

    across: Scale
    up: Scale

    def x(self, value: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * self.across.at(value) / 100, 1)

    def y(self, value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * self.up.at(value) / 100, 1)

    def axes(self, across: str, up: str) -> Markup:
        """Both axes with ticks and names, and lines to read heights by."""
        grid, below = (
            '<path class="grid" d="M{} {}H{}"/>',
            '<text class="mid" x="{}" y="{}">{}</text>',
        )
        beside = '<text class="end" x="{}" y="{}">{}</text>'
        turned = '<text class="mid" transform="translate(9 {}) rotate(-90)">{}</text>'
        heights = [(self.y(value), short(value)) for value in self.up.ticks()]
        widths = [(self.x(value), short(value)) for value in self.across.ticks()]
        return Markup("").join(
            [
                *(draw(grid, LEFT, height, RIGHT) for height, _ in heights),
                *(draw(beside, LEFT - 6, height + 4, text) for height, text in heights),
                *(draw(below, place, BOTTOM + 16, text) for place, text in widths),
                draw('<path class="axis" d="M{} {}H{}"/>', LEFT, BOTTOM, RIGHT),
                draw(below, (LEFT + RIGHT) / 2, HEIGHT - 6, across),
                draw(turned, (TOP + BOTTOM) / 2, up),
            ]
        )


def svg(name: str, title: str, description: str, *content: Markup) -> Markup:
    return draw(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}</svg>',
        *(WIDTH, HEIGHT, name, name, name, title, name, description, Markup("").join(content)),
    )


def calibration(bins: Sequence[dict[str, Any]], shares: bool) -> Markup:
    """Observed over predicted: on the diagonal, scores mean what they say.

    `shares`: both are probabilities, and the axes go from 0 to 1.
    """
    pairs = [(entry["predicted"], entry["observed"]) for entry in bins]
    values = [value for pair in pairs for value in pair]
    scale = Scale(0.0, 1.0) if shares else Scale.over(values, margin=0.05)
    plane = Plane(scale, scale)
    places = [(plane.x(predicted), plane.y(observed)) for predicted, observed in pairs]
    told = [f"predicted {score(one)}, observed {score(other)}" for one, other in pairs]
    return svg(
        "calibration",
        "What was observed for what was predicted",
        "; ".join(told),
        plane.axes("predicted", "observed"),
        draw('<path class="ideal" d="M{} {}L{} {}"/>', LEFT, BOTTOM, RIGHT, TOP),
        draw('<path class="line" d="M{}"/>', " ".join(f"{x} {y}" for x, y in places)),
        *(draw('<circle class="point" cx="{}" cy="{}" r="4.5"/>', x, y) for x, y in places),
    )


def climb(trials: Sequence[dict[str, Any]]) -> Markup:
    """Each trial's score as a dot, the best so far as a line.

    The worst fifth may fall to the floor: one failed trial must not press the others into a line.
    """
    scores = [trial["score"] for trial in trials]
    floor = sorted(scores)[len(scores) // 5]
    up = Scale.over([max(value, floor) for value in scores], margin=0.1)
    plane = Plane(Scale(0.0, len(scores) + 1.0), up)
    best = [max(scores[: place + 1]) for place in range(len(scores))]
    steps = "".join(f"H{plane.x(place)}V{plane.y(value)}" for place, value in enumerate(best, 1))
    dots = '<circle class="faint" cx="{}" cy="{}" r="3"><title>{}</title></circle>'
    return svg(
        "climb",
        "Score of each trial, and the best so far",
        f"{count(len(scores), 'trial')}; the best went from {score(best[0])} to {score(best[-1])}",
        plane.axes("trial", "score"),
        *(
            draw(
                dots,
                plane.x(place),
                plane.y(value),
                f"{place}: {trial['candidate']} {score(value)}",
            )
            for place, (value, trial) in enumerate(zip(scores, trials, strict=True), 1)
        ),
        draw('<path class="line" d="M{} {}{}"/>', plane.x(1), plane.y(best[0]), steps),
    )
