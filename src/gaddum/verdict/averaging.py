"""Averaging: what is true or not in each draw of each fit -> its probability over the declared prior set.

A truth is an array over things and draws, one per fit. Its probability under a setting weighs fits by the posterior
probabilities of hypotheses and variants, and draws by importance weights.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.verdict import verdict
from gaddum.weigh import compare
from gaddum.weigh.fitted import CaseFits, importance

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

    @property
    def main(self) -> Float[np.ndarray, "..."]:
        """Probabilities in the main parameterisation."""
        return next(iter(self.over_set.values()))

    def judged(self, place: Any) -> dict[str, Any]:
        """Probability, range, prior and verdict of one thing, and the cohorts that drive it."""
        values = [float(table[place]) for table in self.over_set.values()]
        found = judged(float(self.main[place]), values, float(self.prior[place]))
        return found | {"driving": self.driving(place)}

    def driving(self, place: Any) -> list[str]:
        """Cohorts whose removal moves a probability most, at most three."""
        moves = {
            name.removeprefix("without "): abs(float(table[place] - self.main[place]))
            for name, table in self.over_set.items()
            if name.startswith("without ")
        }
        order = sorted(moves, key=lambda name: -moves[name])
        return [name for name in order[:DRIVERS] if moves[name] > MOVES]


def averaged(
    fitted: CaseFits, after: Truth, before: dict[int, Float[np.ndarray, "... draws"]]
) -> PriorSetAverage:
    """Average truths over fits and draws, in every setting of the prior set.

    Parameters
    ----------
    fitted : CaseFits
        All fits.
    after : dict
        Truth on the sample of every fit.
    before : dict
        Variant -> truth on prior draws, in the main parameterisation.
    """
    over_set = {
        name: _average(fitted, after, form, shift) for name, (form, shift) in fitted.settings().items()
    }
    masses = compare.prior_masses(np.array([h.mass for h in fitted.loaded.case.hypotheses]), fitted.groups)
    prior = 0.0
    for name, mass in zip(fitted.names, masses, strict=True):
        mine = [before[i].mean(axis=-1) for i, v in enumerate(fitted.variants) if v.hypothesis.name == name]
        prior = prior + mass * np.mean(mine, axis=0)
    return PriorSetAverage(over_set, np.asarray(prior))


def judged(probability: float, values: list[float], prior: float) -> dict[str, Any]:
    """Probability, its range over the prior set, prior, and the word for them."""
    lower, upper = float(min(values)), float(max(values))
    found = {"probability": float(probability), "lower": lower, "upper": upper, "prior": prior}
    return found | verdict.judge(float(probability), lower, upper, prior)


def _average(
    fitted: CaseFits, truth: Truth, form: str, shift: Float[np.ndarray, " columns"] | None
) -> Float[np.ndarray, "..."]:
    """Probability of each thing under one setting."""
    weighed = fitted.weighed(form, shift)
    total = 0.0
    for name, one in weighed.items():
        places = [i for i, v in enumerate(fitted.variants) if v.hypothesis.name == name]
        for i, share in zip(places, one.variant_probability, strict=True):
            weights = importance(fitted.fits[form, i], shift)
            total = total + one.probability * share * (truth[form, i] @ weights)
    return np.asarray(total)


__all__ = ["PriorSetAverage", "Truth", "averaged", "judged"]
