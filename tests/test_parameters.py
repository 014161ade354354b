"""Parameters are quantiles of their distribution at standard normal points."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy import stats
from scipy.special import expit

from gaddum.numerics.normal_grid import Z_GRID
from gaddum.parameters import DEFAULT_GSD, canonical, distribution_nodes, log_nodes
from gaddum.records.prior import Distribution
from gaddum.records.quantity import Quantity

LEVELS = stats.norm.cdf(Z_GRID)
SOURCE = {"how": "assumption", "reason": "made up for a test"}


def quantity(value: float, unit: str, gsd: float | None = None) -> Quantity:
    spread = None if gsd is None else {"kind": "GSD", "value": gsd}
    return Quantity.model_validate({"value": value, "unit": unit, "spread": spread, "source": SOURCE})


def nodes(**fields: Any) -> np.ndarray:
    return distribution_nodes(TypeAdapter(Distribution).validate_python(fields))


def test_one_report_is_an_exact_line() -> None:
    line = log_nodes((quantity(30, "nM", 2.0),))
    np.testing.assert_allclose(line, np.log(30) + np.log(2) * Z_GRID, rtol=1e-15)


def test_a_report_without_spread_gets_the_declared_one() -> None:
    line = log_nodes((quantity(3, "h"),))
    np.testing.assert_allclose(line, np.log(3) + np.log(DEFAULT_GSD) * Z_GRID, rtol=1e-12)


@pytest.mark.parametrize(("first", "second"), [(1.0, 8.0), (1.2, 4.7), (10.0, 10.0), (1.0, 1e4)])
def test_a_mixture_is_monotone_and_covers_both_medians(first: float, second: float) -> None:
    curve = log_nodes((quantity(first, "h", 1.3), quantity(second, "h", 1.3)))
    assert np.all(np.diff(curve) > 0)
    lower, upper = np.interp([-1.5, 1.5], Z_GRID, curve)
    assert lower < np.log(first) and np.log(second) < upper


def test_a_mixture_has_the_quantiles_of_its_distribution_function() -> None:
    curve = log_nodes((quantity(1, "h", 1.5), quantity(8, "h", 1.3)))
    cdf = np.mean([stats.norm.cdf(curve, np.log(m), np.log(g)) for m, g in ((1, 1.5), (8, 1.3))], axis=0)
    np.testing.assert_allclose(stats.norm.ppf(cdf), Z_GRID, atol=1e-3)


def test_two_equal_reports_amount_to_one() -> None:
    same = quantity(5, "nM", 1.7)
    np.testing.assert_allclose(log_nodes((same, same)), log_nodes((same,)), atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "inverse", "reference"),
    [
        ({"family": "lognormal", "median": 2.0, "gsd": 1.5}, np.exp, stats.lognorm(np.log(1.5), scale=2.0)),
        ({"family": "half-normal", "sd": 0.7}, np.exp, stats.halfnorm(scale=0.7)),
        ({"family": "beta", "a": 2.0, "b": 9.0}, expit, stats.beta(2.0, 9.0)),
        ({"family": "normal", "mean": -1.0, "sd": 0.3}, lambda x: x, stats.norm(-1.0, 0.3)),
    ],
    ids=lambda value: value["family"] if isinstance(value, dict) else "",
)
def test_nodes_are_quantiles(fields: dict, inverse: Any, reference: Any) -> None:
    np.testing.assert_allclose(reference.cdf(inverse(nodes(**fields))), LEVELS, rtol=1e-9)


def test_logit_normal_is_a_line_in_the_logit() -> None:
    line = nodes(family="logit-normal", median=0.8, sd=1.2)
    np.testing.assert_allclose(line, np.log(4.0) + 1.2 * Z_GRID)


def test_a_fixed_value_has_no_spread() -> None:
    np.testing.assert_array_equal(nodes(family="fixed", value=0.15), np.full(Z_GRID.size, 0.15))


def test_weights_are_not_a_sampled_parameter() -> None:
    with pytest.raises(ValueError, match="continuous distribution; got 'weights'"):
        nodes(family="weights", of={"strict": 0.5, "lax": 0.5})


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(90, "min", 1.5), (2, "uM", 2000.0), (60, "mL/min/kg", 3.6), (50, "%", 0.5), (1, "L/kg", 1.0)],
)
def test_canonical_units(value: float, unit: str, expected: float) -> None:
    assert canonical(quantity(value, unit)) == pytest.approx(expected)


def test_mass_concentration_becomes_molar_by_the_molar_mass() -> None:
    assert canonical(quantity(100, "ng/mL"), 250.0) == pytest.approx(400.0)


def test_mass_concentration_without_molar_mass_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a molar mass"):
        canonical(quantity(100, "ng/mL"))
