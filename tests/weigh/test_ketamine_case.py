"""The bundled ketamine record can be simulated, and its studies tell the accounts of the case apart."""

from collections import defaultdict
from itertools import combinations

import jax
import numpy as np
import pytest

from gaddum.records.ledger import load_case
from gaddum.response.assemble import assemble
from gaddum.response.response import respond
from gaddum.weigh import compare
from gaddum.weigh.compare import EQUIVALENT_BELOW, variant_account
from gaddum.weigh.likelihood import build_problem

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def problem():
    loaded = load_case("ketamine")
    return loaded, build_problem(loaded, assemble(loaded))


def test_every_scored_outcome_has_a_finite_table(problem):
    loaded, reduced = problem
    assert len(reduced.scored) > 60
    assert all(np.isfinite(scored.reduced.grid_log_density).all() for scored in reduced.scored)
    assert reduced.assembly.anchors.keys() == {(a.stratum, a.phase) for a in loaded.case.anchors}


def test_at_least_twenty_studies_are_predicted_differently_by_accounts_that_name_a_target(problem):
    loaded, reduced = problem
    effects = named_effects(loaded, reduced.assembly)
    contrasts: dict[str, list[np.ndarray]] = defaultdict(list)
    for place, rows in zip(reduced.outcome_of, reduced.contrasts, strict=True):
        contrasts[reduced.scored[place].study.id] += list(rows)
    telling = [
        name
        for name, rows in contrasts.items()
        if max(divergence(np.array(rows), *pair) for pair in combinations(effects, 2)) > EQUIVALENT_BELOW
    ]
    assert len(telling) >= 20, telling


def named_effects(loaded, assembly):
    """Effects of every row under each account that names a target, over the same prior draws."""
    variants = [v for v in compare.variants(loaded.case) if v.hypothesis.name != "nothing-specific"]
    z = np.random.default_rng(0).standard_normal((assembly.dimension, 100))
    function = jax.jit(lambda z, given: respond(assembly, z, given).effect)
    return [np.asarray(function(z, variant_account(v, assembly, absolute=False))) for v in variants]


def divergence(rows, first, second):
    """Mean divergence (nats) of normal predictions of a study's contrasts, groups of nine."""
    return 9 / 4 * ((rows @ (first - second)) ** 2).sum(axis=0).mean()
