"""Constants from an IC50: dissociation constants by Cheng-Prusoff and Leff-Dougall, with their errors.

An inhibition curve measures an IC50, which depends on how much labelled ligand or agonist stood in the assay; these
formulas take that out. Errors are carried on the log10 scale, where constants are near normal (delta method), and
inputs are taken as independent.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from gaddum.concentration_response import formulas


class MeasuredNumber(NamedTuple):
    """A positive number with its error.

    Attributes
    ----------
    value
        Concentrations in nM, slopes in 1.
    log_error
        Standard error of log10 of the value; 0 if it is known exactly, as what was pipetted.
    """

    value: float
    log_error: float = 0.0


class Constant(NamedTuple):
    """A dissociation constant.

    Attributes
    ----------
    value, lower, upper
        Estimate and confidence interval (nM).
    p_value
        -log10 of the molar constant: pK_i or pK_B.
    log_error
        Standard error of log10 of the constant.
    """

    value: float
    lower: float
    upper: float
    p_value: float
    log_error: float


def binding_constant(
    ic50: MeasuredNumber, label: MeasuredNumber, k_d: MeasuredNumber, *, level: float = 0.95
) -> Constant:
    """K_i of a competitor from the IC50 of a binding assay (Cheng-Prusoff).

    Parameters
    ----------
    ic50
        Concentration that halves specific binding (nM).
    label, k_d
        Concentration and dissociation constant of the labelled ligand (nM).
    level
        Level of the confidence interval.

    References
    ----------
    Cheng Y, Prusoff WH (1973). doi:10.1016/0006-2952(73)90196-2

    Examples
    --------
    >>> found = binding_constant(MeasuredNumber(30.0, 0.05), MeasuredNumber(2.0), MeasuredNumber(1.0, 0.1))
    >>> round(found.value, 6), round(found.p_value, 3), round(found.log_error, 4)
    (10.0, 8.0, 0.0833)
    """
    return _propagated(formulas.cheng_prusoff, (ic50, label, k_d), level)


def antagonist_constant(
    ic50: MeasuredNumber,
    agonist: MeasuredNumber,
    ec50: MeasuredNumber,
    hill: MeasuredNumber | None = None,
    *,
    level: float = 0.95,
) -> Constant:
    """K_B of a competitive antagonist from the IC50 of a functional assay (Leff-Dougall).

    Parameters
    ----------
    ic50
        Concentration that halves the response to the agonist (nM).
    agonist, ec50, hill
        Concentration of agonist in the assay (nM), its EC50 (nM) and Hill slope (1, and 1 where not given).
    level
        Level of the confidence interval.

    References
    ----------
    Leff P, Dougall IG (1993). doi:10.1016/0165-6147(93)90080-4
    """
    return _propagated(formulas.leff_dougall, (ic50, agonist, ec50, hill or MeasuredNumber(1.0)), level)


def _propagated(formula: Callable[..., Any], inputs: tuple[MeasuredNumber, ...], level: float) -> Constant:
    for one in inputs:
        if not (0 < one.value < math.inf and 0 <= one.log_error < math.inf):
            raise ValueError(
                f"Concentrations and slopes must be positive with errors of 0 or more; got {one.value!r} with "
                f"{one.log_error!r}. Give the error as the standard error of log10."
            )
    values = np.array([one.value for one in inputs], complex)
    variance = 0.0
    for i, one in enumerate(inputs):  # complex step in the logarithm of each input: exact derivatives
        moved = values.copy()
        moved[i] *= np.exp(1e-30j)
        slope = float(np.log(formula(*moved)).imag) / 1e-30
        variance += (slope * one.log_error) ** 2
    value = float(formula(*values).real)
    error = math.sqrt(variance)
    half = float(stats.norm.ppf((1 + level) / 2)) * error
    return Constant(value, value * 10**-half, value * 10**half, 9 - math.log10(value), error)
