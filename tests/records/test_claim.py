"""Claims as records: what an ask must name, and which outcomes a filter admits."""

import pytest
from pydantic import ValidationError

from gaddum.records.claim import AllOf, Claim, Filter, RelativeEffect, claim_faults
from gaddum.records.ledger import load_case
from gaddum.records.source import Source


@pytest.fixture(scope="module")
def ketamine():
    return load_case("ketamine")


def claim(*asks, **given):
    source = Source(how="assumption", reason="made up for a test")
    return Claim.model_validate({"id": "C1", "text": "text", "asks": asks, "source": source} | given)


def admitted(ketamine, **conditions):
    one = Filter(**conditions)
    return {study.id for study, e, o in ketamine.ledger.outcomes() if one.admits(study, e, o)}


def test_filter_without_conditions_admits_every_outcome(ketamine):
    assert admitted(ketamine) == {study.id for study, _, _ in ketamine.ledger.outcomes()}


def test_conditions_of_a_filter_hold_together(ketamine):
    both = admitted(ketamine, strain="cLH", drugs=("naltrexone",))
    assert both == {"klein2020"}
    assert both < admitted(ketamine, strain="cLH")


def test_filter_reads_times_with_units(ketamine):
    assert admitted(ketamine, tested=("7 d", "7 d")) == admitted(ketamine, tested=("168 h", "168 h")) != set()


@pytest.mark.parametrize("given", [{}, {"drugs": ("ketamine",), "target": "NMDAR"}])
def test_relative_effect_names_either_drugs_or_a_target(given):
    with pytest.raises(ValidationError, match="either `drugs` or a `target`"):
        RelativeEffect(kind="relative_effect", reference="ketamine", share=0.5, reached_by="none", **given)


def test_conjunction_of_nothing_is_refused():
    with pytest.raises(ValidationError, match="`all_of` must name propositions"):
        AllOf(kind="all_of")


RATIO = {"kind": "library_ratio", "target": "NMDAR", "drug": "R-ketamine", "over": "S-ketamine", "above": 2}
COUNT = {"kind": "ledger", "among": {}, "has": {}, "holds_for": "none"}


@pytest.mark.parametrize(
    ("ask", "path", "hint"),
    [
        (RATIO | {"drug": "R-ketamin"}, "drug", "R-ketamine"),
        (RATIO | {"target": "NMDA"}, "target", "NMDAR"),
        (COUNT | {"among": {"strain": "cLh"}}, "among", "cLH"),
        (COUNT | {"has": {"drugs": ["ketamin"]}}, "has", "ketamine"),
        ({"kind": "declaration", "lab": "Hashimoto Lab"}, "lab", "Hashimoto"),
        ({"kind": "accounts", "names": ["nmda"]}, "names", "nmdar"),
    ],
)
def test_names_that_nothing_answers_to_are_faults_with_a_hint(ketamine, ask, path, hint):
    accounts = tuple(h.name for h in ketamine.case.hypotheses)
    faults = list(claim_faults(claim(ask), ketamine.library, ketamine.ledger.studies, accounts))
    assert len(faults) == 1
    assert path in faults[0][0] and hint in faults[0][1]


def test_claims_of_the_bundled_case_have_no_faults(ketamine):
    for one in ketamine.case.claims:
        assert list(claim_faults(one, ketamine.library, ketamine.ledger.studies)) == []
