"""Impulse responses of linear kinetics, in closed form.

A linear kinetic system is known completely by its response to a unit bolus, and that response is a sum of
exponentials: an `Impulse`. Compartments in series put their poles and zeros together (`chains` does); `dose_series`
superposes doses on the result. Nothing here solves a differential equation.

Units are the caller's, as long as they agree; in gaddum: h, L, L/h, nmol, nM. Poles lie on axis 0 and the
batch (draws) on the trailing axes, so that one call serves every draw. Numbers in numpy are worked on in numpy, for
which these many small steps are quick; anything of JAX's, traced values above all, in JAX.

Poles that nearly coincide would make the residues cancel: they are moved apart (`parted`). Chains of equal
compartments are not told apart so, but `delayed`.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev

from gaddum.numerics.array_library import Numbers, array_library, without_gradient

REACHES = 0.3, 0.313
"""Half-widths of the interpolation of a transit chain, relative to its rate: nodes of one lie between the other's."""
ABSENT = 1e9
"""A pole or zero (1/h) that is none."""


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


def mammillary_poles(central: Numbers, k_10: Numbers, v_p: Numbers, q: Numbers) -> tuple[Numbers, Numbers]:
    """Poles of a mammillary system (1/h), fastest first, and zeros of its central compartment.

    Parameters
    ----------
    central, k_10
        Central volume (L) and rate constant of elimination (1/h), shape [*batch].
    v_p, q
        Peripheral volumes (L) and inter-compartmental clearances (L/h), shape [peripherals, *batch] with zero, one or
        two peripherals. A peripheral with ``q = 0`` is absent.

    Examples
    --------
    >>> rates, zeros = mammillary_poles(np.ones(1), np.full(1, 0.5), np.zeros((0, 1)), np.zeros((0, 1)))
    >>> rates.tolist(), zeros.tolist()
    ([[0.5]], [])
    """
    xp = array_library(central, k_10, v_p, q)
    peripherals = len(v_p)
    if peripherals > 2:
        raise ValueError(
            f"A body must have 0, 1 or 2 peripherals; got {peripherals}. Give those that matter at the times asked of."
        )
    if peripherals == 0:
        return k_10[None], v_p
    # An absent peripheral keeps a pole of weight zero, placed away from the others.
    place = xp.arange(2.0, 2.0 + peripherals).reshape((peripherals,) + (1,) * k_10.ndim) * k_10[None]
    k_out = xp.where(q > 0, q / central[None], 0.0)
    k_back = xp.where(q > 0, q / v_p, place)
    return (_two_roots if peripherals == 1 else _three_roots)(k_10, k_out, k_back), k_back


def response(poles: Numbers, zeros: Numbers, gain: Numbers) -> Impulse:
    """Response of which poles and zeros are known: ``gain * prod(s + zeros) / prod(s + poles)``, transformed back.

    Parameters
    ----------
    poles, zeros
        Distinct poles and any zeros (1/h), shape [poles, *batch] and [zeros, *batch]. One at `ABSENT` is none, so that
        systems with fewer stand beside others; its weight is 0.
    gain
        Factor, shape [*batch].

    Examples
    --------
    >>> depot = response(np.array([[3.0], [0.5]]), np.zeros((0, 1)), np.array([3.0]))
    >>> depot.weights[:, 0].round(3).tolist()
    [-1.2, 1.2]
    """
    xp = array_library(poles, zeros, gain)
    weights = xp.broadcast_to(gain[None], poles.shape)
    for zero in zeros:
        weights = weights * xp.where(zero[None] == ABSENT, 1.0, zero[None] - poles)
    for place, pole in enumerate(poles):
        own = (np.arange(len(poles)) == place).reshape((-1,) + (1,) * (poles.ndim - 1))
        weights = weights / xp.where(own | (pole[None] >= ABSENT / 2), 1.0, pole[None] - poles)
    return Impulse(poles, xp.where(poles >= ABSENT / 2, 0.0, weights))


def parted(poles: Numbers, least: float) -> Numbers:
    """Move poles that nearly coincide apart, each pair about its centre, to a relative distance of `least`.

    A pair's response keeps its form to second order in `least`: it errs by (least k t)^2 / 24. Rounding errors grow by
    1 / `least`. Of three poles that are not equal, two may stay at half the distance; equal ones, however many, do not.
    """
    xp = array_library(poles)
    gaps = poles[:, None] - poles[None]
    order = np.sign(np.subtract.outer(np.arange(len(poles)), np.arange(len(poles))))
    order = order.reshape(order.shape + (1,) * (poles.ndim - 1))
    side = xp.where(gaps == 0, order, xp.sign(gaps))
    # Not by `abs`, whose gradient at 0 would move both poles of a pair the same way.
    short = xp.maximum(least * (poles[:, None] + poles[None]) / 2 - side * gaps, 0.0)
    return poles + (xp.where(order == 0, 0.0, side) * short).sum(1) / 2


def delayed(impulse: Impulse, rate: Numbers, stages: int) -> Impulse:
    """Put a chain of equal first-order stages before a response, or take the chain alone where that has no poles.

    A pole of order n is a derivative of order n - 1 with respect to the rate; here it is taken by interpolation at
    Chebyshev nodes near the rate, which are chosen to lie away from the poles of the response. The error is below 1e-8
    of the peak, with five stages below 1e-6.

    Parameters
    ----------
    impulse
        The response behind the chain.
    rate
        Rate constant of each stage (1/h), shape [*batch].
    stages
        Number of stages, 2 to 5 (a mean transit time of ``stages / rate``); a single one is a pole like others.
    """
    if not 2 <= stages <= 5:
        raise ValueError(
            f"stages must be 1 to 5; got {stages!r}. Write a longer chain as a lag and fewer stages."
        )
    xp = array_library(*impulse, rate)
    nodes, shares = (x.reshape((-1,) + (1,) * rate.ndim) for x in _order(stages))
    a, v = impulse

    def gap(reach: float) -> Numbers:
        return xp.abs(a[:, None] - rate * (1 + reach * nodes)).min((0, 1))

    near, far = REACHES
    reach = xp.where(gap(near) < gap(far), far, near) if len(a) else near
    b, w = rate * (1 + reach * nodes), rate * shares * (-1 / reach) ** (stages - 1)
    if not len(a):
        return Impulse(b, w)
    each = v[:, None] * w / (b - a[:, None])
    return Impulse(xp.concatenate([a, b]), xp.concatenate([each.sum(1), -each.sum(0)]))


def area_under_curve(impulse: Impulse, amount: Numbers | float) -> Numbers:
    """Area under the concentration from a dose to infinity (nM h), shape [*batch]."""
    return amount * (impulse.weights / impulse.rates).sum(axis=0)


@cache
def _order(stages: int) -> tuple[np.ndarray, np.ndarray]:
    """Chebyshev nodes, and what a derivative of order ``stages - 1`` there takes of each, over -1 to that power."""
    # By a scan; even, so that no node is the rate itself, where a depot often lies.
    count = 12 + stages + stages % 2
    nodes = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    # Coefficient of x^(stages - 1) in each Lagrange polynomial, through discrete orthogonality of T_i.
    rows = [(i, [0.0] * i + [1.0]) for i in range(count)]
    power = np.array([chebyshev.cheb2poly(row)[stages - 1] if i >= stages - 1 else 0.0 for i, row in rows])
    return nodes, chebyshev.chebvander(nodes, count - 1) * ([1.0] + [2.0] * (count - 1)) @ power / count


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
    root = without_gradient(root)
    # Two Newton steps: they polish the roots, and they carry the exact first and second derivatives.
    for _ in range(2):
        slope = (3 * root - 2 * c2[None]) * root + c1[None]
        slope = xp.where(slope == 0, xp.inf, slope)
        root = root - (((root - c2[None]) * root + c1[None]) * root - c0[None]) / slope
    return root
