"""The log of trials: what came of each plan, for a search that goes on after a kill.

It lies in a file of this machine; or, where OPTUNA_STORAGE is the address of a database, in an
Optuna study that several machines and Optuna's dashboard can read. Neither proposes a plan: that
depends on the order alone in which the search asks (search.py), so both give the same trials.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, takewhile
from pathlib import Path
from typing import Protocol, TypedDict
from urllib.parse import unquote, urlsplit

import optuna
from optuna.trial import FrozenTrial
from sqlalchemy.exc import SQLAlchemyError

from ..core.errors import UserError
from ..core.paths import write_text

STORAGE = "OPTUNA_STORAGE"


class TrialResult(TypedDict):
    """What came of a trial; `score` is None if it could not be scored, as `fault` says."""

    score: float | None
    seconds: float
    fault: str


class TrialLog(Protocol):
    """`known` are the results of the trials so far, in their order."""

    known: list[TrialResult]

    def add(self, trial: FrozenTrial, result: TrialResult) -> None:
        """Write down what came of the next trial."""


def open_trial_log(file: Path) -> TrialLog:
    """Open the log of the search that the file is named after. Raises UserError without its
    database.
    """
    address = os.environ.get(STORAGE)
    return SharedTrialLog(address, file.stem) if address else LocalTrialLog(file)


class LocalTrialLog:
    """A line of JSON for each trial; one that a kill cut off is dropped."""

    def __init__(self, log: Path) -> None:
        *whole, _ = log.read_text(encoding="utf-8").split("\n") if log.exists() else [""]
        write_text(log, "".join(f"{line}\n" for line in whole))
        self.known: list[TrialResult] = [json.loads(line) for line in whole]
        self._log = log

    def add(self, trial: FrozenTrial, result: TrialResult) -> None:
        """Write down what came of the next trial."""
        with self._log.open("a", encoding="utf-8") as lines:
            print(json.dumps(result), file=lines)


class SharedTrialLog:
    """An Optuna study of this name. Of two searches at once each adds its trials, which are the
    same: what counts of a trial is what was written first.
    """

    def __init__(self, address: str, name: str) -> None:
        self._address = address
        with self._database():
            self._study = optuna.create_study(
                study_name=name, storage=address, direction="maximize", load_if_exists=True
            )
            trials = self._study.trials[::-1]
        results: dict[int, TrialResult] = {
            trial.user_attrs["place"]: trial.user_attrs["facts"] for trial in trials
        }
        self.known = [results[place] for place in takewhile(results.__contains__, count())]

    def add(self, trial: FrozenTrial, result: TrialResult) -> None:
        """Write down what came of the next trial, unless another search did so before."""
        trial.user_attrs = {"place": trial.number, "facts": result}
        with self._database():
            self._study.add_trial(trial)

    @contextmanager
    def _database(self) -> Iterator[None]:
        """Raise UserError with what the database cannot do, without the password."""
        try:
            yield
        except (SQLAlchemyError, optuna.exceptions.OptunaError, ImportError, ValueError) as error:
            reason = " ".join(str(error.__cause__ or error).split())[:300]
            password = urlsplit(self._address).password or ""
            for secret in filter(None, (self._address, password, unquote(password))):
                reason = reason.replace(secret, "***")
            raise UserError(
                f"the database of {STORAGE} cannot be used: {reason}; check its address, its "
                "driver and your rights, or take it out of the environment."
            ) from None  # the driver's own error may hold the password
