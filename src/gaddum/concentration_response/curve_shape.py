"""Shape of curves: signs that a parallel shift of one sigmoid is not what the responses show.

`fit_schild` and `fit_parallel_curves` fit one bottom, top and Hill slope whatever the data. Said here is where that
hides something: maxima that the antagonist lowers (insurmountable), a curve in two parts or with a downturn, and
curves that end before their plateau, so that top and EC50 are extrapolated.
"""

import numpy as np

from gaddum.concentration_response import formulas
from gaddum.concentration_response.global_fit import NANOMOLAR
from gaddum.concentration_response.least_squares import (
    CurveFit,
    CurveParameter,
    compare_nested,
    fit_curve,
)
from gaddum.concentration_response.responses import Responses

_P = 0.01
"""Probability below which maxima are taken to differ."""
_P_PARTS = 0.001
"""Probability below which two parts are; smaller, since under one part the other has no place and F is too large."""
_PLATEAU = 0.9
"""Share of the maximum that a curve with a plateau reaches at the highest concentration."""
_FEWEST = 8
"""Responses that a curve in two parts needs."""


def shape_concerns(responses: Responses, parallel: CurveFit) -> list[str]:
    """Say what the parallel curves do not show of these responses.

    Parameters
    ----------
    responses
        Measurements.
    parallel
        What `fit_parallel_curves` made of them.

    Examples
    --------
    >>> from gaddum.concentration_response.global_fit import fit_parallel_curves
    >>> from gaddum.concentration_response.responses import make_responses
    >>> a, b = np.meshgrid(10.0 ** np.arange(0, 6), [0.0, 100.0])
    >>> y = formulas.gaddum_ec50_shift(a, b, 30.0, 10.0, top=np.where(b > 0, 0.5, 1.0))
    >>> y = y + 0.01 * np.sin(7 * a + b)
    >>> responses = make_responses(a.ravel(), b.ravel(), y.ravel())
    >>> [text.split(":")[0] for text in shape_concerns(responses, fit_parallel_curves(responses))]
    ['Insurmountable']
    """
    told = [_maxima(responses, parallel)]
    levels = responses.levels
    alone = responses.antagonist == levels[0]
    told += [_two_parts(responses.agonist[alone], responses.response[alone], parallel)]
    highest = responses.agonist[alone].max()
    ec50 = 10.0 ** (parallel["log_ec50[0]"].value + NANOMOLAR)
    reached = 1 / (1 + (ec50 / highest) ** parallel["hill"].value)
    if reached < _PLATEAU and not parallel["top"].fixed:
        told.append(
            f"No plateau: the curve without antagonist ends at {100 * reached:.0f} % of the fitted maximum, so that "
            "top and EC50 are extrapolated. Hold the top, or add higher concentrations."
        )
    return [text for text in told if text]


def _maxima(responses: Responses, parallel: CurveFit) -> str:
    """Whether the curves have maxima of their own."""
    levels, which = np.unique(responses.antagonist, return_inverse=True)
    count, free = levels.size, [name for name in ("bottom", "hill") if not parallel[name].fixed]
    if count < 2 or parallel["top"].fixed or len(responses.response) <= 2 * count + len(free):
        return ""
    a = np.maximum(responses.agonist, 1e-100)
    names = [f"log_ec50[{i}]" for i in range(count)]

    def curve(theta: np.ndarray) -> np.ndarray:
        ec50, top = 10.0 ** (theta[2 : 2 + count][which] + NANOMOLAR), theta[2 + count :][which]
        return formulas.gaddum_ec50_shift(a, 0.0, ec50, 1.0, hill=theta[1], bottom=theta[0], top=top)

    parameters = [
        CurveParameter("bottom", fixed=parallel["bottom"].value if parallel["bottom"].fixed else None),
        CurveParameter(
            "hill", "1", 0.05, 20.0, fixed=parallel["hill"].value if parallel["hill"].fixed else None
        ),
        *(CurveParameter(name, "log10 M", -30.0, 3.0) for name in names),
        *(CurveParameter(f"top[{i}]") for i in range(count)),
    ]
    bottom, top = parallel["bottom"].value, parallel["top"].value
    rise = np.sign(top - bottom) or 1.0
    best = [float(rise * np.max(rise * responses.response[which == i])) for i in range(count)]
    ec50s = [parallel[name].value for name in names]
    starts = [
        np.array([bottom, parallel["hill"].value, *ec50s, *([top] * count)]),
        np.array([bottom, parallel["hill"].value, *([ec50s[0]] * count), *best]),
    ]
    own = fit_curve(curve, responses.response, parameters, starts, profiles=())
    test = compare_nested(parallel, own)
    if not test.p < _P:
        return ""
    tops = [own[f"top[{i}]"].value for i in range(count)]
    shares = [(one - bottom) / (tops[0] - bottom) for one in tops]
    listed = ", ".join(
        f"{100 * share:.0f} % at {level:g} nM" for share, level in zip(shares[1:], levels[1:], strict=True)
    )
    found = f"the maxima differ (F({test.df[0]}, {test.df[1]}) = {test.f:.1f}, p = {test.p:.1g}; {listed})"
    if min(shares) < 1 and shares[-1] < 1:
        return f"Insurmountable: {found}. A competitive model does not hold; pA2 is not its constant."
    return f"Not parallel: {found}. One top for all curves does not hold."


def _two_parts(agonist: np.ndarray, response: np.ndarray, parallel: CurveFit) -> str:
    """Whether one curve falls into two parts, or turns back."""
    if len(response) < _FEWEST or np.unique(agonist[agonist > 0]).size < 6:
        return ""
    a = np.maximum(agonist, 1e-100)

    def curve(theta: np.ndarray) -> np.ndarray:
        bottom, top, hill, first, second, share = theta
        parts = [
            formulas.gaddum_ec50_shift(a, 0.0, 10.0 ** (one + NANOMOLAR), 1.0, hill=hill)
            for one in (first, second)
        ]
        return bottom + (top - bottom) * ((1 - share) * parts[0] + share * parts[1])

    x = np.log10(agonist[agonist > 0]) - NANOMOLAR
    bottom, top, hill = (parallel[name].value for name in ("bottom", "top", "hill"))
    span = (float(x.min()) - 1.0, float(x.max()) + 1.0)
    middle = float(np.clip(parallel["log_ec50[0]"].value, *span))
    half = (span[1] - span[0]) / 4
    starts = [
        np.array(
            [bottom, top, max(hill, 1.0), max(middle - shift, span[0]), min(middle + shift, span[1]), share]
        )
        for shift, share in ((half, 0.5), (half / 2, 0.5), (half, -0.5))
    ]

    def fitted(fixed: float | None) -> CurveFit:
        parameters = [
            CurveParameter("bottom"),
            CurveParameter("top"),
            CurveParameter("hill", "1", 0.05, 20.0),
            CurveParameter("first", "log10 M", *span),
            CurveParameter("second", "log10 M", *span, fixed=None if fixed is None else middle),
            CurveParameter("share", "1", fixed=fixed),
        ]
        one = [np.array([bottom, top, hill, middle, middle, 0.0])]
        return fit_curve(curve, response, parameters, one if fixed is not None else starts, profiles=())

    test = compare_nested(fitted(0.0), fitted(None))
    if not test.p < _P_PARTS:
        return ""
    return (
        f"Not one sigmoid: the curve without antagonist fits better in two parts (F({test.df[0]}, {test.df[1]}) = "
        f"{test.f:.1f}, p = {test.p:.1g}). Two sites or a downturn; one EC50 does not describe it."
    )
