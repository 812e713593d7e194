"""What the retraining loop saw and did, step by step: lines of reports/story.jsonl, kept in git."""

import json
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from ..core.errors import UserError
from ..core.paths import REPORTS

STORY = REPORTS / "story.jsonl"
Outcome = Literal["promoted", "refused", "rolled_back", "kept", "proposed"]
Kind = Literal[
    "looked",
    "waited",
    "asked",
    "accepted",
    "began",
    "grew",
    "trained",
    "refused",
    "followed",
    "promoted",
    "compared",
    "kept",
    "proposed",
    "rolled back",
    "failed",
]


class Step(NamedTuple):
    """`told` is a sentence for people, `facts` are figures for machines."""

    when: str
    kind: Kind
    told: str
    facts: dict[str, Any]

    def format_line(self) -> str:
        """Return the step as people read it: when, kind and sentence."""
        return f"{self.when[:16].replace('T', ' ')}  {self.kind:<12}{self.told}"


def record_step(kind: Kind, sentence: str, **facts: Any) -> Step:
    """Write a step down, print it, and return it."""
    step = Step(datetime.now(UTC).isoformat(timespec="seconds"), kind, sentence, facts)
    STORY.parent.mkdir(exist_ok=True)
    with STORY.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(step._asdict(), ensure_ascii=False) + "\n")
    print(step.format_line(), flush=True)
    return step


def read_steps() -> list[Step]:
    """Return all steps, oldest first. Raises UserError naming a line that cannot be read."""
    if not STORY.exists():
        return []
    steps = []
    for number, line in enumerate(STORY.read_text(encoding="utf-8").splitlines(), 1):
        try:
            steps.append(Step(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{STORY}: line {number} is not one step; correct it or remove it."
            ) from error
    return steps


def accept(reason: str) -> None:
    """Write down that what came in is right, and why. Raises UserError if no reason is given."""
    words = " ".join(reason.split())
    if not words:
        raise UserError("--because is empty: say how you know that what came in is right.")
    record_step("accepted", f"what came in is right: {words}")


def time_of_last(kind: Kind) -> datetime | None:
    """Return when a step of this kind was taken last; None: never."""
    times = [step.when for step in read_steps() if step.kind == kind]
    return datetime.fromisoformat(times[-1]) if times else None
