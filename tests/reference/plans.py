"""Concentrations of a plan by matrix exponential: depots, bodies and effect sites as compartments, dose by dose.

Nothing of the closed forms is shared; only the plan says what is given and which parameter is which.
"""

import numpy as np

from gaddum.exposure.plan import Body, Input, Ligand, Plan
from reference.compartments import Dose, Flows

FOR_EVER = 1500.0
"""How long before its last dose a steady state has begun (h)."""


def by_matrix(plan: Plan, theta: np.ndarray, times: np.ndarray, site: str = "brain") -> np.ndarray:
    """Concentrations (nM) at rising times, [ligands, times, draws]."""
    values = np.exp(theta)
    found = [
        [_ligand(ligand, values[:, draw], times, site) for draw in range(theta.shape[1])]
        for ligand in plan.ligands
    ]
    return np.moveaxis(np.array(found), 1, 2)


def _ligand(ligand: Ligand, value: np.ndarray, times: np.ndarray, site: str) -> np.ndarray:
    def of(place: int, default: float = 1.0) -> float:
        return default if place < 0 else float(value[place])

    flows, doses = Flows(), []
    last = {"brain": ligand.k_e0, "venous": ligand.k_venous, "arterial": -1}[site]
    for k, body in enumerate(ligand.bodies):
        _body(flows, k, body, min(of(ligand.fractions[k]), 1.0) if k < len(ligand.fractions) else 0.0, of)
    end = f"body {len(ligand.bodies) - 1}"
    if last >= 0:
        flows.add(end, of(last), "site", keeps=True)
        flows.add("site", of(last))
    shown = np.zeros(len(times))
    for level, start, until in ligand.held if site == "brain" else ():
        shown += np.where((times >= start) & (times <= until), level, 0.0)
    for number, one in enumerate(ligand.inputs):
        doses += _doses(flows, number, one, ligand, of)
    if not doses:
        return shown
    free = min(of(ligand.f_u), 1.0) * of(ligand.kp_uu) if site == "brain" else 1.0
    volume = of(ligand.bodies[-1].v_c)
    hidden = [one.start for one in ligand.inputs if one.steady_state]
    level = flows.amounts(doses, times)["site" if last >= 0 else end] / volume * free
    assert (
        len(hidden) == 0 or len(ligand.inputs) == 1
    )  # before a steady state nothing is shown, though it was there
    return shown + np.where(times >= max(hidden, default=-np.inf), level, 0.0)


def _body(flows: Flows, k: int, body: Body, share: float, of) -> None:
    name, v = f"body {k}", of(body.v_c)
    rate = of(body.cl) / v if body.cl >= 0 else np.log(2.0) / of(body.half_life)
    flows.add(name, rate * (1 - share))
    if share:
        flows.add(name, rate * share, f"body {k + 1}")
    for place, (v_p, q) in enumerate(zip(body.v_p, body.q, strict=True)):
        flows.add(name, of(q) / v, f"{name} peripheral {place}")
        flows.add(f"{name} peripheral {place}", of(q) / of(v_p), name)


def _doses(flows: Flows, number: int, one: Input, ligand: Ligand, of) -> list[Dose]:
    f = min(of(one.f), 1.0)
    ways = [(f, 0)]
    if one.route == "po" and one.f >= 0 and len(ligand.bodies) > 1:
        ways.append(((1 - f) * min(of(ligand.fractions[0]), 1.0), 1))
    length = one.duration if one.release < 0 else of(one.release)
    before = int(FOR_EVER / one.interval) if one.steady_state else 0
    found = []
    for share, body in ways:
        stages = [f"input {number} {body} stage {place}" for place in range(one.stages)]
        steps = [(stage, one.stages / of(one.transit)) for stage in stages]
        steps += [(f"input {number} {body} depot", of(one.k_a))] if one.k_a >= 0 else []
        path = [name for name, _ in steps] + [f"body {body}"]
        for (name, rate), to in zip(steps, path[1:], strict=True):
            flows.add(name, rate, to)
        for k in range(-before, one.repeats):
            start = one.start + one.interval * k + of(one.lag, 0.0)
            found.append(Dose(path[0], one.amount * share, start, length))
    return found
