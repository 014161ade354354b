"""Parallel: apply a function to independent tasks, one after another, in threads, or by an executor of the caller's.

Threads are enough where the work is done by compiled code that releases the interpreter's lock, as JAX's
is. Each task must depend on its argument only; then the results are the same for any number of workers.
Settings that a library keeps per thread (JAX's context managers are such) are not carried over: enter them
inside the function.

An executor may have threads or processes. What can be pickled travels; what cannot, such as what shares a function that
was compiled in this process, stays, and a number travels in its place: any executor with threads of this process runs
it.
"""

import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any, TypeVar

Task = TypeVar("Task")
Value = TypeVar("Value")


def map_tasks(
    function: Callable[[Task], Value],
    tasks: Iterable[Task],
    *,
    workers: int = 1,
    executor: Executor | None = None,
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
    executor : Executor
        Runs the tasks in place of threads of our own, and stays open; a dask client's is one.

    Raises
    ------
    ValueError
        Where an executor runs in other processes what cannot be pickled.

    Examples
    --------
    >>> map_tasks(abs, [-2, 3, -1], workers=2)
    [2, 3, 1]
    """
    if workers < 1:
        raise ValueError(f"The number of workers must be at least 1; got {workers!r}. Use 1 for no threads.")
    todo = list(tasks)
    if executor is not None:
        with _fit_to_travel(function, todo) as (call, places):
            return _gather(executor, call, places)
    if workers == 1 or len(todo) < 2:
        return [function(task) for task in todo]
    with ThreadPoolExecutor(min(workers, len(todo)), thread_name_prefix="gaddum") as pool:
        return _gather(pool, function, todo)


def _gather(executor: Executor, function: Callable[[Task], Value], tasks: list[Task]) -> list[Value]:
    futures = []
    try:
        futures += (executor.submit(function, task) for task in tasks)
        for future in as_completed(futures):
            future.result()
        return [future.result() for future in futures]
    finally:
        wait([future for future in futures if not future.cancel()])


_STAYING: dict[int, tuple[Callable[[Any], Any], list[Any]]] = {}
"""By a number that is given once: function and tasks that an executor runs and that cannot be pickled. A number is all
that reaches a thread of an executor that pickles everything, as dask's does."""
_numbers = count()


@contextmanager
def _fit_to_travel(function: Callable[[Any], Any], tasks: list[Any]) -> Iterator[tuple[Callable, list[Any]]]:
    """Function and tasks that can be pickled, and do the same."""
    try:
        pickle.dumps((function, tasks))
    except Exception:  # whatever a type's own way of being pickled raises
        number = next(_numbers)
        _STAYING[number] = function, tasks
        try:
            yield partial(_call_here, os.getpid(), number), list(range(len(tasks)))
        finally:
            del _STAYING[number]
    else:
        yield function, tasks


def _call_here(process: int, number: int, place: int) -> Any:
    if os.getpid() != process:
        raise ValueError(
            f"The executor's threads must be of process {process}, since what they run cannot be pickled (it shares a "
            f"function compiled there); got process {os.getpid()}. Use a ThreadPoolExecutor, or the executor of a "
            "distributed.Client(processes=False)."
        )
    function, tasks = _STAYING[number]
    return function(tasks[place])


def map_blocks(function: Callable[[slice], Value], size: int, width: int) -> list[Value]:
    """Apply a function to every block of at most `width` among `size` columns, on all cores, in order.

    Examples
    --------
    >>> map_blocks(lambda part: (part.start, part.stop), 5, 2)
    [(0, 2), (2, 4), (4, 6)]
    """
    blocks = [slice(first, first + width) for first in range(0, size, width)]
    return map_tasks(function, blocks, workers=os.cpu_count() or 1)
