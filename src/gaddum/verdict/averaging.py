"""Averaging: what is true or not in each draw of each fit -> its probability over the declared prior set.

A truth is an array over things and draws, one per fit. Its probability under a setting weighs fits by the posterior
probabilities of hypotheses and variants, and draws by importance weights.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.results import Chance
from gaddum.verdict import verdict
from gaddum.weigh.fitted import CaseFits

Truth = dict[tuple[str, int], Float[np.ndarray, "... draws"]]
"""(parameterisation, variant) -> 1 where true, 0 where not; draws of each fit last."""
MOVES = 0.02
"""Change of a probability by leaving a cohort out from which the cohort drives it."""
DRIVERS = 3
"""Most cohorts named as driving."""


class PriorSetAverage(NamedTuple):
    """Probabilities of things over the prior set."""

    over_set: dict[str, Float[np.ndarray, "..."]]
    """By setting; the first is the main one."""
    prior: Float[np.ndarray, "..."]
    known: Sequence[bool]
    """Which settings have draws enough for their numbers to be printed."""

    def judged(self, place: Any) -> Chance:
        """Probability, range, prior and verdict of one thing, and the cohorts that drive it."""
        values = {name: float(table[place]) for name, table in self.over_set.items()}
        without = {
            name.removeprefix("without "): value
            for name, value in values.items()
            if name.startswith("without ")
        }
        main, *_ = values.values()
        drivers = driving(main, without)
        return verdict.judge(list(values.values()), float(self.prior[place]), drivers, self.known)


def averaged(
    fitted: CaseFits, after: Truth, before: dict[int, Float[np.ndarray, "... draws"]]
) -> PriorSetAverage:
    """Average truths on the samples of fits, and of variants on prior draws, in every setting of the prior set."""
    over_set = {
        name: np.asarray(sum(after[form, i] @ mass for i, mass in fitted.draw_weights(form, shift).items()))
        for name, (form, shift) in fitted.settings().items()
    }
    return PriorSetAverage(over_set, prior_average(fitted, before), fitted.known)


def prior_average(
    fitted: CaseFits, before: dict[int, Float[np.ndarray, "... draws"]]
) -> Float[np.ndarray, "..."]:
    """Probabilities before the record, from variant -> truth on prior draws."""
    prior = 0.0
    for name, mass in fitted.masses.items():
        prior = prior + mass * np.mean([before[i].mean(axis=-1) for i in fitted.places(name)], axis=0)
    return np.asarray(prior)


def judged_accounts(fitted: CaseFits, names: Collection[str]) -> Chance:
    """Whether one of certain accounts is right: probability, range, prior and verdict."""
    values = [sum(weighed[name].probability for name in names) for weighed in fitted.over_set()]
    return verdict.judge(values, float(sum(fitted.masses[name] for name in names)), known=fitted.known)


def driving(main: float, without: dict[str, float]) -> list[str]:
    """What moves a probability most when it is left out, at most three; from the probabilities without each."""
    moves = {name: abs(value - main) for name, value in without.items()}
    order = sorted(moves, key=lambda name: -moves[name])
    return [name for name in order[:DRIVERS] if moves[name] > MOVES]
