"""dvc.lock against dvc.yaml, the code, the settings and the data; and what DVC leaves in it.

DVC drops no stage from dvc.lock, and skips a stage whose list of dependencies only grew shorter:
what an answer takes out of dvc.yaml would stay in dvc.lock for ever.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.errors import UserError
from ..core.paths import GATE_REPORT, read_json
from ..core.pipeline import STAGES
from ..core.strict_model import read_yaml

LOCK = Path("dvc.lock")
RELEASE = list(STAGES)[-1]  # fails while a gate blocks, so that DVC does not record it


def check_lock() -> list[str]:
    """Check that dvc.lock was made from the pipeline, code, settings and data that are here.

    What the stages made is not looked at, only whether each had read what the one before it wrote,
    so this can be said on a machine that has none of it. A gate that blocks is no reason to run the
    pipeline again. Raises UserError naming what changed.
    """
    if not LOCK.exists():
        return ["the pipeline has not run yet: there is no dvc.lock"]
    stages, locked = read_stages()
    left_over = find_left_over(stages, locked)
    if left_over:
        raise UserError(
            f"dvc.lock is behind: {next(iter(left_over.values()))}, and DVC does not take that "
            "out. Run 'uv run mlops project lock --tidy', then 'uv run dvc repro', and commit "
            "dvc.lock."
        )
    blocking = list_blocking_gates()
    waiting = {RELEASE} if blocking else set()
    made = {out.def_path: out.hash_info for stage in stages for out in stage.outs}
    behind = [
        line for stage in stages if stage.name not in waiting for line in list_changes(stage, made)
    ]
    if behind:
        raise UserError(
            f"dvc.lock is behind: {behind[0]}. Run 'uv run dvc repro' and commit what it made."
        )
    done = ["dvc.lock is in step with the code, the settings and the data"]
    if blocking:
        names = ", ".join(blocking)
        done.append(f"stage {RELEASE} fails until these gates pass: {names}; see {GATE_REPORT}")
    return done


def tidy_lock() -> list[str]:
    """Take out of dvc.lock what dvc.yaml does not have any more; returns the lines to print.

    A stage that reads or writes less than before is taken out as a whole: DVC runs it again.
    """
    if not LOCK.exists():
        return ["the pipeline has not run yet: there is no dvc.lock"]
    from dvc.utils.serialize import modify_yaml  # noqa: PLC0415  (half a second)

    left_over = find_left_over(*read_stages())
    if not left_over:
        return ["nothing to do: dvc.lock holds nothing that dvc.yaml does not have"]
    with modify_yaml(str(LOCK)) as lock:
        for name in left_over:
            del lock["stages"][name]
    return [
        *(f"took {name} out of dvc.lock: {reason}" for name, reason in left_over.items()),
        "next: run 'uv run dvc repro' and commit dvc.lock",
    ]


def read_stages() -> tuple[list[Any], dict[str, Any]]:
    """Read the stages of dvc.yaml, and by name what dvc.lock says of stages."""
    from dvc.repo import Repo  # noqa: PLC0415  (half a second)

    for file in ("dvc.yaml", "params.yaml"):  # of which DVC tells in a traceback
        read_yaml(file)
    locked = read_yaml(str(LOCK)) or {}
    with Repo() as repo:
        return list(repo.index.stages), locked.get("stages") or {}


def find_left_over(stages: list[Any], locked: dict[str, Any]) -> dict[str, str]:
    """Find the stages that dvc.lock should not hold, or not so; by name, why."""
    left_over = {}
    known = {stage.name: stage for stage in stages}
    for name, entry in locked.items():
        if name not in known:
            left_over[name] = f"dvc.yaml has no stage {name}"
            continue
        stage = known[name]
        for kind in ("deps", "outs"):
            paths = {item["path"] for item in entry.get(kind, [])}
            gone = sorted(paths - {item.def_path for item in getattr(stage, kind)})
            if gone:
                does = "reads" if kind == "deps" else "writes"
                left_over[name] = f"by dvc.yaml, stage {name} no longer {does} {gone[0]}"
    return left_over


def list_blocking_gates() -> list[str]:
    """List the gates that refuse the model, as the stage `gate` has reported."""
    if not GATE_REPORT.exists():
        return []
    return [gate["name"] for gate in read_json(GATE_REPORT)["gates"] if not gate["passed"]]


def list_changes(stage: Any, made: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each thing that a stage of DVC reads, or does, and that is not as
    dvc.lock says; `made` has the hash of each output of the pipeline, by its path.
    """
    if stage.cmd_changed:
        yield f"the command of stage {stage.name} has changed"
    for needed in stage.deps:
        name = needed.def_path
        if name in made:
            if made[name] != needed.hash_info:
                yield f"{name} was made again, and stage {stage.name} did not run after that"
        elif not any(name.startswith(f"{folder}/") for folder in made):
            for change in needed.status().values():
                keys = f" ({', '.join(change)})" if isinstance(change, dict) else ""
                yield f"{name}{keys} has changed since stage {stage.name} ran"
