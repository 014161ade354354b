"""Saturable pathways: ligands behind a body with saturable elimination -> concentrations (`exposure.saturable`).

Doses do not superpose there, so all inputs of a ligand go through one integration. The grid is chosen by looking at the
numbers: this cannot be part of a compiled function.
"""

from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gaddum.exposure.arrivals import Arrival
from gaddum.exposure.impulse import Impulse
from gaddum.exposure.pathways import (
    Drawn,
    Values,
    before,
    clearance,
    peripherals,
    plasma,
    share,
    streams,
    value,
)
from gaddum.exposure.plan import Body, Input, Ligand, Plan
from gaddum.exposure.saturable import Stage, chain_concentrations

DRAWS = 4096
"""Draws that are followed together."""


def is_saturable(ligand: Ligand) -> bool:
    """Whether a ligand lies behind a saturable body."""
    return any(body.v_max >= 0 for body in ligand.bodies)


def follow(
    plan: Plan,
    values: Values,
    times: Float[np.ndarray, " times"],
    site: Literal["brain", "arterial", "venous"],
) -> dict[int, Float[Array, "times batch"]]:
    """Concentrations (nM) of the ligands of a plan that have no closed form.

    Parameters
    ----------
    plan : Plan
        Ligands and their inputs, with concrete amounts and times.
    values : array
        Parameters (not their logs), not traced.
    times : array
        Hours from the test drug, in any order.
    site : {"brain", "arterial", "venous"}
        Unbound brain, or total plasma.

    Returns
    -------
    dict of int to array
        By place in the plan.

    Raises
    ------
    ValueError
        If the doses are a steady state, if two drugs share a saturable elimination, or if the solver misses its target.
    """
    check_followable(plan)
    read, back = np.unique(times, return_inverse=True)
    found: dict[int, Array] = {}
    for place, ligand in enumerate(plan.ligands):
        if not is_saturable(ligand):
            continue
        parts = [
            _ligand(ligand, values[:, first : first + DRAWS], read, site)
            for first in range(0, values.shape[1], DRAWS)
        ]
        found[place] = jnp.concatenate(parts, axis=1)[back]
    return found


def check_followable(plan: Plan) -> None:
    """Refuse a steady state, and two ways to one saturable body, whose amounts would be eliminated together.

    Parameters
    ----------
    plan : Plan
        Ligands and their inputs.
    """
    ways: dict[Body, tuple] = {}
    for ligand in plan.ligands:
        if is_saturable(ligand) and any(one.steady_state for one in ligand.inputs):
            raise ValueError(
                f"Saturable elimination has no steady state in closed form; got one of {ligand.parent}. Write the "
                "doses that lead to it, such as 'every 24 h x 30 from -720 h'."
            )
        for place, body in enumerate(ligand.bodies):
            way = (ligand.parent, ligand.bodies[: place + 1])
            if body.v_max >= 0 and ways.setdefault(body, way) != way:
                raise ValueError(
                    f"A saturable elimination must be reached in one way; {ligand.drug} reaches it from {way[0]} and "
                    f"from {ways[body][0]}. Follow them one at a time."
                )


def _ligand(ligand: Ligand, values: Values, times: np.ndarray, site: str) -> Float[Array, "times batch"]:
    first = next(place for place, body in enumerate(ligand.bodies) if body.v_max >= 0)
    shares = [share(values, place) for place in ligand.fractions] + [np.zeros(values.shape[1])]
    stages = [
        _stage(body, shares[place], values) for place, body in enumerate(ligand.bodies) if place >= first
    ]
    last = {"brain": ligand.k_e0, "arterial": -1, "venous": ligand.k_venous}[site]
    rate = None if last < 0 else jnp.asarray(values[last])
    found = chain_concentrations(times, stages, _arrivals(ligand, first, values), rate=rate)
    if not bool(found.converged.all()):
        raise ValueError(
            f"The saturable kinetics of {ligand.drug} must be followed to their target; {found.status}"
        )
    if site != "brain":
        return found.values
    return found.values * share(values, ligand.f_u) * value(values, ligand.kp_uu)


def _stage(body: Body, onward: Drawn, values: Values) -> Stage:
    nothing = np.zeros(values.shape[1])
    saturable = body.v_max >= 0
    parts = (
        values[body.v_c],
        clearance(body, values),
        *peripherals(body, values),
        values[body.v_max] if saturable else nothing,
        values[body.k_m] if saturable else nothing + 1.0,
        onward,
    )
    return Stage(*(jnp.asarray(part) for part in parts))


def _arrivals(ligand: Ligand, first: int, values: Values) -> list[Arrival]:
    """Every input of a ligand by every way, as what arrives at the bodies from the first saturable one on."""
    found, impulses = [], {}
    for one in ligand.inputs:
        for stream in streams(ligand, one, values):
            entry = len(ligand.bodies) - len(stream.bodies)
            impulse: Impulse | None = None
            if entry < first:
                parents = ligand.bodies[entry:first]
                gain = share(values, ligand.fractions[first - 1]) * clearance(parents[-1], values)
                rates, weights = plasma(parents, ligand.fractions[entry : first - 1], values, impulses)
                impulse = Impulse(rates, gain * weights)
            starts, durations = _when(one, values)
            amounts = np.broadcast_to(np.asarray(one.amount * stream.share), (one.repeats, values.shape[1]))
            found.append(
                Arrival(max(entry - first, 0), before(impulse, one, values), amounts, starts, durations)
            )
    return found


def _when(one: Input, values: Values) -> tuple[np.ndarray, np.ndarray]:
    """Starts and lengths of the doses of a series, [doses, 1] or [doses, batch] where they are drawn."""
    starts = (one.start + one.interval * np.arange(one.repeats))[:, None]
    if one.lag >= 0:
        starts = starts + np.asarray(values[one.lag])
    length = np.asarray(values[one.release]) if one.release >= 0 else np.array([one.duration])
    return starts, np.broadcast_to(length, (one.repeats, length.size))
