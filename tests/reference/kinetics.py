"""Independent answers for linear kinetics: a matrix exponential and a stiff solver on the same compartments.

A system is a matrix of rate constants that acts on amounts; doses enter compartments; a read-out divides one
compartment's amount by its volume. Nothing is shared with gaddum's closed forms.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm


@dataclass
class Compartments:
    """Amounts by name, with first-order flows between them."""

    names: tuple[str, ...]
    flows: list[tuple[str, str | None, float]] = field(default_factory=list)
    """From, to (None: out of the system), rate constant."""
    copies: list[tuple[str, str, float]] = field(default_factory=list)
    """From, to, rate: input in proportion to the first, which loses nothing (an effect site)."""

    def matrix(self) -> np.ndarray:
        """Rate constants: d amount / dt = matrix @ amount."""
        index = {name: i for i, name in enumerate(self.names)}
        matrix = np.zeros((len(index), len(index)))
        for source, sink, rate in self.flows:
            matrix[index[source], index[source]] -= rate
            if sink is not None:
                matrix[index[sink], index[source]] += rate
        for source, sink, rate in self.copies:
            matrix[index[sink], index[source]] += rate
        return matrix

    def amount(self, read: str, times: np.ndarray, doses: list[tuple], solver: str = "expm") -> np.ndarray:
        """Amount in `read` after doses of (compartment, amount, start, duration)."""
        solve = {"expm": self._by_exponential, "Radau": self._by_radau}[solver]
        total = np.zeros(len(times))
        for into, amount, start, duration in doses:
            total += amount * solve(self.names.index(read), self.names.index(into), times - start, duration)
        return total

    def _by_exponential(self, read: int, into: int, elapsed: np.ndarray, duration: float) -> np.ndarray:
        """Response to a unit dose, with the infusion as one more state that feeds the system."""
        size = len(self.names)
        augmented = np.zeros((size + 1, size + 1))
        augmented[:size, :size] = self.matrix()
        augmented[into, size] = 1 / duration if duration else 0.0
        start = np.zeros(size + 1)
        start[size if duration else into] = 1.0
        out = np.zeros(len(elapsed))
        for i, t in enumerate(elapsed):
            if t < 0:
                continue
            state = expm(augmented * (min(t, duration) if duration else t)) @ start
            if duration and t > duration:
                state = np.append(expm(self.matrix() * (t - duration)) @ state[:size], 0.0)
            out[i] = state[read]
        return out

    def _by_radau(self, read: int, into: int, elapsed: np.ndarray, duration: float) -> np.ndarray:
        matrix, size = self.matrix(), len(self.names)
        state = np.zeros(size)
        if not duration:
            state[into] = 1.0
        order, out = np.argsort(elapsed), np.zeros(len(elapsed))
        now = 0.0
        for begin, end, inflow in (
            (0.0, duration, 1 / duration if duration else 0.0),
            (duration, np.inf, 0.0),
        ):
            feed = np.zeros(size)
            feed[into] = inflow
            wanted = [i for i in order if begin <= elapsed[i] < end]
            stops = [elapsed[i] for i in wanted] + ([end] if np.isfinite(end) else [])
            for k, stop in enumerate(stops):
                if stop > now:
                    state = solve_ivp(
                        lambda _, y, feed=feed: matrix @ y + feed, (now, stop), state, "Radau",
                        rtol=1e-11, atol=1e-18, jac=matrix,
                    ).y[:, -1]  # fmt: skip
                    now = stop
                if k < len(wanted):
                    out[wanted[k]] = state[read]
        return out
