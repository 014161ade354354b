"""Coordinates of studies: a change of variables whose density is known, and none of a spread left in them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.population.study_modes import StudyModes, deviations

STUDIES, VARYING, DIRECTIONS = 2, 3, 2


@pytest.fixture(scope="module")
def modes() -> StudyModes:
    random = np.random.default_rng(4)
    told = random.normal(size=(2, STUDIES, DIRECTIONS))
    weights = np.exp(random.normal(1.0, 1.0, size=(2, STUDIES, DIRECTIONS)))
    factor = random.normal(size=(STUDIES, VARYING, DIRECTIONS))
    return StudyModes(
        factor, weights[0], weights[1], told[0], told[1], np.full((STUDIES, DIRECTIONS), 0.01), np.array(0.2)
    )


def read(
    modes: StudyModes, own: Any, common: Any, *, spread: Any, mu: Any = None, scatter: float = 0.1
) -> Any:
    size = np.array([0.3, 0.3, 0.0])[:, None] * np.ones(own.shape[2])
    mu = np.array([0.5, -0.2, 0.1])[:, None] * np.ones(own.shape[2]) if mu is None else mu
    spread = np.asarray(spread)[:, None] * np.ones(own.shape[2])
    return deviations(
        modes, own, common, mu=mu, spread=spread, size=size, scatter=np.full(own.shape[2], scatter)
    )


def test_the_log_ratio_is_that_of_the_densities_of_deviations_and_coordinates(modes: StudyModes) -> None:
    z = np.random.default_rng(1).standard_normal(STUDIES * (VARYING + 1))

    def flat(z: Any) -> Any:
        own, common = z[: STUDIES * VARYING].reshape(STUDIES, VARYING, 1), z[STUDIES * VARYING :, None]
        found = read(modes, own, common, spread=[0.2, 0.5, 0.05])
        return jnp.concatenate([found.own.ravel(), found.common.ravel()]), found.log_ratio.sum()

    with jax.enable_x64(True):
        (u, ratio), slopes = flat(jnp.asarray(z)), jax.jacobian(lambda z: flat(z)[0])(jnp.asarray(z))
    volume = np.linalg.slogdet(np.asarray(slopes))[1]
    assert float(ratio) == pytest.approx(-0.5 * float(u @ u) + volume + 0.5 * z @ z, abs=1e-9)


def test_numpy_and_jax_read_the_same(modes: StudyModes) -> None:
    own, common = np.random.default_rng(2).standard_normal((STUDIES, VARYING, 5)), np.ones((STUDIES, 5))
    with jax.enable_x64(True):
        for one, other in zip(
            read(modes, own, common, spread=[0.3, 0.3, 0.3]),
            read(modes, jnp.asarray(own), jnp.asarray(common), spread=[0.3, 0.3, 0.3]),
            strict=True,
        ):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("spread", [0.001, 0.1, 1.0])
def test_of_linear_readings_coordinates_are_standard_normal_whatever_the_spread(
    modes: StudyModes, spread: float
) -> None:
    """The density of readings and deviations over that of coordinates is then the same everywhere."""
    random = np.random.default_rng(3)
    own, common = random.standard_normal((STUDIES, VARYING, 6)), random.standard_normal((STUDIES, 6))
    mu, scatter = np.array([0.5, -0.2, 0.1])[:, None], 0.1
    found = read(modes, own, common, spread=[spread] * VARYING, scatter=scatter)
    theta = mu + spread * found.own + np.array([0.3, 0.3, 0.0])[:, None] * found.common[:, None]
    along = np.einsum("svd,svb->sdb", modes.factor, theta)
    less = (modes.scatter**2 + modes.error) / (scatter**2 + modes.error)
    weight, told = modes.fixed + less * modes.scattered, modes.told_fixed + less * modes.told_scattered
    logs = (told[..., None] * along - 0.5 * weight[..., None] * along**2).sum(axis=1) + found.log_ratio
    np.testing.assert_allclose(logs, logs[:, :1] * np.ones(6), atol=1e-8)
