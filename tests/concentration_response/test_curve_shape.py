"""What a shift of one sigmoid does not describe is said; what it describes is not complained of."""

import numpy as np
import pytest

from gaddum.concentration_response.curve_shape import shape_concerns
from gaddum.concentration_response.formulas import gaddum_ec50_shift
from gaddum.concentration_response.global_fit import fit_parallel_curves, fit_schild
from gaddum.concentration_response.responses import make_responses

WIDE = 10.0 ** np.arange(-1.0, 5.5, 0.5)


def responses(response, seed=0, agonist=WIDE, levels=(0.0, 10.0, 100.0)):
    a, b = (grid.ravel() for grid in np.meshgrid(agonist, levels))
    noise = np.random.default_rng(seed).normal(0, 1.0, a.size)
    return make_responses(a, b, 100 * response(a, b) + noise)


def concerns(found):
    return [text.split(":")[0] for text in shape_concerns(found, fit_parallel_curves(found))]


def shifted(a, b):
    return gaddum_ec50_shift(a, b, 30.0, 5.0)


@pytest.mark.parametrize("seed", range(10))
def test_a_parallel_shift_raises_no_concern(seed):
    assert concerns(responses(shifted, seed)) == []


def test_a_falling_maximum_is_insurmountable():
    assert concerns(responses(lambda a, b: shifted(a, b) / (1 + b / 100))) == ["Insurmountable"]


def test_two_sites_are_not_one_sigmoid():
    def two(a, b):
        return 0.5 * gaddum_ec50_shift(a, b, 1.0, 5.0) + 0.5 * gaddum_ec50_shift(a, b, 3000.0, 5.0)

    assert "Not one sigmoid" in concerns(responses(two))


def test_a_downturn_is_not_one_sigmoid():
    def bell(a, b):
        return shifted(a, 0 * b) - 0.6 * gaddum_ec50_shift(a, 0 * b, 3e4, 5.0)

    assert "Not one sigmoid" in concerns(responses(bell))


def test_a_curve_that_ends_early_has_no_plateau():
    assert "No plateau" in concerns(responses(shifted, agonist=10.0 ** np.arange(-1.0, 2.0, 0.25)))


@pytest.mark.parametrize("seed", range(5))
def test_an_antagonist_that_does_nothing_bounds_its_pa2_from_above(seed):
    data = responses(lambda a, b: shifted(a, 0 * b), seed)
    found = fit_schild(data)
    pa2 = found.fit["pa2"]
    assert np.isnan(pa2.value) and pa2.profile_lower == -np.inf and found.slope_test is None
    # At the bound the sum of squares has risen by t^2 residual variances over the best shift to the right.
    held = fit_schild(data, fixed={"slope": 1.0, "pa2": pa2.profile_upper}, profiles=()).fit
    assert held.sum_of_squares > found.fit.sum_of_squares
    for name, value in {"bottom": 0.0, "top": 100.0, "log_ec50": np.log10(30) - 9, "hill": 1.0}.items():
        assert abs(found.fit[name].value - value) < 5 * found.fit[name].standard_error
        assert np.isfinite(found.fit[name].profile_lower) and np.isfinite(found.fit[name].profile_upper)


def test_the_bound_covers_a_shift_that_is_too_small_to_see():
    missed = 0
    for seed in range(40):
        data = responses(lambda a, b: gaddum_ec50_shift(a, b, 30.0, 5000.0), seed)
        found = fit_schild(data).fit["pa2"]
        missed += found.profile_upper < 9 - np.log10(5000.0)
    assert missed <= 5  # two-sided 95 %: one in 40 is expected above
