"""Behaviour: drive over time -> acute effect (first-order effect site) and sustained effect (turnover).

Both states are linear in themselves, so they are solved by their integrating factor on Gauss-Legendre panels:
no solver, positive integrands, no cancellation. The panels of all readings share one layout (`panels` of `order`
nodes each); their edges follow doses and test times.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gaddum.numerics.quadrature import Quadrature


def acute_effect(
    drive: Float[Array, "readings nodes batch"],
    weights: Float[Array | np.ndarray, "readings nodes"],
    before_test: Float[Array | np.ndarray, "readings nodes"],
    k_e: Float[Array, " batch"],
) -> Float[Array, "readings batch"]:
    """Effect-site level at the test: the drive filtered by a first-order rate.

    Parameters
    ----------
    drive : array
        Drive above baseline at the quadrature nodes.
    weights : array
        Quadrature weights in hours.
    before_test : array
        Time from each node to the test, hours.
    k_e : array
        Equilibration rate, 1/h.
    """
    weights, before_test = (jnp.asarray(x, drive.dtype)[..., None] for x in (weights, before_test))
    return jnp.sum(weights * k_e * jnp.exp(-k_e * before_test) * drive, axis=1)


def sustained_effect(
    drive: Float[Array, "readings nodes batch"],
    panel_width: Float[np.ndarray, "readings panels"],
    rule: Quadrature,
    before_test: Float[Array | np.ndarray, "readings nodes"],
    k_on: Float[Array, " batch"],
    k_off: Float[Array, " batch"],
    start: Float[Array, " batch"],
) -> Float[Array, "readings batch"]:
    """State P at the test under dP/dt = k_on u (1 - P) - k_off P, from P(0) = start.

    Parameters
    ----------
    drive : array
        Drive u >= 0 at the nodes, panels in time order.
    panel_width : array
        Width of each panel, hours.
    rule : Quadrature
        The rule that all panels share.
    before_test : array
        Time from each node to the test, hours.
    k_on, k_off : array
        Rates of build-up (at full drive) and decay, 1/h.
    start : array
        P at time 0.
    """
    width = np.asarray(panel_width, drive.dtype)
    weights = (width[..., None] * rule.weights.astype(drive.dtype)).reshape(drive.shape[:2])
    left, total = _integrals_to_test(drive, width, rule)
    span = width.sum(axis=1)[:, None]
    before_test = jnp.asarray(before_test, drive.dtype)
    # By parts: what the drive up to the test has built up, held against decay since. Quicker build-up makes the usual
    # integrand, k_on u exp(-k_on U - k_off t), a narrow peak; this one only tends to a step of height k_off.
    held = -jnp.expm1(-k_on * left) * jnp.exp(-k_off * before_test[..., None])
    gained = -jnp.expm1(-k_on * total) * jnp.exp(-k_off * span) + k_off * jnp.sum(
        weights[..., None] * held, axis=1
    )
    return start * jnp.exp(-k_on * total - k_off * span) + gained


def _integrals_to_test(
    drive: Float[Array, "readings nodes batch"],
    panel_width: Float[np.ndarray, "readings panels"],
    rule: Quadrature,
) -> tuple[Float[Array, "readings nodes batch"], Float[Array, "readings batch"]]:
    """Integral of a drive from each node to the test (the rest of its panel, then whole ones), and over all panels."""
    readings, panels = panel_width.shape
    by_panel = (
        drive.reshape(readings, panels, rule.nodes.size, drive.shape[-1]) * panel_width[..., None, None]
    )
    own, whole = jnp.zeros_like(by_panel), jnp.zeros_like(by_panel[:, :, 0])
    to_end = (rule.weights - rule.cumulative).astype(drive.dtype)
    for k in range(rule.nodes.size):  # written out, which fuses where a small product would not
        own = own + to_end[:, k, None] * by_panel[:, :, k, None]
        whole = whole + float(rule.weights[k]) * by_panel[:, :, k]
    later = jnp.matmul(np.triu(np.ones((panels, panels), drive.dtype), 1), whole)
    left = own + later[:, :, None]
    return left.reshape(drive.shape), later[:, 0] + whole[:, 0]
