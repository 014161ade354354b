"""Joint means: any number of group means that share one pooled SD, as a table of one number and a quadratic form.

With true effects delta (differences from a base arm in within-group SD), observed effects d over the pooled SD and
their covariance C, log p(d | delta) = h(d' C^-1 delta) - delta' C^-1 delta / 2, where h integrates over the pooled SD.
Readings of a spread as SD or SEM only rescale d, so that a mixture of them keeps the direction C^-1 d: exact for any
number of arms.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.outcomes.noncentral_t import GRID, along_logpdf


class JointMeans(NamedTuple):
    """Observed effects of several arms against one base."""

    log_weights: tuple[float, ...]
    """Log weight of each reading of the spreads, with its change of unit (1)."""
    effects: Float[np.ndarray, "readings contrasts"]
    """Observed differences from the base over the pooled SD (1)."""
    covariance: Float[np.ndarray, "contrasts contrasts"]
    """Of the observed differences, in squared within-group SD (1)."""
    df: float
    """Degrees of freedom of the pooled SD (1)."""

    @property
    def slope(self) -> Float[np.ndarray, " contrasts"]:
        """C^-1 d of the first reading: the direction on which the density depends beside its quadratic form."""
        return np.linalg.solve(self.covariance, self.effects[0])

    @property
    def direction(self) -> Float[np.ndarray, " contrasts"]:
        """The slope with weights whose sizes sum to 1: effects on `GRID` stay on it."""
        size = np.abs(self.slope).sum()
        return self.slope / size if size > 0 else self.slope

    @property
    def whitened(self) -> Float[np.ndarray, "contrasts contrasts"]:
        """Matrix W with delta' C^-1 delta = |W delta|^2."""
        return np.linalg.inv(np.linalg.cholesky(self.covariance))

    def table(self) -> Float[np.ndarray, " grid"]:
        """Log density without its quadratic form, where the effects along `direction` are `GRID`."""
        return self._along(self.covariance, GRID * np.abs(self.slope).sum())

    def on_grid(self) -> Float[np.ndarray, "..."]:
        """Log density over all contrasts, an axis of `GRID` for each: for one or two of them."""
        from scipy.interpolate import CubicSpline  # which takes long to load

        delta = np.stack(np.meshgrid(*[GRID] * len(self.covariance), indexing="ij"), axis=-1)
        fine = np.linspace(GRID[0], GRID[-1], 10 * (len(GRID) - 1) + 1)
        along = CubicSpline(fine, self._along(self.covariance, fine * np.abs(self.slope).sum()))
        return along(delta @ self.direction) - 0.5 * np.sum((delta @ self.whitened.T) ** 2, axis=-1)

    def log_saturated(self, sd: float) -> float:
        """Log of the integral of the density over independent N(0, sd^2) priors on the contrasts."""
        return float(self._along(self.covariance + sd**2 * np.eye(len(self.covariance)), np.zeros(1))[0])

    def log_marginal(self, which: int, sd: float) -> Float[np.ndarray, " grid"]:
        """Log density over one contrast on `GRID`, the others averaged over independent N(0, sd^2) priors."""
        wide = self.covariance + sd**2 * np.diag(np.arange(len(self.covariance)) != which)
        precision = np.linalg.inv(wide)
        along = self._along(wide, GRID * (precision @ self.effects[0])[which])
        return along - 0.5 * precision[which, which] * GRID**2

    def _along(self, covariance: np.ndarray, linear: np.ndarray) -> np.ndarray:
        """Mixture over the readings; `linear` is of the first, whose effects the others rescale."""
        first = np.abs(self.effects[0]).max()
        scales = [np.abs(d).max() / first if first > 0 else 1.0 for d in self.effects]
        parts = [
            log_weight + along_logpdf(d, covariance, self.df, scale * linear)
            for log_weight, d, scale in zip(self.log_weights, self.effects, scales, strict=True)
        ]
        return np.logaddexp.reduce(parts)
