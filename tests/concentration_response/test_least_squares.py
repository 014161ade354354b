"""Least squares: against closed forms of the straight line, and what it says when the data say nothing."""

import numpy as np
import pytest
from scipy import stats

from gaddum.concentration_response.least_squares import CurveParameter, compare_nested, fit_curve

X = np.array([0.0, 1.0, 2.0, 3.0, 5.0, 8.0])
Y = np.array([1.2, 2.7, 5.4, 6.6, 10.9, 17.3])
LINE = [CurveParameter("intercept"), CurveParameter("slope")]


def line(theta):
    return theta[0] + theta[1] * X


def fitted(parameters=LINE, **options):
    return fit_curve(line, Y, parameters, [np.zeros(2)], **options)


def test_line_has_the_estimates_and_errors_of_linear_regression():
    found, known = fitted(), stats.linregress(X, Y)
    assert found["slope"].value == pytest.approx(known.slope, rel=1e-10)
    assert found["slope"].standard_error == pytest.approx(known.stderr, rel=1e-10)
    assert found["intercept"].standard_error == pytest.approx(known.intercept_stderr, rel=1e-10)
    assert found.r_squared == pytest.approx(known.rvalue**2, rel=1e-10)


def test_profile_interval_of_a_linear_parameter_is_the_asymptotic_one():
    one = fitted()["slope"]
    assert (one.profile_lower, one.profile_upper) == pytest.approx((one.lower, one.upper), rel=1e-7)


def test_f_test_of_one_parameter_is_the_square_of_its_t_test():
    known = stats.linregress(X, Y)
    held = fitted([CurveParameter("intercept", fixed=0.0), CurveParameter("slope")])
    test = compare_nested(held, fitted())
    t = known.intercept / known.intercept_stderr
    assert test.f == pytest.approx(t**2, rel=1e-9)
    assert test.p == pytest.approx(2 * stats.t.sf(abs(t), len(X) - 2), rel=1e-9)


def test_interval_widens_with_its_level():
    narrow, wide = fitted(level=0.5)["slope"], fitted(level=0.99)["slope"]
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    assert wide.profile_lower < narrow.profile_lower < narrow.profile_upper < wide.profile_upper


def test_fixed_parameter_keeps_its_value_without_error():
    one = fitted([CurveParameter("intercept", fixed=0.5), CurveParameter("slope")])["intercept"]
    assert (one.value, one.standard_error, one.fixed) == (0.5, 0.0, True)


def test_parameters_that_only_their_sum_identifies_are_named_and_have_no_finite_error():
    found = fit_curve(lambda theta: (theta[0] + theta[1]) * X, Y, LINE, [np.ones(2)])
    assert "do not identify intercept, slope" in found.status
    assert found["slope"].standard_error == np.inf


def test_profile_interval_is_infinite_where_the_data_give_no_bound():
    # A rise that has ended before the second point: the rate may be as fast as it likes.
    x, y = np.array([0.0, 3.0, 4.0, 5.0, 6.0]), np.array([0.01, 1.02, 0.99, 1.01, 0.98])
    rate = CurveParameter("rate", "1", 0.0, 1e6)
    found = fit_curve(
        lambda theta: theta[0] * (1 - np.exp(-theta[1] * x)), y, [CurveParameter("top"), rate], [np.ones(2)]
    )
    assert found["rate"].profile_upper == np.inf
    assert 0.3 < found["rate"].profile_lower < 3.0


def test_as_many_parameters_as_observations_leave_no_error():
    found = fit_curve(lambda theta: theta[0] + theta[1] * X[:2], Y[:2], LINE, [np.zeros(2)])
    assert found.df == 0 and "passes through the data" in found.status
    assert found["slope"].value == pytest.approx(1.5)
    assert np.isinf(found["slope"].upper) and np.isinf(found["slope"].profile_upper)


def test_fewer_observations_than_parameters_are_refused():
    with pytest.raises(ValueError, match="at least as many observations"):
        fit_curve(lambda theta: theta[0] + theta[1] * X[:1], Y[:1], LINE, [np.zeros(2)])


def test_unknown_estimate_is_refused_with_the_known_names():
    with pytest.raises(KeyError, match="intercept, slope"):
        fitted()["gradient"]


def test_fits_in_the_wrong_order_cannot_be_compared():
    with pytest.raises(ValueError, match="more degrees of freedom"):
        compare_nested(fitted(), fitted())
