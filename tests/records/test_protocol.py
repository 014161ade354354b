"""Which arm got nothing, and which one others are compared with."""

from typing import Any

import pytest
from tests.outcomes.examples import SOURCE, outcome

from gaddum.records.experiment import Experiment
from gaddum.records.protocol import Endpoint, Protocol

KETAMINE = {"doses": [{"drug": "ketamine", "amount": "10 mg/kg", "route": "ip"}]}
MIDAZOLAM = {"doses": [{"drug": "midazolam", "amount": "0.045 mg/kg", "route": "iv"}]}
LESION = {"manipulations": [{"kind": "lesion"}]}


def experiment(arms: dict[str, Any], *outcomes: Any) -> Experiment:
    endpoint = {"name": "e", "family": "e", "test_time": "1 h", "phase": "acute", "improvement": "increase"}
    protocol = {
        "subject": {"species": "rat", "paradigm": "none"},
        "arms": arms,
        "endpoints": {"e": endpoint},
        "source": SOURCE,
    }
    return Experiment.model_validate({"id": "one", "protocol": protocol}).model_copy(
        update={"outcomes": outcomes}
    )


@pytest.mark.parametrize(
    ("arms", "vehicle"),
    [
        ({"ketamine": KETAMINE, "saline": {}}, "saline"),
        ({"lesion": LESION, "saline": {}}, "saline"),
        ({"K": KETAMINE, "V": MIDAZOLAM}, "V"),
        ({"K": KETAMINE, "M": MIDAZOLAM}, None),
        ({"K_10": {}, "KA": {}, "A": {}, "V": {}}, "V"),
        ({"K": {}, "KA": {}}, None),
        ({"K": KETAMINE, "ACSF": {}}, "ACSF"),
    ],
)
def test_the_vehicle_got_nothing_or_is_called_v_and_is_no_drug_whose_dose_was_not_read(arms, vehicle):
    assert experiment(arms).protocol.vehicle() == vehicle


def test_the_vehicle_is_sought_among_the_arms_that_are_asked_of():
    assert experiment({"K": KETAMINE, "saline": {}}).protocol.vehicle(["K"]) is None


def test_an_active_placebo_is_the_control_where_an_outcome_says_so_and_still_no_vehicle():
    said = outcome(form="verdict", verdict="effective", roles={"K": "K", "V": "M"})
    one = experiment({"K": KETAMINE, "M": MIDAZOLAM}, said)
    assert one.control == "M"
    assert one.protocol.vehicle() is None


def test_sizes_that_the_outcome_itself_holds_are_not_lacking():
    def lacks(**fields: Any) -> bool:
        return experiment({"K": KETAMINE, "V": {}}).lacks_sizes(outcome(**fields))

    arm = {"mean": 1.0, "spread": 1.0, "spread_kind": "SD", "n": 8}
    assert not lacks(form="means", arms={"K": arm, "V": arm | {"mean": 0.0}})
    assert lacks(form="p-value", p=0.02, contrast=["K", "V"], better="first")


def endpoint(test_time: str, phase: str = "acute", **more: str) -> Endpoint:
    about = {"name": "e", "family": "e", "improvement": "increase"}
    return Endpoint.model_validate(about | {"test_time": test_time, "phase": phase} | more)


@pytest.mark.parametrize(
    ("test_time", "phase", "assessments"),
    [
        ("90 min", "acute", [(1.5, "acute")]),
        ("1 h or 24 h", "sustained", [(1, "sustained"), (24, "sustained")]),
        ("1 h", "unknown", [(1, "acute"), (1, "sustained")]),
        ("24 h or 60 min", "unknown", [(1, "acute"), (24, "sustained")]),
        ("0.5 or 1 h", "acute", [(0.5, "acute"), (1, "acute")]),
        ("unknown h", "acute", [(0.5, "acute"), (1, "acute")]),
        ("unknown", "unknown", [(0.5, "acute"), (1, "acute"), (24, "sustained"), (48, "sustained")]),
    ],
)
def test_a_test_time_or_phase_that_is_not_known_stands_for_every_one_that_it_may_be(
    test_time, phase, assessments
):
    assert list(endpoint(test_time, phase).assessments) == assessments


def test_the_hour_of_a_test_is_none_where_it_is_not_known():
    known = endpoint("1 h", test_time_latest="3 h"), endpoint("1 h", "unknown")
    assert [one.test_time_h for one in known] == [2, 1]
    assert endpoint("1 h or 24 h").test_time_h is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"test_time": "1 h or soon"}, "time"),
        ({"test_time": "1 h or 24 h", "test_time_latest": "3 h"}, "window must begin at one hour"),
        ({"test_time": "unknown", "test_time_latest": "3 h"}, "window must begin at one hour"),
        ({"test_time": "1 h or 2 h or 24 h", "phase": "unknown"}, "Give the phase, or two hours"),
    ],
)
def test_times_that_cannot_be_told_apart_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        endpoint(**given)


def test_a_test_of_unknown_hour_after_weeks_of_doses_must_name_its_hours():
    daily = {"drug": "ketamine", "amount": "10 mg/kg", "route": "ip", "repeats": 14, "interval": "24 h"}
    protocol = experiment({"K": {"doses": [daily]}, "V": {}}).protocol.model_dump(exclude_defaults=True)
    protocol["endpoints"]["e"]["test_time"] = "unknown"
    with pytest.raises(ValueError, match="test_time: 313 h or 336 h"):
        Protocol.model_validate(protocol)
    protocol["endpoints"]["e"]["test_time"] = "313 h or 336 h"
    assert Protocol.model_validate(protocol).endpoints["e"].test_time_h is None
