"""The band of a reading: truth, individuals over their number, and what no number removes."""

import numpy as np
import pytest

from gaddum.engagement.reading_band import INDIVIDUALS, METHOD, SCAN, read_occupancies, read_others
from gaddum.records.curve import load_curves
from gaddum.records.quantity import Quantity
from gaddum.records.reading import Occupancy

DRAWS = 4000
KEPT_BACK = {
    "paroxetine",
    "sertraline",
    "clozapine",
    "risperidone",
    "quetiapine",
    "amisulpride",
    "aripiprazole",
}


@pytest.mark.parametrize("truth", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("n", [1, 5, 400])
def test_a_reading_of_a_known_truth_scatters_as_its_parts_add_up(truth, n):
    wanted = np.sqrt(((INDIVIDUALS * truth * (1 - truth)) ** 2 + SCAN**2) / n + METHOD**2)
    drawn = read_occupancies(np.full((1, DRAWS), truth), n, 0)
    assert drawn.mean() == pytest.approx(truth, abs=1e-3)
    assert drawn.std() == pytest.approx(wanted, rel=0.01)


def test_logs_of_other_readings_scatter_less_in_larger_groups():
    spreads = [np.log(read_others(np.full(DRAWS, 3.0), n, 0)).std() for n in (1, 4, 10_000)]
    assert spreads[0] > spreads[1] > spreads[2]
    assert spreads[2] == pytest.approx(METHOD, rel=0.05)


def test_individuals_scatter_as_the_librarys_occupancies_print():
    ratios = []
    for curve in load_curves():
        if curve.given & KEPT_BACK or not curve.counted or curve.species != "human":
            continue
        for one in curve.measured:
            sd = _printed_sd(one.published)
            if isinstance(one.reading, Occupancy) and sd is not None:
                scale = 0.01 if one.published.unit == "%" else 1.0
                held = one.published.value * scale
                people = np.hypot(INDIVIDUALS * held * (1 - held), SCAN)
                ratios.append((sd * scale / people) ** 2)
    assert len(ratios) > 12
    assert 0.7 < np.sqrt(np.mean(ratios)) < 1.4


def _printed_sd(published: Quantity) -> float | None:
    spread = published.spread
    if spread is None or published.n is None or isinstance(spread.value, tuple):
        return None
    return {"SD": spread.value, "SEM": spread.value * np.sqrt(published.n)}.get(spread.kind)
