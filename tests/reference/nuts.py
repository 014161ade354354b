"""The cross-check of `gaddum.sampling.posterior`: the no-U-turn sampler of blackjax, then the same bridge.

Slower, and blind to modes that no chain finds, but it shares neither the ladder nor the moves. Use it to
confirm a log marginal likelihood that matters; the two families should agree within a few combined errors.
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool

from gaddum.sampling.bridge import bridge_populations
from gaddum.sampling.convergence import diagnose
from gaddum.sampling.estimate import Evidence
from gaddum.sampling.hmc import LogLikelihood
from gaddum.sampling.settings import Settings

CHAINS = 4
WARM_UP = 500  # steps of window adaptation in each chain
SHORTEST = 1000  # fewest draws in each chain
PER_DIMENSION = 40  # draws in each chain per active dimension: the bridge fits on three chains


def nuts_evidence(
    log_likelihood: LogLikelihood,
    data: Any,
    mask: Bool[np.ndarray, " dimensions"],
    *,
    seed: int,
    settings: Settings | None = None,
) -> Evidence:
    """Sample by four chains of the no-U-turn sampler and bridge each with the others.

    Parameters
    ----------
    log_likelihood, data, mask, seed
        As for `gaddum.sampling.posterior.sample_posterior`.
    settings
        Only its targets (R-hat, effective sample size, error) are used.

    Returns
    -------
    Evidence
        As from `sample_posterior`; `smc_log_ml` and `step` are NaN and there are no stages.
    """
    try:
        import blackjax
    except ImportError as error:
        raise ImportError(
            "The cross-check needs blackjax, which is not installed; the extra `test` has it."
        ) from error
    settings = settings or Settings()
    mask = np.asarray(mask, dtype=bool)
    active = int(mask.sum())
    if active == 0:
        raise ValueError(
            "The cross-check needs an active dimension; got none. Use sample_posterior, which is exact there."
        )
    key = jax.random.key(seed)
    draws = max(SHORTEST, PER_DIMENSION * active)
    data = jax.tree.map(jnp.asarray, data)
    z, steps = _chains(blackjax, log_likelihood, data, jnp.asarray(mask), key, draws)
    z = np.asarray(z).transpose(2, 0, 1)  # (dimensions, chains, draws)
    values = _evaluate(log_likelihood, data, mask, z.reshape(mask.size, -1)[mask]).reshape(z.shape[1:])
    quantities = np.concatenate([z[mask], values[None]])
    noise = np.stack(
        [
            np.asarray(jax.random.normal(jax.random.fold_in(key, CHAINS + number), (active, draws)))
            for number in range(CHAINS)
        ]
    )
    slopes = jax.grad(lambda z: jnp.sum(log_likelihood(z, data)))(jnp.asarray(z.reshape(mask.size, -1)))
    slopes = np.asarray(slopes).reshape(z.shape)[mask]
    likelihood = partial(_evaluate, log_likelihood, data, mask)
    bridged = bridge_populations(z[mask][:, :, None], values[:, None], slopes[:, :, None], noise, likelihood)
    found = diagnose(quantities[:, :, None, :])
    established = (
        found.r_hat < settings.r_hat
        and found.ess > settings.ess_per_dimension * active
        and bridged.mcse <= settings.largest_mcse
    )
    return Evidence(
        chains=z.transpose(1, 2, 0),
        log_likelihood=values,
        log_ml=bridged.log_ml,
        log_ml_mcse=bridged.mcse,
        smc_log_ml=math.nan,
        r_hat=found.r_hat,
        ess=found.ess,
        dimension=active,
        stages=0,
        rungs=(),
        step=math.nan,
        evaluations=int(np.sum(steps)),
        established=established,
        note=(
            "All diagnostics passed."
            if established
            else f"Not established: split R-hat {found.r_hat:.3f}, effective sample size {found.ess:.0f}, "
            f"error {bridged.mcse:.2g}."
        ),
    )


def _chains(blackjax: Any, log_likelihood: LogLikelihood, data: Any, mask: Any, key: Any, draws: int):
    """Positions (chains, draws, dimensions) and leapfrog steps (chains, draws), warm-up excluded."""

    def logdensity(z):
        value = log_likelihood(jnp.where(mask, z, 0.0)[:, None], data)[0]
        return jnp.where(jnp.isnan(value), -jnp.inf, value) - 0.5 * jnp.sum(z**2)

    def chain(key):
        start_key, warm_key, draw_key = jax.random.split(key, 3)
        start = 0.5 * jax.random.normal(start_key, mask.shape)
        adaptation = blackjax.window_adaptation(blackjax.nuts, logdensity)
        (state, tuned), _ = adaptation.run(warm_key, start, num_steps=WARM_UP)
        kernel = blackjax.nuts(logdensity, **tuned)

        def step(state, key):
            state, info = kernel.step(key, state)
            return state, (state.position, info.num_integration_steps)

        return jax.lax.scan(step, state, jax.random.split(draw_key, draws))[1]

    keys = jax.vmap(lambda number: jax.random.fold_in(key, number))(jnp.arange(CHAINS))
    z, steps = jax.jit(jax.vmap(chain))(keys)
    return jnp.where(mask, z, 0.0), steps


def _evaluate(log_likelihood: LogLikelihood, data: Any, mask: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Log likelihood at positions over the active dimensions (nats)."""
    full = np.zeros((mask.size, z.shape[1]))
    full[mask] = z
    value = np.asarray(jax.jit(log_likelihood)(jnp.asarray(full), data))
    return np.where(np.isnan(value), -np.inf, value)
