"""Blockade chances: what the tests of a blockade study will find, at every draw of every account.

The chances are those of the tests that the design implies (`outcomes.blockade_events`); a study may have failed, as the
case's prior has it, and then its contrasts are unrelated to any account.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.outcomes.blockade_events import EventChances, event_chances
from gaddum.outcomes.design import cell_inflation
from gaddum.outcomes.form import Priors
from gaddum.outcomes.group_sizes import Scenario, fixed_value, group_sizes, weights_of
from gaddum.prediction.study_draws import StudyDraws
from gaddum.records.blockade import blockades
from gaddum.records.experiment import Experiment, Study
from gaddum.records.ledger import LoadedCase


class BlockadeTest(NamedTuple):
    """A blockade read at one endpoint, and the sizes that its arms may have."""

    experiment: Experiment
    endpoint: str
    roles: dict[str, str]
    """Arm by role: K, V, KA and perhaps A."""
    scenarios: tuple[Scenario, ...]
    """Sizes of all arms over which the SD is pooled."""


def blockade_tests(loaded: LoadedCase, study: Study, priors: Priors) -> tuple[BlockadeTest, ...]:
    """Every blockade of a study at every endpoint, where the arms that it is to be compared with were run.

    Arms whose size is not known have those of the prior `n_unknown`, as in the record.
    """
    found = []
    for experiment in study.experiments:
        protocol = experiment.protocol
        pooled = tuple(name for name, arm in protocol.arms.items() if arm.subset_of is None)
        for one in blockades(loaded, experiment):
            if one.drug is None or one.vehicle is None:
                continue
            roles = {"K": one.drug, "V": one.vehicle, "KA": one.blocked}
            roles |= {"A": one.alone} if one.alone is not None else {}
            arms = tuple(dict.fromkeys((*roles.values(), *pooled)))
            scenarios = tuple(group_sizes(experiment, arms, priors))
            found += [BlockadeTest(experiment, endpoint, roles, scenarios) for endpoint in protocol.endpoints]
    return tuple(found)


def chances_at_draws(test: BlockadeTest, drawn: StudyDraws, priors: Priors) -> EventChances:
    """Chance of each event at every draw of every account, [accounts, draws] each; that a study failed is mixed in.

    Parameters
    ----------
    test : BlockadeTest
        Of the study, as `blockade_tests` gives it.
    drawn : StudyDraws
        Of the same study.
    priors : dict
        The case's distributions by name: corrections for multiple tests and the noise of arms.
    """
    effect, residual = contrasts(test, drawn)
    protocol, failure = test.experiment.protocol, (drawn.failure, drawn.failed_sd)
    design = {
        "paired": protocol.is_paired(),
        "correlation": protocol.session_correlation,
        "inflation": cell_inflation(protocol),
    }
    mixed = [np.zeros(effect.shape) for _ in EventChances._fields]
    for scenario in test.scenarios:
        n = _by_role(test, scenario)
        found = chances_with_failure(effect, residual, n, priors, failure, **design)
        for place, one in enumerate(found):
            mixed[place] += scenario.weight * one
    return EventChances(*mixed)


def chances_with_failure(
    effect: Float[np.ndarray, "*shape"],
    residual: Float[np.ndarray, "*shape"],
    n: Mapping[str, float],
    priors: Priors,
    failure: tuple[float, float],
    **design: Any,
) -> EventChances:
    """Chance of each event at true effects, by the case's priors of corrections and noise; a failed study is mixed in.

    `failure` is the chance of that and the SD of the contrasts that such a study has; other arguments, `design` among
    them, are those of `event_chances`.
    """
    shared = design | {
        "corrections": weights_of(priors, "correction", "unknown"),
        "arm_noise": fixed_value(priors, "arm_noise"),
    }
    live = event_chances(effect, residual, n, **shared)
    dead = event_chances(0.0, 0.0, n, **shared, deviation=failure[1])
    mixed = ((1 - failure[0]) * one + failure[0] * other for one, other in zip(live, dead, strict=True))
    return EventChances(*mixed)


def contrasts(
    test: BlockadeTest, drawn: StudyDraws
) -> tuple[Float[np.ndarray, "accounts draws"], Float[np.ndarray, "accounts draws"]]:
    """Effect of the test drug over its control, and what is left of it under the antagonist (SD)."""
    arm = {role: drawn.of(test.experiment.id, test.endpoint, name) for role, name in test.roles.items()}
    return arm["K"] - arm["V"], arm["KA"] - arm.get("A", arm["V"])


def in_words(test: BlockadeTest) -> str:
    """Write the tests that the design implies."""
    protocol = test.experiment.protocol
    sizes = [arm.n for arm in protocol.arms.values() if arm.subset_of is None]
    groups = f"{len(test.scenarios[0].n)} {'sessions' if protocol.is_paired() else 'groups'}"
    known = [str(n) for n in dict.fromkeys(sizes) if n is not None]
    of = f" of {' or '.join(known)}" if len(known) == len(set(sizes)) else " of unknown size"
    kind = "paired" if protocol.is_paired() else "unpaired"
    block = "the interaction" if "A" in test.roles else "K against KA"
    return f"{kind} tests at 5 % on the SD pooled over {groups}{of}; the block is {block}"


def _by_role(test: BlockadeTest, scenario: Scenario) -> dict[str, float]:
    """Sizes by role, and of other arms by name, which no role bears."""
    role_of = {arm: role for role, arm in test.roles.items()}
    return {role_of.get(name, f"arm {name}"): size for name, size in scenario.n.items()}
