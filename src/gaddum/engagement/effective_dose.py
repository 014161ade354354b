"""Effective dose: the inverse question, which dose or which time of giving it holds a wanted share of a target.

Concentrations scale with the dose and move with its time, so at equilibrium the kinetics are evaluated once and only
binding is solved again. Where a ligand of the target dissociates slowly, each trial follows the protocol anew.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum import units
from gaddum.engagement.binding import BoundFractions
from gaddum.engagement.engagement_courses import bind, engage
from gaddum.engagement.layout import Layout
from gaddum.engagement.occupancy import SPAN
from gaddum.exposure.regimen import dosed_drugs
from gaddum.records.dose import HELD, Dose
from gaddum.records.library import Library, load_library

Measure = Literal["occupied", "blocked"]

MULTIPLES = (1e-4, 1e4)
"""Least and greatest multiple of a dose that is tried."""
EARLIEST = 14 * 24.0
"""How long before the reading a pretreatment is tried (h)."""
_TRIALS = 49
_HALVINGS = 24


class DoseMultiple(NamedTuple):
    """A multiple of a dose that reaches a level."""

    drug: str
    multiple: float
    doses: tuple[Dose, ...]
    """The protocol with the drug's doses so multiplied."""
    held: float
    """Fraction held then, at the wanted certainty."""


class Window(NamedTuple):
    """When a drug may be given, as times of its first dose (h from the test drug)."""

    drug: str
    spans: tuple[tuple[float, float], ...]
    """Earliest and latest time of every stretch, in order."""
    searched: tuple[float, float]
    """Earliest and latest time tried; a span that begins there may begin earlier."""


def dose_for(
    layout: Layout,
    target: str,
    level: float,
    at: float,
    *,
    drug: str | None = None,
    certainty: float = 0.5,
    measure: Measure = "occupied",
    library: Library | None = None,
) -> DoseMultiple:
    """Least multiple of a drug's doses that holds a share of a target at a time.

    Parameters
    ----------
    layout : Layout
        The protocol.
    target : str
        A target that was laid out.
    level : float
        Wanted fraction.
    at : float
        When (h from the test drug).
    drug : str
        Whose doses vary, as the protocol names it; by default the first.
    certainty : float
        Share of the draws that must reach the level: 0.5 for the median, `LOWER` for the lower bound of the band.
    measure : {"occupied", "blocked"}
        What is held: by any ligand, or by antagonists and channel blockers.
    library : Library
        As in `lay_out`.

    Raises
    ------
    ValueError
        If no multiple reaches the level; says the largest that is reached.
    """
    _check(layout, target, level, certainty)
    name, parts = _varied(layout, drug, library)
    times = np.array([at], float)
    slow = any(bond.is_slow for bond in layout.bonds[target])
    base = None if slow else engage(layout, times).levels
    places = [place for place, one in enumerate(layout.plan.ligands) if one.parent in parts]

    def held(log_multiple: float) -> float:
        factor = float(np.exp(log_multiple))
        if base is None:
            one = engage(layout, times, scale=dict.fromkeys(parts, factor)).bound[target]
        else:
            levels = base.copy()
            levels[places] *= factor
            one = bind(layout, target, levels)
        return float(_quantile(one, measure, certainty)[0])

    grid = np.linspace(np.log(MULTIPLES[0]), np.log(MULTIPLES[1]), _TRIALS)
    tried = np.array([held(x) for x in grid])
    enough = np.flatnonzero(tried >= level)
    if not enough.size:
        raise ValueError(
            f"No dose of {name} occupies {level:g} of {target} at {at:g} h with certainty {certainty:g}: the most "
            f"that a multiple of {MULTIPLES[0]:g} to {MULTIPLES[1]:g} reaches is {tried.max():.3g}. Ask for less, "
            "another time, or another drug."
        )
    found = grid[enough[0]]
    if enough[0] > 0:
        found = _edge(lambda x: held(x) >= level, grid[enough[0] - 1], found)
    multiple = float(np.exp(found))
    doses = tuple(multiplied(dose, multiple) if dose.drug == name else dose for dose in layout.doses)
    return DoseMultiple(name, multiple, doses, held(found))


LOWER = 0.5 + SPAN / 2
"""Certainty that the lower bound of a band stands for."""


def window_for(
    layout: Layout,
    target: str,
    level: float,
    at: Sequence[float],
    *,
    drug: str | None = None,
    certainty: float = 0.5,
    measure: Measure = "occupied",
    library: Library | None = None,
) -> Window:
    """When a drug may be given so that it still holds a share of a target at all of some times.

    Parameters
    ----------
    layout, target, level, drug, certainty, measure, library
        As in `dose_for`.
    at : sequence of float
        When the level must hold (h from the test drug), such as induction and test.

    Raises
    ------
    ValueError
        If no time does; says the largest level that is reached.
    """
    _check(layout, target, level, certainty)
    name, parts = _varied(layout, drug, library)
    times = np.sort(np.asarray(at, float))
    mine = [dose for dose in layout.doses if dose.drug == name]
    begin = min(dose.time_h for dose in mine)
    length = max(dose.end_h for dose in mine) - begin
    latest = times[0] - 1 / 60
    searched = (float(times[0] - EARLIEST - length), float(latest))
    # Denser towards the reading, where absorption makes the difference.
    before = np.geomspace(1 / 60, times[0] - searched[0], 4 * _TRIALS)[::-1]
    given = times[0] - before
    held = _held_if_given_at(layout, target, times, begin, parts, measure, certainty)
    tried = held(given)
    fits = tried >= level
    if not fits.any():
        best = int(np.argmax(tried))
        raise ValueError(
            f"No time of giving {name} occupies {level:g} of {target} at "
            f"{', '.join(f'{t:g} h' for t in times)} with certainty {certainty:g}: the most is {tried[best]:.3g}, when "
            f"it is given at {given[best]:.3g} h. Ask for less, or for a larger dose."
        )

    def inside(x: float) -> bool:
        return bool(held(np.array([x]))[0] >= level)

    spans = []
    for run in np.split(np.flatnonzero(fits), np.flatnonzero(np.diff(np.flatnonzero(fits)) > 1) + 1):
        first, last = int(run[0]), int(run[-1])
        low = given[first] if first == 0 else _edge(inside, given[first - 1], given[first])
        high = given[last] if last == len(given) - 1 else _edge(inside, given[last + 1], given[last])
        spans.append((float(low), float(high)))
    return Window(name, tuple(spans), searched)


def multiplied(dose: Dose, multiple: float) -> Dose:
    """A multiple of a dose, its amount in canonical units.

    Examples
    --------
    >>> multiplied(Dose(drug="naltrexone", amount="50 mg", route="po"), 0.5).amount
    '25 mg'
    """
    kind: units.Kind = "concentration" if dose.route in HELD else "dose"
    value, unit = units.magnitude(dose.amount, kind), units.canonical_unit(dose.amount, kind)
    return dose.model_copy(update={"amount": f"{value * multiple:.4g} {unit}"})


def _held_if_given_at(
    layout: Layout,
    target: str,
    times: Float[np.ndarray, " times"],
    begin: float,
    parts: tuple[str, ...],
    measure: Measure,
    certainty: float,
) -> Callable[[Float[np.ndarray, " trials"]], Float[np.ndarray, " trials"]]:
    """Least fraction held over the times, by the time at which a drug is first given."""
    slow = any(bond.is_slow for bond in layout.bonds[target])
    places = [place for place, one in enumerate(layout.plan.ligands) if one.parent in parts]
    others = engage(layout, times).levels

    def at_equilibrium(given: Float[np.ndarray, " trials"]) -> Float[np.ndarray, " trials"]:
        # Giving it later by x is reading it earlier by x.
        shifted = (times[None, :] - (given[:, None] - begin)).ravel()
        levels = np.tile(others, (1, len(given), 1))
        levels[places] = engage(layout, shifted).levels[places]
        held = _quantile(bind(layout, target, levels), measure, certainty)
        return held.reshape(len(given), len(times)).min(axis=1)

    def kinetically(given: Float[np.ndarray, " trials"]) -> Float[np.ndarray, " trials"]:
        moved = [engage(layout, times, shift=dict.fromkeys(parts, float(x - begin))) for x in given]
        return np.array([_quantile(one.bound[target], measure, certainty).min() for one in moved])

    return kinetically if slow else at_equilibrium


def _check(layout: Layout, target: str, level: float, certainty: float) -> None:
    if target not in layout.bonds:
        raise ValueError(
            f"The target must be one that is followed ({', '.join(layout.bonds)}); got {target!r}."
        )
    if not layout.bonds[target]:
        raise ValueError(f"Some ligand of the protocol must bind {target}; none does.")
    if not 0 < level < 1:
        raise ValueError(f"A level must be a fraction between 0 and 1; got {level!r}. Write 90 % as 0.9.")
    if not 0 < certainty < 1:
        raise ValueError(f"A certainty must be between 0 and 1; got {certainty!r}.")


def _varied(layout: Layout, drug: str | None, library: Library | None) -> tuple[str, tuple[str, ...]]:
    """The drug whose doses vary, and the names under which its ligands are laid out (its own, or a mixture's parts)."""
    names = list(dict.fromkeys(dose.drug for dose in layout.doses))
    name = names[0] if drug is None else drug
    if name not in names:
        raise ValueError(f"The drug to vary must be one of {', '.join(names)}; got {name!r}.")
    mine = tuple(dose for dose in layout.doses if dose.drug == name)
    parts = [part for part, _, _ in dosed_drugs(mine, library or load_library())]
    return name, tuple(dict.fromkeys((name, *parts)))


def _quantile(one: BoundFractions, measure: Measure, certainty: float) -> Float[np.ndarray, " times"]:
    return np.quantile(np.asarray(getattr(one, measure)), 1 - certainty, axis=-1)


def _edge(inside: Callable[[float], bool], out: float, within: float) -> float:
    """The last point that is still inside, by bisection."""
    for _ in range(_HALVINGS):
        middle = (out + within) / 2
        out, within = (out, middle) if inside(middle) else (middle, within)
    return float(within)
