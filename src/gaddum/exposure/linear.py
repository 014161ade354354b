"""Linear compartments: dA/dt = K A + inflow, carried exactly from one moment to the next.

A system is a matrix of rate constants between numbered compartments. What leaves them collects in one more, the output
compartment, so that nothing is lost to the books: amounts in all compartments always sum to what was given. Between
events the state moves by matrix exponentials; the steady state of a regular series of doses solves a linear equation.
`dosing` decides when what happens; `advan` builds the usual systems.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from jaxtyping import Complex, Float
from scipy.linalg import expm

_WORST_CONDITION = 1e3
"""Condition of the eigenvectors beyond which expm is more exact than they are."""
_NO_LOSS = 1e-14
"""A loss below this fraction of a compartment's total outflow is rounding."""

State = Float[np.ndarray, " compartments"]
Matrix = Float[np.ndarray, "to from"]


@dataclass(frozen=True, eq=False)
class LinearSystem:
    """Compartments, numbered from 1, with first-order flows between them."""

    rates: Matrix
    """K (1/h): off the diagonal, flow from the column's to the row's compartment; on it, minus all that leaves."""
    dose_compartment: int = 1
    """Where a dose goes that names no compartment."""
    observation_compartment: int = 1
    """Where an observation is made that names no compartment."""
    volume: float = 1.0
    """Volume (L) that turns the amount in the observation compartment into a concentration."""
    loss: State = field(init=False)
    """Rate constant (1/h) out of the system, by compartment."""

    def __post_init__(self) -> None:
        rates = np.array(self.rates, dtype=float)
        size = rates.shape[0] if rates.ndim == 2 else 0
        if not size or rates.shape != (size, size) or not np.all(np.isfinite(rates)):
            raise ValueError(f"Rates must be a square matrix of finite numbers (1/h); got {rates!r}.")
        outflow = -np.diagonal(rates)
        loss = -rates.sum(axis=0)
        if np.any(rates - np.diag(np.diagonal(rates)) < 0) or np.any(loss < -_NO_LOSS * np.abs(outflow)):
            raise ValueError(
                "Flows must not be negative, and no compartment may give more than it loses (columns sum to at most "
                f"0); got {rates.tolist()}."
            )
        for number in (self.dose_compartment, self.observation_compartment):
            if not 1 <= number <= size:
                raise ValueError(f"A default compartment must be 1 to {size}; got {number}.")
        if not 0 < self.volume < np.inf:
            raise ValueError(f"The volume must be positive (L); got {self.volume!r}.")
        object.__setattr__(self, "rates", rates)
        object.__setattr__(self, "loss", np.where(loss > _NO_LOSS * np.abs(outflow), loss, 0.0))

    @property
    def size(self) -> int:
        """Number of compartments, without the output compartment."""
        return self.rates.shape[0]


def propagator(system: LinearSystem) -> Callable[[State, State, float], State]:
    """Give the function (amounts, inflow (amount/h), hours) -> amounts, the output compartment last.

    Examples
    --------
    >>> import numpy as np
    >>> advance = propagator(LinearSystem(np.array([[-np.log(2)]])))
    >>> advance(np.array([8.0, 0.0]), np.zeros(2), 2.0).round(12).tolist()
    [2.0, 6.0]
    """
    size = system.size
    whole = np.zeros((size + 1, size + 1))
    whole[:size, :size] = system.rates
    whole[size, :size] = system.loss
    moved = _mover(whole)

    def advance(state: State, inflow: State, hours: float) -> State:
        if hours == 0:
            return state
        kept, gathered = moved(hours)
        return kept @ state + (gathered @ inflow if np.any(inflow) else 0.0)

    return advance


def constant_steady_state(system: LinearSystem, compartment: int, rate: float) -> State:
    """Amounts after a constant inflow (amount/h) since ever, without the output compartment."""
    reached = _reached(system, compartment)
    amounts = np.zeros(system.size)
    entering = np.where(reached == compartment - 1, rate, 0.0)
    amounts[reached] = np.linalg.solve(-system.rates[np.ix_(reached, reached)], entering)
    return amounts


def periodic_steady_state(
    system: LinearSystem, compartment: int, interval: float, phase: float, *, amount: float, duration: float
) -> State:
    """Amounts under a dose every `interval` since ever, at `phase` after the start of the latest.

    With x the state when a dose starts, one cycle gives x = E(interval) x + what one cycle brings, E(t) = exp(K t).
    Of infusions longer than the interval, some run through the whole cycle and one through its first part.

    Parameters
    ----------
    interval, phase : float
        Time between doses and since the latest (h), 0 <= phase <= interval.
    amount : float
        Amount a dose brings.
    duration : float
        Length of each infusion (h); 0 for a bolus, which at phase 0 has just been given.
    """
    reached = _reached(system, compartment)
    move = _mover(system.rates[np.ix_(reached, reached)])
    one = (reached == compartment - 1).astype(float)
    cycle, through = move(interval)
    if duration == 0:
        after = move(phase)[0] @ np.linalg.solve(np.eye(one.size) - cycle, amount * one)
    else:
        inflow = one * (amount / duration)
        throughout, rest = divmod(duration, interval)
        begun = move(rest)[1] @ inflow
        brought = throughout * through @ inflow + move(interval - rest)[0] @ begun
        start = np.linalg.solve(np.eye(one.size) - cycle, brought)
        kept, gathered = move(phase)
        late = phase > rest
        extra = move(phase - rest)[0] @ begun if late else gathered @ inflow
        after = kept @ start + throughout * gathered @ inflow + extra
    amounts = np.zeros(system.size)
    amounts[reached] = after
    return amounts


def _reached(system: LinearSystem, compartment: int) -> np.ndarray:
    """Compartments (from 0) that a dose gets to, each of which must have a way out."""
    flows = system.rates - np.diag(np.diagonal(system.rates)) > 0
    reached = {compartment - 1}
    while new := {int(to) for place in reached for to in np.flatnonzero(flows[:, place])} - reached:
        reached |= new
    leaving = {place for place in reached if system.loss[place] > 0}
    while new := {place for place in reached if flows[list(leaving), place].any()} - leaving:
        leaving |= new
    if stuck := sorted(place + 1 for place in reached - leaving):
        raise ValueError(
            "A steady state needs every compartment that the dose reaches to have a way out; compartment "
            f"{stuck[0]} has none. Give it an elimination or a flow back."
        )
    return np.array(sorted(reached))


def _mover(matrix: Matrix) -> Callable[[float], tuple[Matrix, Matrix]]:
    """Give the function hours -> exp(matrix h) and its integral from 0 to h."""
    modes = _modes(matrix)

    @lru_cache(maxsize=256)
    def move(hours: float) -> tuple[Matrix, Matrix]:
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            moved = matrix, matrix
            if np.isfinite(hours):
                moved = _by_exponential(matrix, hours) if modes is None else _by_modes(*modes, hours)
        if not (np.isfinite(hours) and all(np.all(np.isfinite(one)) for one in moved)):
            raise ValueError(
                f"Amounts must stay within floating point; moving on by {hours:g} h with rates up to "
                f"{np.abs(matrix).max():g} 1/h does not. Use other units of time."
            )
        return moved

    return move


def _modes(
    matrix: Matrix,
) -> tuple[Complex[np.ndarray, " n"], Complex[np.ndarray, "n n"], Complex[np.ndarray, "n n"]] | None:
    """Eigenvalues, eigenvectors and their inverse, unless these are too nearly dependent to be exact."""
    values, vectors = np.linalg.eig(matrix)
    if np.linalg.cond(vectors) > _WORST_CONDITION:
        return None
    inverse = np.linalg.inv(vectors)
    decaying = np.minimum(np.real(values), 0.0) + 1j * np.imag(
        values
    )  # compartments never grow by themselves
    return decaying, vectors.astype(complex), inverse.astype(complex)


def _by_modes(
    values: Complex[np.ndarray, " n"],
    vectors: Complex[np.ndarray, "n n"],
    inverse: Complex[np.ndarray, "n n"],
    hours: float,
) -> tuple[Matrix, Matrix]:
    z = values * hours
    slow = np.abs(z) < 1e-300
    gathered = np.where(slow, hours, np.expm1(z) / np.where(slow, 1.0, values))
    return np.real((vectors * np.exp(z)) @ inverse), np.real((vectors * gathered) @ inverse)


def _by_exponential(matrix: Matrix, hours: float) -> tuple[Matrix, Matrix]:
    size = matrix.shape[0]
    augmented = np.zeros((2 * size, 2 * size))
    augmented[:size, :size] = matrix * hours
    augmented[:size, size:] = np.eye(size) * hours
    moved = expm(augmented)
    return moved[:size, :size], moved[:size, size:]
