"""What every sampler must do, whichever it is; and that one is added by a file and a line."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import gaddum
from gaddum.sampling.estimate import Evidence
from gaddum.sampling.settings import SAMPLERS, Settings, sampler_of
from reference.nuts import nuts_evidence

SMALL = Settings(particles=100, lanes=100)
Y, LOADING = np.array([0.5, -1.0, 2.0]), np.array([[1.0, 0.5, 0.0], [0.0, 1.5, 0.0], [1.0, -1.0, 0.0]])
ACTIVE = np.array([True, True, False])
TOTAL = np.eye(3) + LOADING @ LOADING.T
EXACT = -0.5 * (Y @ np.linalg.solve(TOTAL, Y) + np.linalg.slogdet(2 * np.pi * TOTAL)[1])
COVARIANCE = np.linalg.inv(np.eye(2) + LOADING[:, :2].T @ LOADING[:, :2])
MEAN = COVARIANCE @ LOADING[:, :2].T @ Y


def gaussian(z, data):
    y, loading = data
    return -0.5 * jnp.sum((y[:, None] - loading @ z) ** 2, axis=0) - 1.5 * np.log(2 * np.pi)


@pytest.fixture(scope="module", params=[*SAMPLERS, pytest.param("nuts", marks=pytest.mark.slow)])
def fit(request: pytest.FixtureRequest) -> Callable[[int], Evidence]:
    """The Gaussian target through each sampler, the cross-check of the tests among them."""
    name = request.param
    sample = nuts_evidence if name == "nuts" else sampler_of(Settings(sampler=name))
    return lambda seed: sample(gaussian, (Y, LOADING), ACTIVE, seed=seed, settings=SMALL)


@pytest.fixture(scope="module")
def found(fit: Callable[[int], Evidence]) -> Evidence:
    return fit(1)


def test_evidence_of_a_gaussian_is_the_known_one_within_the_stated_error(found: Evidence):
    assert found.established, found.note
    assert abs(found.log_ml - EXACT) < max(4 * found.log_ml_mcse, 1e-9) < 0.2


def test_draws_have_the_moments_of_the_known_posterior(found: Evidence):
    draws = found.draws[:, ACTIVE]
    error = np.sqrt(np.diag(COVARIANCE) / found.ess)
    assert np.all(np.abs(draws.mean(axis=0) - MEAN) < 5 * error)
    spread = np.sqrt(np.diag(COVARIANCE))
    assert np.all(
        np.abs(np.cov(draws.T) - COVARIANCE) < 5 * np.outer(spread, spread) * np.sqrt(2 / found.ess)
    )


def test_draws_are_by_population_and_stay_0_where_nothing_acts(found: Evidence):
    assert found.dimension == 2
    assert found.chains.shape == (*found.log_likelihood.shape, 3)
    assert len(found.chains) >= 2
    assert np.all(found.chains[..., ~ACTIVE] == 0)


def test_log_likelihood_is_that_of_the_draws(found: Evidence):
    z = found.draws.T
    again = np.asarray(gaussian(jnp.asarray(z), (jnp.asarray(Y), jnp.asarray(LOADING))))
    assert found.log_likelihood.reshape(-1) == pytest.approx(again, abs=1e-9)


def test_diagnostics_are_those_that_the_settings_ask_for(found: Evidence):
    assert found.r_hat < SMALL.r_hat
    assert found.ess > SMALL.ess_per_dimension * found.dimension
    assert found.log_ml_mcse <= SMALL.largest_mcse
    assert found.evaluations > 0 and found.note


def test_a_seed_repeats_a_fit_and_another_gives_another(fit: Callable[[int], Evidence], found: Evidence):
    assert np.array_equal(fit(1).chains, found.chains)
    assert not np.array_equal(fit(2).chains, found.chains)


def test_an_unknown_sampler_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="must be one of tempering.*got 'temperring'"):
        sampler_of(Settings(sampler="temperring"))


TOY = '''
"""Weights on prior draws."""

import numpy as np

from gaddum.sampling.estimate import Evidence


def sample_posterior(log_likelihood, data, mask, *, seed, settings, **means):
    z = np.where(mask, np.random.default_rng(seed).standard_normal((2, 20_000, mask.size)), 0.0)
    logs = np.asarray(log_likelihood(z.reshape(-1, mask.size).T, data)).reshape(2, -1)
    each = np.log(np.mean(np.exp(logs), axis=1))
    error = float(np.std(each) / np.sqrt(2))
    return Evidence(
        z, logs, float(each.mean()), error, np.nan, 1.0, 1.0, int(mask.sum()), 0, logs.size, (), np.nan, False, "Toy."
    )
'''


def test_a_sampler_is_added_by_one_file_and_one_line(tmp_path: Path):
    package = tmp_path / "gaddum"
    shutil.copytree(
        Path(gaddum.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "library")
    )
    (package / "sampling" / "toy.py").write_text(TOY, encoding="utf-8")
    path = package / "sampling" / "settings.py"
    before, samplers, after = path.read_text(encoding="utf-8").partition("SAMPLERS = {\n")
    path.write_text(before + samplers + '    "toy": "gaddum.sampling.toy",\n' + after, encoding="utf-8")
    code = (
        "import numpy as np\n"
        "from gaddum.sampling.settings import Settings, sampler_of\n"
        "settings = Settings(sampler='toy')\n"
        "square = lambda z, y: -0.5 * np.sum((y - z) ** 2, axis=0)\n"
        "print(sampler_of(settings)(square, 1.0, np.ones(1, bool), seed=1, settings=settings).log_ml)"
    )
    run = {"cwd": tmp_path, "env": {"PYTHONPATH": str(tmp_path)}, "text": True, "check": True}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, **run).stdout
    assert float(said) == pytest.approx(-0.25 - 0.5 * np.log(2), abs=0.02)
