"""Impulse responses of linear kinetics, in closed form.

A linear kinetic system is known completely by its response to a unit bolus, and that response is a sum of
exponentials: an `Impulse`. Compartments are put in series by convolution (`through` for a first-order stage,
`cascade` for a whole daughter system such as a metabolite); `superposition` superposes doses on the result. Nothing
here solves a differential equation.

Units are the caller's, as long as they agree; in gaddum: h, L, L/h, nmol, nM. Poles lie on axis 0 and the
batch (draws) on the trailing axes, so that one call serves every draw. Inputs without batch axes are
broadcast. Numbers in numpy are worked on in numpy, for which these many small steps are quick; anything of
JAX's, traced values above all, in JAX.

Poles that nearly coincide would make the residues cancel. Where two poles are closer than `COINCIDENCE`
(relative), the pair is replaced by two poles at that distance about the same centre, with weights that keep
the pair's response to second order in the distance. With k t up to 50 the relative error stays below 1e-6,
and the gradient stays finite. A third pole at the same place is put beside the pair, which costs accuracy
(an error of about 1e-4 of the peak); a fourth leaves few digits. Chains of equal compartments are `transit`.
"""

from functools import cache
from typing import Any, NamedTuple, TypeAlias

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import ArrayLike
from numpy.polynomial import chebyshev

from gaddum.numerics.array_library import array_library

Numbers: TypeAlias = Array | np.ndarray

COINCIDENCE = 1e-5  # relative distance of two poles below which they are treated as one double pole


class Impulse(NamedTuple):
    """Response to a unit bolus at time zero: ``sum_p weights_p * exp(-rates_p * t)``.

    Attributes
    ----------
    rates
        Poles, all positive (1/h), shape [poles, *batch].
    weights
        Residues (concentration per unit amount, 1/L), shape [poles, *batch].
    """

    rates: Numbers
    weights: Numbers


def mammillary(v_c: ArrayLike, cl: ArrayLike, v_p: ArrayLike, q: ArrayLike) -> Impulse:
    """Central concentration after a unit bolus into a mammillary system of one to three compartments.

    Parameters
    ----------
    v_c, cl
        Central volume (L) and clearance (L/h), scalar or shape [*batch].
    v_p, q
        Peripheral volumes (L) and inter-compartmental clearances (L/h), shape [peripherals, *batch] with
        zero, one or two peripherals. A peripheral with ``q = 0`` is absent.

    Returns
    -------
    Impulse
        One pole per compartment, fastest first.

    Examples
    --------
    >>> one = mammillary(10.0, 5.0, np.zeros(0), np.zeros(0))
    >>> float(one.rates[0]), round(float(one.weights[0]), 6)
    (0.5, 0.1)
    """
    xp = array_library(v_c, cl, v_p, q)
    volumes, flows = xp.asarray(v_p, float), xp.asarray(q, float)
    if volumes.shape[:1] != flows.shape[:1] or not 1 <= volumes.ndim or volumes.shape[0] > 2:
        raise ValueError(
            f"v_p and q must have the same leading axis of 0, 1 or 2 peripherals; got shapes {volumes.shape} and "
            f"{flows.shape}. Stack the peripherals on axis 0."
        )
    batch = xp.broadcast_shapes(xp.shape(v_c), xp.shape(cl), volumes.shape[1:], flows.shape[1:])
    central = xp.broadcast_to(xp.asarray(v_c, float), batch)
    k_10 = xp.broadcast_to(xp.asarray(cl, float), batch) / central
    peripherals = volumes.shape[0]
    if peripherals == 0:
        return Impulse(k_10[None], 1 / central[None])
    volumes = _onto(volumes, (peripherals, *batch))
    flows = _onto(flows, (peripherals, *batch))
    # An absent peripheral keeps a pole of weight zero, placed away from the others.
    place = xp.arange(2.0, 2.0 + peripherals).reshape((peripherals,) + (1,) * len(batch)) * k_10[None]
    k_out = xp.where(flows > 0, flows / central[None], 0.0)
    k_back = xp.where(flows > 0, flows / volumes, place)
    roots = _two_roots if peripherals == 1 else _three_roots
    rates = roots(k_10, k_out, k_back)
    numerator = xp.prod(k_back[:, None] - rates[None], axis=0)
    gaps = rates[:, None] - rates[None]
    own = xp.eye(peripherals + 1, dtype=bool).reshape(gaps.shape[:2] + (1,) * len(batch))
    return Impulse(rates, numerator / xp.prod(xp.where(own, 1.0, gaps), axis=0) / central[None])


def through(impulse: Impulse, rate: ArrayLike, gain: ArrayLike = 1.0) -> Impulse:
    """Pass a response through a first-order stage, ``gain * rate * exp(-rate * t)``.

    The stage may be an absorption depot (rate k_a, gain F), a transit compartment, brain equilibration (k_e0,
    gain Kp,uu) or the delay between arterial and venous plasma. The order of stages does not matter.

    Parameters
    ----------
    impulse
        The response that enters the stage.
    rate
        Rate constant (1/h), scalar or shape [*batch].
    gain
        Steady-state ratio of output to input (1).
    """
    xp = array_library(*impulse, rate)
    batch = xp.broadcast_shapes(impulse.rates.shape[1:], xp.shape(rate))
    pole = xp.broadcast_to(xp.asarray(rate, float), batch)[None]
    return cascade(impulse, Impulse(pole, pole), gain)


def cascade(parent: Impulse, child: Impulse, gain: ArrayLike = 1.0) -> Impulse:
    """Feed one system's output into another: the convolution of two responses.

    For a metabolite, ``child`` is the metabolite's own `mammillary` and ``gain`` the fraction of the parent's
    clearance that forms it times that clearance (L/h). A chain of metabolites is a cascade of cascades.

    Parameters
    ----------
    parent, child
        Responses; their batch axes are broadcast.
    gain
        Factor between the parent's output and the child's input, scalar or shape [*batch].
    """
    xp = array_library(*parent, *child, gain)
    batch = xp.broadcast_shapes(parent.rates.shape[1:], child.rates.shape[1:], xp.shape(gain))
    a, v = (_onto(x, (len(x), *batch))[:, None] for x in parent)
    b, w = (_onto(x, (len(x), *batch))[None] for x in child)
    a, b = _cleared(a, b, 0), _cleared(b, a, 1)
    vw = v * w
    # Each pole has at most one partner: the nearest pole of the other system, if that is too near.
    distance = xp.abs(a - b)
    centre = (a + b) / 2
    nearest = (distance <= distance.min(0, keepdims=True)) & (distance <= distance.min(1, keepdims=True))
    close = nearest & (distance < COINCIDENCE * centre)
    half = xp.where(b < a, -1.0, 1.0) * COINCIDENCE * centre / 2
    # The pair stands at centre -+ half; outside a pair both stay where they are.
    a_moved = xp.where(close, centre - half, a)
    b_moved = xp.where(close, centre + half, b)
    alone = vw / xp.where(close, 1.0, b - a)  # v w (exp(-a t) - exp(-b t)) / (b - a)
    alone = xp.where(close, 0.0, alone)
    paired = xp.where(close, vw / (2 * half), 0.0)
    # Weights of the other pairs that sit at a or b itself move to the two new poles by linear interpolation.
    span = xp.where(close, 2 * half, 1.0)
    share_a = xp.where(close, (a - a_moved) / span, 0.0)  # of the weight at a, what goes to the pole of b
    share_b = xp.where(close, (b_moved - b) / span, 0.0)  # of the weight at b, what goes to the pole of a
    at_a, at_b = alone.sum(1), -alone.sum(0)
    weights_a = at_a * (1 - share_a.sum(1)) + (at_b[None] * share_b).sum(1) + paired.sum(1)
    weights_b = at_b * (1 - share_b.sum(0)) + (at_a[:, None] * share_a).sum(0) - paired.sum(0)
    rates_a = a[:, 0] + (a_moved - a).sum(1)
    rates_b = b[0] + (b_moved - b).sum(0)
    factor = xp.broadcast_to(xp.asarray(gain, float), batch)
    return Impulse(xp.concatenate([rates_a, rates_b]), factor[None] * xp.concatenate([weights_a, weights_b]))


def transit(rate: ArrayLike, stages: int, gain: ArrayLike = 1.0) -> Impulse:
    """Response of a chain of equal first-order stages, to be put before a system by `cascade`.

    A pole of order n is a derivative of order n - 1 with respect to the rate; here it is taken by
    interpolation at Chebyshev nodes near the rate. The error is below 1e-8 of the peak. Where a pole of the
    system falls within `COINCIDENCE` of a node it can reach 1e-6 with three stages and 3e-5 with five.

    Parameters
    ----------
    rate
        Rate constant of each stage (1/h), scalar or shape [*batch].
    stages
        Number of stages, 1 to 5 (a mean transit time of ``stages / rate``).
    gain
        Fraction that arrives (1), scalar or shape [*batch].
    """
    if not 1 <= stages <= 5:
        raise ValueError(
            f"stages must be 1 to 5; got {stages!r}. Write a longer chain as a lag and fewer stages."
        )
    xp = array_library(rate, gain)
    nodes, shares = _order(stages)
    batch = xp.broadcast_shapes(xp.shape(rate), xp.shape(gain))
    pole, factor = (xp.broadcast_to(xp.asarray(x, float), batch)[None] for x in (rate, gain))
    along = (len(nodes),) + (1,) * len(batch)
    return Impulse(pole * nodes.reshape(along), factor * pole * shares.reshape(along))


def area_under_curve(impulse: Impulse, amount: ArrayLike) -> Numbers:
    """Area under the concentration from a dose to infinity (nM h), shape [*batch]."""
    return amount * (impulse.weights / impulse.rates).sum(axis=0)


def _onto(x: Numbers, shape: tuple[int, ...]) -> Any:
    """Broadcast over batch axes that `x` lacks; axis 0 stays first."""
    x = x.reshape(x.shape[:1] + (1,) * (len(shape) - x.ndim) + x.shape[1:])
    return array_library(x).broadcast_to(x, shape)


@cache
def _order(stages: int) -> tuple[np.ndarray, np.ndarray]:
    """Poles over rate, and weights over rate, of a pole of order `stages`."""
    if stages == 1:
        return np.ones(1), np.ones(1)
    reach, count = 0.3, stages + 12  # half-width of the interpolation and number of nodes: a scan over both
    nodes = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    # Coefficient of x^(stages - 1) in each Lagrange polynomial, through discrete orthogonality of T_i.
    rows = [(i, [0.0] * i + [1.0]) for i in range(count)]
    power = [chebyshev.cheb2poly(row)[stages - 1] if i >= stages - 1 else 0.0 for i, row in rows]
    shares = chebyshev.chebvander(nodes, count - 1) * ([1.0] + [2.0] * (count - 1)) @ np.array(power) / count
    return 1 + reach * nodes, shares * (-1 / reach) ** (stages - 1)


def _cleared(x: Numbers, others: Numbers, own: int) -> Any:
    """Move a pole that coincides with a whole cluster of the other system's poles to the cluster's edge."""
    xp = array_library(x, others)
    over = 1 - own
    apart = xp.abs(x - others)
    step = COINCIDENCE * x
    near = apart < 2 * step
    crowded = (near.sum(over, keepdims=True) > 1) & ((apart < step).any(over, keepdims=True))
    top = xp.max(xp.where(near, others, 0.0), over, keepdims=True)
    bottom = xp.min(xp.where(near, others, xp.inf), over, keepdims=True)
    beside = xp.where(2 * x >= top + bottom, top + 1.01 * step, bottom - 1.01 * step)
    return xp.where(crowded, beside, x)


def _two_roots(k_10: Numbers, k_out: Numbers, k_back: Numbers) -> Numbers:
    """Poles of two compartments, fastest first: roots of s^2 - total s + product."""
    xp = array_library(k_10, k_out, k_back)
    total = k_10 + k_out[0] + k_back[0]
    product = k_10 * k_back[0]
    # total^2 - 4 product, written without cancellation
    spread = xp.sqrt((k_10 + k_out[0] - k_back[0]) ** 2 + 4 * k_out[0] * k_back[0])
    fast = (total + spread) / 2
    return xp.stack([fast, product / fast])


def _three_roots(k_10: Numbers, k_out: Numbers, k_back: Numbers) -> Numbers:
    """Poles of three compartments, fastest first: the positive roots of s^3 - c2 s^2 + c1 s - c0."""
    xp = array_library(k_10, k_out, k_back)
    c2 = k_10 + k_out.sum(0) + k_back.sum(0)
    c1 = k_10 * k_back.sum(0) + k_out[1] * k_back[0] + k_out[0] * k_back[1] + k_back[0] * k_back[1]
    c0 = k_10 * k_back[0] * k_back[1]
    # The largest root by the trigonometric formula, the two others from sum and product: all keep digits.
    p = xp.maximum(c2**2 / 3 - c1, 1e-30 * c2**2)
    r = (2 * c2**3 / 27 - c2 * c1 / 3 + c0) / 2
    angle = xp.arccos(xp.clip(r / (p / 3) ** 1.5, -1.0, 1.0))
    first = c2 / 3 + 2 * xp.sqrt(p / 3) * xp.cos(angle / 3)
    product = c0 / first
    total = (c1 - product) / first
    second = (total + xp.sqrt(xp.maximum(total**2 - 4 * product, 0.0))) / 2
    root = xp.stack([first, second, product / second])
    root = lax.stop_gradient(root) if xp is jnp else root
    # Two Newton steps: they polish the roots, and they carry the exact first and second derivatives.
    for _ in range(2):
        slope = (3 * root - 2 * c2[None]) * root + c1[None]
        slope = xp.where(slope == 0, xp.inf, slope)
        root = root - (((root - c2[None]) * root + c1[None]) * root - c0[None]) / slope
    return root
