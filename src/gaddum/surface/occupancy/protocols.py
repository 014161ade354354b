"""Protocols: what a person names on the command line -> doses in a subject.

A protocol is written as doses, or named as an arm of a published study, ``case:study/experiment/arm``, whose species,
weight, preparation and test times then come from the record. A table of events is read by `event_protocols`.
"""

import re
from typing import Any, NamedTuple, cast, get_args

from gaddum.records.dose import Dose
from gaddum.records.finding import nearest
from gaddum.records.ledger import load_case
from gaddum.records.library import Library
from gaddum.records.prior import LogNormal
from gaddum.records.protocol import Arm, Manipulation, Preparation
from gaddum.records.shorthand import parse_doses
from gaddum.records.species import Species, known_species
from gaddum.surface.occupancy.request import DosingRequest

ARM = re.compile(r"(?P<case>[^\s:]+):(?P<study>[^/:]+)/(?P<experiment>[^/]+)/(?P<arm>.+)")
"""How an arm of a published study is named."""


class DosedSubject(NamedTuple):
    """Doses and who gets them."""

    label: str
    doses: tuple[Dose, ...]
    species: Species
    weight: str | None
    preparation: Preparation
    tests: tuple[tuple[str, float], ...]
    """Endpoints and the times at which they are read (h from the test drug)."""
    notes: tuple[str, ...]
    """What the record says of the arm that is not followed."""
    library: Library
    tone: dict[str, LogNormal | float]
    """Endogenous agonist over its K, by target, where the command or the case says it."""
    manipulations: tuple[Manipulation, ...]

    @property
    def setting(self) -> dict[str, Any]:
        """Who gets the doses, as `lay_out` takes it."""
        names = ("species", "weight", "preparation", "tone", "manipulations", "library")
        return {name: getattr(self, name) for name in names}


def read_protocol(text: str, asked: DosingRequest) -> DosedSubject:
    """Read doses, or find the arm that is named.

    Parameters
    ----------
    text : str
        ``"naltrexone 50 mg po at -45 min"`` or ``"ketamine:klein2020/behaviour/KA"``.
    asked : DosingRequest
        Who gets them; for an arm, in place of what its record says. By default a behaving human of usual weight.

    Raises
    ------
    ValueError
        If it is neither; says what may stand there.
    """
    match = ARM.fullmatch(text.strip())
    if match:
        return _arm(**match.groupdict(), asked=asked)
    return DosedSubject(
        text.strip(),
        parse_doses(text),
        known_species(asked.species or "human"),
        asked.weight,
        known_preparation(asked.preparation or "behaving"),
        (),
        (),
        asked.library,
        dict(asked.tones),
        (),
    )


def known_preparation(name: str) -> Preparation:
    """Check the name of a preparation."""
    if name not in get_args(Preparation):
        raise ValueError(f"A preparation must be {', '.join(get_args(Preparation))}; got {name!r}.")
    return cast(Preparation, name)


def _arm(case: str, study: str, experiment: str, arm: str, asked: DosingRequest) -> DosedSubject:
    loaded = load_case(case)
    known = loaded.ledger.study(study)
    by_id = {one.id: one.protocol for one in known.experiments}
    if experiment not in by_id:
        raise ValueError(
            f"An experiment of {study} must be named; got {experiment!r}. {nearest(experiment, by_id)}"
        )
    protocol = by_id[experiment]
    if arm not in protocol.arms:
        raise ValueError(
            f"An arm of {study}/{experiment} must be named; got {arm!r}. {nearest(arm, protocol.arms)}"
        )
    found, subject = protocol.arms[arm], protocol.subject
    if not found.doses:
        raise ValueError(f"An arm to follow must have doses; {study}/{experiment}/{arm} has none.")
    weight = asked.weight
    if weight is None and subject.weight is not None:
        weight = f"{subject.weight.value} {subject.weight.unit}"
    tests = tuple((name, one.time_h) for name, one in protocol.tests().items())
    return DosedSubject(
        f"{case}:{study}/{experiment}/{arm}",
        found.doses,
        known_species(asked.species or subject.species),
        weight,
        known_preparation(asked.preparation or subject.preparation),
        tests,
        tuple(_notes(found)),
        loaded.library,
        loaded.case.endogenous_tone() | asked.tones,
        found.manipulations,
    )


def _notes(arm: Arm) -> list[str]:
    return [
        f"{one.kind}{' of ' + one.target if one.target else ''} is recorded for this arm and not followed"
        for one in arm.manipulations
        if one.availability is None and one.tone is None
    ]
