"""Means of two or more arms, with one pooled SD."""

import numpy as np
from scipy.special import stdtr

from gaddum.outcomes.design import (
    cell_inflation,
    contrast_error,
    degrees_of_freedom,
    effective_sizes,
    pooled_df,
)
from gaddum.outcomes.form import ArmComparison, Priors, Table, difference_of
from gaddum.outcomes.group_sizes import fixed_value
from gaddum.outcomes.joint_means import JointMeans
from gaddum.outcomes.noncentral_t import GRID
from gaddum.outcomes.statistic import judged, observed_effect, probability_beyond, probability_significant
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.means import Means


def table(experiment: Experiment, outcome: Means, priors: Priors) -> Table:
    """Means of two or more arms; standard errors or deviations as stated, or either where unclear."""
    noise = fixed_value(priors, "arm_noise") ** 2
    sign = 1.0 if experiment.protocol.endpoints[outcome.endpoint].improvement == "increase" else -1.0
    base = experiment.protocol.vehicle(outcome.arms) or list(outcome.arms)[-1]
    others = [name for name in outcome.arms if name != base]
    n = {name: arm.n for name, arm in outcome.arms.items()}
    paired, shared, every = experiment.protocol.is_paired(), experiment.protocol.session_correlation, tuple(n)
    freedom, df = sum(n.values()) - len(n), pooled_df(n, every, paired, shared)
    if freedom < 1:
        raise ValueError(
            f"Means need more subjects than arms; got {n}. Correct `n`, or use `form: narrative`."
        )
    kinds = {arm.spread_kind for arm in outcome.arms.values()}
    readings = [("SD", 1.0)] if kinds == {"SD"} else [("SEM", 1.0)] if kinds == {"SEM"} else None
    readings = readings or ([("SD", 0.5), ("SEM", 0.5)] if "unclear" in kinds else [("as stated", 1.0)])
    size, more = effective_sizes(n, every, paired, shared), cell_inflation(experiment.protocol)
    covariance = np.diag([more / size[name] + noise for name in others]) + more / size[base] + noise
    log_weights, effects, scale_0 = [], [], None
    errors = [contrast_error(n, (name, base), paired, shared) for name in others]
    above, significant = np.zeros((len(others), len(GRID))), np.zeros(len(GRID))
    for reading, weight in readings:
        sds = {
            name: arm.spread * (np.sqrt(arm.n) if (arm.spread_kind, reading) in _AS_SEM else 1.0)
            for name, arm in outcome.arms.items()
        }
        pooled = np.sqrt(sum((n[name] - 1) * sds[name] ** 2 for name in n) / freedom)
        scale_0 = scale_0 or pooled
        d = np.array([sign * (outcome.arms[name].mean - outcome.arms[base].mean) / pooled for name in others])
        # density per unit of the first reading's SD, so that readings compare
        log_weights.append(float(np.log(weight) - len(d) * np.log(pooled / scale_0)))
        effects.append(d)
        variances = np.diag(covariance)
        above += weight * np.array([probability_beyond(x, v, df) for x, v in zip(d, variances, strict=True)])
        significant += weight * probability_significant(errors[0], float(variances[0]), df)
    joint = JointMeans(tuple(log_weights), np.array(effects), covariance, df)
    observed = tuple(
        observed_effect(float(x), error, df) for x, error in zip(effects[0], errors, strict=True)
    )
    contrasts = tuple(difference_of(name, base) for name in others)
    components = dict(readings) if len(readings) > 1 else {}
    several = len(others) > (2 if outcome.selected else 1)  # selection is modelled over two contrasts at most
    return Table(
        contrasts,
        joint.table() if several else joint.on_grid(),
        observed,
        components,
        above=above,
        significant=significant,
        joint=joint if several else None,
    )


_AS_SEM = {("SEM", "SEM"), ("SEM", "SD"), ("SEM", "as stated"), ("unclear", "SEM")}


def compared(experiment: Experiment, outcome: Means, first: str, second: str) -> ArmComparison | None:
    """By the t test of the design between the two means."""
    if not {first, second} <= set(outcome.arms):
        return None
    one, other = outcome.arms[first], outcome.arms[second]
    if "unclear" in (one.spread_kind, other.spread_kind):
        return None
    errors = [arm.spread / (arm.n**0.5 if arm.spread_kind == "SD" else 1.0) for arm in (one, other)]
    paired, sizes = experiment.protocol.is_paired(), {first: float(one.n), second: float(other.n)}
    shared = 2 * experiment.protocol.session_correlation * errors[0] * errors[1] if paired else 0.0
    t = abs(one.mean - other.mean) / np.sqrt(errors[0] ** 2 + errors[1] ** 2 - shared)
    p = 2 * stdtr(degrees_of_freedom(sizes, (first, second), paired), -t)
    endpoint = experiment.protocol.endpoints[outcome.endpoint]
    return judged(float(p), (one.mean > other.mean) == (endpoint.improvement == "increase"))
