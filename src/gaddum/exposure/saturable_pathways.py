"""Saturable pathways: ligands behind a body with saturable elimination -> concentrations (`exposure.saturable`).

Doses do not superpose there, so all inputs of a ligand go through one integration. The grid is chosen by looking at the
numbers: this cannot be part of a compiled function.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gaddum.exposure.arrivals import Arrival
from gaddum.exposure.chains import Chain, chains_of, lay_chains, responses_of
from gaddum.exposure.impulse import Impulse
from gaddum.exposure.plan import Body, Input, Ligand, Plan, Site
from gaddum.exposure.saturable import Stage, chain_concentrations

DRAWS = 4096
"""Draws that are followed together."""

Values = Float[np.ndarray, "parameters batch"]
"""Parameters (not their logs)."""


def follow(
    plan: Plan,
    theta: Float[np.ndarray, "parameters batch"],
    times: Float[np.ndarray, " times"],
    site: Site,
) -> dict[int, Float[Array, "times batch"]]:
    """Concentrations (nM) of the ligands of a plan that have no closed form, by their place; `theta` is not traced.

    Raises
    ------
    ValueError
        If the doses are a steady state, if two drugs share a saturable elimination, or if the solver misses its target.
    """
    check_followable(plan)
    read, back = np.unique(times, return_inverse=True)
    found: dict[int, Array] = {}
    for place, ligand in enumerate(plan.ligands):
        if not ligand.is_saturable:
            continue
        parts = [
            _ligand(ligand, theta[:, first : first + DRAWS], read, site)
            for first in range(0, theta.shape[1], DRAWS)
        ]
        found[place] = jnp.concatenate(parts, axis=1)[back]
    return found


def check_followable(plan: Plan) -> None:
    """Refuse a steady state, and two ways to one saturable body, whose amounts would be eliminated together."""
    ways: dict[Body, tuple] = {}
    for ligand in plan.ligands:
        if ligand.is_saturable and any(one.steady_state for one in ligand.inputs):
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


def _ligand(
    ligand: Ligand, theta: Float[np.ndarray, "parameters batch"], times: np.ndarray, site: Site
) -> Float[Array, "times batch"]:
    values = np.exp(theta)
    first = next(place for place, body in enumerate(ligand.bodies) if body.v_max >= 0)
    shares = [_share(values, place) for place in ligand.fractions] + [np.zeros(values.shape[1])]
    stages = [
        _stage(body, shares[place], values) for place, body in enumerate(ligand.bodies) if place >= first
    ]
    last = {"brain": ligand.k_e0, "arterial": -1, "venous": ligand.k_venous}[site]
    rate = None if last < 0 else jnp.asarray(values[last])
    found = chain_concentrations(times, stages, _arrivals(ligand, first, theta, values), rate=rate)
    if not bool(found.converged.all()):
        raise ValueError(
            f"The saturable kinetics of {ligand.drug} must be followed to their target; {found.status}"
        )
    if site != "brain":
        return found.values
    return found.values * _share(values, ligand.f_u) * (values[ligand.kp_uu] if ligand.kp_uu >= 0 else 1.0)


def _stage(body: Body, onward: Float[np.ndarray, " batch"], values: Values) -> Stage:
    nothing, saturable = np.zeros(values.shape[1]), body.v_max >= 0
    cleared = values[body.cl] if body.cl >= 0 else nothing
    if body.half_life >= 0:
        cleared = np.log(2.0) * values[body.v_c] / values[body.half_life]
    parts = (
        values[body.v_c],
        cleared,
        values[np.array(body.v_p, int)],
        values[np.array(body.q, int)],
        values[body.v_max] if saturable else nothing,
        values[body.k_m] if saturable else nothing + 1.0,
        onward,
    )
    return Stage(*(jnp.asarray(part) for part in parts))


def _arrivals(
    ligand: Ligand, first: int, theta: Float[np.ndarray, "parameters batch"], values: Values
) -> list[Arrival]:
    """Every input of a ligand by every way, as what arrives at the bodies from the first saturable one on."""
    ways = []
    for one in ligand.inputs:
        for whole in chains_of(ligand, one, "arterial"):
            entry = len(ligand.bodies) - len(whole.bodies)
            before = max(first - entry, 0)
            linear = whole._replace(
                bodies=whole.bodies[:before], fractions=whole.fractions[:before], f=-1, first_pass=-1
            )
            ways.append((one, whole, entry, linear))
    chains = lay_chains([linear for *_, linear in ways])
    responses = responses_of(chains, theta)
    found = []
    for one, whole, entry, linear in ways:
        group, row = chains.place[linear]
        rates, weights = (x[:, row] for x in responses[group])
        amounts = np.broadcast_to(one.amount * _entering(whole, values), (one.repeats, values.shape[1]))
        impulse = Impulse(rates, weights) if len(rates) else None
        found.append(Arrival(max(entry - first, 0), impulse, amounts, *_when(one, values)))
    return found


def _entering(chain: Chain, values: Values) -> Float[np.ndarray, " batch"]:
    """Share of a dose that takes a way."""
    absorbed = _share(values, chain.f)
    return absorbed if chain.first_pass < 0 else (1.0 - absorbed) * _share(values, chain.first_pass)


def _share(values: Values, place: int) -> Float[np.ndarray, " batch"]:
    """A fraction, at most 1 whatever its spread; 1 where there is none."""
    return np.minimum(values[place], 1.0) if place >= 0 else np.ones(values.shape[1])


def _when(one: Input, values: Values) -> tuple[np.ndarray, np.ndarray]:
    """Starts and lengths of the doses of a series, [doses, 1] or [doses, batch] where they are drawn."""
    starts = (one.start + one.interval * np.arange(one.repeats))[:, None]
    if one.lag >= 0:
        starts = starts + np.asarray(values[one.lag])
    length = np.asarray(values[one.release]) if one.release >= 0 else np.array([one.duration])
    return starts, np.broadcast_to(length, (one.repeats, length.size))
