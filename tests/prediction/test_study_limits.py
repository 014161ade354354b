"""What keeps a study from telling more: whether the antagonist was there, at every endpoint and possible hour."""

import pytest

from gaddum.prediction.blockade_chances import blockade_tests
from gaddum.prediction.study_draws import study_draws
from gaddum.prediction.study_limits import study_limits
from gaddum.records.ledger import Ledger
from prediction.stored import NEW

ENDPOINT = (
    "hours_3: {name: immobility, family: immobility, test_time: 3 h, phase: acute, improvement: decrease}"
)
AGAIN = ENDPOINT + "\n        " + ENDPOINT.replace("hours_3", "latency")


@pytest.fixture(scope="module")
def said(run, letter):
    """Sentences on engagement of a study whose text is changed."""
    priors = {prior.name: prior.distribution for prior in letter.case.priors}

    def of(old: str, new: str) -> list[str]:
        (study,) = Ledger.parse([NEW.replace(old, new)]).studies
        drawn, tests = study_draws(run, study, draws=80), blockade_tests(letter, study, priors)
        told = study_limits(run, drawn, tests, None, ())
        return [one for one in told if "the antagonist" in one]

    return of


def test_an_antagonist_that_is_there_at_two_endpoints_of_one_hour_is_there_at_both(said) -> None:
    assert said(ENDPOINT, AGAIN) == []


def test_an_antagonist_that_is_there_at_some_of_the_hours_of_a_test_is_not_said_to_have_left(said) -> None:
    told = said("3 h, phase: acute", "1 h or 72 h, phase: unknown")
    assert len(told) == 1
    assert "may have left at the test, whose hour is not known: 99% engaged at 1 h, 0% at 72 h." in told[0]


def test_an_antagonist_that_is_there_at_none_of_the_hours_has_left(said) -> None:
    told = said("3 h, phase: acute", "72 h or 96 h, phase: unknown")
    assert len(told) == 1 and "had left at the test (0% engaged, 99% when the drug acted)" in told[0]
