"""The model in use, which is not always the newest: a gate may have refused that one, or somebody
taken it back.
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from ..core.paths import EVALUATION, REGISTRATION, read_json
from ..core.team import read_package_name
from .tracking import connect, is_new
from .versions import CHAMPION, find_champion

if TYPE_CHECKING:
    from ..evaluation.evaluation_report import Evaluation


def find_champion_override() -> dict[str, str]:
    """Find {model_uri: the champion} for the service; {} if its own choice is right.

    It is wrong where the pipeline's newest model is not the champion, and nobody said in MODEL_URI
    what is to answer.
    """
    if "MODEL_URI" in os.environ or not REGISTRATION.exists() or is_new():
        return {}
    with connect() as client:
        version = find_champion(client)
    if version is None or version.number == read_json(REGISTRATION)["version"]:
        return {}
    return {"model_uri": f"models:/{read_package_name()}@{CHAMPION}"}


def read_evaluation_in_use() -> "tuple[Evaluation, bool]":
    """Read the champion's evaluation, and return True with it; where the registry knows no champion
    that of the newest model, and False. Raises UserError if no model was evaluated.
    """
    if not is_new():
        with connect() as client, TemporaryDirectory() as scratch:
            if version := find_champion(client):
                name = EVALUATION.as_posix()
                copy = Path(client.download_artifacts(version.run, name, scratch))
                return cast("Evaluation", read_json(copy)), True
    return cast("Evaluation", read_json(EVALUATION)), False
