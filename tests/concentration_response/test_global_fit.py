"""Bench data: exact curves come back exactly, noisy ones with honest intervals, published ones as published."""

import numpy as np
import pytest
from scipy import stats

from gaddum.concentration_response.formulas import gaddum_ec50_shift, operational
from gaddum.concentration_response.global_fit import (
    dose_ratios,
    fit_operational,
    fit_parallel_curves,
    fit_schild,
    schild_regression,
)
from gaddum.concentration_response.responses import make_responses

TRUE = {"bottom": 4.0, "top": 96.0, "log_ec50": -7.5, "hill": 1.3, "pa2": 8.6, "slope": 0.9}
A = np.concatenate([[0.0], 10.0 ** np.arange(0, 6.1, 0.5)])
B = (0.0, 10.0, 100.0, 1000.0)


def schild_curves(b=B, a=A, **changed):
    t = {**TRUE, **changed}
    agonist, antagonist = (grid.ravel() for grid in np.meshgrid(a, b))
    response = gaddum_ec50_shift(
        agonist, antagonist, 10 ** (t["log_ec50"] + 9), 10 ** (9 - t["pa2"]),
        slope=t["slope"], hill=t["hill"], bottom=t["bottom"], top=t["top"],
    )  # fmt: skip
    return agonist, antagonist, response


def noisy(key, sd=4.0, **changed):
    a, b, y = schild_curves(**changed)
    return make_responses(a, b, y + np.random.default_rng(key).normal(0.0, sd, y.shape))


# A table of rounded numbers and what R 4.2 makes of it: nls (tolerance 1e-7) of the same formula, anova for the F test.
R_TABLE = make_responses(
    np.tile([1.0, 10.0, 100.0, 1e3, 1e4, 1e5], 4),
    np.repeat([0.0, 10.0, 100.0, 1000.0], 6),
    [2.3, 23.7, 80.1, 97.6, 101.3, 98.3, 0.9, 6.5, 51.3, 95.6, 98.2, 94.3,
     -0.8, 7.7, 12.4, 53.2, 92.7, 94.1, 0.1, 0.6, 0.9, 14.9, 61.9, 91.9],
)  # fmt: skip
R_NLS = {
    "bottom": (1.17951521, 1.18035666),
    "top": (98.07346745, 1.17398542),
    "log_ec50": (-7.56216066, 0.05198131),
    "hill": (1.10937286, 0.07855042),
    "pa2": (8.44158817, 0.09624242),
    "slope": (0.97450387, 0.03817610),
}


@pytest.mark.parametrize("descending", [False, True])
def test_exact_curves_give_their_parameters_back(descending):
    ends = {"bottom": 96.0, "top": 4.0} if descending else {}
    found = fit_schild(make_responses(*schild_curves(**ends))).fit
    wanted = {**TRUE, **ends}
    assert {name: one.value for name, one in found.estimates.items()} == pytest.approx(wanted, rel=1e-8)
    assert found.status == "converged"


def test_estimates_errors_and_f_test_are_those_of_r():
    found = fit_schild(R_TABLE)
    for name, (value, error) in R_NLS.items():
        assert found.fit[name].value == pytest.approx(value, abs=2e-6 * error + 1e-7)
        assert found.fit[name].standard_error == pytest.approx(error, rel=1e-5)
    assert found.fit.sum_of_squares == pytest.approx(153.5884639, rel=1e-9)
    assert found.unit_slope.sum_of_squares == pytest.approx(157.49236, rel=1e-7)
    assert found.slope_test is not None
    assert found.slope_test.f == pytest.approx(0.45752, abs=6e-6)
    assert found.slope_test.p == pytest.approx(0.50738, abs=6e-6)


@pytest.mark.parametrize("name", ["pa2", "slope", "hill"])
def test_held_at_an_end_of_its_profile_interval_a_parameter_is_just_rejected(name):
    full = fit_schild(R_TABLE).fit
    for end in (full[name].profile_lower, full[name].profile_upper):
        held = fit_schild(R_TABLE, fixed={name: end}, profiles=()).fit
        rise = (held.sum_of_squares - full.sum_of_squares) / (full.sum_of_squares / full.df)
        assert rise == pytest.approx(stats.f.ppf(0.95, 1, full.df), rel=1e-5)


def test_regression_and_global_fit_agree_on_exact_curves():
    responses = make_responses(*schild_curves())
    regression = schild_regression(B[1:], dose_ratios(fit_parallel_curves(responses))).fit
    whole = fit_schild(responses).fit
    for name in ("pa2", "slope"):
        assert regression[name].value == pytest.approx(whole[name].value, rel=1e-8)


def test_slope_test_rejects_a_slope_far_from_one_and_not_one_itself():
    far, near = (fit_schild(noisy(3, slope=slope), profiles=()).slope_test for slope in (0.7, 1.0))
    assert far is not None and far.p < 1e-4
    assert near is not None and near.p > 0.01


def test_profile_interval_of_the_regressions_pa2_is_fiellers():
    b, ratios = np.array([3.0, 10.0, 30.0, 100.0]), np.array([1.9, 5.3, 10.1, 44.0])
    found = schild_regression(b, ratios).fit
    x, y = np.log10(b) - 9, np.log10(ratios - 1)
    line = stats.linregress(x, y)
    # Ratio intercept / slope: roots of (a - r s)^2 = t^2 Var(a - r s).
    t = stats.t.ppf(0.975, len(x) - 2)
    var_s, var_a = line.stderr**2, line.intercept_stderr**2
    cov = -x.mean() * var_s
    roots = np.roots(
        [
            line.slope**2 - t**2 * var_s,
            -2 * (line.intercept * line.slope - t**2 * cov),
            line.intercept**2 - t**2 * var_a,
        ]
    )
    assert (found["pa2"].profile_lower, found["pa2"].profile_upper) == pytest.approx(
        tuple(sorted(roots)), rel=1e-6
    )
    assert found["slope"].standard_error == pytest.approx(line.stderr, rel=1e-8)


def test_morphine_and_naltrexone_in_monkeys_give_the_published_apparent_pa2():
    # Bowen 2002, doi:10.1124/jpet.302.1.264, Table 1: ED50 of morphine (mg/kg, tail withdrawal at 50 C) alone and after
    # naltrexone; abstract: apparent pA2 7.90 to 8.22 over endpoints. Free base of naltrexone: 341.40 g/mol.
    doses = np.array([0.0032, 0.01, 0.032]) * 1e6 / 341.40
    found = schild_regression(doses, np.array([11.37, 43.12, 72.52]) / 5.82)
    assert 7.90 <= found.unit_slope["pa2"].value <= 8.22
    assert found.slope_test is not None and found.slope_test.p > 0.05


def test_one_concentration_of_antagonist_needs_the_slope_held():
    responses = make_responses(*schild_curves(b=(0.0, 100.0), slope=1.0))
    with pytest.raises(ValueError, match="at least two concentrations"):
        fit_schild(responses)
    assert fit_schild(responses, fixed={"slope": 1}).fit["pa2"].value == pytest.approx(8.6, rel=1e-8)


def test_curves_without_a_control_are_refused():
    with pytest.raises(ValueError, match="a curve without antagonist"):
        fit_schild(make_responses(*schild_curves(b=(10.0, 100.0))))


def test_unknown_parameter_to_hold_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match="bottom, top, log_ec50, hill, pa2, slope"):
        fit_schild(R_TABLE, fixed={"pA2": 8.0})


def test_dose_ratio_that_is_no_shift_is_refused():
    with pytest.raises(ValueError, match="dose ratios above 1"):
        schild_regression([1.0, 10.0], [0.9, 5.0])


OPERATIONAL = {
    "basal": 5.0,
    "e_max": 120.0,
    "log_tau": 1.2,
    "log_k_a": -6.0,
    "n": 1.2,
    "log_q[1]": -0.7,
    "log_q[2]": -1.4,
}


def operational_curves(curves=3):
    a = np.tile(A, curves)
    which = np.repeat(np.arange(curves), A.size)
    left = 10.0 ** np.array([0.0, OPERATIONAL["log_q[1]"], OPERATIONAL["log_q[2]"]])[which]
    tau = left * 10 ** OPERATIONAL["log_tau"]
    return a, which.astype(float), 5.0 + operational(a, 1e3, tau, 115.0, 1.2)


def test_exact_operational_curves_after_an_irreversible_antagonist_give_their_parameters_back():
    found = fit_operational(make_responses(*operational_curves()))
    assert {name: one.value for name, one in found.estimates.items()} == pytest.approx(OPERATIONAL, rel=1e-7)


def test_one_full_agonist_curve_does_not_identify_efficacy_and_affinity():
    a, _, y = operational_curves(1)
    noise = np.random.default_rng(0).normal(0.0, 2.0, y.shape)
    found = fit_operational(make_responses(a, 0.0, y + noise))
    assert "do not identify" in found.status and "log_tau" in found.status
    assert found["log_tau"].profile_upper == np.inf


def test_known_maximum_of_the_system_identifies_efficacy_from_a_partial_agonist():
    a = A
    y = operational(a, 1e3, 1.5, 100.0, 1.0)
    found = fit_operational(make_responses(a, 0.0, y), fixed={"e_max": 100.0, "basal": 0.0, "n": 1.0})
    assert found["log_tau"].value == pytest.approx(np.log10(1.5), rel=1e-7)
    assert found["log_k_a"].value == pytest.approx(-6.0, rel=1e-8)


def covered(flags):
    """Whether a count of hits fits 95 % coverage within 3.3 standard errors."""
    share, n = np.mean(flags), len(flags)
    return abs(share - 0.95) < 3.3 * np.sqrt(0.95 * 0.05 / n)


@pytest.mark.slow
def test_asymptotic_and_profile_intervals_of_the_global_fit_cover_the_truth_as_often_as_they_say():
    hits = {kind: {"pa2": [], "slope": []} for kind in ("asymptotic", "profile")}
    for key in range(200):
        found = fit_schild(noisy(key, a=A[1::2]), profiles=("pa2", "slope")).fit
        for name in ("pa2", "slope"):
            one = found[name]
            hits["asymptotic"][name].append(one.lower <= TRUE[name] <= one.upper)
            hits["profile"][name].append(one.profile_lower <= TRUE[name] <= one.profile_upper)
    assert {k: {n: covered(flags) for n, flags in by.items()} for k, by in hits.items()} == {
        k: {"pa2": True, "slope": True} for k in hits
    }


@pytest.mark.slow
def test_slope_test_rejects_a_true_slope_of_one_as_often_as_its_level():
    p = [fit_schild(noisy(key, a=A[1::2], slope=1.0), profiles=()).slope_test.p for key in range(300)]  # pyright: ignore
    assert covered([one > 0.05 for one in p])


@pytest.mark.slow
def test_profile_intervals_of_the_operational_fit_cover_the_truth_as_often_as_they_say():
    a, which, y = operational_curves()
    flags = {"log_tau": [], "log_k_a": []}
    for key in range(100):
        noise = np.random.default_rng(key).normal(0.0, 3.0, y.shape)
        found = fit_operational(make_responses(a, which, y + noise), profiles=tuple(flags))
        for name, hit in flags.items():
            hit.append(found[name].profile_lower <= OPERATIONAL[name] <= found[name].profile_upper)
    assert {name: covered(hit) for name, hit in flags.items()} == dict.fromkeys(flags, True)
