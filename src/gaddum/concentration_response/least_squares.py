"""Least squares: fit a curve, with standard errors, two kinds of confidence interval and a test of nested fits.

For data whose noise is alike at every point, as bench data are usually fitted. Two intervals stand side by side: the
asymptotic one, symmetric about the estimate (what Prism prints by default), and the profile likelihood one, which
follows the curvature and is infinite where the data do not bound the parameter. Where they differ much, trust the
second.

A curve is a function of the parameter array written with operators only, so that the Jacobian comes from a complex
step: exact to rounding, without a compilation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

Curve = Callable[[np.ndarray], np.ndarray]
"""Parameters (real or complex), shape [parameters] -> predicted responses, shape [observations]."""

_STEP = 1e-30  # of the complex step; no subtraction, so it may be as small as it likes
_SINGULAR = (
    1e-9  # ratio of singular values of the scaled Jacobian below which a direction counts as not identified
)
_EXACT = 1e-22  # share of the responses' variation below which the residuals are rounding only


class CurveParameter(NamedTuple):
    """A parameter of a curve: its name, where it may lie, and whether it is held.

    Attributes
    ----------
    name
        Key of its estimate.
    unit
        Its unit, as text.
    lower, upper
        Bounds of the search.
    fixed
        Value at which it is held; None where it is fitted.
    """

    name: str
    unit: str = "1"
    lower: float = -np.inf
    upper: float = np.inf
    fixed: float | None = None


class Estimate(NamedTuple):
    """A fitted parameter.

    Attributes
    ----------
    value, standard_error
        In the parameter's own unit; the error of a fixed parameter is 0, of one that the data do not identify infinite.
    lower, upper
        Asymptotic interval, symmetric about the value.
    profile_lower, profile_upper
        Profile likelihood interval; infinite where the data give no bound, NaN where it was not asked for.
    unit
        Unit, as text.
    fixed
        Whether the parameter was held at this value.
    """

    value: float
    standard_error: float
    lower: float
    upper: float
    profile_lower: float
    profile_upper: float
    unit: str
    fixed: bool


@dataclass(frozen=True)
class CurveFit:
    """A fitted curve.

    Attributes
    ----------
    estimates
        By name, in the order of the curve's parameters.
    sum_of_squares
        Of the residuals, in the squared unit of the response.
    df
        Residual degrees of freedom: observations less fitted parameters.
    residual_sd
        Square root of the sum of squares over `df` (Prism's Sy.x); NaN without degrees of freedom.
    r_squared
        Share of the variation about the mean that the curve explains.
    level
        Level of the intervals.
    status
        "converged", or a sentence that says what is wrong with the fit.
    fitted
        Predicted responses, in the order of the observations.
    """

    estimates: Mapping[str, Estimate]
    sum_of_squares: float
    df: int
    residual_sd: float
    r_squared: float
    level: float
    status: str
    fitted: np.ndarray

    def __getitem__(self, name: str) -> Estimate:
        """Look up an estimate."""
        if name not in self.estimates:
            raise KeyError(f"A parameter must be one of {', '.join(self.estimates)}; got {name!r}.")
        return self.estimates[name]


class NestedTest(NamedTuple):
    """F test of a curve against the same curve with fewer parameters.

    Attributes
    ----------
    f
        Ratio of mean squares.
    df
        Degrees of freedom of numerator and denominator.
    p
        Probability of an F at least as large if the smaller curve is true.
    """

    f: float
    df: tuple[int, int]
    p: float


def fit_curve(
    curve: Curve,
    response: np.ndarray,
    parameters: Sequence[CurveParameter],
    starts: Sequence[np.ndarray],
    *,
    level: float = 0.95,
    profiles: Sequence[str] | None = None,
) -> CurveFit:
    """Fit a curve by least squares.

    Parameters
    ----------
    curve
        Predicts the responses from the array of all parameters, fixed ones included.
    response
        Observed responses, shape [observations].
    parameters
        In the order of the array that `curve` takes.
    starts
        Arrays of parameters to start from; the best end counts.
    level
        Level of the intervals.
    profiles
        Names of parameters whose profile likelihood interval is wanted; all fitted ones where not given.

    References
    ----------
    Bates DM, Watts DG (1988). Nonlinear Regression Analysis and Its Applications. doi:10.1002/9780470316757
    """
    free = [i for i, one in enumerate(parameters) if one.fixed is None]
    if len(response) < len(free):
        raise ValueError(
            f"A fit must have at least as many observations as fitted parameters; got {len(response)} for "
            f"{', '.join(parameters[i].name for i in free)}. Hold some with `fixed`, or add data."
        )
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}. Use 0.95 for 95 %.")
    problem = _Problem(curve, np.asarray(response, float), tuple(parameters))
    ends = [problem.minimise(np.array(start, float), free) for start in starts]
    best, converged = min(ends, key=lambda end: problem.sum_of_squares(end[0]))
    rest = problem.sum_of_squares(best)
    df = len(response) - len(free)
    spread = float(np.sum((problem.response - problem.response.mean()) ** 2))
    variance = rest / df if df else np.nan
    errors, loose = _standard_errors(problem.jacobian(best, free), variance)
    quantile = float(stats.t.ppf((1 + level) / 2, df)) if df else np.inf
    wanted = {parameters[i].name for i in free} if profiles is None else set(profiles)
    estimates = {}
    for i, one in enumerate(parameters):
        value = float(best[i])
        if one.fixed is not None:
            estimates[one.name] = Estimate(value, 0.0, value, value, value, value, one.unit, True)
            continue
        error = float(errors[free.index(i)])
        half = quantile * error if df else np.inf
        ends = (np.nan, np.nan)
        if one.name in wanted:
            exact = df > 0 and rest <= _EXACT * spread
            ends = (value, value) if exact else _profile_interval(problem, best, free, i, error, quantile, df)
        estimates[one.name] = Estimate(value, error, value - half, value + half, *ends, one.unit, False)
    loose |= {k for k, i in enumerate(free) if _adrift(parameters[i], float(best[i]), float(errors[k]))}
    status = _status(converged, [parameters[free[k]].name for k in sorted(loose)], df)
    return CurveFit(
        estimates,
        rest,
        df,
        float(np.sqrt(variance)),
        1 - rest / spread if spread else np.nan,
        level,
        status,
        np.real(problem.curve(best)),
    )


def compare_nested(smaller: CurveFit, larger: CurveFit) -> NestedTest:
    """F test (extra sum of squares) of whether a fit is better than one of the same data that holds some parameters."""
    extra = smaller.df - larger.df
    if extra < 1:
        raise ValueError(
            f"The smaller curve must have more degrees of freedom than the larger; got {smaller.df} and "
            f"{larger.df}. Give the fit with more fixed parameters first."
        )
    if larger.df < 1:
        return NestedTest(np.nan, (extra, larger.df), np.nan)
    if larger.r_squared == 1:  # residuals are rounding only
        exact = smaller.r_squared == 1
        return NestedTest(0.0 if exact else np.inf, (extra, larger.df), float(exact))
    rise = max(smaller.sum_of_squares - larger.sum_of_squares, 0.0) / extra
    f = rise / (larger.sum_of_squares / larger.df)
    return NestedTest(float(f), (extra, larger.df), float(stats.f.sf(f, extra, larger.df)))


class _Problem(NamedTuple):
    curve: Curve
    response: np.ndarray
    parameters: tuple[CurveParameter, ...]

    def sum_of_squares(self, theta: np.ndarray) -> float:
        return float(np.sum((np.real(self.curve(theta)) - self.response) ** 2))

    def jacobian(self, theta: np.ndarray, free: Sequence[int]) -> np.ndarray:
        columns = []
        for i in free:
            moved = theta.astype(complex)
            moved[i] += 1j * _STEP
            columns.append(np.imag(self.curve(moved)) / _STEP)
        return np.stack(columns, axis=1) if columns else np.zeros((len(self.response), 0))

    def minimise(
        self, theta: np.ndarray, free: Sequence[int], tolerance: float = 1e-15
    ) -> tuple[np.ndarray, bool]:
        """Best parameters from `theta`, with those outside `free` held; and whether the search ended well."""
        theta = theta.copy()
        for i, one in enumerate(self.parameters):
            theta[i] = one.fixed if one.fixed is not None else np.clip(theta[i], one.lower, one.upper)
        if not free:
            return theta, True
        lower = np.array([self.parameters[i].lower for i in free])
        upper = np.array([self.parameters[i].upper for i in free])

        def full(x: np.ndarray) -> np.ndarray:
            theta[list(free)] = x
            return theta

        found = optimize.least_squares(
            lambda x: np.real(self.curve(full(x))) - self.response,
            theta[list(free)],
            jac=lambda x: self.jacobian(full(x), free),  # pyright: ignore[reportArgumentType]  # a callable, as its text says
            bounds=(lower, upper),
            method="trf",
            x_scale="jac",
            ftol=tolerance,
            xtol=tolerance,
            gtol=tolerance,
            max_nfev=400,
        )
        return full(found.x).copy(), found.status > 0


def _adrift(parameter: CurveParameter, value: float, error: float) -> bool:
    """Whether the search ended at a bound, or with an error as wide as a quarter of the way between the bounds."""
    span = parameter.upper - parameter.lower
    if not np.isfinite(span):
        return False
    return error > span / 4 or min(value - parameter.lower, parameter.upper - value) < 1e-6 * span


def _standard_errors(jacobian: np.ndarray, variance: float) -> tuple[np.ndarray, set[int]]:
    """Standard errors, infinite for parameters that the data do not identify; and which those are."""
    scale = np.linalg.norm(jacobian, axis=0)
    loose = set(np.flatnonzero(scale == 0).tolist())
    _, singular, directions = np.linalg.svd(jacobian / np.where(scale > 0, scale, 1.0), full_matrices=False)
    kept = singular > _SINGULAR * singular.max(initial=0.0)
    for direction in directions[~kept]:
        loose |= set(np.flatnonzero(np.abs(direction) > 0.1).tolist())
    inverse = np.where(kept, 1 / np.where(kept, singular, 1.0), 0.0)[:, None] * directions
    errors = np.sqrt(variance * np.sum(inverse**2, axis=0)) / np.where(scale > 0, scale, 1.0)
    errors[sorted(loose)] = np.inf
    return errors, loose


def _profile_interval(
    problem: _Problem,
    best: np.ndarray,
    free: Sequence[int],
    index: int,
    error: float,
    quantile: float,
    df: int,
) -> tuple[float, float]:
    """Where the sum of squares, minimised over the other parameters, has risen by t^2 residual variances."""
    if not df:
        return -np.inf, np.inf
    least = problem.sum_of_squares(best)
    allowed = np.sqrt(least / df) * quantile
    others = [i for i in free if i != index]
    step = quantile * error if np.isfinite(error) and error > 0 else 0.5
    step = min(step, (problem.parameters[index].upper - problem.parameters[index].lower) / 20)
    lower = _profile_end(problem, best, others, index, -step, least, allowed)
    return lower, _profile_end(problem, best, others, index, step, least, allowed)


def _profile_end(
    problem: _Problem,
    best: np.ndarray,
    others: Sequence[int],
    index: int,
    step: float,
    least: float,
    allowed: float,
) -> float:
    """One end of a profile interval: bracket by doubling, then root-finding on the signed root of the rise."""
    bound = problem.parameters[index].upper if step > 0 else problem.parameters[index].lower
    warm = best.copy()

    def beyond(value: float) -> float:
        nonlocal warm
        start = warm.copy()
        start[index] = value
        warm, _ = problem.minimise(start, others, 1e-10)
        return np.sqrt(max(problem.sum_of_squares(warm) - least, 0.0)) - allowed

    middle = float(best[index])
    inner, outer = middle, middle + step
    for _ in range(12):
        if abs(outer - middle) > abs(bound - middle):
            outer = float(bound)
        near = warm.copy()
        if beyond(outer) >= 0:
            warm = near
            found = optimize.root_scalar(
                beyond, bracket=(inner, outer), method="brentq", xtol=1e-7 * abs(step), rtol=1e-12
            ).root
            # Where another parameter has run into its bound, the rise comes from the bound and not from the data.
            stuck = any(_adrift(problem.parameters[i], float(warm[i]), 0.0) for i in others)
            return float(np.copysign(np.inf, step)) if stuck else float(found)
        if outer == bound:
            break
        inner, outer = outer, middle + 2 * (outer - middle)
    return float(np.copysign(np.inf, step))


def _status(converged: bool, loose: list[str], df: int) -> str:
    if not converged:
        return "The search stopped before it converged; give better starting values or hold a parameter."
    if loose:
        return (
            f"The data do not identify {', '.join(loose)}; hold one of them (`fixed`, at the command --hold)."
        )
    if not df:
        return "As many parameters as observations: the curve passes through the data, and nothing tells its error."
    return "converged"
