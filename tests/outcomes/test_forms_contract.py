"""What every form of outcome must keep, whoever adds it."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import simpson
from tests.outcomes.examples import FORMS, KVA, SOURCE, experiment, outcome, reduced

from gaddum.interop.export import sheet_of_ledger
from gaddum.interop.studies import studies_of
from gaddum.outcomes.design import contrast_error
from gaddum.outcomes.form import compared
from gaddum.outcomes.noncentral_t import GRID, LOG_FLOOR
from gaddum.records.experiment import Study
from gaddum.records.ledger import Ledger
from gaddum.records.outcome import RECORDS, arms_of

SIZES = KVA | {"A": 8}


def test_every_form_that_can_be_scored_has_an_example() -> None:
    wanted = {form for form, record in RECORDS.items() if record.can_be_scored}
    assert {one["form"] for one in FORMS.values()} == wanted


@pytest.mark.parametrize("form", FORMS)
def test_its_table_is_finite_over_its_contrasts(form: str) -> None:
    table = reduced(SIZES, **FORMS[form])
    axes = 1 if table.joint is not None else len(table.contrasts)
    assert table.grid_log_density.shape == (len(GRID),) * axes
    assert np.all(np.isfinite(table.grid_log_density)) and table.grid_log_density.min() >= LOG_FLOOR
    assert np.isfinite(table.log_saturated)
    assert {arm for one in table.contrasts for arm, _ in one} <= set(arms_of(outcome(**FORMS[form])))
    assert table.absolute == (FORMS[form]["form"] == "responders")
    assert "made-up" in table.label


@pytest.mark.parametrize("form", FORMS)
def test_its_sign_turns_with_improvement_where_it_reports_the_endpoint_and_not_which_arm_was_better(
    form: str,
) -> None:
    up, down = (reduced(SIZES, improvement=one, **FORMS[form]) for one in ("increase", "decrease"))
    expected = up.grid_log_density
    if up.joint is not None and down.joint is not None:
        np.testing.assert_allclose(down.joint.direction, -up.joint.direction)
    elif FORMS[form]["form"] == "means":
        expected = np.flip(expected)
    np.testing.assert_allclose(down.grid_log_density, expected, atol=1e-8)


@pytest.mark.parametrize("form", [name for name, one in FORMS.items() if one["form"] != "responders"])
def test_the_design_decides_its_error_and_degrees_of_freedom(form: str) -> None:
    """All but counts, whose error is binomial."""
    plain = {name: value for name, value in FORMS[form].items() if name != "paired"}
    crossover, parallel = (reduced(SIZES, design=one, **plain) for one in ("crossover", "parallel"))
    assert not np.allclose(crossover.grid_log_density, parallel.grid_log_density, atol=1e-3)


@pytest.mark.parametrize("form", FORMS)
def test_it_names_only_arms_that_exist(form: str) -> None:
    arms = arms_of(outcome(**FORMS[form]))
    with pytest.raises(ValueError, match=f"got {arms[0]} in 'made-up'"):
        reduced({name: n for name, n in SIZES.items() if name != arms[0]}, **FORMS[form])


@pytest.mark.parametrize("form", FORMS)
def test_it_comes_back_from_a_spreadsheet(form: str) -> None:
    one = experiment(SIZES).model_copy(update={"outcomes": (outcome(**FORMS[form]),)})
    about = {"id": "made_up", "title": "Made up", "year": 2020, "cohort": "made_up", "source": SOURCE}
    study = Study.model_validate(about | {"experiments": [one.model_dump(exclude_defaults=True)]})
    assert studies_of(sheet_of_ledger(Ledger((study,)))) == (study,)


@pytest.mark.parametrize("form", FORMS)
def test_a_referee_reads_two_of_its_arms_and_never_both_as_the_better(form: str) -> None:
    one, said = experiment(SIZES), outcome(**FORMS[form])
    read = {
        pair: found
        for pair in permutations(arms_of(said), 2)
        if (found := compared(one, said, *pair)) is not None
    }
    if len(arms_of(said)) > 1 and form != "means of three":  # of which one spread is unclear
        assert read
    better = {pair for pair, found in read.items() if found.better}
    assert not any((second, first) in better for first, second in better)


ERROR = contrast_error(SIZES, ("K", "V"), False)
FOUR = ("K", "V", "KA", "A")
KV: dict[str, Any] = {"contrast": ["K", "V"]}


def towards(effect: float) -> str:
    return "first" if effect > 0 else "second"


def means(effect: float) -> dict[str, Any]:
    arms = {
        name: {"mean": mean, "spread": 1.0, "spread_kind": "SD", "n": SIZES[name]}
        for name, mean in (("K", effect), ("V", 0.0))
    }
    return {"form": "means", "arms": arms}


def statistic(name: str, effect: float) -> dict[str, Any]:
    value = {"t": abs(effect) / ERROR, "F": (effect / ERROR) ** 2, "d": abs(effect)}[name]
    return {"form": "test", "statistic": name, "value": value, "better": towards(effect), **KV}


def p_value(effect: float) -> dict[str, Any]:
    p = float(2 * stats.t.sf(abs(effect) / ERROR, SIZES["K"] + SIZES["V"] - 2))
    return {"form": "p-value", "p": p, "better": towards(effect), **KV}


def interaction(effect: float) -> dict[str, Any]:
    f = (effect / contrast_error(SIZES, FOUR, False)) ** 2
    return {"form": "interaction", "statistic": "F", "value": f, "arms": FOUR, "positive": effect > 0}


def difference(effect: float) -> dict[str, Any]:
    return {"form": "difference", "value": effect, "ci": [effect - 0.7, effect + 0.7], **KV}


DENSITIES = {
    "means": means,
    "t": lambda effect: statistic("t", effect),
    "F": lambda effect: statistic("F", effect),
    "d": lambda effect: statistic("d", effect),
    "p-value": p_value,
    "interaction": interaction,
    "difference": difference,
}
"""Reports of an observed effect (SD)."""


@pytest.mark.parametrize("form", DENSITIES)
def test_a_density_integrates_to_one_over_what_could_have_been_observed(form: str) -> None:
    effects = np.linspace(-4.99, 6.01, 101)
    tables = [reduced(SIZES, **DENSITIES[form](effect)) for effect in effects]
    for true in (0.0, 0.8):
        place = int(np.searchsorted(GRID, true))
        densities = [np.exp(one.grid_log_density[place]) for one in tables]
        assert simpson(densities, x=effects) == pytest.approx(1, abs=1e-5)


def verdict(name: str) -> dict[str, Any]:
    return {"form": "verdict", "verdict": name, "roles": {"K": "K", "V": "V"}}


def below(significant: bool, better: str | None) -> dict[str, Any]:
    return {"form": "p-threshold", "significant": significant, "better": better, **KV}


def responders(count: int) -> dict[str, Any]:
    return {"form": "responders", "criterion": "half", "counts": {"K": {"responders": count, "n": 9}}}


PARTITIONS = {
    "verdict": [verdict("effective"), verdict("not effective")],
    "p-threshold": [below(True, "first"), below(True, "second"), below(False, None)],
    "p-threshold with directions": [
        below(significant, better) for significant in (True, False) for better in ("first", "second")
    ],
    "responders": [responders(count) for count in range(10)],
}
"""All that could have been reported."""


@pytest.mark.parametrize("form", PARTITIONS)
def test_probabilities_sum_to_one_over_all_that_could_have_been_reported(form: str) -> None:
    tables = [reduced(SIZES, **one).grid_log_density for one in PARTITIONS[form]]
    np.testing.assert_allclose(np.sum(np.exp(tables), axis=0), 1, atol=1e-6)


def test_every_form_is_summed_over() -> None:
    summed = {one(0.5)["form"] for one in DENSITIES.values()}
    summed |= {one["form"] for several in PARTITIONS.values() for one in several}
    assert summed == {one["form"] for one in FORMS.values()}
