"""The authors' word as the event that their tests came out so."""

import numpy as np

from gaddum.outcomes.design import cell_inflation, degrees_of_freedom, effective_sizes
from gaddum.outcomes.form import ArmComparison, Priors, Table, difference_of, log_of
from gaddum.outcomes.group_sizes import fixed_value, group_sizes, weights_of
from gaddum.outcomes.noncentral_t import mixed
from gaddum.outcomes.verdict_events import (
    EVENTS,
    PAIRS,
    Groups,
    joint_log_probability,
    pair_probability,
    without_agonist_effect,
)
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.verdict import ROLES, Verdict


def table(experiment: Experiment, outcome: Verdict, priors: Priors) -> Table:
    """Probability of the word over the contrasts with its base, mixed over rules and corrections."""
    noise = fixed_value(priors, "arm_noise") ** 2
    corrections = weights_of(priors, "correction", outcome.correction)
    every = tuple(name for name, arm in experiment.protocol.arms.items() if arm.subset_of is None)
    named = tuple(outcome.roles.values())
    tested = tuple(dict.fromkeys((*named, *every)))
    joint, paired = outcome.verdict in EVENTS, experiment.protocol.is_paired()
    arm_of: dict[str, str] = dict(outcome.roles)  # pyright: ignore[reportAssignmentType] (keys are Literals)
    arms = tuple(arm_of[role] for role in ROLES[outcome.verdict])
    rules = weights_of(priors, "rule", outcome.rule)
    events = EVENTS.get(outcome.verdict, {})
    if len(events) == 1:
        rules = dict.fromkeys(events, 1.0)
    parts = []
    for scenario in group_sizes(experiment, tested, priors):
        effective = effective_sizes(scenario.n, tested, paired, experiment.protocol.session_correlation)
        sizes = tuple(effective[name] for name in (*arms, arms[-1])[:3])
        groups = Groups(
            n=sizes,
            variance=tuple(cell_inflation(experiment.protocol) / n + noise for n in sizes),
            df=degrees_of_freedom(scenario.n, tested, paired, len(tested)),
            k=len(tested),
        )
        if not joint:
            probability = pair_probability(PAIRS[outcome.verdict], groups, corrections)
            parts.append(np.log(scenario.weight) + log_of(probability))
            continue
        for rule, weight in rules.items():
            if weight == 0:
                continue
            event = events[rule]
            if outcome.agonist_effect_present is False:
                event = without_agonist_effect(outcome.verdict, event)
            parts.append(np.log(scenario.weight * weight) + joint_log_probability(event, groups, corrections))
    contrasts = tuple(difference_of(name, arms[1]) for name in (arms[0], *arms[2:]))
    mixture = {**(rules if len(events) > 1 else {}), **(corrections if len(tested) > 2 else {})}
    components = {name: weight for name, weight in mixture.items() if 0 < weight < 1}
    return Table(contrasts, np.minimum(mixed(parts), 0.0), (), components)


_BETTER: dict[tuple[str, str], dict[str, bool]] = {
    ("K", "V"): {"effective": True, "not effective": False, "no difference": False},
    ("K", "KA"): {"abolished": True, "partial": True, "not abolished": False, "enhanced": False},
    ("X", "V"): {"mimics": True, "occludes": True, "does not mimic": False},
}
"""Whether the first role did better than the second, by verdict."""


def compared(experiment: Experiment, outcome: Verdict, first: str, second: str) -> ArmComparison | None:
    """By the authors' word."""
    for (one, other), better in _BETTER.items():
        if (outcome.arm_roles.get(one), outcome.arm_roles.get(other)) != (first, second):
            continue
        shown = outcome.agonist_effect_present if (one, other) == ("K", "V") else None
        found = better.get(outcome.verdict) if shown is None else shown
        return None if found is None else ArmComparison(found, outcome.verdict)
    return None
