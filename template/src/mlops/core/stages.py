"""How a stage of dvc.yaml is run."""

import os
from pathlib import Path
from typing import Any

from .errors import BlockedError, UserError
from .libraries import describe_failed_import
from .optional_parts import has_part, load_module
from .pipeline import PIPELINE, STAGES
from .resources import measure_stage
from .strict_model import read_yaml
from .team import list_loaded_team_files, shorten_path, team_code


def run_stage(name: str) -> None:
    """Run one stage and write down what it took.

    Where a gate stops the pipeline, the page still tells why. Raises BlockedError, and UserError
    for an unknown stage.
    """
    names = [stage for stage, path in STAGES.items() if has_part(path.partition(".")[0])]
    if name not in names:
        raise UserError(f"there is no stage {name!r}; there are {', '.join(names)}.")
    # A process for each processor, each with one thread. Said before scikit-learn asks the system
    # how many processors it has, which in some containers ends in a warning.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        with measure_stage(name), team_code():
            load_stage(name).run()
            refuse_unlisted_files(name)
    except BlockedError:
        if name != "release":
            load_stage("report").run()
        raise


def refuse_unlisted_files(name: str) -> None:
    """Check that dvc.yaml lists for the stage each file of the team's that it ran.

    DVC would never notice a change of another one. Raises UserError if there is one.
    """
    stages = read_yaml(str(PIPELINE))["stages"] if PIPELINE.exists() else {}
    if name not in stages:
        return
    listed = {Path(dep).resolve() for dep in stages[name].get("deps", ())}
    for file in list_loaded_team_files():
        if not listed & {file, *file.parents}:
            raise UserError(
                f"Stage {name} runs {shorten_path(file)}, but {PIPELINE} does not list it: add "
                f"it to the deps of {name}, so that a change of it is noticed."
            )


def load_stage(name: str) -> Any:
    """Import the module of a stage.

    Raises UserError if a library that it, or the team's file, imports cannot be loaded.
    """
    try:
        return load_module(STAGES[name])
    except (ImportError, OSError) as error:
        raise UserError(f"Stage {name} cannot start: {describe_failed_import(error)}.") from error
