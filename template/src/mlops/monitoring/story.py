"""What `monitor watch` saw and did, step by step: lines of reports/story.jsonl, kept in git."""

import json
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from ..core.errors import UserError
from ..core.paths import REPORTS

STORY = REPORTS / "story.jsonl"
Kind = Literal[
    "looked",
    "waited",
    "began",
    "grew",
    "trained",
    "refused",
    "followed",
    "promoted",
    "compared",
    "kept",
    "rolled back",
    "failed",
]


class Step(NamedTuple):
    """`told` is a sentence for people, `facts` are figures for machines."""

    when: str
    kind: Kind
    told: str
    facts: dict[str, Any]

    def line(self) -> str:
        return f"{self.when[:16].replace('T', ' ')}  {self.kind:<12}{self.told}"


def tell(kind: Kind, told: str, **facts: Any) -> Step:
    """Write a step down, and print it."""
    step = Step(datetime.now(UTC).isoformat(timespec="seconds"), kind, told, facts)
    STORY.parent.mkdir(exist_ok=True)
    with STORY.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(step._asdict(), ensure_ascii=False) + "\n")
    print(step.line(), flush=True)
    return step


def steps() -> list[Step]:
    """All that was written, oldest first. Raises UserError naming a line that cannot be read."""
    if not STORY.exists():
        return []
    found = []
    for number, line in enumerate(STORY.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found.append(Step(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{STORY}: line {number} is not one step; take what is wrong out of it."
            ) from error
    return found


def last(kind: Kind) -> datetime | None:
    """When a step of this kind was taken last."""
    times = [step.when for step in steps() if step.kind == kind]
    return datetime.fromisoformat(times[-1]) if times else None
