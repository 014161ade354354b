"""Small records of the letter, and the log likelihood of an account on draws of them."""

import dataclasses

import jax
import numpy as np

from gaddum.records.hypothesis import Hypothesis
from gaddum.records.ledger import Ledger
from gaddum.records.outcome.p_value import PValue
from gaddum.records.source import Source
from gaddum.response.response import account
from gaddum.weigh.likelihood import (
    log_likelihood,
    setting,
)
from gaddum.weigh.predictive import FOR_FEW_DRAWS

BLOCK = 250
"""Draws of one call: any number of draws shares one compiled function."""
HERE = Source(how="assumption", reason="made up for a test")


def with_outcomes(loaded, choose):
    """The case with each experiment's outcomes replaced by choose(study, experiment)."""
    studies = [
        study.model_copy(
            update={
                "experiments": tuple(
                    experiment.model_copy(update={"outcomes": tuple(choose(study, experiment))})
                    for experiment in study.experiments
                )
            }
        )
        for study in loaded.ledger.studies
    ]
    return dataclasses.replace(loaded, ledger=Ledger(tuple(studies)))


def with_prior(loaded, name, distribution):
    """The case with one row of its prior table replaced."""
    priors = tuple(
        p.model_copy(update={"distribution": distribution}) if p.name == name else p
        for p in loaded.case.priors
    )
    return dataclasses.replace(loaded, case=loaded.case.model_copy(update={"priors": priors}))


def draws_of(assembly, count, seed=0):
    return np.random.default_rng(seed).standard_normal((assembly.dimension, count))


def for_few(problem):
    """The log likelihood of a problem, compiled for few draws."""
    return jax.jit(log_likelihood(problem), compiler_options=FOR_FEW_DRAWS)


def evaluate(problem, hypothesis, z, *, phase="both", absolute=False):
    """Log likelihood of a hypothesis at draws, in blocks."""
    function = for_few(problem)
    return evaluate_with(function, problem, hypothesis, z, phase=phase, absolute=absolute)


def evaluate_with(function, problem, hypothesis, z, *, phase="both", absolute=False, weights=None):
    given = setting(
        problem, account(hypothesis, problem.assembly, phase=phase, absolute=absolute), weights=weights
    )
    blocks = np.split(z, max(1, z.shape[1] // BLOCK), axis=1)
    return np.concatenate([np.asarray(function(block, given)) for block in blocks])


def gate_hypothesis(gate):
    return Hypothesis(name="any", title="any", gate=str(gate), says="any")


def p_value(first, second, **given):
    return PValue(
        form="p-value",
        endpoint="hours_3",
        p=0.03,
        contrast=(first, second),
        better="first",
        source=HERE,
        **given,
    )


def of_mice(ketamine, *outcomes):
    """The case with the given outcomes of the mouse study only."""
    return with_outcomes(
        ketamine, lambda study, experiment: outcomes if study.id == "zhang_hashimoto2019" else ()
    )
