"""Compare: evidences of hypotheses and their phase variants -> Bayes factors and posterior probabilities.

A hypothesis whose phased inputs may act at induction, expression or both has one variant each; they share its prior
mass equally, so its marginal likelihood is their mean. Hypotheses that predict the same over the ledger's protocols
form one class and share one prior mass.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float
from scipy.special import logsumexp

from gaddum.records.case import Case
from gaddum.records.hypothesis import Hypothesis, Phase
from gaddum.response.assemble import Assembly
from gaddum.response.response import Account, account, respond
from gaddum.results import Odds

PHASES: tuple[Phase, ...] = ("induction", "expression", "both")
EQUIVALENT_BELOW = 0.01
"""Divergence (nats) below which two accounts count as one."""
TYPICAL_N = 10.0
"""Animals per group at which the divergence of predictions is expressed."""


class Variant(NamedTuple):
    """A hypothesis with its phased inputs acting at one phase."""

    hypothesis: Hypothesis
    phase: Phase | None

    @property
    def label(self) -> str:
        """Name for progress and storage."""
        return self.hypothesis.name if self.phase is None else f"{self.hypothesis.name}@{self.phase}"


class HypothesisWeight(NamedTuple):
    """Log marginal likelihood of a hypothesis with its error, and its probability."""

    log_ml: float
    log_ml_mcse: float
    probability: float
    variant_probability: tuple[float, ...]
    """Probability of each variant given the hypothesis."""

    def against(self, reference: "HypothesisWeight") -> Odds:
        """The same with the log Bayes factor against a reference and its error."""
        error = 0.0 if self is reference else float(np.hypot(self.log_ml_mcse, reference.log_ml_mcse))
        return Odds(
            log_ml=self.log_ml,
            log_ml_mcse=self.log_ml_mcse,
            log_bf=self.log_ml - reference.log_ml,
            log_bf_mcse=error,
            probability=self.probability,
        )


def variants(case: Case) -> list[Variant]:
    """All variants of all hypotheses, in the case's order."""
    return [
        Variant(hypothesis, phase)
        for hypothesis in case.hypotheses
        for phase in (PHASES if hypothesis.phased else (None,))
    ]


def variant_account(variant: Variant, assembly: Assembly, *, absolute: bool) -> Account:
    """Numbers of a variant."""
    return account(variant.hypothesis, assembly, phase=variant.phase or "both", absolute=absolute)


def divergences(
    accounts: list[Account],
    assembly: Assembly,
    contrasts: Float[np.ndarray, "contrasts rows"],
    *,
    seed: int,
    draws: int = 200,
    effects: Callable[[Float[np.ndarray, "dimension draws"], Account], Array | np.ndarray] | None = None,
) -> Float[np.ndarray, "accounts accounts"]:
    """Mean divergence (nats) between the accounts' predictions of the ledger's contrasts, over shared prior draws.

    For a contrast of two groups of n the divergence of normal predictions is n/4 times the squared difference of
    standardised effects; contrasts add.
    """
    z = np.asarray(jax.random.normal(jax.random.key(seed), (assembly.dimension, draws)))
    effects = effects or jax.jit(lambda z, given: respond(assembly, z, given).effect)
    predicted = [np.asarray(contrasts @ effects(z, given)) for given in accounts]
    size = len(accounts)
    found = np.zeros((size, size))
    for i in range(size):
        for j in range(i):
            squared = np.minimum((predicted[i] - predicted[j]) ** 2, 100.0)
            found[i, j] = found[j, i] = TYPICAL_N / 4 * squared.sum(axis=0).mean()
    return found


def classes(divergence: Float[np.ndarray, "n n"]) -> list[list[int]]:
    """Groups of accounts linked by divergences below the threshold, each in order."""
    from scipy.sparse.csgraph import connected_components  # which takes long to load

    _, group = connected_components(divergence < EQUIVALENT_BELOW, directed=False)
    return [np.flatnonzero(group == one).tolist() for one in np.unique(group)]


def combine(
    log_ml: Float[np.ndarray, " variants"], mcse: Float[np.ndarray, " variants"]
) -> tuple[float, float, tuple[float, ...]]:
    """Log marginal likelihood of a hypothesis whose variants share its mass equally, its error, each variant's share.

    Examples
    --------
    >>> import numpy as np
    >>> value, error, share = combine(np.array([-1.0, -1.0]), np.array([0.0, 0.0]))
    >>> round(value, 12), error, [round(s, 12) for s in share]
    (-1.0, 0.0, [0.5, 0.5])
    """
    share = np.exp(log_ml - logsumexp(log_ml))
    value = float(logsumexp(log_ml) - np.log(log_ml.size))
    return value, float(np.sqrt(np.sum((share * mcse) ** 2))), tuple(float(x) for x in share)


def weigh(
    names: list[str],
    masses: Float[np.ndarray, " hypotheses"],
    groups: list[list[int]],
    log_ml: list[Float[np.ndarray, " variants"]],
    mcse: list[Float[np.ndarray, " variants"]],
) -> dict[str, HypothesisWeight]:
    """Posterior probabilities of hypotheses; members of an equivalence class share one prior mass."""
    combined = [combine(a, b) for a, b in zip(log_ml, mcse, strict=True)]
    joint = np.log(prior_masses(masses, groups)) + np.array([value for value, _, _ in combined])
    probability = np.exp(joint - logsumexp(joint))
    return {
        name: HypothesisWeight(value, error, float(p), share)
        for name, (value, error, share), p in zip(names, combined, probability, strict=True)
    }


def prior_masses(
    masses: Float[np.ndarray, " hypotheses"], groups: list[list[int]]
) -> Float[np.ndarray, " hypotheses"]:
    """Prior probabilities after equivalence classes have shared their mass."""
    mass = masses.astype(float).copy()
    for group in groups:
        mass[group] = masses[group].max() / len(group)
    return mass / mass.sum()


def reweighted_log_ml(log_ml: float, log_weights: Float[np.ndarray, " draws"]) -> tuple[float, float]:
    """Marginal likelihood under other weights, from posterior draws, with the effective number of draws.

    Parameters
    ----------
    log_ml : float
        Under the setting that the draws come from.
    log_weights : array
        Log ratio of the other to the present likelihood, per draw. Bounded, since study failure bounds a cohort's
        likelihood from below.
    """
    total, total_of_squares = (float(np.asarray(logsumexp(k * log_weights))) for k in (1, 2))
    effective = float(np.exp(2 * total - total_of_squares))
    return float(log_ml + total - np.log(log_weights.size)), effective
