"""Blockade: which arms of an experiment test whether something stops the test drug.

A blocked arm gets the test drug and, beyond what every arm gets, an antagonist or a manipulation of a receptor. Arms
are told apart by what they get; the roles of a verdict, and the arm names V, K and A, help where doses do not say.
"""

from collections.abc import Callable
from typing import NamedTuple

from gaddum.records.dose import Dose
from gaddum.records.drug import Mixture
from gaddum.records.experiment import Experiment, Study
from gaddum.records.gate import parse_gate
from gaddum.records.ledger import LoadedCase
from gaddum.records.protocol import Arm, Manipulation, Protocol
from gaddum.records.species import Species
from gaddum.records.vocabulary import MODES

_REMOVING = ("knock-out", "antibody", "lesion", "inhibition")


class Blockade(NamedTuple):
    """One blocked arm and the arms that it is to be compared with; None where there is none."""

    blocked: str
    drug: str | None
    vehicle: str | None
    alone: str | None
    """The blocker without the test drug."""
    blockers: tuple[str, ...]
    """Antagonists given."""
    manipulations: tuple[Manipulation, ...]


def gate_targets(loaded: LoadedCase) -> tuple[str, ...]:
    """Targets that any hypothesis of a case names, in the order of their first mention."""
    names = (
        name.partition(".")[0]
        for hypothesis in loaded.case.hypotheses
        for name in parse_gate(hypothesis.gate).inputs
    )
    return tuple(dict.fromkeys(name for name in names if name in loaded.library.targets))


def is_test_drug(name: str, loaded: LoadedCase, species: Species) -> bool:
    """Whether a dosed drug is the case's test drug, one of its parts or metabolites, or a mixture of them."""
    own = loaded.library.family(loaded.case.test_drug, species)
    drug = loaded.library.drugs.get(name)
    if name == loaded.case.test_drug or name in own:
        return True
    return isinstance(drug, Mixture) and all(part.drug in own for part in drug.parts)


def is_antagonist(name: str, loaded: LoadedCase) -> bool:
    """Whether a drug only holds receptors back: at the targets that hypotheses name, or at all of its own.

    A channel blocker is an antagonist here; a partial agonist is not.
    """
    parts = [drug for drug, _ in loaded.library.species(name)] if name in loaded.library.drugs else []
    affinities = [affinity for drug in parts for affinity in drug.affinities]
    named = [affinity for affinity in affinities if affinity.target in gate_targets(loaded)]
    return bool(affinities) and not any(MODES[affinity.mode].activates for affinity in named or affinities)


def blockades(loaded: LoadedCase, experiment: Experiment) -> tuple[Blockade, ...]:
    """Find the blocked arms of an experiment.

    Parameters
    ----------
    loaded : LoadedCase
        Says what the test drug is and how drugs act.
    experiment : Experiment
        Its arms and outcomes.

    Returns
    -------
    tuple of Blockade
        In the order of the arms; empty if nothing was blocked.
    """
    protocol = experiment.protocol
    roles = _roles(experiment)
    occluding = {one.arm_roles.get("KX") for one in experiment.outcomes}
    found = []
    for name, arm in protocol.arms.items():
        if name in occluding:
            continue
        kinds = ArmAdditions.of(arm, protocol, loaded)
        if not (kinds.blockers or kinds.manipulations) or not (kinds.test or name in roles):
            continue
        given = roles.get(name, {})
        drug = given.get("K") or _first(
            protocol, loaded, lambda k, mine=kinds: k.test == mine.test and k.other == mine.other and k.plain
        )
        alone = given.get("A") or _first(
            protocol, loaded, lambda k, mine=kinds: not k.test and k.blocking == mine.blocking
        )
        blockers = tuple(dict.fromkeys(dose.drug for dose in kinds.blockers))
        found.append(
            Blockade(
                name,
                drug,
                given.get("V") or experiment.control,
                alone,
                blockers,
                kinds.manipulations,
            )
        )
    return tuple(found)


def is_blockade(loaded: LoadedCase, study: Study) -> bool:
    """Whether the test drug met an antagonist, or the loss of a receptor; a record may say so without doses."""
    return any(one.protocol.engagement or blockades(loaded, one) for one in study.experiments)


class ArmAdditions(NamedTuple):
    """What an arm gets beyond what every arm of its protocol gets."""

    test: tuple[Dose, ...]
    blockers: tuple[Dose, ...]
    other: tuple[Dose, ...]
    manipulations: tuple[Manipulation, ...]

    @property
    def plain(self) -> bool:
        """Whether nothing blocks."""
        return not self.blockers and not self.manipulations

    @property
    def blocking(self) -> tuple:
        """What blocks and how much of it, for comparison with other arms; when it is given may differ."""
        return tuple((dose.drug, dose.amount, dose.route) for dose in self.blockers), tuple(
            (one.kind, one.target) for one in self.manipulations
        )

    @classmethod
    def of(cls, arm: Arm, protocol: Protocol, loaded: LoadedCase) -> "ArmAdditions":
        """Sort an arm's doses."""
        species = protocol.subject.species
        several = len(protocol.arms) > 1
        doses = [
            dose
            for dose in arm.doses
            if is_test_drug(dose.drug, loaded, species)
            or not (several and all(dose in other.doses for other in protocol.arms.values()))
        ]
        test = tuple(dose for dose in doses if is_test_drug(dose.drug, loaded, species))
        rest = [dose for dose in doses if dose not in test]
        blockers = tuple(dose for dose in rest if is_antagonist(dose.drug, loaded))
        other = tuple(dose for dose in rest if dose not in blockers)
        own = tuple(
            one
            for one in arm.manipulations
            if one.kind in _REMOVING
            and not (several and all(one in other.manipulations for other in protocol.arms.values()))
        )
        return cls(test, blockers, other, own)


def _roles(experiment: Experiment) -> dict[str, dict[str, str]]:
    """Roles of the other arms by the name of each blocked arm, from the outcomes that give roles."""
    found: dict[str, dict[str, str]] = {}
    for outcome in experiment.outcomes:
        others = dict(outcome.arm_roles)
        blocked = others.pop("KA", None)
        if blocked is not None:
            found.setdefault(blocked, {}).update(others)
    return found


def _first(protocol: Protocol, loaded: LoadedCase, wanted: Callable[["ArmAdditions"], bool]) -> str | None:
    names = (name for name, arm in protocol.arms.items() if wanted(ArmAdditions.of(arm, protocol, loaded)))
    return next(names, None)
