"""Rivals of the model: what anybody could say of a blockade without it. Priors were written down before any score.

=====================  ==============================================================================================
coin                   1/3 each
votes                  (1 + votes for the event) / (3 + votes) among earlier rows of the same species and stress
meta-regression        cumulative logit of the ordered events (not abolished, partial, abolished) over species, stress,
                       preparation and laboratory
meta-regression with   the same, and the share of its receptor that the antagonist occupies at induction and at the
engagement             test, by the calculator
=====================  ==============================================================================================

Of the meta-regressions, with s the logistic function:

    P(not abolished) = s(a - w/2 - eta)        P(not abolished or partial) = s(a + w/2 - eta)
    eta = species + stress + preparation + laboratory + b_1 (o_1 - 1/2) + b_2 (o_2 - 1/2)

Priors: a ~ N(0, 1.5), log w ~ N(log 2.4, 0.5), so that the three events are equally likely where nothing is known;
each species, stress state and preparation ~ N(0, 1); laboratories ~ N(0, t), t ~ half-normal(1); each b ~ N(0, 2). An
occupancy o that cannot be followed counts as 1/2. A row counts with its weight, split over the events as its readings
are. Fitted by the sampler of the verdict.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from benchmarks.prediction.engagement import RowEngagement
from benchmarks.prediction.rows import EVENTS, Row
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array, Bool, Float

from gaddum.sampling.posterior import sample_posterior
from gaddum.sampling.settings import Settings

Forecast = Callable[[Bool[np.ndarray, " rows"]], Float[np.ndarray, "rows events"]]
"""Chances of the events in every row, from the rows that are known."""
SAMPLER = Settings(
    particles=256, lanes=1024, directions=64, sweeps=96, r_hat=1.01, ess_per_dimension=200.0, largest_mcse=0.1
)
"""A chance then errs by less than 0.01."""
PRIOR_SD = {"location": 1.5, "log_width": 0.5, "laboratory": 1.0, "slope": 2.0, "group": 1.0}
"""Standard deviations of the priors."""
WIDTH = 2.4
"""Prior median of the distance of the two cut points (logit)."""
NEUTRAL = 0.5
"""Occupancy at which the slopes say nothing, and of antagonists that cannot be followed."""
DRAWS = 4096
"""Draws from the prior where no row is known."""
_SLOPES = slice(3, 5)
_FIRST = 5
"""Coordinates before those of groups: location, log width, spread of laboratories, two slopes."""


class Design(NamedTuple):
    """What a meta-regression knows of the rows."""

    groups: Float[Array | np.ndarray, "rows groups"]
    """1 where a row is of a species, stress state or preparation."""
    laboratories: Float[Array | np.ndarray, "rows laboratories"]
    engagement: Float[Array | np.ndarray, "rows 2"]
    """Occupancy at induction and at the test, over the neutral one."""
    shares: Float[Array | np.ndarray, "rows events"]
    """Of the events; what a row counts in all, and 0 where it is not known."""


def rivals(
    rows: tuple[Row, ...], engagements: tuple[RowEngagement, ...], *, seed: int = 0
) -> dict[str, Forecast]:
    """The four rivals, by name."""
    return {
        "coin": coin(rows),
        "votes": votes(rows),
        "meta-regression": meta_regression(rows, None, seed=seed),
        "meta-regression with engagement": meta_regression(rows, engagements, seed=seed),
    }


def coin(rows: tuple[Row, ...]) -> Forecast:
    """One third each."""
    return lambda known: np.full((len(rows), len(EVENTS)), 1 / len(EVENTS))


def votes(rows: tuple[Row, ...]) -> Forecast:
    """Laplace's rule over the known rows of the same species and stress."""
    kinds = [(row.subject.species, row.subject.stress) for row in rows]
    alike = np.array([[one == other for other in kinds] for one in kinds], float)
    counted = weighted_shares(rows)

    def forecast(known: Bool[np.ndarray, " rows"]) -> Float[np.ndarray, "rows events"]:
        found = 1.0 + (alike * known) @ counted
        return found / found.sum(axis=1, keepdims=True)

    return forecast


def meta_regression(
    rows: tuple[Row, ...], engagements: tuple[RowEngagement, ...] | None, *, seed: int = 0
) -> Forecast:
    """Cumulative logit of the events, with engagement as covariates where it is given."""
    design = design_of(rows, engagements)
    dimension = _FIRST + design.groups.shape[1] + design.laboratories.shape[1]
    mask = np.ones(dimension, bool)
    mask[_SLOPES] = engagements is not None

    def forecast(known: Bool[np.ndarray, " rows"]) -> Float[np.ndarray, "rows events"]:
        with jax.enable_x64(True):
            if not known.any():
                draws = np.random.default_rng(seed).standard_normal((dimension, DRAWS)) * mask[:, None]
            else:
                given = design._replace(shares=design.shares * known[:, None])
                evidence = sample_posterior(log_likelihood, given, mask, seed=seed, settings=SAMPLER)
                if not evidence.established:
                    raise RuntimeError(f"A rival must be fitted before it is scored; got: {evidence.note}")
                draws = evidence.draws.T
            return np.exp(np.asarray(log_chances(jnp.asarray(draws), design))).mean(axis=-1).T

    return forecast


def design_of(rows: tuple[Row, ...], engagements: tuple[RowEngagement, ...] | None) -> Design:
    """Lay the rows out; engagement is neutral where none is given."""
    subjects = [row.subject for row in rows]
    groups = [
        _indicators([getattr(one, field) for one in subjects])
        for field in ("species", "stress", "preparation")
    ]
    occupied = [(NEUTRAL, NEUTRAL) if one is None else one for one in engagements or [None] * len(rows)]
    known = [[NEUTRAL if share is None else share for share in one] for one in occupied]
    laboratories = _indicators([row.laboratory for row in rows])
    return Design(np.hstack(groups), laboratories, np.array(known) - NEUTRAL, weighted_shares(rows))


def weighted_shares(rows: tuple[Row, ...]) -> Float[np.ndarray, "rows events"]:
    """Shares of the events in every row, times its weight."""
    return np.array([row.weight * row.shares for row in rows])


def log_chances(z: Float[Array, "dimension draws"], design: Design) -> Float[Array, "events rows draws"]:
    """Log chance of each event, abolished first, in every row."""
    location, width = PRIOR_SD["location"] * z[0], WIDTH * jnp.exp(PRIOR_SD["log_width"] * z[1])
    spread = PRIOR_SD["laboratory"] * ndtri(0.5 * (1 + ndtr(z[2])))  # half-normal
    count = design.groups.shape[1]
    eta = PRIOR_SD["slope"] * design.engagement @ z[_SLOPES]
    eta += PRIOR_SD["group"] * design.groups @ z[_FIRST : _FIRST + count]
    eta += spread * (design.laboratories @ z[_FIRST + count :])
    low, high = location - width / 2 - eta, location + width / 2 - eta
    log_partial = jax.nn.log_sigmoid(high) + jax.nn.log_sigmoid(-low) + jnp.log(-jnp.expm1(-width))
    return jnp.stack([jax.nn.log_sigmoid(-high), log_partial, jax.nn.log_sigmoid(low)])


def log_likelihood(z: Float[Array, "dimension draws"], design: Design) -> Float[Array, " draws"]:
    """Log likelihood of the known rows (nats)."""
    return jnp.einsum("re,erd->d", jnp.asarray(design.shares), log_chances(z, design))


def _indicators(names: list[str]) -> Float[np.ndarray, "rows names"]:
    return np.array([[one == name for name in sorted({*names})] for one in names], float)
