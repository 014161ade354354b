import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from distributed import Client

from gaddum.parallel import map_tasks


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_values_come_in_the_order_of_the_tasks(workers: int):
    def slow_first(task: int) -> int:
        time.sleep(0.02 * (task == 0))
        return task * task

    assert map_tasks(slow_first, range(6), workers=workers) == [0, 1, 4, 9, 16, 25]


def test_values_are_bit_equal_for_any_number_of_workers():
    def walk(seed: int) -> float:
        return float(np.random.default_rng(seed).standard_normal(2000).cumsum().sum())

    reference = map_tasks(walk, range(8))
    assert all(map_tasks(walk, range(8), workers=workers) == reference for workers in (2, 3, 8))


@pytest.mark.parametrize("workers", [1, 2])
def test_no_tasks_give_no_values(workers: int):
    assert map_tasks(abs, [], workers=workers) == []


def test_one_worker_stays_in_the_callers_thread():
    assert map_tasks(lambda _: threading.get_ident(), range(3)) == [threading.get_ident()] * 3


def test_two_workers_overlap():
    both = threading.Barrier(2, timeout=10)
    assert sorted(map_tasks(lambda _: both.wait(), range(2), workers=2)) == [0, 1]


@pytest.mark.parametrize("workers", [1, 2])
def test_first_exception_is_raised_and_later_tasks_are_dropped(workers: int):
    started = []

    def fail_at_two(task: int) -> None:
        started.append(task)
        if task == 2:
            raise RuntimeError("task 2")
        time.sleep(0.02)

    with pytest.raises(RuntimeError, match="task 2"):
        map_tasks(fail_at_two, range(50), workers=workers)
    assert len(started) < 10


@pytest.mark.skipif(os.name == "nt", reason="no signals to a process of one's own")
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_drops_what_has_not_started_and_leaves_no_thread(workers: int):
    started = []

    def interrupt_once(task: int) -> None:
        started.append(task)
        time.sleep(0.05)
        if task == 1:  # by now every thread is running
            os.kill(os.getpid(), signal.SIGINT)

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        map_tasks(interrupt_once, range(50), workers=workers)
    assert len(started) < 10
    assert threading.active_count() == before


def test_no_workers_are_refused():
    with pytest.raises(ValueError, match="at least 1; got 0"):
        map_tasks(abs, [1], workers=0)


@pytest.fixture(params=["threads", "dask"])
def in_process(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Executors whose threads are of this process."""
    if request.param == "threads":
        with ThreadPoolExecutor(2) as pool:
            yield pool
    else:
        with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None) as client:
            yield client.get_executor()


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


def test_an_executor_in_this_process_runs_what_cannot_be_pickled_and_stays_open(in_process: Executor):
    lock = threading.Lock()

    def held(task: int) -> tuple[int, int]:
        with lock:
            return os.getpid(), task * task

    for _ in range(2):
        assert map_tasks(held, range(5), executor=in_process) == [(os.getpid(), k * k) for k in range(5)]


def test_an_exception_in_an_executor_is_raised_and_leaves_it_open(in_process: Executor):
    def fail(task: int) -> int:
        if task == 1:
            raise RuntimeError("task 1")
        return task

    with pytest.raises(RuntimeError, match="task 1"):
        map_tasks(fail, range(4), executor=in_process)
    assert map_tasks(fail, [0, 2], executor=in_process) == [0, 2]


def test_what_can_be_pickled_travels_to_other_processes(processes: Executor):
    assert map_tasks(abs, [-2, 3, -1], executor=processes) == [2, 3, 1]


def test_other_processes_are_refused_for_what_cannot_be_pickled(processes: Executor):
    with pytest.raises(ValueError, match=f"must be of process {os.getpid()}.*ThreadPoolExecutor"):
        map_tasks(lambda task: task, [1, 2], executor=processes)
