"""Work spread over a Dask cluster, its results in order, whichever worker dies meanwhile."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import call
from typing import Any

import dask
from distributed import Client, KilledWorker

from ..core.errors import UserError
from ..core.parallel import Spread

# Tasks carry their data, which so outlive a worker; Dask would warn of tasks that large.
dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})


@contextmanager
def open_cluster(scheduler: str) -> Iterator[Spread]:
    """Yield a `map` whose calls run on the cluster of this scheduler.

    Raises UserError if the cluster cannot be used, or if its workers die over one task.
    """
    try:
        client: Any = Client(scheduler)  # type: ignore[no-untyped-call]
        client.wait_for_workers(1, timeout=60)
    except (OSError, ValueError) as error:
        raise UserError(
            f"the Dask cluster at {scheduler} cannot be used ({error}): check scale.scheduler in "
            "params.yaml or DASK_SCHEDULER_ADDRESS, and that it has workers."
        ) from error
    with client:
        yield partial(map_on_cluster, client)


def map_on_cluster(client: Any, work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
    """Yield the results of the tasks in order, of which two for each thread are under way.

    Raises UserError if the workers die over one task.
    """
    sent, ahead = client.submit(partial, work, pure=False), deque[Any]()
    try:
        for task in tasks:
            ahead.append(client.submit(call, sent, task, pure=False))
            if len(ahead) >= 2 * sum(client.nthreads().values()):
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    except KilledWorker as error:
        raise UserError(f"the cluster gave up: {error}") from error
    finally:
        client.cancel([*ahead])
