"""Means: of any number of arms, with one pooled SD."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.outcomes.examples import FORMS, KVA, reduced

from gaddum.outcomes.joint_means import JointMeans
from gaddum.outcomes.noncentral_t import GRID, effect_logpdf


def test_means_are_the_noncentral_t_of_their_pooled_sd() -> None:
    table = reduced(KVA, **FORMS["means"])
    pooled = np.sqrt((8 * 1.0 + 7 * 1.44) / 15)
    expected = effect_logpdf(1.5 / pooled, 1 / 9 + 1 / 8 + 0.02, 15, GRID)
    np.testing.assert_allclose(table.grid_log_density, expected, atol=1e-10)


def test_a_decrease_that_is_improvement_turns_the_sign() -> None:
    up, down = reduced(KVA, **FORMS["means"]), reduced(KVA, improvement="decrease", **FORMS["means"])
    np.testing.assert_allclose(up.grid_log_density, down.grid_log_density[::-1], atol=1e-9)


def test_sem_is_sd_over_root_n() -> None:
    arms = {
        name: {"mean": mean, "spread": sd / np.sqrt(n), "spread_kind": "SEM", "n": n}
        for name, mean, sd, n in (("K", 3.0, 1.0, 9), ("V", 1.5, 1.2, 8))
    }
    table = reduced(KVA, form="means", arms=arms)
    np.testing.assert_allclose(
        table.grid_log_density, reduced(KVA, **FORMS["means"]).grid_log_density, atol=1e-9
    )


def test_unclear_spread_is_the_mixture_of_both_readings() -> None:
    def means(kind: str) -> np.ndarray:
        arms = {
            name: {"mean": mean, "spread": 1.0, "spread_kind": kind, "n": 9}
            for name, mean in (("K", 2.0), ("V", 0.9))
        }
        return reduced({"K": 9, "V": 9}, form="means", arms=arms).grid_log_density

    # the SEM reading's density is per SD that is three times as large
    mixture = np.logaddexp(means("SD"), means("SEM") - np.log(3)) - np.log(2)
    np.testing.assert_allclose(means("unclear"), mixture, atol=1e-9)


def test_the_density_of_four_means_is_that_of_their_standardised_differences() -> None:
    """Monte Carlo over the pooled SD: given it, observed differences are normal."""
    delta = np.array([0.5, -0.2, 0.9])
    table = reduced(dict.fromkeys("VKCA", 6), form="means", arms=four(V=0.0, K=0.8, C=0.1, A=0.6))
    assert table.joint is not None and len(table.contrasts) == 3
    d, c, df = table.joint.effects[0], table.joint.covariance, table.joint.df
    s = np.sqrt(np.random.default_rng(1).chisquare(df, 400_000) / df)
    residual = s[:, None] * d - delta
    # density of d: that of d s given s, times s for each difference
    each = stats.multivariate_normal(cov=c).pdf(residual) * s**3
    mine = np.interp(table.joint.direction @ delta, GRID, table.grid_log_density)
    mine -= 0.5 * np.sum((table.joint.whitened @ delta) ** 2)
    assert np.exp(mine) == pytest.approx(each.mean(), abs=5 * each.std() / np.sqrt(len(s)))


def test_four_means_averaged_over_priors_agree_with_a_sum_over_effects() -> None:
    joint = reduced(dict.fromkeys("VKCA", 6), form="means", arms=four(V=0.0, K=0.8, C=0.1, A=0.6)).joint
    assert joint is not None
    steps, sd = np.linspace(-6, 6, 61), 1.3
    prior = np.exp(-0.5 * (steps / sd) ** 2)
    prior /= prior.sum()
    delta = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    logs = np.interp(delta @ joint.direction, GRID, joint.table())
    density = np.exp(logs - 0.5 * np.sum((delta @ joint.whitened.T) ** 2, axis=-1))
    whole = np.einsum("ijk,i,j,k->", density, prior, prior, prior)
    assert joint.log_saturated(sd) == pytest.approx(np.log(whole), abs=0.02)
    second = np.log(np.einsum("ijk,i,k->j", density, prior, prior))
    near = np.abs(steps) < 2
    np.testing.assert_allclose(
        np.interp(steps[near], GRID, joint.log_marginal(1, sd)), second[near], atol=0.03
    )


@pytest.mark.parametrize("kind", ["SD", "SEM", "unclear"])
def test_the_joint_density_of_three_means_is_their_table_over_two_contrasts(kind: str) -> None:
    arms = four(V=0.0, K=1.1, C=0.2)
    three = reduced(
        dict.fromkeys("VKC", 6),
        form="means",
        selected=True,
        arms={name: one | {"spread_kind": kind} for name, one in arms.items()},
    )
    d, as_sem = np.array([1.1, 0.2]), np.sqrt(6)
    readings = {"SD": [(0.0, d)], "SEM": [(0.0, d / as_sem)]}
    readings["unclear"] = [(np.log(0.5), d), (np.log(0.5 / 6), d / as_sem)]
    each = 1 / 6 + 0.1**2
    joint = JointMeans(
        tuple(weight for weight, _ in readings[kind]),
        np.array([effects for _, effects in readings[kind]]),
        each * (np.eye(2) + 1),
        15,
    )
    for delta in ((0.0, 0.0), (1.0, 0.5), (2.0, -1.0)):
        row = [int(np.argmin(np.abs(GRID - x))) for x in delta]
        mine = np.interp(joint.direction @ delta, GRID, joint.table())
        mine -= 0.5 * np.sum((joint.whitened @ np.array(delta)) ** 2)
        assert mine == pytest.approx(three.grid_log_density[row[0], row[1]], abs=5e-3)


def four(**means: float) -> dict[str, Any]:
    return {name: {"mean": x, "spread": 1.0, "spread_kind": "SD", "n": 6} for name, x in means.items()}
