"""Rivals of the prediction test say what their rules say, on invented rows."""

import numpy as np
import pytest
from benchmarks.prediction.engagement import RowEngagement
from benchmarks.prediction.rivals import NEUTRAL, PRIOR_SD, WIDTH, coin, design_of, meta_regression, votes
from benchmarks.prediction.rows import EVENTS, NOTHING, Reading, Row
from scipy.special import expit

from gaddum.records.protocol import Subject

RANDOM = np.random.default_rng(5)


def row(
    event: str,
    cohort: str = "one",
    *,
    species: str = "mouse",
    stress: str = "stressed",
    preparation: str = "behaving",
    laboratory: str | None = None,
    weight: float = 1.0,
    year: int = 2020,
) -> Row:
    chances = dict.fromkeys((*EVENTS, NOTHING), 0.0) | {event: 1.0}
    reading = Reading(cohort, "blockade", "swim", "KA", chances)
    said = {"species": species, "stress": stress, "preparation": preparation, "paradigm": "naive"}
    subject = Subject.model_validate(said)
    return Row(cohort, laboratory or cohort, year, subject, "naltrexone", "acute", (reading,), weight)


def mixed(count: int) -> tuple[Row, ...]:
    """Rows of all kinds, two cohorts a laboratory."""

    def some(*names: str) -> str:
        return str(RANDOM.choice(names))

    return tuple(
        row(
            some(*EVENTS),
            f"cohort {i}",
            laboratory=f"laboratory {i // 2}",
            species=some("mouse", "rat", "human"),
            stress=some("stressed", "unstressed"),
            preparation=some("behaving", "slice"),
        )
        for i in range(count)
    )


def occupied(count: int) -> tuple[RowEngagement, ...]:
    return tuple(RowEngagement(*RANDOM.uniform(size=2)) for _ in range(count))


def first(known: int, count: int) -> np.ndarray:
    return np.arange(count) < known


def test_a_coin_says_a_third():
    assert coin(mixed(2))(first(1, 2)) == pytest.approx(1 / 3)


def test_votes_are_those_of_the_known_rows_of_species_and_stress():
    rows = (
        row("abolished", weight=0.5),
        row("abolished", "two"),
        row("partial", "three", species="rat"),
        row("not_abolished", "four", stress="unstressed"),
        row("partial", "five"),
    )
    assert votes(rows)(first(4, 5))[4] == pytest.approx([2.5 / 4.5, 1 / 4.5, 1 / 4.5])


def test_meta_regression_thinks_all_events_alike_before_any_row_is_known():
    rows = mixed(4)
    for engaged in (None, occupied(4)):
        assert meta_regression(rows, engaged)(first(0, 4)) == pytest.approx(1 / 3, abs=0.04)


@pytest.mark.parametrize("with_engagement", [False, True])
@pytest.mark.slow
def test_meta_regression_is_the_posterior_of_its_priors(with_engagement: bool):
    """Beside importance weights on draws from the priors, written anew."""
    rows, draws = mixed(8), 200_000
    engaged = occupied(8) if with_engagement else None
    known = first(5, 8)
    found = meta_regression(rows, engaged, seed=1)(known)
    random = np.random.default_rng(2)

    def effects(names: list[str], sd: np.ndarray | float) -> np.ndarray:
        drawn = {name: sd * random.standard_normal(draws) for name in sorted({*names})}
        return np.array([drawn[name] for name in names])

    subjects = [one.subject for one in rows]
    eta = sum(
        effects([getattr(one, kind) for one in subjects], 1.0)
        for kind in ("species", "stress", "preparation")
    )
    eta = eta + effects([one.laboratory for one in rows], np.abs(random.standard_normal(draws)))
    for at in range(2):
        over = [0.0 if one is None else (one[at] or 0.0) - 0.5 for one in engaged or [None] * len(rows)]
        eta += np.outer(over, 2 * random.standard_normal(draws))
    middle, half = (
        1.5 * random.standard_normal(draws),
        0.5 * 2.4 * np.exp(0.5 * random.standard_normal(draws)),
    )
    low, below = expit(middle - half - eta), expit(middle + half - eta)
    chances = np.array([1 - below, below - low, low])  # events, rows, draws
    shares = np.array([one.shares for one in rows]) * known[:, None]
    weight = np.exp(np.einsum("re,erd->d", shares, np.log(chances)))
    expected = np.average(chances, axis=-1, weights=weight).T
    assert found == pytest.approx(expected, abs=0.02)


def test_the_priors_are_those_of_the_decision():
    assert PRIOR_SD == {"location": 1.5, "log_width": 0.5, "laboratory": 1.0, "slope": 2.0, "group": 1.0}
    assert (WIDTH, NEUTRAL) == (2.4, 0.5)


@pytest.mark.parametrize("rival", [votes, lambda rows: meta_regression(rows, None)])
def test_what_is_not_known_moves_no_forecast(rival):
    rows, known = mixed(6), first(3, 6)
    changed = tuple(
        one if here else one._replace(readings=row("partial").readings)
        for one, here in zip(rows, known, strict=True)
    )
    np.testing.assert_array_equal(rival(rows)(known), rival(changed)(known))


@pytest.mark.slow
def test_meta_regression_learns_that_blockade_follows_engagement():
    shares = np.tile([0.05, 0.95], 12)
    rows = tuple(
        row("abolished" if one > 0.5 else "not_abolished", f"cohort {i}") for i, one in enumerate(shares)
    )
    engaged = tuple(RowEngagement(float(one), None) for one in shares)
    without, empty, full = meta_regression(rows, None), *meta_regression(rows, engaged)(first(22, 24))[22:]
    assert full[0] > 0.75 and empty[2] > 0.75
    assert np.ptp(without(first(22, 24))[22:, 0]) < 0.05


@pytest.mark.slow
def test_meta_regression_expects_of_a_laboratory_what_it_found():
    rows = (
        *(row("abolished", f"a{i}", laboratory="Elm") for i in range(4)),
        *(row("not_abolished", f"b{i}", laboratory="Ash") for i in range(4)),
        row("partial", "c", laboratory="Elm"),
        row("partial", "d", laboratory="Oak"),
        row("partial", "e", laboratory="Ash"),
    )
    elm, oak, ash = meta_regression(rows, None)(first(8, 11))[8:, 0]
    assert elm > oak > ash


def test_an_occupancy_that_cannot_be_followed_is_neutral():
    design = design_of(mixed(2), (RowEngagement(None, None), RowEngagement(1.0, 0.0)))
    assert design.engagement.tolist() == [[0.0, 0.0], [0.5, -0.5]]
