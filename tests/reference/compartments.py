"""Linear compartments by matrix exponential: a second, independent way to what `exposure` has in closed form.

Amounts of the whole system (absorption, drug, metabolite, effect sites) are carried from event to event by `expm` of
the rate matrix; a constant input is an extra state. Nothing here is shared with the library.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import expm


class Dose(NamedTuple):
    """An input into a state: at once (duration 0) or at a constant rate."""

    state: str
    amount: float
    start: float
    duration: float = 0.0


class Flows:
    """Rates between named states."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.rates: dict[tuple[str, str], float] = {}

    def add(self, source: str, rate: float, to: str | None = None, *, keeps: bool = False) -> None:
        """Amount flows from a state at a rate (1/h) to another or away; `keeps` leaves the source as it is."""
        for name in (source, to):
            if name is not None and name not in self.names:
                self.names.append(name)
        if to is not None:
            self.rates[to, source] = self.rates.get((to, source), 0.0) + rate
        if not keeps:
            self.rates[source, source] = self.rates.get((source, source), 0.0) - rate

    def amounts(self, doses: Sequence[Dose], times: np.ndarray) -> Mapping[str, np.ndarray]:
        """Amounts of all states at rising times."""
        size = len(self.names)
        matrix = np.zeros((size, size))
        for (to, source), rate in self.rates.items():
            matrix[self.names.index(to), self.names.index(source)] = rate
        begins = [dose.start for dose in doses]
        ends = [dose.start + dose.duration for dose in doses if dose.duration]
        stops = np.unique([*begins, *ends, *times])
        state, now = np.zeros(size), stops[0]
        found = np.zeros((size, len(times)))
        steps: dict[tuple[float, bytes], np.ndarray] = {}  # a regimen repeats its own
        at = np.array([self.names.index(dose.state) for dose in doses], int)
        amount, start, length = (np.array([dose[k] for dose in doses], float) for k in (1, 2, 3))
        for stop in stops:
            rate, running = np.zeros(size), (length > 0) & (start <= now) & (now < start + length)
            np.add.at(rate, at[running], amount[running] / length[running])
            step = round(stop - now, 10), rate.tobytes()
            if step not in steps:
                whole = np.zeros((size + 1, size + 1))
                whole[:size, :size], whole[:size, size] = matrix, rate
                steps[step] = expm(whole * (stop - now))
            state = (steps[step] @ np.append(state, 1.0))[:size]
            sudden = (length == 0) & (start == stop)
            np.add.at(state, at[sudden], amount[sudden])
            found[:, times == stop] = state[:, None]
            now = stop
        return dict(zip(self.names, found, strict=True))
