"""Outcomes of every form become tables that agree with direct integrals."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy import stats
from scipy.integrate import simpson
from scipy.special import ndtri

from gaddum.outcomes.joint_means import JointMeans
from gaddum.outcomes.noncentral_t import GRID, LOG_FLOOR, effect_logpdf, t_of_p
from gaddum.outcomes.reduce import ReducedOutcome, log_saturated, reduce_outcome
from gaddum.records.experiment import Experiment
from gaddum.records.outcome import Outcome
from gaddum.records.prior import Distribution

SOURCE = {"how": "assumption", "reason": "made up for a test"}
PRIORS: dict[str, Distribution] = {
    name: TypeAdapter(Distribution).validate_python(row)
    for name, row in {
        "arm_noise": {"family": "fixed", "value": 0.1},
        "n_unknown": {"family": "lognormal", "median": 9, "gsd": 1.3},
        "rule": {"family": "weights", "of": {"strict": 0.5, "lax": 0.5}},
        "correction": {"family": "weights", "of": {"none": 0.4, "Tukey": 0.4, "Bonferroni": 0.2}},
        "placebo_response": {"family": "beta", "a": 2, "b": 9},
        "retest_correlation": {"family": "beta", "a": 4, "b": 3},
        "standardised_effect": {"family": "normal", "mean": 0, "sd": 1.5},
    }.items()
}


def experiment(sizes: dict[str, Any], improvement: str = "increase", design: str = "parallel") -> Experiment:
    arms = {
        name: (n if isinstance(n, dict) else {"n": n})
        | ({} if name == "V" else {"manipulations": [{"kind": "other"}]})
        for name, n in sizes.items()
    }
    return Experiment.model_validate(
        {
            "id": "made-up",
            "protocol": {
                "subject": {"species": "rat", "paradigm": "none"},
                "arms": arms,
                "endpoints": {
                    "e": {
                        "name": "e",
                        "family": "immobility",
                        "test_time": "1 h",
                        "phase": "acute",
                        "improvement": improvement,
                    }
                },
                "design": design,
                "source": SOURCE,
            },
        }
    )


def outcome(**fields: Any) -> Outcome:
    return TypeAdapter(Outcome).validate_python({"endpoint": "e", "source": SOURCE} | fields)


def reduced(
    sizes: dict[str, Any], *, improvement: str = "increase", design: str = "parallel", **fields: Any
) -> ReducedOutcome:
    table = reduce_outcome(experiment(sizes, improvement, design), outcome(**fields), PRIORS)
    assert table is not None
    return table


KVA = {"K": 9, "V": 8, "KA": 10}
ROLES = {"K": "K", "V": "V", "KA": "KA"}
FORMS: dict[str, dict[str, Any]] = {
    "means": {
        "form": "means",
        "arms": {
            "K": {"mean": 3.0, "spread": 1.0, "spread_kind": "SD", "n": 9},
            "V": {"mean": 1.5, "spread": 1.2, "spread_kind": "SD", "n": 8},
        },
    },
    "means of three": {
        "form": "means",
        "arms": {
            "K": {"mean": 3.0, "spread": 0.3, "spread_kind": "SEM", "n": 9},
            "V": {"mean": 1.5, "spread": 0.4, "spread_kind": "unclear", "n": 8},
            "KA": {"mean": 1.6, "spread": 0.4, "spread_kind": "SEM", "n": 10},
        },
    },
    "difference": {"form": "difference", "contrast": ["K", "V"], "value": 0.8, "ci": [0.1, 1.5]},
    "responders": {"form": "responders", "criterion": "half", "counts": {"K": {"responders": 5, "n": 9}}},
    "responders of three": {
        "form": "responders",
        "criterion": "half",
        "counts": {
            "K": {"responders": 5, "n": 9},
            "KA": {"responders": 1, "n": 10},
            "V": {"responders": 1, "n": 8},
        },
    },
    "retest": {
        "form": "responders",
        "criterion": "half",
        "counts": {"K": {"responders": 7, "n": 9}},
        "retest": {"arm": "KA", "among_responders_of": "K", "responders": 0, "n": 7},
    },
    "t": {"form": "test", "statistic": "t", "value": 2.4, "contrast": ["K", "V"], "better": "first"},
    "F": {
        "form": "test",
        "statistic": "F",
        "value": 6.1,
        "df": 15,
        "contrast": ["K", "V"],
        "better": "second",
    },
    "d": {
        "form": "test",
        "statistic": "d",
        "value": 0.9,
        "contrast": ["K", "V"],
        "better": "first",
        "paired": True,
    },
    "p": {"form": "p-value", "p": 0.003, "contrast": ["K", "V"], "better": "first"},
    "p below": {"form": "p-threshold", "significant": True, "contrast": ["K", "V"], "better": "first"},
    "p above": {"form": "p-threshold", "significant": False, "contrast": ["K", "V"]},
    "abolished": {"form": "verdict", "verdict": "abolished", "roles": ROLES, "agonist_effect_present": True},
    "not abolished": {
        "form": "verdict",
        "verdict": "not abolished",
        "roles": ROLES,
        "agonist_effect_present": True,
    },
    "partial": {"form": "verdict", "verdict": "partial", "roles": ROLES, "agonist_effect_present": True},
    "enhanced": {"form": "verdict", "verdict": "enhanced", "roles": ROLES, "agonist_effect_present": True},
    "no agonist effect": {
        "form": "verdict",
        "verdict": "abolished",
        "roles": ROLES,
        "agonist_effect_present": False,
    },
    "effective": {"form": "verdict", "verdict": "effective", "roles": {"K": "K", "V": "V"}},
    "not effective": {"form": "verdict", "verdict": "not effective", "roles": {"K": "K", "V": "V"}},
    "no difference": {"form": "verdict", "verdict": "no difference", "roles": {"K": "K", "V": "V"}},
    "mimics": {"form": "verdict", "verdict": "mimics", "roles": {"X": "KA", "V": "V", "K": "K"}},
    "does not mimic": {
        "form": "verdict",
        "verdict": "does not mimic",
        "roles": {"X": "KA", "V": "V", "K": "K"},
    },
    "occludes": {"form": "verdict", "verdict": "occludes", "roles": {"X": "K", "V": "V", "KX": "KA"}},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_a_finite_table_of_its_contrasts(form: str) -> None:
    table = reduced(KVA, **FORMS[form])
    assert table.grid_log_density.shape == (len(GRID),) * len(table.contrasts)
    assert np.all(np.isfinite(table.grid_log_density)) and table.grid_log_density.min() >= LOG_FLOOR
    assert np.isfinite(table.log_saturated)
    assert table.absolute == (FORMS[form]["form"] == "responders")
    assert "made-up" in table.label


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


def test_t_f_p_and_d_say_the_same() -> None:
    arms: dict[str, Any] = {"contrast": ["K", "V"], "better": "first"}
    t = 2.4
    same = [
        reduced(KVA, form="test", statistic="t", value=t, **arms),
        reduced(KVA, form="test", statistic="F", value=t**2, **arms),
        reduced(KVA, form="test", statistic="d", value=t * np.sqrt(1 / 9 + 1 / 8), **arms),
        reduced(KVA, form="p-value", p=float(2 * stats.t.sf(t, 15)), **arms),
    ]
    for table in same[1:]:
        np.testing.assert_allclose(table.grid_log_density, same[0].grid_log_density, rtol=0, atol=1e-8)


def test_a_difference_whose_interval_is_that_of_the_t_test_is_the_t_test() -> None:
    error = np.sqrt(1 / 9 + 1 / 8)
    half = stats.t.isf(0.025, 15) * error
    expected = reduced(
        KVA, form="test", statistic="t", value=0.8 / error, contrast=["K", "V"], better="first"
    )
    table = reduced(KVA, form="difference", contrast=["K", "V"], value=0.8, ci=[0.8 - half, 0.8 + half])
    np.testing.assert_allclose(table.grid_log_density, expected.grid_log_density, rtol=0, atol=1e-8)


def test_a_difference_keeps_its_own_standard_error() -> None:
    error = 0.6 * np.sqrt(1 / 9 + 1 / 8)  # adjusted for the baseline, say
    half = stats.t.isf(0.025, 15) * error
    table = reduced(KVA, form="difference", contrast=["K", "V"], value=0.8, ci=[0.8 - half, 0.8 + half])
    expected = effect_logpdf(0.8, error**2 + 2 * 0.1**2, 15, GRID)
    np.testing.assert_allclose(table.grid_log_density, np.maximum(expected, LOG_FLOOR), atol=1e-9)
    assert table.observed
    assert table.observed[0]["effect"] == pytest.approx(0.8)
    assert table.observed[0]["lower"] == pytest.approx(0.8 - half)


@pytest.mark.parametrize("sizes", [KVA, {"K": {}, "V": {}}])
def test_a_difference_in_points_is_that_in_sd(sizes: dict[str, Any]) -> None:
    arms: dict[str, Any] = {"form": "difference", "contrast": ["K", "V"]}
    in_points = reduced(sizes, value=6.0, ci=[0.75, 11.25], sd=7.5, **arms)
    in_sd = reduced(sizes, value=0.8, ci=[0.1, 1.5], **arms)
    np.testing.assert_allclose(in_points.grid_log_density, in_sd.grid_log_density, atol=1e-9)


def test_a_difference_of_unknown_n_is_normal_in_sd() -> None:
    table = reduced({"K": {}, "V": {}}, **FORMS["difference"])
    expected = stats.norm.logpdf(GRID, 0.8, np.sqrt((1.4 / (2 * ndtri(0.975))) ** 2 + 0.02))
    np.testing.assert_allclose(table.grid_log_density, np.maximum(expected, LOG_FLOOR), atol=1e-9)


def test_the_better_arm_sets_the_direction() -> None:
    first = reduced(KVA, **FORMS["p"])
    second = reduced(KVA, **(FORMS["p"] | {"better": "second"}))
    np.testing.assert_allclose(first.grid_log_density, second.grid_log_density[::-1], atol=1e-9)


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


def test_interaction_is_a_contrast_of_four_arms() -> None:
    four = {"K": 8, "V": 8, "KA": 8, "A": 8}
    table = reduced(four, form="interaction", statistic="F", value=6.5, arms=["K", "V", "KA", "A"])
    expected = effect_logpdf(np.sqrt(6.5) * np.sqrt(0.5), 0.5 + 0.04, 28, GRID)
    np.testing.assert_allclose(table.grid_log_density, expected, atol=1e-9)
    assert table.contrasts == ((("K", 1.0), ("V", -1.0), ("KA", -1.0), ("A", 1.0)),)
    p = float(2 * stats.t.sf(np.sqrt(6.5), 28))
    same = reduced(four, form="interaction", statistic="p", value=p, arms=["K", "V", "KA", "A"])
    np.testing.assert_allclose(same.grid_log_density, expected, rtol=0, atol=1e-8)


def test_unknown_rule_and_correction_are_mixtures_of_probabilities() -> None:
    def table(rule: str, correction: str) -> ReducedOutcome:
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


def test_df_of_a_test_fixes_unknown_sizes() -> None:
    test = FORMS["t"] | {"df": 16}
    unknown, known = reduced({"K": {}, "V": {}}, **test), reduced({"K": 9, "V": 9}, **test)
    np.testing.assert_allclose(unknown.grid_log_density, known.grid_log_density, atol=1e-12)


def test_saturated_mass_of_a_normal_likelihood_is_its_closed_form() -> None:
    log_density = stats.norm.logpdf(0.8, GRID, 0.4)
    expected = stats.norm.logpdf(0.8, 0, np.hypot(0.4, 1.5))
    assert log_saturated(log_density, 1.5) == pytest.approx(expected, abs=1e-9)
    both = log_density[:, None] + log_density[None, :]
    assert log_saturated(both, 1.5) == pytest.approx(2 * expected, abs=1e-9)


def test_an_unknown_arm_is_named_in_the_error() -> None:
    with pytest.raises(ValueError, match="got KA in 'made-up'"):
        reduced({"K": 9, "V": 9}, **FORMS["abolished"])


def test_a_missing_prior_is_named_in_the_error() -> None:
    priors = {name: prior for name, prior in PRIORS.items() if name != "arm_noise"}
    with pytest.raises(ValueError, match="must hold 'arm_noise'"):
        reduce_outcome(experiment(KVA), outcome(**FORMS["t"]), priors)


def test_the_density_of_four_means_is_that_of_their_standardised_differences() -> None:
    """Monte Carlo over the pooled SD: given it, observed differences are normal."""
    delta = np.array([0.5, -0.2, 0.9])
    table = reduced(dict.fromkeys("VKCA", 6), form="means", arms=four(V=0.0, K=0.8, C=0.1, A=0.6))
    assert table.joint is not None and len(table.contrasts) == 3
    d, c, df = table.joint.effects[0], table.joint.covariance, table.joint.df
    s = np.sqrt(np.random.default_rng(1).chisquare(df, 400_000) / df)
    residual = s[:, None] * d - delta
    # density of d: that of d s given s, times s for each difference
    each = stats.multivariate_normal.pdf(residual, cov=c) * s**3
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


def test_observed_effect_and_its_interval_come_from_the_t_test() -> None:
    observed = reduced(KVA, **FORMS["t"]).observed
    assert observed
    error = np.sqrt(1 / 9 + 1 / 8)
    assert observed[0]["effect"] == pytest.approx(2.4 * error)
    assert observed[0]["upper"] - observed[0]["effect"] == pytest.approx(t_of_p(0.05, 15) * error)
    assert reduced(KVA, **FORMS["abolished"]).observed == ()


# What stands beside a density: the tail of a statistic, and its significance


STATISTICS = {
    "p-value": {"form": "p-value", "p": 0.02, "contrast": ["K", "V"], "better": "first"},
    "means": FORMS["means"],
}


@pytest.mark.parametrize("form", STATISTICS)
def test_tail_of_a_statistic_is_that_of_the_noncentral_t(form):
    found = reduced({"K": 9, "V": 8}, **STATISTICS[form])
    assert found.above is not None and found.observed
    # arm noise adds to the variance of the difference and is not seen by the test
    sd, plain = np.sqrt(1 / 9 + 1 / 8 + 2 * 0.1**2), np.sqrt(1 / 9 + 1 / 8)
    middle = 0.5 * (found.observed[0]["lower"] + found.observed[0]["upper"])
    inside = np.abs(GRID) < 3
    expected = stats.nct.sf(middle / sd, 15, GRID[inside] / sd)
    np.testing.assert_allclose(found.above[0][inside], expected, atol=1e-6)
    critical = stats.t.isf(0.025, 15) * plain / sd
    twice = stats.nct.sf(critical, 15, GRID[inside] / sd) + stats.nct.cdf(-critical, 15, GRID[inside] / sd)
    assert found.significant is not None
    np.testing.assert_allclose(found.significant[inside], twice, atol=1e-6)


def test_density_of_a_statistic_integrates_to_its_tail():
    """From the p of one report to that of another, the density adds up to what lies between their tails."""
    sizes, place = {"K": 9, "V": 8}, int(np.searchsorted(GRID, 0.8))
    error = np.sqrt(1 / 9 + 1 / 8)
    effects = np.linspace(0.5, 1.0, 41)
    tables = [
        reduced(
            sizes, form="p-value", p=float(2 * stats.t.sf(d / error, 15)), contrast=["K", "V"], better="first"
        )
        for d in effects
    ]
    densities = [np.exp(one.grid_log_density[place]) for one in tables]
    tails = [one.above[0][place] for one in (tables[0], tables[-1]) if one.above is not None]
    assert simpson(densities, x=effects) == pytest.approx(tails[0] - tails[1], abs=1e-5)


def test_verdicts_and_counts_have_no_tail():
    assert reduced(KVA, form="verdict", verdict="effective", roles={"K": "K", "V": "V"}).above is None
    assert (
        reduced(KVA, form="p-threshold", significant=True, contrast=["K", "V"], better="first").above is None
    )
