"""Verdicts as joint events: the probability that the tests which were run came out as the authors say.

A verdict speaks of three arms: a first (mean delta_1), a base (the vehicle, mean 0) and a second (delta_2).
Given the estimated SD and the sample mean x of one of them, the hub, the other two are independent, so the
table over (delta_1, delta_2) is one matrix product over nodes of (S, x). Correction for multiple tests only
rescales the margin c S, so that a mixture over corrections is a mixture of weights on the same nodes.

==============  =====================  ===============================  =============================
verdict         (first, base, second)  strict                           lax
==============  =====================  ===============================  =============================
abolished       (K, V, KA)             hub K: V below, KA below         hub V: K above, KA near
not abolished   (K, V, KA)             hub V: K above, KA above         hub K: V below, KA near
partial         (K, V, KA)             hub KA: V below, K above         (implies K > V)
enhanced        (K, V, KA)             hub K: V below, KA above
mimics          (X, V, K)              hub X: V below, K near           hub V: X above
does not mimic  (X, V, K)              hub V: X not above, K above
occludes        (X, V, KX)             hub X: V below, KX near
==============  =====================  ===============================  =============================

Where the test drug alone was shown not to work, "K > V" is replaced by its complement.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from scipy.optimize import brentq
from scipy.special import ndtr

from gaddum.outcomes.noncentral_t import (
    GRID,
    chi_logpdf,
    chi_steps,
    effect_interval,
    interval_probability,
    t_of_p,
)

Relation = Literal["below", "above", "near", "not below", "not above", "any"]
"""Where a leaf's sample mean lies from the hub's: beyond the margin on a side, within it, or not beyond."""
Hub = Literal["first", "base", "second"]

_STEP = float(GRID[1] - GRID[0])
_SCALE = 1e150
_NEGLIGIBLE = -300.0
"""Log weight below which a node is left out; tables are accurate where log P > -200."""


class VerdictEvent(NamedTuple):
    """Relations of all arms but the hub to the hub; the hub's own entry is "any"."""

    hub: Hub
    first: Relation
    base: Relation
    second: Relation


class Groups(NamedTuple):
    """The three arms of an event within a test over several groups."""

    n: tuple[float, ...]
    """Subjects in first, base, second (1)."""
    variance: tuple[float, ...]
    """Variance of their means: 1/n plus arm noise (squared within-group SD)."""
    df: float
    """Degrees of freedom of the pooled SD (1)."""
    k: int
    """Groups of the test (1)."""


EVENTS: dict[str, dict[str, VerdictEvent]] = {
    "abolished": {
        "strict": VerdictEvent("first", "any", "below", "below"),
        "lax": VerdictEvent("base", "above", "any", "near"),
    },
    "not abolished": {
        "strict": VerdictEvent("base", "above", "any", "above"),
        "lax": VerdictEvent("first", "any", "below", "near"),
    },
    "partial": {"strict": VerdictEvent("second", "above", "below", "any")},
    "enhanced": {"strict": VerdictEvent("first", "any", "below", "above")},
    "mimics": {
        "strict": VerdictEvent("first", "any", "below", "near"),
        "lax": VerdictEvent("base", "above", "any", "any"),
    },
    "does not mimic": {"strict": VerdictEvent("base", "not above", "any", "above")},
    "occludes": {"strict": VerdictEvent("first", "any", "below", "near")},
}
"""Events of the three-arm verdicts by rule; a single entry holds under either rule."""

PAIRS: dict[str, Relation] = {"effective": "above", "not effective": "not above", "no difference": "near"}
"""Where K's mean lies from V's in the two-arm verdicts."""


def without_agonist_effect(verdict: str, event: VerdictEvent) -> VerdictEvent:
    """The event where the test drug alone was shown not to work: "K > V" becomes "not K > V"."""
    if verdict not in ("abolished", "not abolished", "enhanced"):
        raise ValueError(
            f"A verdict without an effect of the test drug alone must be abolished, not "
            f"abolished or enhanced; got {verdict!r}, which implies that effect. "
            "Set `agonist_effect_present: true`, or use `form: narrative`."
        )
    if event.hub == "first":
        return event._replace(base="not below")
    return event._replace(first="not above")


@lru_cache(maxsize=4096)
def critical_value(correction: str, df: float, k: int, alpha: float = 0.05) -> float:
    """Critical value of |difference| / (S sqrt(1/n_i + 1/n_j)) among k groups (1).

    Bonferroni counts all k (k - 1) / 2 pairs.
    """
    if correction == "Tukey" and k > 2:
        return _studentized_range(1 - alpha, k, df) / np.sqrt(2.0)
    pairs = k * (k - 1) / 2 if correction == "Bonferroni" else 1
    return t_of_p(alpha / pairs, df)


def _studentized_range(probability: float, k: int, df: float) -> float:
    """Quantile of the studentized range of k means (1).

    P(Q < q) = E_S[k ∫ φ(z) (Φ(z) - Φ(z - q S))^(k-1) dz], by Gauss-Legendre rules over z and over S, the estimated SD
    as a share of the true one. SciPy's quantile takes a second, this one milliseconds.
    """
    z, dz = _legendre(-8.0, 8.0, 64)
    spread = 9.0 / np.sqrt(2.0 * df)
    s, ds = _legendre(max(0.0, 1.0 - spread), 1.0 + 1.5 * spread, 80)
    over_s = np.exp(chi_logpdf(s, df)) * ds
    over_z = k * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) * dz
    below = ndtr(z)

    def excess(q: float) -> float:
        inside = (below[:, None] - ndtr(z[:, None] - q * s)) ** (k - 1)
        return float(over_z @ inside @ over_s) - probability

    return float(np.asarray(brentq(excess, 1e-3, 1e3, xtol=1e-10)))


def _legendre(low: float, high: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    half = 0.5 * (high - low)
    return low + half * (nodes + 1), half * weights


def pair_probability(
    relation: Relation, groups: Groups, corrections: dict[str, float], delta: np.ndarray = GRID
) -> np.ndarray:
    """Probability of a two-arm event (first against base) for each true difference."""
    variance = groups.variance[0] + groups.variance[1]
    error = np.sqrt(1 / groups.n[0] + 1 / groups.n[1])
    total = np.zeros(np.shape(delta))
    for correction, weight in corrections.items():
        margin = critical_value(correction, groups.df, groups.k) * error
        lower, upper = {
            "above": (margin, np.inf),
            "below": (-np.inf, -margin),
            "near": (-margin, margin),
            "not above": (-np.inf, margin),
            "not below": (-margin, np.inf),
            "any": (-np.inf, np.inf),
        }[relation]
        total += weight * effect_interval(lower, upper, variance, groups.df, delta)
    return total


def joint_log_probability(event: VerdictEvent, groups: Groups, corrections: dict[str, float]) -> np.ndarray:
    """Log probability of a three-arm event on `GRID` x `GRID` over (first - base, second - base).

    Parameters
    ----------
    event
        Which relations must hold.
    groups
        Sizes and variances of the arms.
    corrections
        Weight of each correction for multiple tests (1); a mixture of probabilities.
    """
    return _joint(event, groups, tuple(corrections.items()))


@lru_cache(maxsize=64)  # studies of unknown size share their tables
def _joint(event: VerdictEvent, groups: Groups, corrections: tuple[tuple[str, float], ...]) -> np.ndarray:
    sd: dict[str, float] = dict(zip(("first", "base", "second"), np.sqrt(groups.variance), strict=True))
    n: dict[str, float] = dict(zip(("first", "base", "second"), groups.n, strict=True))
    r, r_weight = _margins(groups, dict(corrections))
    x_step, delta_step, x = _hub_nodes(min(sd.values()), max(sd.values()))
    fine = _STEP / delta_step
    # x_j - delta_k on the common fine grid: every leaf is a Toeplitz matrix, evaluated once per offset
    offsets = x[0] - GRID[-1] + fine * np.arange(x_step * (len(x) - 1) + delta_step * (len(GRID) - 1) + 1)

    def margin(arm: str) -> np.ndarray:
        return r[:, None] * np.sqrt(1 / n[arm] + 1 / n[event.hub])

    def leaf(arm: str, relation: Relation, at: np.ndarray) -> np.ndarray:
        return _leaf(relation, at[None, :], margin(arm), sd[arm])

    node = r_weight[:, None] * (x_step * fine) * np.ones(len(x))
    if event.hub == "base":
        node = node * _pdf(x, sd["base"])
        first = leaf("first", event.first, offsets)
        second = leaf("second", event.second, offsets)
    else:
        node = node * leaf("base", event.base, x)
        hub_pdf = np.broadcast_to(_pdf(offsets, sd[event.hub]), (len(r), len(offsets)))
        first = hub_pdf if event.hub == "first" else leaf("first", event.first, offsets)
        second = hub_pdf if event.hub == "second" else leaf("second", event.second, offsets)
    kept = node > np.exp(_NEGLIGIBLE)
    root = np.sqrt(node[kept])[:, None]
    a = _scaled(_toeplitz(first, len(x), x_step, delta_step)[kept], root)
    b = _scaled(_toeplitz(second, len(x), x_step, delta_step)[kept], root)
    with np.errstate(divide="ignore"):
        table = np.log(a.T @ b) - 2 * np.log(_SCALE)
    table.flags.writeable = False
    return table


def _margins(groups: Groups, corrections: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of the margin r = c S and their weights, mixed over corrections."""
    used = [(name, weight) for name, weight in corrections.items() if weight > 0]
    values = [(weight, critical_value(name, groups.df, groups.k)) for name, weight in used]
    c = max(value for _, value in values)
    ratio = max(2 / (groups.n[i] * groups.variance[i]) for i in range(3))
    s, ds = chi_steps(groups.df, c * c * ratio, c * 24.0 / np.sqrt(min(groups.variance)), 1.1)
    log_weight = np.full(len(s), -np.inf)
    for weight, value in values:
        factor = c / value
        part = np.log(weight) + chi_logpdf(s * factor, groups.df) + np.log(ds * factor)
        log_weight = np.logaddexp(log_weight, part)
    keep = log_weight > _NEGLIGIBLE
    return c * s[keep], np.exp(log_weight[keep])


def _hub_nodes(least_sd: float, most_sd: float) -> tuple[int, int, np.ndarray]:
    """Trapezoid nodes of the hub's mean, and steps of x and of `GRID` in common fine steps."""
    wanted = 0.7 * least_sd
    delta_step = max(1, int(np.ceil(_STEP / wanted)))
    x_step = max(1, int(wanted / _STEP)) if delta_step == 1 else 1
    half = GRID[-1] + 8 * most_sd
    width = x_step * _STEP / delta_step
    count = int(np.ceil(half / width))
    return x_step, delta_step, width * np.arange(-count, count + 1)


def _leaf(relation: Relation, offset: np.ndarray, margin: np.ndarray, sd: float) -> np.ndarray:
    """Probability that a leaf of mean m stands in `relation` to a hub at x, for offset = x - m."""
    match relation:
        case "below":
            return ndtr((offset - margin) / sd)
        case "above":
            return ndtr((-offset - margin) / sd)
        case "not above":
            return ndtr((offset + margin) / sd)
        case "not below":
            return ndtr((margin - offset) / sd)
        case "near":
            return interval_probability((offset - margin) / sd, (offset + margin) / sd)
        case "any":
            return np.ones(np.broadcast_shapes(offset.shape, margin.shape))


def _pdf(x: np.ndarray, sd: float) -> np.ndarray:
    return np.exp(-0.5 * (x / sd) ** 2) / (sd * np.sqrt(2 * np.pi))


def _toeplitz(rows: np.ndarray, nodes: int, x_step: int, delta_step: int) -> np.ndarray:
    """Matrix [margin, node, grid] of values at offset x_j - delta_k, from values at all offsets."""
    rows = np.ascontiguousarray(rows)
    start = delta_step * (len(GRID) - 1)
    outer, inner = rows.strides
    return as_strided(
        rows[:, start:], (rows.shape[0], nodes, len(GRID)), (outer, x_step * inner, -delta_step * inner)
    )


def _scaled(values: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Rows times their factors, scaled so that no product of two is subnormal, which would be slow."""
    values *= factor
    values[values < 1e-299] = 0.0
    values *= _SCALE
    return values
