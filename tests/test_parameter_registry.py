"""One register for calculator and case: a quantity has one prior, and sharing is declared."""

import numpy as np
import pytest

from gaddum.numerics.normal_grid import Z_GRID
from gaddum.parameter_registry import TIED, Register, name_of
from gaddum.parameters import Parameter
from gaddum.records.quantity import Quantity, Spread
from gaddum.records.source import Source


def number(value: float, shared: str | None = None) -> Quantity:
    source = Source(how="assumption", reason="made up")
    return Quantity(
        value=value, unit="nM", spread=Spread(kind="GSD", value=2), n=None, source=source, shared=shared
    )


def test_a_quantity_asked_for_twice_is_one_parameter() -> None:
    register = Register()
    places = {register.report("K_i of A at T", (number(3),), "nM", "binding") for _ in range(2)}
    assert places == {0} and len(register.parameters) == 1


def test_a_known_name_with_other_numbers_is_refused() -> None:
    register = Register()
    register.report("K_i of A at T", (number(3),), "nM", "binding")
    with pytest.raises(ValueError, match="must have one prior; 'K_i of A at T' has 3 nM .* and also 4 nM"):
        register.report("K_i of A at T", (number(4),), "nM", "binding")
    with pytest.raises(ValueError, match="must have one prior"):
        register.add(Parameter("K_i of A at T", 2 * Z_GRID, "nM", "another", "binding", "assumption"))


def test_equal_numbers_of_two_drugs_are_two_parameters() -> None:
    register = Register()
    for drug in ("A", "B"):
        register.report(name_of("K_i", (number(3),), drug=drug, target="T"), (number(3),), "nM", "binding")
    assert [one.name for one in register.parameters] == ["K_i of A at T", "K_i of B at T"]


def test_a_shared_number_is_one_parameter_for_all_that_declare_it() -> None:
    register, reported = Register(), (number(3, "both at T"),)
    for drug in ("A", "B"):
        register.report(name_of("K_i", reported, drug=drug, target="T"), reported, "nM", "binding")
    assert [one.name for one in register.parameters] == ["K_i of both at T"]


def test_a_shared_id_with_two_numbers_is_refused() -> None:
    register = Register()
    register.report(name_of("K_i", (number(3, "both"),), drug="A"), (number(3, "both"),), "nM", "binding")
    with pytest.raises(ValueError, match="'K_i of both'"):
        register.report(name_of("K_i", (number(5, "both"),), drug="B"), (number(5, "both"),), "nM", "binding")


def constant(register: Register, log_medians: list[float], spreads: list[float]) -> int:
    found = (number(1),) if len(log_medians) == 1 else (number(1), number(2))
    medians, wide = np.array(log_medians), np.array(spreads)
    return register.report("V of A", found, "L", "kinetics", medians=medians, spreads=wide, by_weight=True)


def test_a_constant_of_a_subject_of_another_weight_is_tied_to_the_first() -> None:
    register = Register(ties=True)
    assert constant(register, [0.3], [0.5]) == 0
    ties = [constant(register, [0.3 + np.log(factor)], [0.5]) for factor in (2, 3, 2)]
    assert ties == [TIED, TIED + 1, TIED] and len(register.parameters) == 1
    assert [place for place, _ in register.tied] == [0, 0]
    np.testing.assert_allclose([factor for _, factor in register.tied], np.log([2, 3]))
    assert constant(register, [0.3], [0.5]) == 0


def test_reports_that_conflict_are_tied_as_a_whole() -> None:
    register = Register(ties=True)
    constant(register, [0.0, 2.0], [0.5, 0.2])
    assert constant(register, [1.0, 3.0], [0.5, 0.2]) == TIED
    np.testing.assert_allclose(register.tied, [(0, 1.0)])


def test_reports_of_which_only_some_are_per_weight_are_tied_by_their_median_and_that_is_said() -> None:
    register = Register(ties=True)
    constant(register, [0.0, 2.0], [0.5, 0.2])
    assert constant(register, [0.0, 2.3], [0.5, 0.2]) == TIED
    assert 0 < register.tied[0][1] < 0.3
    assert [one.where for one in register.assumptions] == ["V of A"]


@pytest.mark.parametrize(
    ("ties", "medians", "spreads"),
    [(True, [0.3, 1.0], [0.5, 0.5]), (True, [0.5], [0.4]), (False, [0.5], [0.5])],
)
def test_numbers_that_differ_by_more_than_a_factor_or_must_not_are_refused(ties, medians, spreads) -> None:
    register = Register(ties=ties)
    constant(register, [0.3], [0.5])
    with pytest.raises(ValueError, match="must have one prior; 'V of A'"):
        constant(register, medians, spreads)
