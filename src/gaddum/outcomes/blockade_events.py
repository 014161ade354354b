"""Blockade events: what a study of a blockade will show, as one of four events by one rule at the test.

Arms: K (test drug), V (its control), KA (test drug and antagonist) and, where it was run, A (antagonist alone). Every
test is two-sided at 5 %, on the SD pooled over all arms, and finds what it looks for only in the expected direction.

==================  ===========  ====================================  ================================
event               K over V     block: K over KA, or with A the       residual: KA over A, or without
                                 interaction (K - V) - (KA - A)        such an arm over V
==================  ===========  ====================================  ================================
nothing to block    not found
not abolished       found        not found (also where KA is above K)
partial             found        found                                 found
abolished           found        found                                 not found
==================  ===========  ====================================  ================================

Given the estimated SD, two of the three contrasts fix the third, so that each chance is a bivariate normal orthant,
integrated over that SD.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtr

from gaddum.outcomes.design import SESSION_CORRELATION, degrees_of_freedom, effective_sizes
from gaddum.outcomes.noncentral_t import chi_logpdf, chi_steps
from gaddum.outcomes.verdict_events import critical_value

BlockadeEvent = Literal["abolished", "partial", "not_abolished", "nothing_to_block"]

_ROLES = ("K", "V", "KA", "A")
_THREE = np.array([[1.0, -1, 0, 0], [1, 0, -1, 0], [0, -1, 1, 0]])
_CROSSED = np.array([[1.0, -1, 0, 0], [1, -1, -1, 1], [0, 0, 1, -1]])
"""Effect, block and residual over the roles, without and with an antagonist-alone arm."""
_TRUE = np.array([[1.0, 0], [1, -1], [0, 1]])
"""The same over the true effect and the true residual."""
_UNCORRECTED = {"none": 1.0}
_BLOCK = 2048
"""Points computed at a time: what fits a core's cache with the nodes of the SD."""
_SPACING, _NEGLIGIBLE = 1.0, 1e-11
"""Step of the nodes of the SD in widths of the integrand, and the weight below which one is left out (1)."""


class EventChances(NamedTuple):
    """Chance of each event (1), in the shape of the effects that were given; they sum to 1."""

    abolished: np.ndarray
    partial: np.ndarray
    not_abolished: np.ndarray
    nothing_to_block: np.ndarray


def event_of(effect: bool, block: bool, residual: bool) -> BlockadeEvent:
    """Event of a study from what its tests found, each significant in the expected direction or not.

    Parameters
    ----------
    effect
        Test drug over its own control, K over V.
    block
        K over KA, or with an antagonist-alone arm the interaction (K - V) - (KA - A).
    residual
        KA over its own control: A, or V where there is no A.

    Examples
    --------
    >>> event_of(effect=True, block=True, residual=False)
    'abolished'
    """
    if not effect:
        return "nothing_to_block"
    if not block:
        return "not_abolished"
    return "partial" if residual else "abolished"


def event_chances(
    effect: np.ndarray | float,
    residual: np.ndarray | float,
    n: Mapping[str, float],
    *,
    paired: bool = False,
    correlation: float = SESSION_CORRELATION,
    inflation: float = 1.0,
    corrections: Mapping[str, float] = _UNCORRECTED,
    arm_noise: float = 0.0,
    deviation: float = 0.0,
) -> EventChances:
    """Chance of each event at true effects, by quadrature over the estimated SD.

    Parameters
    ----------
    effect
        True effect of the test drug over its control, K - V (within-group SD).
    residual
        True effect of KA over A, or over V where `n` has no A (within-group SD).
    n
        Subjects by arm (1): K, V, KA, perhaps A, and any other arm over which the SD is pooled.
    paired
        Whether the arms share their subjects (crossover).
    correlation
        Of a subject's sessions (1), where paired.
    inflation
        Variance of an arm's mean over what the tests take it for (1), as `outcomes.design.cell_inflation` has it.
    corrections
        Weight (1) of each correction of pairwise tests over all arms, "none", "Tukey" or "Bonferroni", a mixture. The
        interaction is one contrast and is not corrected.
    arm_noise
        SD of what shifts a whole arm and no test sees (within-group SD).
    deviation
        SD of the true effect, and of the true residual, independently about what is given (within-group SD).

    Examples
    --------
    Ten a group, an effect of 1.5 SD that the antagonist takes away whole:

    >>> [round(float(chance), 2) for chance in event_chances(1.5, 0.0, {"K": 10, "V": 10, "KA": 10})]
    [0.82, 0.02, 0.07, 0.1]
    """
    arms, crossed = tuple(n), "A" in n
    missing = [role for role in _ROLES[:3] if role not in n]
    if missing or min(n.values()) < 2:
        raise ValueError(
            f"A blockade needs arms K, V and KA with at least 2 subjects each; got {dict(n)}. Add the arm, or raise n."
        )
    size = effective_sizes(n, arms, paired, correlation)
    df = degrees_of_freedom(n, arms, paired, len(arms))
    per_arm = np.array([1 / size[role] if role in size else 0.0 for role in _ROLES])
    rows = _CROSSED if crossed else _THREE
    error = np.sqrt(rows**2 @ per_arm)
    covariance = (rows * (inflation * per_arm + arm_noise**2)) @ rows.T + deviation**2 * _TRUE @ _TRUE.T
    whole, left = np.broadcast_arrays(np.asarray(effect, float), np.asarray(residual, float))
    means = np.array([whole.ravel(), (whole - left).ravel(), left.ravel()])
    found, blocked, partial = (np.zeros(means.shape[1]) for _ in range(3))
    for correction, weight in corrections.items():
        if weight == 0:
            continue
        pairwise = critical_value(correction, df, len(arms))
        planned = critical_value("none", df, len(arms)) if crossed else pairwise
        margins = np.array([pairwise, planned, pairwise]) * error
        for first in range(0, means.shape[1], _BLOCK):
            part = slice(first, first + _BLOCK)
            chances = _orthants(means[:, part], margins, covariance, df, crossed)
            for total, chance in zip((found, blocked, partial), chances, strict=True):
                total[part] += weight * chance
    events = (blocked - partial, partial, found - blocked, 1 - found)
    return EventChances(*(np.clip(chance, 0.0, 1.0).reshape(whole.shape) for chance in events))


def _orthants(
    means: np.ndarray, margins: np.ndarray, covariance: np.ndarray, df: float, crossed: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chances that the effect is found; and the block too; and the residual too."""
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    s, ds = chi_steps(df, float(np.max(margins / sd)) ** 2, 0.0, _SPACING)
    weight = np.exp(chi_logpdf(s, df)) * ds
    s, weight = s[weight > _NEGLIGIBLE], weight[weight > _NEGLIGIBLE]

    def beyond(which: int, margin: float) -> np.ndarray:
        return (means[which][:, None] - margin * s) / sd[which]

    effect, block, residual = (beyond(which, margins[which]) for which in range(3))
    found = ndtr(effect)
    if not crossed:  # K beyond KA and KA beyond V by their margins is K beyond V by its own
        blocked = _both(effect, block, correlation[0, 1])
        partial = _both(block, residual, correlation[1, 2])
        return found @ weight, blocked @ weight, partial @ weight
    # U = K - V and W = KA - A are independent; found and blocked is U > max(m_U, W + m_B), with a corner where
    # W = m_U - m_B
    corner = margins[0] - margins[1]
    below = ndtr(-beyond(2, corner))
    blocked = below * found + _both(beyond(2, corner), block, correlation[1, 2])
    least = max(margins[2], corner)
    between = ndtr(residual) - ndtr(beyond(2, least))
    partial = between * found + _both(beyond(2, least), block, correlation[1, 2])
    return found @ weight, blocked @ weight, partial @ weight


_RULES = {count: np.polynomial.legendre.leggauss(count) for count in (12, 32)}
_OBLIQUE = 0.75
"""Correlation from which on more nodes are taken; with these chances err by less than 1e-7."""


def _both(x: np.ndarray, y: np.ndarray, correlation: float) -> np.ndarray:
    """P(X < x, Y < y) of standard normals: ndtr(x) ndtr(y) plus an integral over the angle from independence.

    Drezner Z & Wesolowsky GO (1990). doi:10.1080/00949659008811236
    """
    angle = np.arcsin(correlation)
    nodes, weights = _RULES[32 if abs(correlation) > _OBLIQUE else 12]
    total, square, product = np.zeros(x.shape), 0.5 * (x * x + y * y), x * y
    for node, weight in zip(0.5 * angle * (1 + nodes), 0.5 * angle * weights, strict=True):
        total += weight * np.exp((product * np.sin(node) - square) / np.cos(node) ** 2)
    return ndtr(x) * ndtr(y) + total / (2 * np.pi)
