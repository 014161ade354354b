"""Blockade: which arms of an experiment test whether something stops the test drug, and what came of it.

A blocked arm gets the test drug and, beyond what every arm gets, an antagonist or a manipulation of a receptor. Arms
are told apart by what they get; the roles of a verdict, and the arm names V, K and A, help where doses do not say.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

from gaddum.outcomes.design import SESSION_CORRELATION, contrast_error, degrees_of_freedom, is_paired
from gaddum.records.dose import Dose
from gaddum.records.drug import Mixture
from gaddum.records.experiment import Experiment
from gaddum.records.gate import parse_gate
from gaddum.records.ledger import LoadedCase
from gaddum.records.outcome import Outcome
from gaddum.records.outcome.difference import Difference
from gaddum.records.outcome.interaction import Interaction
from gaddum.records.outcome.means import Means
from gaddum.records.outcome.p_threshold import PThreshold
from gaddum.records.outcome.p_value import PValue
from gaddum.records.outcome.responders import Responders
from gaddum.records.outcome.test import Test
from gaddum.records.outcome.verdict import Verdict
from gaddum.records.protocol import Arm, Manipulation, Protocol
from gaddum.records.species import Species
from gaddum.records.vocabulary import MODES

Answer = Literal["weakened", "spared"]
"""Whether the antagonist took effect away from the test drug, or left it standing."""
LEVEL = 0.05
"""Two-sided level at which an exact p-value counts as a finding."""
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


class BlockadeAnswer(NamedTuple):
    """What one outcome says about one blocked arm."""

    answer: Answer
    endpoint: str
    form: str
    text: str
    primary: bool


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
    occluding = {
        one.roles["KX"] for one in experiment.outcomes if isinstance(one, Verdict) and "KX" in one.roles
    }
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
                given.get("V") or vehicle(experiment, loaded),
                alone,
                blockers,
                kinds.manipulations,
            )
        )
    return tuple(found)


def vehicle(experiment: Experiment, loaded: LoadedCase) -> str | None:
    """Name the control arm: the one with a verdict's role V, or the one that gets nothing beyond what all get."""
    for role in _roles(experiment).values():
        if role.get("V"):
            return role["V"]
    for outcome in experiment.outcomes:
        if isinstance(outcome, Verdict) and "V" in outcome.roles:
            return outcome.roles["V"]
    protocol = experiment.protocol
    bare = _first(protocol, loaded, lambda k: not k.test and k.plain and not k.other)
    if bare is not None and len(protocol.arms) > 1 and not _is_named_otherwise(bare):
        return bare
    return "V" if "V" in protocol.arms else None


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


def answers(experiment: Experiment, blockade: Blockade) -> tuple[BlockadeAnswer, ...]:
    """Read every outcome that compares a blocked arm with the test drug alone.

    Parameters
    ----------
    experiment : Experiment
        Its outcomes.
    blockade : Blockade
        The arms.

    Returns
    -------
    tuple of BlockadeAnswer
        One for each outcome that says something; primary ones first.
    """
    found = [
        BlockadeAnswer(answer, outcome.endpoint, outcome.form, text, outcome.primary)
        for outcome in experiment.outcomes
        if (reading := _answer(experiment, outcome, blockade)) is not None
        for answer, text in [reading]
    ]
    return tuple(sorted(found, key=lambda one: not one.primary))


def _answer(experiment: Experiment, outcome: Outcome, arms: Blockade) -> tuple[Answer, str] | None:
    match outcome:
        case Verdict() if outcome.roles.get("KA") == arms.blocked:
            weak = outcome.verdict in ("abolished", "partial")
            return ("weakened" if weak else "spared"), outcome.verdict
        case Interaction() if outcome.arms[2] == arms.blocked:
            p = _p_value(outcome.statistic, outcome.value, outcome.df)
            return _said(p, outcome.positive, "interaction ")
        case Responders(retest=again) if again is not None and again.arm == arms.blocked:
            p = float(stats.binom.cdf(again.responders, again.n, 0.5))
            text = f"{again.responders} of {again.n} earlier responders respond"
            return ("weakened" if p < LEVEL / 2 else "spared"), text
        case _ if arms.drug is not None:
            found = compared(experiment, outcome, arms.drug, arms.blocked)
            return None if found is None else ("weakened" if found.better else "spared", found.text)
        case _:
            return None


class ArmComparison(NamedTuple):
    """What an outcome says of two arms."""

    better: bool
    """Whether the first arm did significantly better than the second."""
    text: str


def compared(experiment: Experiment, outcome: Outcome, first: str, second: str) -> ArmComparison | None:
    """Read one arm against another in any form that compares arms; None where it says nothing of the two.

    Counts are compared by Fisher's exact test, means and effects by the t-test of the design.
    """
    match outcome:
        case PThreshold() if set(outcome.contrast) == {first, second}:
            sign = f"p {'<' if outcome.significant else '≥'} {outcome.threshold:g}"
            higher = outcome.better is not None and _better(outcome.contrast, outcome.better) == first
            return ArmComparison(outcome.significant and higher, sign)
        case PValue() | Test() if set(outcome.contrast) == {first, second}:
            p = outcome.p if isinstance(outcome, PValue) else _p_of_test(experiment, outcome)
            return _judged(p, _better(outcome.contrast, outcome.better) == first)
        case Difference() if set(outcome.contrast) == {first, second}:
            sign = 1.0 if outcome.contrast[0] == first else -1.0
            low, high = sorted(sign * limit for limit in outcome.ci)
            unit = "SD" if outcome.sd is None else "points"
            text = f"difference {sign * outcome.value:.2g} ({low:.2g} to {high:.2g}) {unit}"
            return ArmComparison(low > 0, text)
        case Means() if first in outcome.arms and second in outcome.arms:
            return _of_means(experiment, outcome, first, second)
        case Responders() if first in outcome.counts and second in outcome.counts:
            one, other = outcome.counts[first], outcome.counts[second]
            table = [[count.responders, count.n - count.responders] for count in (one, other)]
            p = float(np.asarray(stats.fisher_exact(table)[1]))
            text = f"{other.responders} of {other.n} against {one.responders} of {one.n} respond"
            return ArmComparison(p < LEVEL and one.responders / one.n > other.responders / other.n, text)
        case _:
            return None


def _better(contrast: tuple[str, str], which: str) -> str:
    return contrast[0] if which == "first" else contrast[1]


def _judged(p: float | None, higher: bool) -> ArmComparison | None:
    return None if p is None else ArmComparison(p < LEVEL and higher, f"p = {p:.2g}")


def _said(p: float | None, lower: bool, prefix: str = "") -> tuple[Answer, str] | None:
    if p is None:
        return None
    return ("weakened" if p < LEVEL and lower else "spared"), f"{prefix}p = {p:.2g}"


def _p_value(statistic: str, value: float, df: float | None) -> float | None:
    if statistic == "p":
        return value
    if df is None or statistic not in ("t", "F"):
        return None
    t = np.sqrt(value) if statistic == "F" else abs(value)
    return float(2 * stats.t.sf(t, df))


def _p_of_test(experiment: Experiment, outcome: Test) -> float | None:
    """P of a t, F or standardised effect; None where neither df nor the sizes that it needs are known."""
    sizes = {name: float(experiment.protocol.arms[name].n or 0) for name in outcome.contrast}
    known, paired = min(sizes.values()) >= 2, is_paired(experiment, outcome.paired)
    df = outcome.df or (degrees_of_freedom(sizes, outcome.contrast, paired) if known else None)
    if outcome.statistic != "d":
        return _p_value(outcome.statistic, outcome.value, df)
    return (
        _p_value("t", outcome.value / contrast_error(sizes, outcome.contrast, paired), df) if known else None
    )


def _of_means(experiment: Experiment, outcome: Means, first: str, second: str) -> ArmComparison | None:
    one, other = outcome.arms[first], outcome.arms[second]
    if "unclear" in (one.spread_kind, other.spread_kind):
        return None
    errors = [arm.spread / (arm.n**0.5 if arm.spread_kind == "SD" else 1.0) for arm in (one, other)]
    paired, sizes = is_paired(experiment), {first: float(one.n), second: float(other.n)}
    shared = 2 * SESSION_CORRELATION * errors[0] * errors[1] if paired else 0.0
    t = abs(one.mean - other.mean) / np.sqrt(errors[0] ** 2 + errors[1] ** 2 - shared)
    p = 2 * stats.t.sf(t, degrees_of_freedom(sizes, (first, second), paired))
    endpoint = experiment.protocol.endpoints[outcome.endpoint]
    return _judged(float(p), (one.mean > other.mean) == (endpoint.improvement == "increase"))


def _roles(experiment: Experiment) -> dict[str, dict[str, str]]:
    """Roles of the other arms by the name of each blocked arm, from verdicts and interactions."""
    found: dict[str, dict[str, str]] = {}
    for outcome in experiment.outcomes:
        if isinstance(outcome, Verdict) and "KA" in outcome.roles:
            found.setdefault(outcome.roles["KA"], {}).update(
                {role: arm for role, arm in outcome.roles.items() if role != "KA"}
            )
        if isinstance(outcome, Interaction):
            drug, control, blocked, alone = outcome.arms
            found.setdefault(blocked, {}).update({"K": drug, "V": control, "A": alone})
    return found


def _first(protocol: Protocol, loaded: LoadedCase, wanted: Callable[["ArmAdditions"], bool]) -> str | None:
    names = (name for name, arm in protocol.arms.items() if wanted(ArmAdditions.of(arm, protocol, loaded)))
    return next(names, None)


def _is_named_otherwise(name: str) -> bool:
    """Whether an arm without recorded doses is, by its name, a drug's arm whose dose was not read."""
    return name.startswith(("K", "X", "A"))
