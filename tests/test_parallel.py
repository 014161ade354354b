import os
import signal
import threading
import time

import numpy as np
import pytest

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
