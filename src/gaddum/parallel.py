"""Parallel: apply a function to independent tasks, one after another or in threads.

Threads are enough where the work is done by compiled code that releases the interpreter's lock, as JAX's
is. Each task must depend on its argument only; then the results are the same for any number of workers.
Settings that a library keeps per thread (JAX's context managers are such) are not carried over: enter them
inside the function.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

Task = TypeVar("Task")
Value = TypeVar("Value")


def map_tasks(
    function: Callable[[Task], Value],
    tasks: Iterable[Task],
    *,
    workers: int = 1,
) -> list[Value]:
    """Apply a function to every task and return what it gave, in the order of the tasks.

    The first exception, or an interrupt, drops the tasks that have not started, waits for those that have,
    and is then raised.

    Parameters
    ----------
    function : callable
        Called with one task at a time.
    tasks : iterable
        The tasks.
    workers : int
        Number of threads; 1 runs every task in the caller's own thread.

    Examples
    --------
    >>> map_tasks(abs, [-2, 3, -1], workers=2)
    [2, 3, 1]
    """
    if workers < 1:
        raise ValueError(f"The number of workers must be at least 1; got {workers!r}. Use 1 for no threads.")
    todo = list(tasks)
    if workers == 1 or len(todo) < 2:
        return [function(task) for task in todo]
    pool = ThreadPoolExecutor(min(workers, len(todo)), thread_name_prefix="gaddum")
    try:
        futures = [pool.submit(function, task) for task in todo]
        for future in as_completed(futures):
            future.result()
        return [future.result() for future in futures]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def map_blocks(function: Callable[[slice], Value], size: int, width: int) -> list[Value]:
    """Apply a function to every block of at most `width` among `size` columns, on all cores, in order.

    Examples
    --------
    >>> map_blocks(lambda part: (part.start, part.stop), 5, 2)
    [(0, 2), (2, 4), (4, 6)]
    """
    blocks = [slice(first, first + width) for first in range(0, size, width)]
    return map_tasks(function, blocks, workers=os.cpu_count() or 1)
