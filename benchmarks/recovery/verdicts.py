"""Verdicts that authors may have reported of one outcome: exclusive and exhaustive, each with its table.

The vocabulary of verdicts is no partition: under the strict rule "abolished" and "not abolished" overlap and leave a
gap between them. But the prior of the decision rule is about which arm the blocked group was compared with, and given
that arm the events are exclusive:

==============  ==========================================  ==============================================
compared with   ketamine (K)                                vehicle (V)
==============  ==========================================  ==============================================
abolished       K > V, KA < K (strict)                      K > V; KA, V not different (lax)
not abolished   K > V; KA, K not different (lax)            K > V, KA > V (strict)
something else  K > V, KA > K: enhanced                     K > V, KA < V: worse than vehicle
==============  ==========================================  ==============================================

and "not effective" where K is not above V. With both arms equally likely the mixtures are those that `reduce` makes of
a verdict of unknown rule. "Mimics" (X, V, K) is meant in the strict or in the lax sense; in the strict one X may be
above V and differ from K either way, and in both "does not mimic" and "neither works" are left. "Occludes" (X, V, KX)
has one sense. What the vocabulary has no name for is scored here all the same, by its own event.
"""

from typing import NamedTuple

import numpy as np

from gaddum.outcomes.design import cell_inflation
from gaddum.outcomes.form import Priors, Table
from gaddum.outcomes.group_sizes import fixed_value, group_sizes, weights_of
from gaddum.outcomes.noncentral_t import floored, mixed
from gaddum.outcomes.reduce import log_saturated, reduce_outcome
from gaddum.outcomes.verdict_events import Groups, VerdictEvent, joint_log_probability
from gaddum.records.outcome.verdict import ROLES, Verdict, VerdictName
from gaddum.weigh.likelihood import ScoredOutcome


class Family(NamedTuple):
    """Everything that may be said of the same arms."""

    named: tuple[VerdictName, ...]
    """Verdicts of the vocabulary."""
    others: dict[str, tuple[VerdictEvent, float]]
    """What it has no name for, or not for these arms: event, and share of the decision rules under which it is told."""


_NO_EFFECT = VerdictEvent("base", "not above", "any", "any")
_ABOVE_FIRST = VerdictEvent("first", "any", "below", "above")
_BELOW_FIRST = VerdictEvent("first", "any", "below", "below")

PAIR = Family(("effective", "not effective"), {})
BLOCKADE = Family(
    ("abolished", "not abolished"),
    {
        "enhanced": (_ABOVE_FIRST, 0.5),
        "worse than vehicle": (VerdictEvent("base", "above", "any", "below"), 0.5),
        "not effective": (_NO_EFFECT, 1.0),
    },
)
OCCLUSION = Family(
    ("occludes",),
    {
        "less together": (_BELOW_FIRST, 1.0),
        "more together": (_ABOVE_FIRST, 1.0),
        "not effective": (_NO_EFFECT, 1.0),
    },
)
MIMICRY = Family(
    ("mimics", "does not mimic"),
    {
        "works less": (_ABOVE_FIRST, 0.5),
        "works more": (_BELOW_FIRST, 0.5),
        "neither works": (VerdictEvent("base", "not above", "any", "not above"), 1.0),
    },
)
FAMILIES: dict[VerdictName, Family] = {
    name: family for family in (PAIR, BLOCKADE, OCCLUSION, MIMICRY) for name in family.named
}


def possible_reports(scored: ScoredOutcome, priors: Priors) -> dict[str, Table]:
    """Everything that may be reported instead of a verdict, by name; all over the contrasts of that verdict."""
    outcome = scored.outcome
    assert isinstance(outcome, Verdict)
    family = FAMILIES[outcome.verdict]
    if family.others and weights_of(priors, "rule", outcome.rule) != {"strict": 0.5, "lax": 0.5}:
        raise ValueError("Reports are exclusive only where the rule is unknown, and as often strict as lax.")
    found = {}
    for name in family.named:
        reduced = reduce_outcome(scored.experiment, outcome.model_copy(update={"verdict": name}), priors)
        assert reduced is not None and reduced.contrasts == scored.reduced.contrasts
        found[name] = reduced
    for name, (event, share) in family.others.items():
        table = np.log(share) + _log_probability(scored, event, priors)
        whole = log_saturated(table, fixed_value(priors, "standardised_effect"))
        found[name] = scored.reduced._replace(grid_log_density=table, log_saturated=whole)
    return found


def _log_probability(scored: ScoredOutcome, event: VerdictEvent, priors: Priors) -> np.ndarray:
    """Table of an event over the arms of a verdict, tested as `reduce` has it."""
    outcome, experiment = scored.outcome, scored.experiment
    assert isinstance(outcome, Verdict)
    arm_of: dict[str, str] = {str(role): arm for role, arm in outcome.roles.items()}
    arms = tuple(arm_of[role] for role in ROLES[outcome.verdict])
    tested = tuple(dict.fromkeys((*arms, *experiment.protocol.arms)))
    noise, more = fixed_value(priors, "arm_noise") ** 2, cell_inflation(experiment.protocol)
    corrections = weights_of(priors, "correction", outcome.correction)
    parts = []
    for scenario in group_sizes(experiment, tested, priors):
        sizes = tuple(scenario.n[name] for name in arms)
        groups = Groups(
            n=sizes,
            variance=tuple(more / n + noise for n in sizes),
            df=sum(scenario.n.values()) - len(tested),
            k=len(tested),
        )
        parts.append(np.log(scenario.weight) + joint_log_probability(event, groups, corrections))
    return floored(np.minimum(mixed(parts), 0.0))
