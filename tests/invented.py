"""Invented blockade studies of ketamine for tests: no outcome of the bundled record."""

import dataclasses
from typing import Any

from gaddum.records.case import Anchor
from gaddum.records.experiment import Study
from gaddum.records.ledger import Ledger, LoadedCase, load_case

SOURCE = {"how": "assumption", "reason": "Invented for a test"}
ARMS = {
    "V": [],
    "K": [{"drug": "ketamine", "amount": "10 mg/kg", "route": "ip", "time": "0 h"}],
    "KA": [
        {"drug": "naltrexone", "amount": "1 mg/kg", "route": "sc", "time": "-30 min"},
        {"drug": "ketamine", "amount": "10 mg/kg", "route": "ip", "time": "0 h"},
    ],
    "A": [{"drug": "naltrexone", "amount": "1 mg/kg", "route": "sc", "time": "-30 min"}],
}


def invented_study(
    name: str,
    *outcomes: dict[str, Any],
    year: int = 2020,
    arms: str = "V K KA",
    n: int | None = 10,
    endpoints: str = "swim",
    subject: dict[str, Any] | None = None,
    design: str = "parallel",
    **about: Any,
) -> Study:
    """A study of one blockade with these outcomes, in mice without stress and at 30 min where nothing else is said."""
    endpoint = {"family": "immobility", "test_time": "30 min", "phase": "acute", "improvement": "decrease"}
    protocol = {
        "subject": {"species": "mouse", "paradigm": "naive", "stress": "unstressed"} | (subject or {}),
        "arms": {arm: {"n": n, "doses": ARMS[arm]} for arm in arms.split()},
        "endpoints": {one: endpoint | {"name": one} for one in endpoints.split()},
        "design": design,
        "source": SOURCE,
    }
    told = [{"endpoint": "swim", "source": SOURCE} | one for one in outcomes]
    experiment = {"id": "blockade", "protocol": protocol, "outcomes": told}
    whole = {
        "id": name,
        "title": name,
        "year": year,
        "source": SOURCE,
        "cohort": name,
        "experiments": [experiment],
    }
    return Study.model_validate(whole | about)


def word(verdict: str, **about: Any) -> dict[str, Any]:
    """A blockade known by the authors' word."""
    roles = {"K": "K", "V": "V", "KA": "KA"}
    return {"form": "verdict", "verdict": verdict, "roles": roles, "agonist_effect_present": True} | about


def invented_case(*studies: Study, accounts: tuple[str, ...] = ()) -> LoadedCase:
    """Questions of the ketamine case over invented studies, whose first in each population is the reference."""
    loaded = load_case("ketamine")
    anchors = {
        (experiment.protocol.subject.stratum, endpoint.phase): Anchor(
            stratum=experiment.protocol.subject.stratum,
            phase=endpoint.phase,
            study=study.id,
            experiment=experiment.id,
            endpoint=name,
            arm="K",
        )
        for study in reversed(studies)
        for experiment in study.experiments
        for name, endpoint in experiment.protocol.endpoints.items()
    }
    hypotheses = tuple(one for one in loaded.case.hypotheses if not accounts or one.name in accounts)
    said = {"anchors": tuple(anchors.values()), "claims": (), "hypotheses": hypotheses}
    case = loaded.case.model_copy(update=said)
    return dataclasses.replace(loaded, case=case, ledger=Ledger(studies), documents={})
