"""Bench data: affinity and efficacy from concentration-response curves, with uncertainty.

What to use when:

- `fit_schild`: several curves of one agonist, each at its own concentration of a reversible antagonist. All curves at
  once, in Prism's "Gaddum/Schild EC50 shift": one bottom, top, EC50 and Hill slope, and the antagonist's pA2 and Schild
  slope. With a single concentration of antagonist, hold the slope at 1.
- `fit_parallel_curves` and `schild_regression`: the classical way in two steps, EC50 by EC50, then the line. Shows
  what the global fit hides, so make both; where they disagree the curves are not parallel or the line is not straight.
- `fit_operational`: efficacy and dissociation constant of the agonist itself. One curve of a full agonist does not
  identify them; curves after an irreversible antagonist do (Furchgott), as does a known maximum of the system.

Concentrations are nM in, and log10 of molar out, as tables of pharmacology have it: pA2, log EC50, log K_A.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gaddum.concentration_response import formulas
from gaddum.concentration_response.least_squares import (
    CurveFit,
    CurveParameter,
    Estimate,
    NestedTest,
    compare_nested,
    fit_curve,
)
from gaddum.concentration_response.responses import Responses

NANOMOLAR = 9.0  # log10 of nM in a molar
_ABSENT = 1e-100  # nM; stands for none, so that powers and their derivatives stay finite
_LOG_SPAN = (-30.0, 3.0)  # log10 M within which an EC50 is sought


class SchildFit(NamedTuple):
    """Global fit of Gaddum/Schild EC50 shift.

    Attributes
    ----------
    fit
        Estimates bottom, top, log_ec50 (log10 M), hill, pa2 (-log10 M) and slope. Without a shift that the data tell
        from none, those of the fit without one, with a pa2 that is NaN and has an upper bound only.
    unit_slope
        The same with the Schild slope held at 1, where pA2 is pK_B.
    slope_test
        F test of slope 1; None where the slope was held.
    """

    fit: CurveFit
    unit_slope: CurveFit
    slope_test: NestedTest | None


class SchildRegression(NamedTuple):
    """Classical Schild regression of log10 (dose ratio - 1) on log10 of the antagonist's concentration.

    Attributes
    ----------
    fit
        Estimates pa2 (-log10 M) and slope. The profile interval of pa2 is Fieller's.
    unit_slope
        The same with slope 1; its pa2 is pK_B.
    slope_test
        F test of slope 1, the square of the t test; None where the slope was held.
    antagonist, dose_ratios
        Points of the line (nM, 1).
    """

    fit: CurveFit
    unit_slope: CurveFit
    slope_test: NestedTest | None
    antagonist: np.ndarray
    dose_ratios: np.ndarray


def fit_schild(
    responses: Responses,
    *,
    fixed: Mapping[str, float] | None = None,
    level: float = 0.95,
    profiles: Sequence[str] | None = None,
) -> SchildFit:
    """Fit agonist curves at several concentrations of a competitive antagonist, all at once.

    Parameters
    ----------
    responses
        Measurements with and without antagonist.
    fixed
        Parameters to hold: any of bottom, top, log_ec50, hill, pa2 and slope.
    level
        Level of the confidence intervals.
    profiles
        Parameters whose profile likelihood interval is wanted; all where not given. ``()`` saves the time.

    References
    ----------
    Arunlakshana O, Schild HO (1959). doi:10.1111/j.1476-5381.1959.tb00928.x
    Lazareno S, Birdsall NJM (1993). doi:10.1111/j.1476-5381.1993.tb13737.x

    Examples
    --------
    >>> import numpy as np
    >>> from gaddum.concentration_response.responses import make_responses
    >>> from gaddum.concentration_response.formulas import gaddum_ec50_shift
    >>> a, b = np.meshgrid(10.0 ** np.arange(0, 6), [0.0, 10.0, 100.0])
    >>> y = gaddum_ec50_shift(a, b, 30.0, 2.0)
    >>> found = fit_schild(make_responses(a.ravel(), b.ravel(), y.ravel()))
    >>> round(found.fit["pa2"].value, 6), round(found.fit["slope"].value, 6)
    (8.69897, 1.0)
    """
    held = dict(fixed or {})
    given = responses.levels[responses.levels > 0]
    if given.size == 0 or not (responses.antagonist == 0).any():
        raise ValueError(
            f"A Schild analysis must have a curve without antagonist and at least one with; got antagonist at "
            f"{', '.join(f'{x:g}' for x in responses.levels)} nM. Add the missing curve."
        )
    if given.size == 1 and "slope" not in held and "pa2" not in held:
        raise ValueError(
            f"A Schild slope needs at least two concentrations of antagonist; got {given[0]:g} nM only. "
            "Hold it: fixed={'slope': 1}."
        )
    a, b = np.maximum(responses.agonist, _ABSENT), np.maximum(responses.antagonist, _ABSENT)

    def curve(theta: np.ndarray) -> np.ndarray:
        bottom, top, log_ec50, hill, pa2, slope = theta
        return formulas.gaddum_ec50_shift(
            a,
            b,
            10.0 ** (log_ec50 + NANOMOLAR),
            10.0 ** (NANOMOLAR - pa2),
            slope=slope,
            hill=hill,
            bottom=bottom,
            top=top,
        )

    def fitted(holding: Mapping[str, float]) -> CurveFit:
        parameters = _held(
            holding,
            CurveParameter("bottom", "response"),
            CurveParameter("top", "response"),
            CurveParameter("log_ec50", "log10 M", *_LOG_SPAN),
            CurveParameter("hill", "1", 0.05, 20.0),
            CurveParameter("pa2", "-log10 M", -_LOG_SPAN[1], -_LOG_SPAN[0]),
            CurveParameter("slope", "1", 0.05, 20.0),
        )
        return fit_curve(
            curve, responses.response, parameters, _schild_starts(responses), level=level, profiles=profiles
        )

    if "pa2" not in held:
        absent, unit_slope = (fitted({**held, "slope": 1.0} | more) for more in ({"pa2": -_LOG_SPAN[1]}, {}))
        if compare_nested(absent, unit_slope).p > 1 - level:
            without = _bounded_above(absent, unit_slope["pa2"].profile_upper)
            return SchildFit(without, without, None)
    return SchildFit(*_with_unit_slope(fitted, held))


def _bounded_above(absent: CurveFit, upper: float) -> CurveFit:
    """A fit without a shift, and how small pA2 must be for that."""
    least = Estimate(np.nan, np.inf, -np.inf, upper, -np.inf, upper, "-log10 M", False)
    told = "" if np.isnan(upper) else f": pA2 is below {upper:.2f} ({100 * absent.level:g} % interval)"
    status = (
        f"No shift that the data tell from none{told}. The other estimates are of the fit without a shift."
    )
    return replace(absent, estimates={**absent.estimates, "pa2": least}, status=status)


def fit_parallel_curves(
    responses: Responses,
    *,
    fixed: Mapping[str, float] | None = None,
    level: float = 0.95,
) -> CurveFit:
    """Fit one curve per concentration of antagonist, parallel: they share bottom, top and Hill slope.

    Parameters
    ----------
    responses, fixed, level
        As in `fit_schild`; no profiles are made.

    Returns
    -------
    CurveFit
        Estimates bottom, top, hill and, for each concentration of antagonist in ascending order, the log10 M of the
        EC50, named ``log_ec50[0]``, ``log_ec50[1]`` and so on.
    """
    a = np.maximum(responses.agonist, _ABSENT)
    levels, which = np.unique(responses.antagonist, return_inverse=True)

    def curve(theta: np.ndarray) -> np.ndarray:
        bottom, top, hill = theta[:3]
        ec50 = 10.0 ** (theta[3:][which] + NANOMOLAR)
        return formulas.gaddum_ec50_shift(a, 0.0, ec50, 1.0, hill=hill, bottom=bottom, top=top)

    parameters = _held(
        fixed or {},
        CurveParameter("bottom", "response"),
        CurveParameter("top", "response"),
        CurveParameter("hill", "1", 0.05, 20.0),
        *(CurveParameter(f"log_ec50[{i}]", "log10 M", *_LOG_SPAN) for i in range(levels.size)),
    )
    low, high = _ends(responses)
    halves = [_half_way(responses, level_, low, high) for level_ in levels]
    starts = [np.array([low, high, hill, *halves]) for hill in (1.0, 2.0, 0.6)]
    return fit_curve(curve, responses.response, parameters, starts, level=level, profiles=())


def dose_ratios(parallel: CurveFit) -> np.ndarray:
    """Dose ratios of what `fit_parallel_curves` gave: each EC50 over the first, which is that of the agonist alone."""
    logs = [one.value for name, one in parallel.estimates.items() if name.startswith("log_ec50[")]
    return 10.0 ** (np.array(logs[1:]) - logs[0])


def schild_regression(
    antagonist: Sequence[float] | np.ndarray,
    ratios: Sequence[float] | np.ndarray,
    *,
    fixed: Mapping[str, float] | None = None,
    level: float = 0.95,
) -> SchildRegression:
    """Fit the Schild line, log10 (dose ratio - 1) = slope (log10 [B] + pA2).

    Parameters
    ----------
    antagonist
        Concentrations of the antagonist (nM); doses in nmol/kg give an apparent in-vivo pA2 in -log10 mol/kg.
    ratios
        Dose ratios: EC50 with the antagonist over EC50 without; all above 1.
    fixed
        Parameters to hold: pa2 or slope.
    level
        Level of the confidence intervals.

    Examples
    --------
    >>> found = schild_regression([1.0, 10.0, 100.0], [2.0, 11.0, 101.0])
    >>> round(found.fit["pa2"].value, 6), round(found.fit["slope"].value, 6)
    (9.0, 1.0)
    """
    b, ratio = np.asarray(antagonist, float), np.asarray(ratios, float)
    if b.ndim != 1 or b.shape != ratio.shape or not ((b > 0) & (ratio > 1) & np.isfinite(ratio)).all():
        raise ValueError(
            f"A Schild line must have concentrations above 0 with dose ratios above 1; got {b.tolist()} with "
            f"{ratio.tolist()}. Leave out concentrations that shift nothing."
        )
    held = dict(fixed or {})
    if b.size == 1 and not held:
        raise ValueError(
            "A Schild slope needs at least two concentrations; got one. Hold it: fixed={'slope': 1}."
        )
    x, y = np.log10(b) - NANOMOLAR, np.log10(ratio - 1)

    def fitted(holding: Mapping[str, float]) -> CurveFit:
        parameters = _held(holding, CurveParameter("pa2", "-log10 M"), CurveParameter("slope", "1"))
        start = np.array([float(np.mean(y - x)), 1.0])
        return fit_curve(lambda theta: theta[1] * (x + theta[0]), y, parameters, [start], level=level)

    return SchildRegression(*_with_unit_slope(fitted, held), b, ratio)


def fit_operational(
    responses: Responses,
    *,
    fixed: Mapping[str, float] | None = None,
    level: float = 0.95,
    profiles: Sequence[str] | None = None,
) -> CurveFit:
    """Fit the operational model of agonism, with curves after an irreversible antagonist where there are any.

    Curves share everything but the fraction q of receptors left, which multiplies tau.

    Parameters
    ----------
    responses
        Measurements; `antagonist` holds the concentration of the irreversible antagonist that the preparation was
        treated with (any number that tells the curves apart will do), 0 for untreated.
    fixed
        Parameters to hold: any of basal, e_max, log_tau, log_k_a, n and the log_q.
    level, profiles
        As in `fit_schild`.

    Returns
    -------
    CurveFit
        Estimates basal and e_max (unit of the response), log_tau (log10), log_k_a (log10 M), n and, for each treated
        curve in ascending order, ``log_q[1]``, ``log_q[2]`` and so on (log10 of the fraction left).

    References
    ----------
    Black JW, Leff P (1983). doi:10.1098/rspb.1983.0093
    Furchgott RF (1966). The use of beta-haloalkylamines in the differentiation of receptors and in the determination of
    dissociation constants of receptor-agonist complexes. Adv Drug Res 3, 21-55.
    """
    a = np.maximum(responses.agonist, _ABSENT)
    levels, which = np.unique(responses.antagonist, return_inverse=True)
    if levels[0] != 0:
        raise ValueError(
            f"Curves after an irreversible antagonist must be compared with an untreated one; got treatments "
            f"{levels.tolist()}. Mark the untreated curve by 0."
        )

    def curve(theta: np.ndarray) -> np.ndarray:
        basal, e_max, log_tau, log_k_a, n = theta[:5]
        left = 10.0 ** np.concatenate([np.zeros(1), theta[5:]])[which]
        tau = formulas.furchgott(10.0**log_tau, left)
        k_a = 10.0 ** (log_k_a + NANOMOLAR)
        return basal + formulas.operational(a, k_a, tau, e_max - basal, n)

    parameters = _held(
        fixed or {},
        CurveParameter("basal", "response"),
        CurveParameter("e_max", "response"),
        CurveParameter("log_tau", "log10", -3.0, 6.0),
        CurveParameter("log_k_a", "log10 M", *_LOG_SPAN),
        CurveParameter("n", "1", 0.1, 10.0),
        *(CurveParameter(f"log_q[{i}]", "log10", -8.0, 2.0) for i in range(1, levels.size)),
    )
    low, high = _ends(responses)
    half = _half_way(responses, 0.0, low, high)
    starts = [
        np.array([low, low + 1.1 * (high - low), log_tau, half + log_tau, 1.0, *([left] * (levels.size - 1))])
        for log_tau, left in ((0.5, -0.5), (1.0, -1.0), (1.5, -1.5), (0.0, -0.3))
    ]
    return fit_curve(curve, responses.response, parameters, starts, level=level, profiles=profiles)


def _with_unit_slope(
    fitted: Callable[[Mapping[str, float]], CurveFit], held: Mapping[str, float]
) -> tuple[CurveFit, CurveFit, NestedTest | None]:
    """A fit, the same with slope 1, and the test between them where the slope is not held."""
    unit_slope = fitted({**held, "slope": 1.0})
    full = unit_slope if held.get("slope") == 1 else fitted(held)
    return full, unit_slope, None if "slope" in held else compare_nested(unit_slope, full)


def _held(fixed: Mapping[str, float], *parameters: CurveParameter) -> list[CurveParameter]:
    unknown = set(fixed) - {one.name for one in parameters}
    if unknown:
        raise ValueError(
            f"A parameter to hold must be one of {', '.join(one.name for one in parameters)}; got "
            f"{', '.join(sorted(unknown))}."
        )
    return [one._replace(fixed=float(fixed[one.name])) if one.name in fixed else one for one in parameters]


def _ends(responses: Responses) -> tuple[float, float]:
    """Responses at low and at high agonist, roughly: they start the search."""
    order = np.argsort(responses.agonist, kind="stable")
    y = responses.response[order]
    low, high = float(y.min()), float(y.max())
    quarter = max(len(y) // 4, 1)
    return (low, high) if y[-quarter:].mean() >= y[:quarter].mean() else (high, low)


def _half_way(responses: Responses, level: float, low: float, high: float) -> float:
    """log10 M of the agonist where the curve at one concentration of antagonist crosses the middle, roughly."""
    mine = (responses.antagonist == level) & (responses.agonist > 0)
    if not mine.any():
        raise ValueError(
            f"The curve at {level:g} nM of antagonist must have agonist above 0 somewhere; got none."
        )
    x = np.log10(responses.agonist[mine]) - NANOMOLAR
    share = np.clip((responses.response[mine] - low) / (high - low or 1.0), 0.02, 0.98)
    # Each point alone gives an EC50 at Hill slope 1; those near the middle count most.
    return float(np.average(x - np.log10(share / (1 - share)), weights=share * (1 - share)))


def _schild_starts(responses: Responses) -> list[np.ndarray]:
    low, high = _ends(responses)
    alone = _half_way(responses, 0.0, low, high)
    shifts = [
        (
            np.log10(max(10.0 ** (_half_way(responses, b, low, high) - alone) - 1, 0.1)),
            np.log10(b) - NANOMOLAR,
        )
        for b in responses.levels
        if b > 0
    ]
    pa2 = float(np.median([shift - x for shift, x in shifts]))
    return [np.array([low, high, alone, hill, pa2, 1.0]) for hill in (1.0, 2.0, 0.6)]
