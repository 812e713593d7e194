"""The model in use, which is not always the newest: a gate may have refused that one, or somebody
taken it back.
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..core.paths import EVALUATION, read_json
from ..core.team import package_name
from .registry import REGISTRATION
from .tracking import connected, is_new
from .versions import CHAMPION, in_use

Report = dict[str, Any]


def in_its_place() -> dict[str, str]:
    """{model_uri: the champion}, where the pipeline's newest model is not it and nobody said in
    MODEL_URI what is to answer; else {}.
    """
    if "MODEL_URI" in os.environ or not REGISTRATION.exists() or is_new():
        return {}
    with connected() as client:
        version = in_use(client)
    if version is None or version.number == read_json(REGISTRATION)["version"]:
        return {}
    return {"model_uri": f"models:/{package_name()}@{CHAMPION}"}


def promised() -> tuple[Report, bool]:
    """The champion's evaluation, and True; where the registry knows no champion, that of the newest
    model, and False. Raises UserError if no model was evaluated.
    """
    if not is_new():
        with connected() as client, TemporaryDirectory() as scratch:
            if version := in_use(client):
                name = EVALUATION.as_posix()
                return read_json(Path(client.download_artifacts(version.run, name, scratch))), True
    return read_json(EVALUATION), False
