"""Positive controls: that the test drug works tells no gate-matched account from another."""

import jax
import numpy as np
import pytest
from tests.weigh.cases import BLOCK, HERE, draws_of, evaluate_with, gate_hypothesis, with_outcomes, with_prior

from gaddum.records.gate import gate_of, monotone_gates
from gaddum.records.outcome.verdict import Verdict
from gaddum.records.prior import LogNormal
from gaddum.response.assemble import assemble
from gaddum.weigh.likelihood import (
    build_problem,
    log_likelihood,
)
from letter import load_letter

DRAWS = 10_000


@pytest.fixture(scope="module")
def ketamine():
    return load_letter()


def positive_controls(loaded):
    """Only that the test drug works, at every anchor that has a vehicle arm."""

    def effective(study, experiment):
        return [
            Verdict(
                form="verdict",
                verdict="effective",
                endpoint=a.endpoint,
                roles={"K": a.arm, "V": "V"},
                source=HERE,
            )
            for a in loaded.case.anchors
            if (a.study, a.experiment) == (study.id, experiment.id) and "V" in experiment.protocol.arms
        ]

    return with_outcomes(loaded, effective)


@pytest.fixture(scope="module")
def controls(ketamine):
    loaded = positive_controls(ketamine)
    assembly = assemble(loaded)
    problem = build_problem(loaded, assembly)
    assert len(problem.scored) >= 4
    return loaded, problem, jax.jit(log_likelihood(problem))


def test_gate_matched_positive_controls_do_not_tell_hypotheses_apart(controls):
    loaded, problem, function = controls
    z = draws_of(problem.assembly, DRAWS)
    acting = [h for h in loaded.case.hypotheses if h.gate != "0"]
    logs = np.array([evaluate_with(function, problem, h, z) for h in acting])
    assert np.all(np.isfinite(logs))
    assert np.ptp(logs, axis=0).max() < 1e-9
    nothing = next(h for h in loaded.case.hypotheses if h.gate == "0")
    assert np.mean(evaluate_with(function, problem, nothing, z) < logs[0]) > 0.9


@pytest.mark.parametrize("phase", ["induction", "expression"])
def test_gate_matched_positive_controls_do_not_tell_phases_apart(controls, phase):
    loaded, problem, function = controls
    z = draws_of(problem.assembly, 1000)
    phased = [h for h in loaded.case.hypotheses if h.phased]
    reference = evaluate_with(function, problem, loaded.case.hypotheses[0], z)
    for hypothesis in phased:
        found = evaluate_with(function, problem, hypothesis, z, phase=phase)
        assert np.abs(found - reference).max() < 1e-9


@pytest.mark.slow
def test_gate_matched_positive_controls_do_not_tell_any_monotone_gates_apart(controls):
    """All gates over the case's features that are silent at vehicle and acted on by the test drug."""
    _, problem, function = controls
    features = problem.assembly.features
    at_vehicle = sum(1 << i for i, name in enumerate(features) if name.endswith(".tone"))
    gates = [corners for corners in monotone_gates(len(features)) if not corners[at_vehicle] and any(corners)]
    assert len(gates) > 50
    z = draws_of(problem.assembly, BLOCK)
    logs = [
        evaluate_with(function, problem, gate_hypothesis(gate_of(features, corners)), z) for corners in gates
    ]
    assert np.ptp(logs, axis=0).max() < 1e-9


@pytest.mark.slow
def test_absolute_positive_controls_lower_direct_mu_agonism_without_reserve(ketamine):
    loaded = with_prior(
        positive_controls(ketamine), "reserve", LogNormal(family="lognormal", median=0.1, gsd=1.2)
    )
    assembly = assemble(loaded)
    problem = build_problem(loaded, assembly)
    function = jax.jit(log_likelihood(problem))
    z = draws_of(assembly, 4000)
    named = {h.name: h for h in loaded.case.hypotheses}
    evidence = {
        name: np.log(np.mean(np.exp(evaluate_with(function, problem, named[name], z, absolute=True))))
        for name in ("nmdar", "mor-agonism")
    }
    assert evidence["mor-agonism"] < evidence["nmdar"] - 1.0
