"""Disagreement: whether laboratories disagree, or tested at different engagement.

Every two blockades with opposite answers whose antagonists bind one target best are set side by side: how much of it
the antagonist held when the test drug acted and when the effect was read, and what else in the design differs. Draws of
two experiments are independent, so constants that both share (a K_i) count as uncertain twice and the comparison errs
towards "cannot tell".
"""

from itertools import product
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.records.protocol import Endpoint, Protocol
from gaddum.referee.antagonist_engagement import Presence, TargetEngagement, lead_target, span
from gaddum.referee.blockade_answers import Answer, BlockadeAnswer
from gaddum.referee.concerns import BlockadeAppraisal
from gaddum.results import Interval

MARGIN = 0.10
"""Difference in the fraction held that counts."""
SURE = 0.90
"""Probability from which two experiments count as tested at different engagement, or at the same."""
Conclusion = Literal[
    "different engagement",
    "spared at higher engagement: a sharper disagreement",
    "same engagement, other factors differ",
    "same engagement and design: a real disagreement",
    "cannot tell (bands too wide)",
]


class Side(NamedTuple):
    """One experiment's answer in one phase."""

    study: str
    experiment: str
    arm: str
    phase: str
    endpoint: str
    answer: Answer
    text: str


class EngagementDifference(NamedTuple):
    """Engagement of two experiments at one moment."""

    weakened: Interval
    spared: Interval
    p_higher_where_weakened: float
    """Probability that it was higher by more than ten points where the effect was weakened."""
    p_higher_where_spared: float

    @property
    def p_apart(self) -> float:
        """Probability of a difference of more than ten points either way."""
        return self.p_higher_where_weakened + self.p_higher_where_spared


class Factor(NamedTuple):
    """A feature of the design, as it was in both."""

    name: str
    weakened: str
    spared: str


class Pair(NamedTuple):
    """Two blockades with opposite answers."""

    weakened: Side
    spared: Side
    target: str
    induction: EngagementDifference
    expression: EngagementDifference
    differ: tuple[Factor, ...]
    unknown: tuple[str, ...]
    """Features that at least one report does not state."""
    conclusion: Conclusion
    says: str


def pairs(blocked: list[BlockadeAppraisal]) -> tuple[Pair, ...]:
    """Compare every two blockades with opposite answers.

    Parameters
    ----------
    blocked : list of BlockadeAppraisal
        Of the whole case.

    Returns
    -------
    tuple of Pair
        Disagreements that engagement sharpens first, then real ones, those with other factors, and the rest.
    """
    sides = [(one, side) for one in blocked for side in _sides(one)]
    weakened = [pair for pair in sides if pair[1].answer == "weakened"]
    spared = [pair for pair in sides if pair[1].answer == "spared"]
    found = [pair for first, second in product(weakened, spared) if (pair := _pair(*first, *second))]
    explained, sharper, factors, real, unknown = Conclusion.__args__
    rank = [sharper, real, factors, explained, unknown]
    return tuple(sorted(found, key=lambda pair: rank.index(pair.conclusion)))


def compare(first: Float[np.ndarray, " draws"], second: Float[np.ndarray, " draws"]) -> EngagementDifference:
    """Compare independent draws of the fraction held where the effect was weakened and where it was spared.

    Examples
    --------
    >>> found = compare(np.full(4, 0.95), np.array([0.2, 0.3, 0.9, 0.9]))
    >>> found.p_higher_where_weakened, found.p_higher_where_spared
    (0.5, 0.0)
    """
    differences = first[:, None] - second[None, :]
    return EngagementDifference(
        span(first),
        span(second),
        float(np.mean(differences > MARGIN)),
        float(np.mean(differences < -MARGIN)),
    )


def _sides(one: BlockadeAppraisal) -> list[Side]:
    """One answer a phase, from primary outcomes where there are any; a phase that contradicts itself has none."""
    found = []
    by_phase: dict[str, list[BlockadeAnswer]] = {}
    for answer in one.answers:
        phase = one.experiment.protocol.endpoints[answer.endpoint].phase
        by_phase.setdefault(phase, []).append(answer)
    for phase, several in by_phase.items():
        scored = [answer for answer in several if answer.primary] or several
        if len({answer.answer for answer in scored}) == 1:
            first = scored[0]
            found.append(
                Side(
                    one.study.id,
                    one.experiment.id,
                    one.blockade.blocked,
                    phase,
                    first.endpoint,
                    first.answer,
                    first.text,
                )
            )
    return found


def _leads(presence: Presence) -> dict[str, TargetEngagement]:
    """Row of each blocker at the target at which it is meant to act, by that target."""
    blockers = dict.fromkeys(row.drug for row in presence.held if row.role != "test drug")
    rows = (lead_target(blocker, presence.held) for blocker in blockers)
    return {row.target: row for row in rows if row is not None}


def _pair(one: BlockadeAppraisal, first: Side, other: BlockadeAppraisal, second: Side) -> Pair | None:
    here, there = one.presence, other.presence
    if here is None or there is None:
        return None
    held, against = _leads(here), _leads(there)
    target = next((target for target in held if target in against), None)
    if target is None:
        return None
    mine, theirs = held[target].drug, against[target].drug

    def apart(left: str, right: str) -> EngagementDifference:
        return compare(here.draws[mine, target, left], there.draws[theirs, target, right])

    induction, expression = apart("induction", "induction"), apart(first.endpoint, second.endpoint)
    differ, unknown = _factors(one, first, other, second)
    conclusion = conclude(induction, expression, bool(differ))
    said = _sentence(target, induction, expression, conclusion, differ)
    return Pair(first, second, target, induction, expression, differ, unknown, conclusion, said)


def conclude(induction: EngagementDifference, expression: EngagementDifference, differs: bool) -> Conclusion:
    """Say what sets two experiments apart.

    Parameters
    ----------
    induction, expression : EngagementDifference
        Engagement at both moments.
    differs : bool
        Whether any stated feature of the design differs.
    """
    moments = (induction, expression)
    if any(one.p_higher_where_weakened >= SURE for one in moments):
        return "different engagement"
    # more of the antagonist where the effect survived cannot be why it survived
    spared = any(one.p_higher_where_spared >= SURE for one in moments)
    if spared and all(one.p_higher_where_weakened <= 1 - SURE for one in moments):
        return "spared at higher engagement: a sharper disagreement"
    if any(one.p_apart > 1 - SURE for one in (induction, expression)):
        return "cannot tell (bands too wide)"
    if differs:
        return "same engagement, other factors differ"
    return "same engagement and design: a real disagreement"


def _sentence(
    target: str,
    induction: EngagementDifference,
    expression: EngagementDifference,
    conclusion: Conclusion,
    differ: tuple[Factor, ...],
) -> str:
    if conclusion in ("different engagement", "spared at higher engagement: a sharper disagreement"):
        apart = [
            f"{target} was occupied more where the effect was "
            f"{'weakened' if one.p_higher_where_weakened >= SURE else 'spared'} {when} "
            f"({_percent(one.weakened.median)} against {_percent(one.spared.median)})"
            for one, when in ((induction, "at induction"), (expression, "at the test"))
            if max(one.p_higher_where_weakened, one.p_higher_where_spared) >= SURE
        ]
        return "; ".join(apart) + "."
    alike = "; ".join(
        f"{when} {_percent(one.weakened.median)} where weakened, {_percent(one.spared.median)} where spared, "
        f"more than ten points apart with probability {one.p_apart:.2f}"
        for one, when in ((induction, "at induction"), (expression, "at the test"))
    )
    names = ", ".join(factor.name for factor in differ)
    return f"{target} occupied: {alike}." + (f" Different: {names}." if names else "")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _factors(
    one: BlockadeAppraisal, first: Side, other: BlockadeAppraisal, second: Side
) -> tuple[tuple[Factor, ...], tuple[str, ...]]:
    mine, theirs = _design(one, first), _design(other, second)
    differ = tuple(
        Factor(name, mine[name], theirs[name])
        for name in mine
        if mine[name] != theirs[name] and "unstated" not in (mine[name], theirs[name])
    )
    return differ, tuple(name for name in mine if "unstated" in (mine[name], theirs[name]))


def _design(one: BlockadeAppraisal, side: Side) -> dict[str, str]:
    """Features of an experiment that may matter beside engagement, as text."""
    protocol: Protocol = one.experiment.protocol
    subject, endpoint = protocol.subject, protocol.endpoints[side.endpoint]
    arm = protocol.arms[one.blockade.blocked]
    test = [dose for dose in arm.doses if dose.drug not in one.blockade.blockers]
    against = [dose for dose in arm.doses if dose.drug in one.blockade.blockers]
    removed = [manipulation.kind for manipulation in one.blockade.manipulations]
    return {
        "species": subject.species,
        "stress": subject.stress,
        "sex": subject.sex,
        "paradigm": subject.paradigm,
        "preparation": subject.preparation,
        "phase": "unstated" if side.phase == "unknown" else side.phase,
        "test time": _time(endpoint),
        "endpoint": endpoint.family,
        "test drug": "; ".join(f"{dose.drug} {dose.amount} {dose.route}" for dose in test) or "unstated",
        "antagonist": "; ".join([*removed, *(f"{dose.drug} {dose.amount} {dose.route}" for dose in against)])
        or "unstated",
        "pretreatment": "; ".join(dose.time for dose in against) or "none",
    }


def _time(endpoint: Endpoint) -> str:
    if endpoint.test_time_h is None:
        return "unstated"
    latest = "" if endpoint.test_time_latest is None else f" to {endpoint.test_time_latest}"
    return f"{endpoint.test_time}{latest}"
