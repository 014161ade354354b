"""Outcomes become tables over their contrasts; what a report leaves open is mixed in probability."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.outcomes.examples import FORMS, KVA, PRIORS, experiment, outcome, reduced

from gaddum.outcomes.form import Table
from gaddum.outcomes.noncentral_t import GRID
from gaddum.outcomes.reduce import log_saturated, reduce_outcome


def test_a_narrative_is_not_scored() -> None:
    narrative = outcome(form="narrative", text="they looked better", why="no test")
    assert reduce_outcome(experiment(KVA), narrative, PRIORS) is None


def test_contrasts_name_the_arms_and_their_signs() -> None:
    assert reduced(KVA, **FORMS["abolished"]).contrasts == (
        (("K", 1.0), ("V", -1.0)),
        (("KA", 1.0), ("V", -1.0)),
    )
    assert reduced(KVA, **FORMS["mimics"]).contrasts == (
        (("KA", 1.0), ("V", -1.0)),
        (("K", 1.0), ("V", -1.0)),
    )
    assert reduced(KVA, **FORMS["retest"]).contrasts == ((("K", 1.0),), (("KA", 1.0),))
    assert reduced(KVA, **FORMS["means of three"]).contrasts[1] == (("KA", 1.0), ("V", -1.0))


def test_thresholds_partition() -> None:
    arms: dict[str, Any] = {"form": "p-threshold", "contrast": ["K", "V"]}
    parts = [
        reduced(KVA, significant=True, better="first", **arms),
        reduced(KVA, significant=True, better="second", **arms),
        reduced(KVA, significant=False, **arms),
    ]
    total = np.sum([np.exp(part.grid_log_density) for part in parts], axis=0)
    np.testing.assert_allclose(total, 1, atol=1e-8)
    either = np.exp(reduced(KVA, significant=True, **arms).grid_log_density)
    np.testing.assert_allclose(either, 1 - np.exp(parts[2].grid_log_density), atol=1e-8)


def test_two_arm_verdicts_partition() -> None:
    effective, not_effective = (
        np.exp(reduced(KVA, **FORMS[f]).grid_log_density) for f in ("effective", "not effective")
    )
    np.testing.assert_allclose(effective + not_effective, 1, atol=1e-8)


def test_unknown_rule_and_correction_are_mixtures_of_probabilities() -> None:
    def table(rule: str, correction: str) -> Table:
        return reduced(KVA, **FORMS["abolished"], rule=rule, correction=correction)

    mixture = np.logaddexp.reduce(
        [
            np.log(weight * part) + table(rule, correction).grid_log_density
            for rule, weight in (("strict", 0.5), ("lax", 0.5))
            for correction, part in (("none", 0.4), ("Tukey", 0.4), ("Bonferroni", 0.2))
        ]
    )
    unknown = table("unknown", "unknown")
    seen = mixture > -200
    np.testing.assert_allclose(unknown.grid_log_density[seen], mixture[seen], atol=1e-5)
    assert unknown.components == {"strict": 0.5, "lax": 0.5, "none": 0.4, "Tukey": 0.4, "Bonferroni": 0.2}


def test_a_range_of_n_is_mixed_uniformly() -> None:
    def table(n: Any) -> np.ndarray:
        return reduced({"K": n, "V": n}, **FORMS["effective"]).grid_log_density

    mixture = np.logaddexp.reduce([table(n) for n in (9, 10, 11)]) - np.log(3)
    np.testing.assert_allclose(table({"n_range": [9, 11]}), mixture, atol=1e-9)


def test_saturated_mass_of_a_normal_likelihood_is_its_closed_form() -> None:
    log_density = stats.norm.logpdf(0.8, GRID, 0.4)
    expected = stats.norm.logpdf(0.8, 0, np.hypot(0.4, 1.5))
    assert log_saturated(log_density, 1.5) == pytest.approx(expected, abs=1e-9)
    both = log_density[:, None] + log_density[None, :]
    assert log_saturated(both, 1.5) == pytest.approx(2 * expected, abs=1e-9)


def test_a_missing_prior_is_named_in_the_error() -> None:
    priors = {name: prior for name, prior in PRIORS.items() if name != "arm_noise"}
    with pytest.raises(ValueError, match="must have a row 'arm_noise'"):
        reduce_outcome(experiment(KVA), outcome(**FORMS["t"]), priors)
