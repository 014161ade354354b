"""Forward simulation against closed forms and an independent solver."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from gaddum.parameter_registry import Register
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug
from gaddum.records.library import Library
from gaddum.records.protocol import Subject
from gaddum.records.quantity import Quantity
from gaddum.records.source import Source
from gaddum.records.target import Target
from gaddum.response.simulate import Rates, SimulatedSystem, subdivided

SOURCE = {"how": "assumption", "reason": "made up for a test"}
V, CL, F_U, K_I, K_E, K_ON, K_OFF = 10.0, 5.0, 0.5, 40.0, 2.0, 0.5, 0.02
TIMES = np.array([0.5, 2.0, 24.0, 72.0])


def q(value: float, unit: str = "1") -> dict[str, Any]:
    return {"value": value, "unit": unit, "source": SOURCE}


@pytest.fixture(scope="module")
def system() -> SimulatedSystem:
    drug = Drug.model_validate(
        {
            "name": "blocker",
            "molar_mass": q(250.0, "g/mol"),
            "f_u": {"human": q(F_U)},
            "kp_uu": {"human": q(1.0)},
            "disposition": {"human": {"sampling": "venous", "v_c": q(V, "L"), "cl": q(CL, "L/h")}},
            "affinities": [{"target": "NMDAR", "mode": "channel blocker", "k_i": q(K_I, "nM")}],
        }
    )
    target = Target.model_validate(
        {"name": "NMDAR", "full_name": "x", "family": "x", "features": ["block"], "source": SOURCE}
    )
    register = Register()
    own = Source(how="assumption", reason="made up for a test")

    def rate(name: str, value: float) -> int:
        reported = (Quantity(value=value, unit="1/h", source=own),)
        return register.report(name, reported, "1/h", "test", spreads=np.array([0.4]))

    rates = Rates(rate("k_e", K_E), rate("k_on", K_ON), rate("k_off", K_OFF), rate("tone", 0.3))
    doses = [
        (Dose(drug="blocker", amount="4000 nmol", route="iv bolus"),),
        (Dose(drug="blocker", amount="4000 nmol", route="iv infusion", duration="1 h"),),
    ]
    return SimulatedSystem(
        doses,
        "NMDAR.block",
        subject=Subject(species="human", paradigm="none"),
        library=Library({"NMDAR": target}, {"blocker": drug}),
        times=TIMES,
        register=register,
        rates=rates,
    )


@pytest.mark.slow
def test_features_and_states_agree_with_a_stiff_solver(system) -> None:
    theta = jnp.asarray(system.register.table())[:, [6, 8, 10]]  # draws at -1, 0 and 1 SD of everything
    found = jax.jit(system.readings)(theta)
    values = {p.name: np.exp(np.asarray(theta[i])) for i, p in enumerate(system.register.parameters)}
    for place, length in enumerate((0.0, 1.0)):
        for draw in range(3):
            at = {name: float(value[draw]) for name, value in values.items()}
            k = at["clearance of blocker in human"] / at["central volume of blocker in human"]
            share = min(at["f_u of blocker in human"], 1.0) * at["Kp,uu of blocker in human"]
            scale = share / at["central volume of blocker in human"]

            def rates(t: float, y: np.ndarray, at=at, k=k, scale=scale, length=length) -> list[float]:
                u = scale * y[0] / (scale * y[0] + at["K_i of blocker at NMDAR"])
                put = 4000.0 / length if length and t < length else 0.0
                acute = at["k_e"] * (u - y[1])
                return [put - k * y[0], acute, at["k_on"] * u * (1 - y[2]) - at["k_off"] * y[2]]

            start = [0.0 if length else 4000.0, 0.0, 0.0]
            solved = solve_ivp(
                rates, (0, 72), start, "LSODA", t_eval=TIMES, rtol=1e-10, atol=1e-13, max_step=0.5
            )
            np.testing.assert_allclose(found.acute[place, :, draw], solved.y[1], atol=1e-6)
            np.testing.assert_allclose(found.sustained[place, :, draw], solved.y[2], atol=1e-6)


@pytest.mark.slow
def test_blocks_of_draws_give_what_single_draws_give(system) -> None:
    from gaddum.response.simulate import LANES

    theta = jnp.tile(jnp.asarray(system.register.table())[:, :16], (1, 2 * LANES // 16))
    whole = system.run(theta).sustained
    np.testing.assert_allclose(whole, jax.jit(system.readings)(theta).sustained, rtol=1e-12, atol=1e-15)


def test_intervals_hold_every_jump_and_reading() -> None:
    edges = subdivided([0.0, 1.0], [0.5, 24.0])
    assert {0.0, 0.5, 1.0, 24.0} <= set(edges.tolist()) and np.all(np.diff(edges) > 0)
