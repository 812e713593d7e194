"""Work spread over the processors of this machine, its results in order."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from joblib import Parallel, delayed

from .errors import UserError
from .optional_parts import has_part, load_module
from .params import Params

Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


def spread(most: int, threads: bool = False) -> AbstractContextManager[Spread]:
    """Enter it for a `map` whose calls run side by side: on the Dask cluster whose scheduler
    DASK_SCHEDULER_ADDRESS or params.yaml names, else in `most` processes of this machine.

    `threads` will do for work that does little in Python itself; they start at once. Raises
    UserError if a cluster is named, and this project works on one machine.
    """
    scheduler = os.environ.get("DASK_SCHEDULER_ADDRESS") or Params.read().scale.scheduler
    if not scheduler:
        return spread_on_this_machine(most, threads)
    if not has_part("cluster"):
        raise UserError(
            "params.yaml: scale.scheduler: this project works on one machine; leave it out, or "
            "run 'uvx copier update --data scale=dask'."
        )
    cluster: AbstractContextManager[Spread] = load_module("cluster.dask_workers").open_cluster(
        scheduler
    )
    return cluster


@contextmanager
def spread_on_this_machine(most: int, threads: bool) -> Iterator[Spread]:
    """Yield a `map` whose calls run side by side in `most` processes, or threads."""
    settings: dict[str, Any] = {"initializer": end_with_parent, "initargs": (os.getpid(),)}
    if threads:
        settings = {"prefer": "threads"}
    with Parallel(most, return_as="generator", **settings) as parallel:
        yield lambda work, items: parallel(delayed(work)(item) for item in items)


def end_with_parent(parent: int) -> None:
    """End this process, whatever it does, when its parent was killed; run first in each."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
