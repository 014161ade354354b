"""Protocols on which recovery is tried: those of the letter's studies, and a rich factorial design."""

import dataclasses
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

from tests.letter import load_letter

from gaddum.records.case import Anchor
from gaddum.records.experiment import Experiment, Study
from gaddum.records.ledger import Ledger, LoadedCase
from gaddum.records.outcome import Outcome
from gaddum.records.outcome.test import Test
from gaddum.records.source import Source

CLASSES = ("nmdar", "nmdar-permissive-opioid", "independent-target", "nothing-specific")
"""Four accounts of different kinds: the target, the target and a permissive tone, another target, none."""
RICH = Path(__file__).with_name("rich.yaml")


def letter() -> LoadedCase:
    """The letter's protocols and outcomes.

    Outcomes on the same animals are taken as outcomes on animals of their own, and slices and behaviour speak alike:
    the composite weights and the link raise a likelihood to a power, from which nothing can be drawn.
    """
    loaded = _four(load_letter())
    studies = tuple(_with_outcomes(study, _on_own_subjects) for study in loaded.ledger.studies)
    return dataclasses.replace(loaded, ledger=Ledger(studies))


def rich() -> LoadedCase:
    """Factorial experiments in the letter's strata, read by an exact t of every pair of arms, 40 subjects in each.

    Every t compares animals of its own, so that the likelihood multiplies what is independent.
    """
    loaded = _four(load_letter())
    ledger = Ledger.parse(RICH.read_text(encoding="utf-8").split("\n---\n"))
    studies = tuple(_with_outcomes(study, _every_contrast) for study in ledger.studies)
    anchors = tuple(
        Anchor(
            stratum=experiment.protocol.subject.stratum,
            phase=endpoint.assessments[0].phase,
            study=study.id,
            experiment=experiment.id,
            endpoint=key,
            arm="K",
        )
        for study, experiment in ledger.experiments()
        for key, endpoint in experiment.protocol.endpoints.items()
    )
    case = loaded.case.model_copy(update={"anchors": anchors})
    return dataclasses.replace(loaded, case=case, ledger=Ledger(studies))


def _four(loaded: LoadedCase) -> LoadedCase:
    """The four accounts, with equal masses."""
    kept = [h for h in loaded.case.hypotheses if h.name in CLASSES]
    update = {
        "hypotheses": tuple(h.model_copy(update={"mass": 1.0}) for h in kept),
        "claims": (),
        "link": 1.0,
    }
    return dataclasses.replace(loaded, case=loaded.case.model_copy(update=update))


def _with_outcomes(study: Study, change: Callable[[Experiment], tuple[Outcome, ...]]) -> Study:
    experiments = tuple(e.model_copy(update={"outcomes": change(e)}) for e in study.experiments)
    return study.model_copy(update={"experiments": experiments})


def _on_own_subjects(experiment: Experiment) -> tuple[Outcome, ...]:
    return tuple(one.model_copy(update={"same_subjects": None}) for one in experiment.outcomes)


def _every_contrast(experiment: Experiment) -> tuple[Outcome, ...]:
    """A t of every pair of arms at every endpoint, its value to be drawn."""
    protocol = experiment.protocol
    return tuple(
        Test(
            form="test",
            endpoint=endpoint,
            statistic="t",
            value=0.0,
            contrast=pair,
            better="first",
            source=Source(how="assumption", reason="A design"),
        )
        for endpoint in protocol.endpoints
        for pair in combinations(protocol.arms, 2)
    )
