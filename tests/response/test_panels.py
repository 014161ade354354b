"""Panels follow what an arm is given, and states do not depend on how fine they are."""

from collections.abc import Callable

import jax
import numpy as np
import pytest

from gaddum.records.dose import Dose
from gaddum.records.hypothesis import Hypothesis
from gaddum.response import assemble as assembling
from gaddum.response.panels import FEW, PANELS, panels
from gaddum.response.response import account, respond


def dose(**given) -> Dose:
    return Dose(**({"drug": "x", "amount": "1 mg/kg", "route": "ip"} | given))


def test_one_injection_gets_panels_that_widen() -> None:
    widths = np.diff(panels((dose(),), 24.0))
    assert widths.size == PANELS and np.all(np.diff(widths) > 0)


def test_a_pretreatment_changes_nothing() -> None:
    np.testing.assert_array_equal(panels((dose(), dose(time="-30 min")), 24.0), panels((dose(),), 24.0))


def test_an_infusion_has_a_panel_of_its_own() -> None:
    edges = panels((dose(route="iv infusion", duration="40 min"),), 24.0)
    assert edges[1] == pytest.approx(2 / 3) and edges.size == PANELS + 1


@pytest.mark.parametrize("repeats", [2, 3, 7, 14, 28])
def test_every_dose_of_a_series_starts_a_panel(repeats: int) -> None:
    edges = panels((dose(repeats=repeats, interval="24 h"),), 24.0 * repeats)
    assert np.isin(24.0 * np.arange(repeats), edges).all()


def test_a_test_within_hours_needs_fewer_panels() -> None:
    assert panels((dose(),), 1.0).size < panels((dose(),), 24.0).size


def test_what_is_held_up_to_the_test_ends_with_it() -> None:
    edges = panels((dose(route="bath", amount="1 uM", duration="3 h"),), 2.0)
    assert edges[-1] == 2.0 and edges.size == FEW + 1


@pytest.mark.parametrize("span", [0.5, 3.0, 24.0, 672.0])
def test_edges_rise_from_the_dose_to_the_test(span: float) -> None:
    series = dose(repeats=3, interval="8 h"), dose(time="1 h", route="iv infusion", duration="2 h")
    for doses in ((dose(),), series):
        edges = panels(doses, span)
        assert edges[0] == 0 and edges[-1] == span and np.all(np.diff(edges) > 0)


@pytest.fixture(scope="module")
def grids(record) -> list[Callable[[Hypothesis], np.ndarray]]:
    """States under a hypothesis on the grid as it is and on one of an eighth of its widths."""

    def states(assembly) -> Callable[[Hypothesis], np.ndarray]:
        z = record.draws(200)[[record.assembly.index[p.name] for p in assembly.parameters]]
        run = jax.jit(lambda z, given: respond(assembly, z, given).state)
        return lambda hypothesis: np.asarray(run(z, account(hypothesis, assembly, absolute=True)))

    def fine(doses, span, **options):
        edges = panels(doses, span, **options)
        return np.unique(
            np.concatenate([np.linspace(a, b, 9) for a, b in zip(edges[:-1], edges[1:], strict=True)])
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembling, "panels", fine)
        refined = assembling.assemble(record.loaded)
    return [states(record.assembly), states(refined)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nmdar", "nmdar-permissive-opioid"])
def test_states_agree_with_a_refined_grid(record, grids, name: str) -> None:
    """Over prior draws; the worst are those whose build-up is far quicker than any prior median."""
    (hypothesis,) = (h for h in record.loaded.case.hypotheses if h.name == name)
    coarse, exact = (states(hypothesis) for states in grids)
    wrong = np.abs(coarse - exact) / np.maximum(np.abs(exact), 1e-3)
    assert np.median(wrong) < 3e-4 and np.quantile(wrong, 0.95) < 5e-3 and np.quantile(wrong, 0.99) < 2e-2
