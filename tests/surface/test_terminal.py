"""Terminal: progress moves from the start, never falls, and guesses no end before there is a pace."""

import io
import re
import time

import pytest
from rich.console import Console

from gaddum.surface import terminal
from gaddum.surface.terminal import progress_bar, time_left

STAGES = {"reading": 1.0, "weighing": 3.0}


@pytest.mark.parametrize(
    ("gone", "done", "left"), [(60, 0.5, 60), (100, 0.1, 900), (5, 0.5, None), (100, 0.001, None)]
)
def test_time_left_is_that_of_a_steady_pace(gone, done, left):
    marks = [(t, done * t / gone) for t in range(gone + 1)]
    found = time_left(marks, gone)
    assert found == (None if left is None else pytest.approx(left))


def test_time_left_follows_the_pace_of_the_latter_half():
    marks = [(0, 0.0), (50, 0.1), (100, 0.6)]
    assert time_left(marks, 100) == pytest.approx(40)


def test_time_left_grows_while_nothing_is_heard():
    marks = [(0, 0.0), (50, 0.5)]
    assert [time_left(marks, now) for now in (60, 90)] == [60, 90]


def lines(reports, monkeypatch):
    monkeypatch.setattr(terminal, "LINE_EVERY", 0.02)
    written = io.StringIO()
    with progress_bar(Console(file=written), STAGES) as report:
        for name, fraction in reports:
            report(name, fraction)
            time.sleep(0.1)
    return written.getvalue().splitlines()


def test_pipe_gets_plain_lines_that_never_fall(monkeypatch):
    found = lines([("reading", 0.0), ("weighing", 0.0), ("weighing", 0.5), ("weighing", 0.4)], monkeypatch)
    assert found[0].startswith("reading: 0% of the run, 0 s gone")
    assert len(found) > 5
    assert all("\x1b" not in line for line in found)
    shares = [int(re.findall(r": (\d+)%", line)[0]) for line in found]
    assert shares == sorted(shares)
    assert 62 <= shares[-1] < 90


def test_terminal_gets_one_bar_of_the_stage_at_hand():
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    with progress_bar(console, STAGES) as report:
        report("weighing", 0.5)
        time.sleep(1.2)
    shown = written.getvalue()
    assert "weighing" in shown and re.search(r" [6-8]\d%", shown)
