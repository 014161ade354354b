"""Which arm got nothing, and which one others are compared with."""

from typing import Any

import pytest
from tests.outcomes.examples import SOURCE, outcome

from gaddum.records.experiment import Experiment

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
