"""One task for many repositories, on all processors, handed back in order.

A repository that ends its worker (killed, out of memory) costs the run that repository only.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Waiting = deque[tuple[Sequence[Item], Future[list[Result]]]]


def run_each(
    task: Callable[[Item], Result],
    items: Sequence[Item],
    lost: Callable[[Item], Result],
    size: int = 8,
    workers: int | None = None,
) -> Iterator[Result]:
    """Yield `task` of each item, in their order; `lost` of one that ended its worker.

    At most a few batches of `size` are on their way at any time, so memory does not grow with the
    number of items. `task` is a function at the top of a module, or a partial of one.
    """
    count = min(workers or os.cpu_count() or 1, max(1, len(items)))
    batches = deque(items[start : start + size] for start in range(0, len(items), size))
    while batches:
        waiting: Waiting[Item, Result] = deque()
        try:
            with ProcessPoolExecutor(count) as pool:
                while batches or waiting:
                    while batches and len(waiting) <= 2 * count:
                        batch = batches.popleft()
                        waiting.append((batch, pool.submit(_run_batch, task, batch)))
                    yield from waiting[0][1].result()
                    waiting.popleft()
        except BrokenProcessPool:
            suspects, *later = [batch for batch, _ in waiting]
            batches.extendleft(reversed(later))
            yield from (_run_alone(task, item, lost) for item in suspects)


def _run_batch(task: Callable[[Item], Result], batch: Sequence[Item]) -> list[Result]:
    return [task(item) for item in batch]


def _run_alone(
    task: Callable[[Item], Result], item: Item, lost: Callable[[Item], Result]
) -> Result:
    try:
        with ProcessPoolExecutor(1) as pool:
            return pool.submit(task, item).result()
    except BrokenProcessPool:
        return lost(item)
