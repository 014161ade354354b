"""A t-test before it is run: power, Bayes factors, and designs that look at them on the way."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from gaddum.outcomes.bayes_factor import jzs_log_bf10, t_of_log_bf10
from gaddum.outcomes.noncentral_t import t_of_p
from gaddum.outcomes.power import t_test_power, tails
from gaddum.power_results import AnswerChances, PowerRow, SequentialDesign, StoppingChances

SIMULATED = 20_000
"""Studies that a design in several looks is simulated by."""


class PlannedTTest(NamedTuple):
    """A t-test on paired differences or two groups; its methods are those of `PlannedCountTest`."""

    paired: bool
    effect: float
    """True difference: in within-group SD, or if paired in SD of the differences (1)."""
    effect_sd: float
    """SD of what is known of it (1)."""
    alpha: float
    scale: float
    """Scale of the Cauchy prior of the Bayes factor (1)."""
    log_threshold: float
    log_against: float
    ratio: float
    """Subjects of the second group over those of the first (1)."""

    @property
    def name(self) -> str:
        """The test in words."""
        return "paired t-test" if self.paired else "t-test of two groups"

    @property
    def most_assurance(self) -> float:
        """Chance that the effect lies on the expected side, which no assurance can exceed (1)."""
        if self.effect_sd == 0:
            return 1.0 if self.effect else self.alpha / 2
        return float(ndtr(abs(self.effect) / self.effect_sd))

    def second(self, n: int) -> int | None:
        """Size of the second group, where it is another."""
        return None if self.paired or self.ratio == 1 else max(2, round(n * self.ratio))

    def rows(self, sizes: Sequence[int]) -> list[PowerRow]:
        """What each number of pairs, or of subjects a group, can do."""
        known = np.array([self._size_df(n) for n in sizes])
        size, df = known.T
        wanted = np.array([[self.log_threshold], [-self.log_against]])
        showing, denying = t_of_log_bf10(wanted, size, df, self.scale)
        least = jzs_log_bf10(np.zeros(len(sizes)), size, df, self.scale)
        return [self._row(n, *numbers) for n, *numbers in zip(sizes, showing, denying, least, strict=True)]

    def _row(self, n: int, showing: float, denying: float, least: float) -> PowerRow:
        size, df = self._size_df(n)
        significant = self._tails(t_of_p(self.alpha, df), n)
        found, none = sum(self._tails(showing, n)), sum(tails(showing, df, 0.0))
        missed, denied = (
            (1 - sum(self._tails(denying, n)), 1 - sum(tails(denying, df, 0.0))) if denying else (0.0, 0.0)
        )
        return PowerRow(
            n=n,
            n2=self.second(n),
            power=t_test_power(n, self.effect, self.alpha, self.second(n), self.paired),
            assurance=significant[0 if self.effect >= 0 else 1],
            t_for_bf10=showing,
            prob_bf10=found,
            bf10_max=None,
            bf01_max=float(np.exp(-least)),
            effect=AnswerChances(correct=found, undecided=1 - found - missed, misleading=missed),
            no_effect=AnswerChances(correct=denied, undecided=1 - none - denied, misleading=none),
        )

    def smallest(self, wanted: float, most: int) -> tuple[int | None, int | None]:
        """Smallest n for a wanted assurance, and for a chance of a Bayes factor beyond the threshold."""
        found = self._reaching(wanted, 2, most, lambda row: row.assurance)
        return found, found and self._reaching(wanted, 2, most, lambda row: row.prob_bf10)

    def _reaching(
        self, wanted: float, low: int, high: int, chance: Callable[[PowerRow], float]
    ) -> int | None:
        """Smallest n from `low` to `high` at which a chance that grows with n reaches what is wanted."""
        sizes = np.geomspace(low, high, 24)
        while True:
            tried = np.unique(sizes.round().astype(int)).tolist()
            reached = [place for place, row in enumerate(self.rows(tried)) if chance(row) >= wanted]
            if not reached:
                return None
            place = reached[0]
            if place == 0 or tried[place] - tried[place - 1] == 1:
                return tried[place]
            sizes = np.linspace(tried[place - 1], tried[place], 16)

    def at_most(self, n: int, log_bf: np.ndarray) -> np.ndarray:
        """Chance that the log Bayes factor is at most this, with the effect and without."""
        size, df = self._size_df(n)
        limits = t_of_log_bf10(log_bf, size, df, self.scale)
        return np.array(
            [
                [1 - sum(self._tails(t, n)) if t else 0.0, 1 - sum(tails(t, df, 0.0)) if t else 0.0]
                for t in limits
            ]
        ).T

    def in_looks(self, looks: Sequence[int], *, seed: int) -> SequentialDesign:
        """How the design ends, simulated on the same draws with the effect and without."""
        size, df = np.array([self._size_df(n) for n in looks]).T
        wanted = np.array([[self.log_threshold], [-self.log_against]])
        limits = t_of_log_bf10(wanted, size, df, self.scale).T
        ended = [
            self._ended(looks, size, limits, mean, sd, seed)
            for mean, sd in ((self.effect, self.effect_sd), (0.0, 0.0))
        ]
        shown, none = (_stopping(*one, correct=sign) for one, sign in zip(ended, (1, -1), strict=True))
        return SequentialDesign(
            first=looks[0],
            every=(looks[1:] or looks)[0] - looks[0],
            most=looks[-1],
            effect=shown,
            no_effect=none,
        )

    def _ended(
        self,
        looks: Sequence[int],
        size: np.ndarray,
        limits: np.ndarray,
        mean: float,
        sd: float,
        seed: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        """What each simulated study shows (1 an effect, -1 none, 0 neither), and the n at which it stops."""
        random = np.random.default_rng(seed)
        groups = 1 if self.paired else 2
        truth = np.zeros((groups, SIMULATED))
        truth[0] = mean + sd * random.standard_normal(SIMULATED)
        average, squares = np.zeros_like(truth), np.zeros(SIMULATED)
        says, stopped = np.zeros(SIMULATED, int), np.zeros(SIMULATED, int)
        for before, n, root, (showing, denying) in zip(
            (0, *looks[:-1]), looks, np.sqrt(size), limits, strict=True
        ):
            more = n - before
            new = truth + random.standard_normal(truth.shape) / np.sqrt(more)
            within = 2 * random.standard_gamma((more - 1) / 2, truth.shape)
            squares += np.sum(within + (new - average) ** 2 * before * more / n, axis=0)
            average += (new - average) * more / n
            difference = average[0] - average[1:].sum(axis=0)
            t = np.abs(difference) * root / np.sqrt(squares / (groups * (n - 1)))
            going = stopped == 0
            says = np.where(going & (t > showing), 1, np.where(going & (t < denying), -1, says))
            stopped = np.where(going & ((says != 0) | (n == looks[-1])), n, stopped)
        return says, stopped

    def _size_df(self, n: int) -> tuple[float, float]:
        """Pairs, or n1 n2 / (n1 + n2), and degrees of freedom."""
        if self.paired:
            return float(n), n - 1.0
        second = self.second(n) or n
        return n * second / (n + second), n + second - 2.0

    def _tails(self, limit: float, n: int) -> tuple[float, float]:
        """P(T > limit) and P(T < -limit) over all that the effect may be."""
        size, df = self._size_df(n)
        spread = np.sqrt(1 + size * self.effect_sd**2)
        return tails(limit / spread, df, self.effect * np.sqrt(size) / spread)


def _stopping(says: np.ndarray, stopped: np.ndarray, *, correct: int) -> StoppingChances:
    right, wrong = np.mean(says == correct), np.mean(says == -correct)
    return StoppingChances(
        correct=float(right),
        undecided=float(1 - right - wrong),
        misleading=float(wrong),
        expected_n=float(stopped.mean()),
        correct_mcse=float(np.sqrt(right * (1 - right) / SIMULATED)),
        misleading_mcse=float(np.sqrt(wrong * (1 - wrong) / SIMULATED)),
        expected_n_mcse=float(stopped.std() / np.sqrt(SIMULATED)),
    )
