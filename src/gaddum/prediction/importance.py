"""Importance weights: draws of a run, weighed by what each says of a new study.

Each account's draws keep their account's posterior; the mean of their likelihoods is how well the account foretold the
study, and moves its probability. What is true in a draw keeps its truth and gets another weight. Errors are those of
ratios of means over draws that are worth fewer than they are many, and of the evidence that the run itself had.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp


class NewWeights(NamedTuple):
    """Draws of all accounts before and after a study."""

    before: Float[np.ndarray, "accounts draws"]
    """Probability of each draw by the run; all add up to 1."""
    after: Float[np.ndarray, "accounts draws"]
    """The same with the study."""
    log_evidence: Float[np.ndarray, " accounts"]
    """Log mean likelihood of the study (nats): how well each account foretold it."""
    log_evidence_error: Float[np.ndarray, " accounts"]
    """Its Monte-Carlo error (nats)."""
    effective: Float[np.ndarray, " accounts"]
    """Independent draws that each account's weighted draws are worth."""
    worth: Float[np.ndarray, " accounts"]
    """Independent draws that its draws were worth before."""
    mcse: Float[np.ndarray, " accounts"]
    """Error of the log evidence of each account by the run (nats)."""


class MovedChances(NamedTuple):
    """Probabilities of things before and after, and the error of their change."""

    before: Float[np.ndarray, " things"]
    after: Float[np.ndarray, " things"]
    error: Float[np.ndarray, " things"]


def new_weights(
    probability: Float[np.ndarray, " accounts"],
    log_likelihood: Float[np.ndarray, "accounts draws"],
    effective_draws: Float[np.ndarray, " accounts"],
    mcse: Float[np.ndarray, " accounts"],
) -> NewWeights:
    """Weigh the draws of a run by a study.

    Parameters
    ----------
    probability
        Of each account by the run (1).
    log_likelihood
        Of the study, draw by draw (nats).
    effective_draws
        Independent draws that the draws of each account are worth (1).
    mcse
        Error of each account's log evidence by the run (nats).

    Examples
    --------
    A study that one account foretells three times as well:

    >>> found = new_weights(np.array([0.5, 0.5]), np.log([[0.3, 0.3], [0.1, 0.1]]), np.ones(2), np.zeros(2))
    >>> found.after.sum(axis=1).round(12).tolist()
    [0.75, 0.25]
    """
    draws = log_likelihood.shape[1]
    total = np.asarray(logsumexp(log_likelihood, axis=1))
    share = np.exp(log_likelihood - total[:, None])
    worth = np.minimum(effective_draws, draws)
    evidence = total - np.log(draws)
    with np.errstate(divide="ignore"):
        joint = np.log(probability) + evidence
    after = np.exp(joint - logsumexp(joint))
    return NewWeights(
        before=np.broadcast_to(probability[:, None] / draws, share.shape),
        after=after[:, None] * share,
        log_evidence=evidence,
        log_evidence_error=draws * share.std(axis=1) / np.sqrt(worth),
        effective=worth / draws / np.sum(share**2, axis=1),
        worth=worth,
        mcse=mcse,
    )


def moved_chances(weights: NewWeights, truth: Float[np.ndarray, "accounts things draws"]) -> MovedChances:
    """Probabilities of what holds in draws, before and after.

    Parameters
    ----------
    weights
        As `new_weights` gives them.
    truth
        1 where a thing holds, 0 where not; its last axis may be 1 where it is the same in all draws.
    """
    draws = weights.before.shape[1]
    of_each = {}
    for name in ("before", "after"):
        mass = getattr(weights, name)
        wanted = truth if truth.shape[2] == draws else np.broadcast_to(truth, (*truth.shape[:2], draws))
        chance = np.einsum("ad,apd->p", mass, wanted)
        # how far each draw pulls each chance, and each account's evidence does
        pull = draws * mass[:, None, :] * (wanted - chance[:, None])
        of_each[name] = chance, pull
    difference = of_each["after"][1] - of_each["before"][1]
    drawn = np.sum(difference.var(axis=2) / weights.worth[:, None], axis=0)
    evidence = np.sum((difference.mean(axis=2) * weights.mcse[:, None]) ** 2, axis=0)
    return MovedChances(of_each["before"][0], of_each["after"][0], np.sqrt(drawn + evidence))
