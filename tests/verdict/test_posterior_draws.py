"""Draws of a run: in units, with what they are of, and such that others read them."""

import dataclasses
import doctest
from pathlib import Path
from typing import Any

import arviz_base
import numpy as np
import pytest
import xarray as xr
from scipy import stats

from gaddum.sampling.settings import Settings
from gaddum.verdict.adjudicate import adjudicate
from letter import load_letter

SHORT = Settings(particles=64, lanes=32, sweeps=12, warm_up=4, ess_per_dimension=1.0)
STUDIES = ("murrough2013", "yoon2019", "zhang_hashimoto2019")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Draws of a short run, as a file."""
    loaded = load_letter(STUDIES)
    names = ("nmdar", "nothing-specific")
    chosen = tuple(one for one in loaded.case.hypotheses if one.name in names)
    loaded = dataclasses.replace(loaded, case=loaded.case.model_copy(update={"hypotheses": chosen}))
    path = tmp_path_factory.mktemp("page") / "runs" / "ketamine" / "posterior.nc"
    path.parent.mkdir(parents=True)
    found = adjudicate(loaded, settings=SHORT)
    found.draws.to_netcdf(path, engine="h5netcdf")
    return loaded, found.result, path


@pytest.fixture
def tree(written):
    with xr.open_datatree(written[-1], engine="h5netcdf") as opened:
        yield opened


def test_every_fit_has_the_groups_that_arviz_knows(tree):
    assert {"prior", "observed_data", "gate-matched", "absolute"} == set(tree.children)
    for form in ("gate-matched", "absolute"):
        for fit in tree[form].children.values():
            assert {"posterior", "log_likelihood", "sample_stats"} <= set(fit.children)
            assert fit["posterior/value"].dims == ("chain", "draw", "parameter")
            assert arviz_base.convert_to_datatree(fit).posterior.sizes["chain"] == 4


def test_prior_draws_follow_the_distributions_that_the_case_declares(written, tree):
    loaded, *_ = written
    declared = {one.name: one.distribution for one in loaded.case.priors}
    drawn = tree["prior/value"].isel(chain=0)
    said = declared["effect_site"]
    rates = drawn.sel(parameter="effect_site")
    assert str(rates["unit"].values) == "1/h"
    assert stats.kstest(np.log(rates / said.median) / np.log(said.gsd), "norm").pvalue > 1e-3
    dependence = declared["dependence.mean"]
    logit = np.log(dependence.median / (1 - dependence.median))
    values = drawn.sel(parameter="dependence.mean").to_numpy().astype(float)
    assert stats.kstest((np.log(values / (1 - values)) - logit) / dependence.sd, "norm").pvalue > 1e-3


def test_every_parameter_says_its_unit_prior_and_source(tree):
    for name in ("unit", "distribution", "source"):
        assert all(str(one) for one in tree["prior/value"][name].values)


def test_log_likelihoods_are_those_of_the_draws(tree):
    for fit in tree["gate-matched"].children.values():
        summed = fit["log_likelihood/reported"].sum("cohort")
        np.testing.assert_allclose(summed, fit["sample_stats/log_likelihood"], atol=2e-3)


def test_scores_are_the_posterior_before_it_has_units(written, tree):
    fit = tree["gate-matched/nmdar"]
    values, z = (
        fit[name].sel(parameter="effect_site").to_numpy() for name in ("posterior/value", "scores/z")
    )
    (prior,) = (one.distribution for one in written[0].case.priors if one.name == "effect_site")
    np.testing.assert_allclose(values, prior.median * prior.gsd ** z[:, ::2], rtol=1e-3)


def test_observed_data_are_the_scored_outcomes(written, tree):
    _, result, _ = written
    reported = tree["observed_data"]
    assert reported.sizes["outcome"] == result.scored
    assert set(reported["study"].values) == set(STUDIES)
    numbers = {row.label: row.observed for row in reversed(result.forest) if row.observed is not None}
    assert numbers
    for place, label in enumerate(reported["label"].values):
        found = [float(reported[name][place]) for name in ("observed", "lower", "upper")]
        one = numbers.get(label)
        expected = [np.nan] * 3 if one is None else [one.median, one.lower, one.upper]
        np.testing.assert_allclose(found, expected)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto")
def test_arviz_summarises_a_fit_and_leaves_cohorts_out(tree):
    from arviz_stats.loo import loo
    from arviz_stats.summary import summary

    fit = tree["gate-matched/nmdar"]
    assert len(summary(fit)) == fit["posterior"].sizes["parameter"]
    left_out: Any = loo(fit)
    assert left_out.elpd < fit["sample_stats/log_likelihood"].mean()


def test_examples_of_the_posterior_page_give_what_they_show(written, monkeypatch):
    page = Path(__file__).parents[2] / "docs" / "how-to" / "posterior.md"
    monkeypatch.chdir(written[-1].parents[2])
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 0 and result.failed == 0
