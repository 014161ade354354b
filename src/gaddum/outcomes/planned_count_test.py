"""An exact test of counts before it is run: power, Bayes factors, and designs that look at them on the way."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from gaddum.outcomes.count_test import count_log_bf10, count_probability, significant_counts
from gaddum.power_results import AnswerChances, PowerRow, SequentialDesign, StoppingChances


class PlannedCountTest(NamedTuple):
    """Fisher's test of two groups, or where `paired` the binomial test of those who responded before."""

    paired: bool
    p1: float
    """Chance of a response in the first group; the known one that earlier responders are held against (1)."""
    p2: float
    """Chance in the second group, or when tested again (1)."""
    alpha: float
    log_threshold: float
    log_against: float
    ratio: float
    """Subjects of the second group over those of the first (1)."""

    @property
    def name(self) -> str:
        """The test in words."""
        return "exact binomial test" if self.paired else "Fisher's exact test of two groups"

    @property
    def most_assurance(self) -> float:
        """What no assurance can exceed (1)."""
        return self.alpha if self.p1 == self.p2 else 1.0

    def second(self, n: int) -> int | None:
        """Size of the second group, where it is another."""
        return None if self.paired or self.ratio == 1 else max(2, round(n * self.ratio))

    def rows(self, sizes: Sequence[int]) -> list[PowerRow]:
        """What each number of subjects a group can do."""
        return [self._row(n) for n in sizes]

    def _row(self, n: int) -> PowerRow:
        sizes, chances = self._groups(n), self._chances
        found, log_bf = count_probability(sizes, chances), count_log_bf10(sizes, self.p1)
        none = count_probability(sizes, (self.p1,) * len(sizes))
        power = self._power(n)
        shows, denies = log_bf > self.log_threshold, log_bf < -self.log_against
        answers = [(float(one[shows].sum()), float(one[denies].sum())) for one in (found, none)]
        with np.errstate(over="ignore"):  # what cannot be printed has no limit
            most = [float(np.exp(one)) for one in (log_bf.max(), -log_bf.min())]
        return PowerRow(
            n=n,
            n2=self.second(n),
            power=power,
            assurance=power,
            t_for_bf10=None,
            prob_bf10=answers[0][0],
            bf10_max=most[0],
            bf01_max=most[1],
            effect=_answers(*answers[0]),
            no_effect=_answers(*reversed(answers[1])),
        )

    def smallest(self, wanted: float, most: int) -> tuple[int | None, int | None]:
        """Smallest n for a wanted power, and for a chance of a Bayes factor beyond the threshold."""
        found = next((n for n in range(self._least(wanted), most + 1) if self._power(n) >= wanted), None)
        if found is None:
            return None, None
        return found, next((n for n in range(2, most + 1) if self._shown(n) >= wanted), None)

    def at_most(self, n: int, log_bf: np.ndarray) -> np.ndarray:
        """Chance that the log Bayes factor is at most this, with the effect and without."""
        sizes = self._groups(n)
        every = count_log_bf10(sizes, self.p1)
        tables = [count_probability(sizes, one) for one in (self._chances, (self.p1,) * len(sizes))]
        return np.array([[one[every <= level].sum() for level in log_bf] for one in tables])

    def in_looks(self, looks: Sequence[int], *, seed: int) -> SequentialDesign:  # noqa: ARG002
        """How the design ends, exactly, by the probability of each table from look to look."""
        shown = self._ended(looks, self._chances)
        none = self._ended(looks, (self.p1,) * len(self._chances))
        return SequentialDesign(
            first=looks[0],
            every=(looks[1:] or looks)[0] - looks[0],
            most=looks[-1],
            effect=_stopping(*shown),
            no_effect=_stopping(none[1], none[0], none[2]),
        )

    def _ended(self, looks: Sequence[int], chances: tuple[float, ...]) -> tuple[float, float, float]:
        """Probability of an effect shown and of none shown, and expected n."""
        going = np.ones((1,) * len(chances))
        shown = denied = expected = 0.0
        for before, n in zip((0, *looks[:-1]), looks, strict=True):
            sizes = self._groups(n)
            new = count_probability((n - before,) * len(chances), chances)
            table = np.zeros(tuple(size + 1 for size in sizes))
            for place, weight in np.ndenumerate(new):
                table[tuple(slice(k, k + before + 1) for k in place)] += weight * going
            expected += (n - before) * going.sum()
            log_bf = count_log_bf10(sizes, self.p1)
            shows, denies = log_bf > self.log_threshold, log_bf < -self.log_against
            shown += table[shows].sum()
            denied += table[denies].sum()
            going = np.where(shows | denies, 0.0, table)
        return float(shown), float(denied), float(expected)

    def _least(self, wanted: float) -> int:
        """Size below which two groups do not reach a power, whose tables take longest; 2 where that is not known."""
        if self.paired or wanted <= 0.5:
            return 2
        reach = ndtri(1 - self.alpha / 2) + ndtri(wanted)
        variance = self.p1 * (1 - self.p1) + self.p2 * (1 - self.p2)
        # exact tests take more than a normal approximation says, and their power rises in teeth
        return max(2, int(0.8 * variance * (reach / (self.p1 - self.p2)) ** 2))

    def _power(self, n: int) -> float:
        sizes = self._groups(n)
        table = count_probability(sizes, self._chances)
        return float(table[significant_counts(sizes, self.alpha, self.p1)].sum())

    def _shown(self, n: int) -> float:
        sizes = self._groups(n)
        table = count_probability(sizes, self._chances)
        return float(table[count_log_bf10(sizes, self.p1) > self.log_threshold].sum())

    @property
    def _chances(self) -> tuple[float, ...]:
        return (self.p2,) if self.paired else (self.p1, self.p2)

    def _groups(self, n: int) -> tuple[int, ...]:
        return (n,) if self.paired else (n, self.second(n) or n)


def _answers(correct: float, misleading: float) -> AnswerChances:
    return AnswerChances(correct=correct, undecided=max(0.0, 1 - correct - misleading), misleading=misleading)


def _stopping(correct: float, misleading: float, expected: float) -> StoppingChances:
    exact = {"correct_mcse": 0.0, "misleading_mcse": 0.0, "expected_n_mcse": 0.0}
    return StoppingChances(**dict(_answers(correct, misleading)), expected_n=expected, **exact)
