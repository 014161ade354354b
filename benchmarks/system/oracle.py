"""Reference answers for the benchmark's system: scipy's LSODA at a tight tolerance, and a second way to check it.

The second way uses that everything up to the brain is linear with constant coefficients: its states are stepped by
matrix exponentials between the nodes of Gauss-Legendre panels, and the two behavioural states, linear in themselves,
are integrated on these panels. It shares the model's lines with the first, but no solver and no step control.

Run: python -m benchmarks.system.oracle [DRAWS] compares the two and scipy's Radau, and prints the differences.
"""

import sys
import time
from collections.abc import Callable
from functools import cache

import numpy as np
from benchmarks.system.definition import (
    INPUTS,
    PARAMETERS,
    PROTOCOLS,
    QUANTITIES,
    RATES,
    READ_TIMES,
    RULES,
    Stretch,
    absolute_tolerance,
    draws,
    errors,
    stretches,
)
from scipy.integrate import solve_ivp
from scipy.linalg import expm

NAMES = tuple(RATES)
LINEAR = len(NAMES) - 2
"""The states before `acute` and `sustained`, which come last."""

BRAIN = tuple(name for name in NAMES if name.startswith("b_"))
TOLERANCE = 1e-11
PANELS, ORDER = 40, 16
"""Gauss-Legendre panels per stretch and nodes per panel of the second way."""


@cache
def _compiled() -> tuple[Callable, Callable]:
    """Functions of (state, parameters, inputs): rates of change, and the quantities read."""
    names = [f"({', '.join(group)},)" for group in (NAMES, [p.name for p in PARAMETERS], INPUTS)]
    body = [f"    {left} = {right}" for left, right in zip(names, ("y", "p", "u"), strict=True)]
    body += [f"    {name} = {rule}" for name, rule in RULES.items()]
    scope: dict[str, Callable] = {}
    for function, out in (("rates", RATES.values()), ("read", QUANTITIES)):
        code = "\n".join([f"def {function}(y, p, u):", *body, f"    return [{', '.join(out)}]"])
        exec(compile(code, "definition", "exec"), scope)  # noqa: S102  # the lines of definition.py
    return scope["rates"], scope["read"]


def simulate(parameters: np.ndarray, method: str = "LSODA", tolerance: float = TOLERANCE) -> np.ndarray:
    """Readouts of one draw by a scipy solver, shape [protocol, time, quantity]."""
    return simulate_all(parameters, method, tolerance)[..., : len(QUANTITIES)]


def simulate_all(parameters: np.ndarray, method: str = "LSODA", tolerance: float = TOLERANCE) -> np.ndarray:
    """Readouts of one draw and then the unbound brain concentrations in the order of `BRAIN` (nM), on the last axis."""
    rates, read = _compiled()
    p, out = parameters.tolist(), np.empty((len(PROTOCOLS), len(READ_TIMES), len(QUANTITIES) + len(BRAIN)))
    brain = [NAMES.index(name) for name in BRAIN]
    atol = [absolute_tolerance(name, tolerance) for name in NAMES]
    for i, doses in enumerate(PROTOCOLS.values()):
        state = np.zeros(len(NAMES))
        for stretch in stretches(doses):
            state, u = _begun(stretch, state)
            within = [k for k, t in enumerate(READ_TIMES) if stretch.start < t <= stretch.end]
            solution = solve_ivp(
                lambda _, y, u=u: rates(y.tolist(), p, u),
                (stretch.start, stretch.end),
                state,
                method,
                t_eval=sorted({READ_TIMES[k] for k in within} | {stretch.end}),
                rtol=tolerance,
                atol=atol,
                first_step=1e-5,
            )
            if not solution.success:
                raise RuntimeError(f"{method} must reach {stretch.end:g} h; it stopped: {solution.message}")
            for column, k in enumerate(within):
                out[i, k] = [*read(solution.y[:, column].tolist(), p, u), *solution.y[brain, column]]
            state = solution.y[:, -1]
    return out


def simulate_exactly(parameters: np.ndarray) -> np.ndarray:
    """Readouts of one draw by matrix exponentials and quadrature, shape [protocol, time, quantity]."""
    rates, read = _compiled()
    p = parameters.tolist()
    effect_site, on, off = p[-3:]
    matrix = np.array(
        [rates(unit.tolist(), p, [0.0, 0.0])[:LINEAR] for unit in np.eye(len(NAMES))[:LINEAR]]
    ).T
    points, weights = np.polynomial.legendre.leggauss(ORDER)
    points, weights = (points + 1) / 2, weights / 2
    powers = np.vander(points, ORDER, increasing=True)
    cumulative = (points[:, None] ** np.arange(1, ORDER + 1) / np.arange(1, ORDER + 1)) @ np.linalg.inv(
        powers
    )
    out = np.empty((len(PROTOCOLS), len(READ_TIMES), len(QUANTITIES)))
    for i, doses in enumerate(PROTOCOLS.values()):
        state, acute, sustained = np.zeros(len(NAMES)), 0.0, 0.0
        for stretch in stretches(doses):
            state, u = _begun(stretch, state)
            augmented = np.zeros((LINEAR + 1, LINEAR + 1))
            augmented[:LINEAR, :LINEAR] = matrix
            augmented[:LINEAR, LINEAR] = rates([0.0] * len(NAMES), p, u)[:LINEAR]
            for a, b in _panels(stretch):
                start = np.append(state[:LINEAR], 1.0)
                nodes = [expm(augmented * (b - a) * x) @ start for x in points]
                full = [[*node[:LINEAR], 0.0, 0.0] for node in nodes]
                level = {q: np.array([read(y, p, u)[k] for y in full]) for k, q in enumerate(QUANTITIES)}
                drive = level["NMDAR_block"] * level["MOR_tone"]
                width = b - a
                left = width * (1 - points)
                acute = acute * np.exp(-effect_site * width) + effect_site * width * np.sum(
                    weights * drive * np.exp(-effect_site * left)
                )
                passed, total = width * cumulative @ drive, width * weights @ drive
                kernel = np.exp(-on * (total - passed) - off * left)
                sustained = sustained * np.exp(-on * total - off * width)
                sustained += on * width * np.sum(weights * drive * kernel)
                state = np.append((expm(augmented * width) @ start)[:LINEAR], [acute, sustained])
                for k, t in enumerate(READ_TIMES):
                    if t == b:
                        out[i, k] = read(state.tolist(), p, u)
    return out


def _begun(stretch: Stretch, state: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """The state after the stretch's boluses, and its inputs."""
    added = [stretch.boluses.get(name, 0.0) for name in NAMES]
    return state + np.array(added), [stretch.inputs.get(name, 0.0) for name in INPUTS]


def _panels(stretch: Stretch) -> list[tuple[float, float]]:
    """Panels that grow with time since the stretch began, with every reading on an edge."""
    length = stretch.end - stretch.start
    grown = stretch.start + min(length, 1e-3) * np.geomspace(1, max(length / 1e-3, 1.0), PANELS)
    edges = sorted(
        {stretch.start, stretch.end} | set(grown[:-1].tolist()) | {t for t in READ_TIMES if stretch.start < t}
    )
    edges = [edge for edge in edges if edge <= stretch.end]
    return list(zip(edges[:-1], edges[1:], strict=True))


def main() -> None:
    table = draws(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    found = {}
    for name, function in {
        "LSODA 1e-11": simulate,
        "Radau 1e-10": lambda p: simulate(p, "Radau", 1e-10),
        "exponentials": simulate_exactly,
    }.items():
        start = time.perf_counter()
        found[name] = np.stack([function(row) for row in table], axis=1)
        seconds = (time.perf_counter() - start) / len(table) / len(PROTOCOLS)
        print(f"{name:13} {1e3 * seconds:8.1f} ms per simulation")
    for name in ("LSODA 1e-11", "Radau 1e-10"):
        print(name, {k: f"{v:.1e}" for k, v in errors(found[name], found["exponentials"]).items()})
    np.set_printoptions(precision=4, suppress=True, linewidth=120)
    for name, block in zip(PROTOCOLS, found["exponentials"][:, 0], strict=True):
        print(f"{name} (medians; rows {READ_TIMES} h; columns {QUANTITIES})\n{block}")


if __name__ == "__main__":
    main()
