"""Independent answers for nonlinear kinetics: scipy's LSODA at 1e-11, one draw at a time, restarted at every jump.

Nothing is shared with gaddum's solver; doses pass through explicit depots instead of closed-form inputs.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.integrate import solve_ivp

RTOL, ATOL = 1e-11, 1e-14


def follow(
    rate: Callable[[float, np.ndarray], np.ndarray],
    start: np.ndarray,
    times: Sequence[float],
    *,
    jumps: dict[float, np.ndarray] | None = None,
    edges: Sequence[float] = (),
    begin: float = 0.0,
) -> np.ndarray:
    """States at `times`, just before any jump there, [times, states]; `rate` may change at `edges`."""
    jumps = jumps or {}
    cuts = sorted({begin, *times, *jumps, *edges})
    state, out = np.array(start, float), []
    for a, b in zip(cuts, [*cuts[1:], None], strict=True):
        if a in times:
            out.append(state.copy())
        if b is None or b > max(times):
            break
        state = state + jumps.get(a, 0.0)
        # A little inside the stretch, so that a rate that changes at b is not asked for there.
        inside = lambda t, y, a=a, b=b: rate(a + (t - a) * (1 - 1e-12), y)  # noqa: E731
        scale = max(1.0, float(np.abs(state).max()))
        state = solve_ivp(inside, (a, b), state, "LSODA", rtol=RTOL, atol=ATOL * scale, first_step=1e-6).y[
            :, -1
        ]
    return np.array(out)


def saturable(
    times: Sequence[float],
    body: dict[str, float],
    v_p: np.ndarray,
    q: np.ndarray,
    doses: Sequence[tuple[float, float, float]],
    k_a: float | None,
) -> np.ndarray:
    """Central concentration [times] after doses of (amount, start, duration)."""
    into = 0 if k_a is not None else 1
    size = 2 + len(v_p)

    def rate(t: float, y: np.ndarray) -> np.ndarray:
        c = y[1] / body["v_c"]
        flows = q * (c - y[2:] / v_p)
        out = np.zeros(size)
        out[0] = -(k_a or 0.0) * y[0]
        out[1] = (k_a or 0.0) * y[0] - body["cl"] * c - body["v_max"] * c / (body["k_m"] + c) - flows.sum()
        out[2:] = flows
        out[into] += sum(
            amount / length for amount, start, length in doses if length and start <= t < start + length
        )
        return out

    jumps: dict[float, np.ndarray] = {}
    for amount, start, length in doses:
        if not length:
            jumps[start] = jumps.get(start, np.zeros(size)) + amount * np.eye(size)[into]
    edges = [at for _, start, length in doses for at in (start, start + length)]
    states = follow(rate, np.zeros(size), times, jumps=jumps, edges=edges, begin=min(s for _, s, _ in doses))
    return states[:, 1] / body["v_c"]
