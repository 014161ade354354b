"""One register for calculator and case: a quantity has one prior, and sharing is declared."""

import numpy as np
import pytest

from gaddum.numerics.normal_grid import Z_GRID
from gaddum.parameter_registry import Register, name_of
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


def test_the_variance_of_conflicting_reports_covers_both() -> None:
    register = Register()
    place = register.report("K_i of A at T", (number(1), number(100)), "nM", "binding")
    assert register.variances[place] == pytest.approx(np.log(2) ** 2 + np.log(10) ** 2)
