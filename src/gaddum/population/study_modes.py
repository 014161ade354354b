"""Study modes: where each study's readings put its own constants, so that deviations can be sampled about there.

Readings are linear in the logs of a study's constants near the mode of the whole posterior. Given the typical constants
and the spreads, its deviations are then normal; coordinates are what is left of them, whitened. They hardly depend on
the typical constants or the spreads, however small a spread is and however well a study tells its own constants.
Where readings are not linear this is only a change of coordinates, whose density is taken into account.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from gaddum.numerics.array_library import Numbers, array_library
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.population.printed_constants import log_constants
from gaddum.population.study_curves import BETWEEN, Kind, StudyCurves, log_predicted, logs_of

TOLD = 0.3
"""Least information of a study's readings about a direction, over that of the prior, that coordinates follow."""
SCATTER = 0.15
"""Standard deviation of a reading's log with which modes are first sought."""
SCATTERS = (0.03, 0.4)
"""Least and greatest with which they are sought then."""
ROUNDS = 3
"""How often, with the spreads that were found."""
LEAST_WIDTH = 1e-6
"""Least prior standard deviation of the log of a typical constant."""
_STEP = 1e-3
_DAMPED = 1e6
_ENOUGH = 1e-3


class StudyModes(NamedTuple):
    """What the readings of each study say of its own constants, in the directions of which they say anything.

    Their log density is, up to a constant, sum over directions d of told_d x_d - w_d x_d^2 / 2 where x = factor^T log
    theta; w and told are sums of what does not depend on the scatter of readings and of what does, here at `scatter`.
    """

    factor: Float[Numbers, "studies varying directions"]
    fixed: Float[Numbers, "studies directions"]
    scattered: Float[Numbers, "studies directions"]
    told_fixed: Float[Numbers, "studies directions"]
    told_scattered: Float[Numbers, "studies directions"]
    error: Float[Numbers, "studies directions"]
    """Mean square of the errors (1) that readings have beside their scatter."""
    scatter: Float[Numbers, ""]


class Deviations(NamedTuple):
    """Deviations of studies in units of their spreads, standard normal a priori."""

    own: Float[Numbers, "studies varying batch"]
    common: Float[Numbers, "studies batch"]
    log_ratio: Float[Numbers, "studies batch"]
    """Log of their prior density over that of the coordinates they were read from (nats)."""


def deviations(
    modes: StudyModes,
    own: Float[Numbers, "studies varying batch"],
    common: Float[Numbers, "studies batch"],
    *,
    mu: Float[Numbers, "varying batch"],
    spread: Float[Numbers, "varying batch"],
    size: Float[Numbers, "varying batch"],
    scatter: Float[Numbers, " batch"],
) -> Deviations:
    """Read deviations from coordinates.

    With G = (spread, size)^T factor w^(1/2) and I + G^T G = C C^T, deviations have the precision I + G G^T, of which
    I - G C^-T (C + I)^-1 G^T is a root.

    Parameters
    ----------
    modes : StudyModes
        What the readings say.
    own, common : array
        Coordinates.
    mu, spread, size : array
        Typical log constants, their own standard deviations between studies, and that of what is common to those that
        grow with the body, 0 of others.
    scatter : array
        Standard deviation of the log of a reading.
    """
    xp = array_library(own, mu)
    factor = xp.asarray(modes.factor)
    error = xp.asarray(modes.error)[..., None]
    less = (modes.scatter**2 + error) / (scatter**2 + error)
    weight, told = (
        xp.asarray(fixed)[..., None] + xp.asarray(scattered)[..., None] * less
        for fixed, scattered in ((modes.fixed, modes.scattered), (modes.told_fixed, modes.told_scattered))
    )
    root = xp.sqrt(weight)
    along = factor.swapaxes(1, 2)  # products over one study at a time: small, and no copies of all of them
    grown = xp.matmul(along, size) * root
    parts = xp.matmul(xp.asarray(_squares(modes)), spread**2).reshape(*root.shape[:2], *root.shape[1:])
    gram = parts * root[:, :, None] * root[:, None] + grown[:, :, None] * grown[:, None]
    across = xp.matmul(along, spread * own) * root + grown * common[:, None]
    away = told / root - root * xp.matmul(along, mu)
    inner, volume = _halfway(gram, away, across)
    moved = own + spread * xp.matmul(factor, root * inner)
    together = common + (grown * inner).sum(axis=1)
    ratio = 0.5 * ((own**2 - moved**2).sum(axis=1) + common**2 - together**2) - volume
    return Deviations(moved, together, ratio)


def _squares(modes: StudyModes) -> Any:
    """Outer products of the factors of each constant, a column a constant."""
    factor = modes.factor
    products = factor[:, :, :, None] * factor[:, :, None]
    return array_library(factor).moveaxis(products, 1, -1).reshape(-1, factor.shape[1])


def _halfway(gram: Any, away: Any, across: Any) -> tuple[Any, Any]:
    """C^-T (C^-1 away - (C + I)^-1 across) and log |C|, with C C^T = I + gram; matrices in the middle axes."""
    xp = array_library(gram)
    one = np.eye(gram.shape[1])
    root = xp.linalg.cholesky(xp.moveaxis(gram, -1, 0) + one)
    away, across = (xp.moveaxis(x, -1, 0)[..., None] for x in (away, across))
    if xp is np:
        half = np.linalg.solve(root, away) - np.linalg.solve(root + one, across)
        found = np.linalg.solve(root.swapaxes(-1, -2), half)
    else:
        from jax.scipy.linalg import solve_triangular

        half = solve_triangular(root, away, lower=True) - solve_triangular(root + one, across, lower=True)
        found = solve_triangular(root, half, lower=True, trans=1)
    volume = xp.log(xp.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
    return xp.moveaxis(found[..., 0], 0, -1), volume.T


def study_modes(
    curves: StudyCurves, centre: Float[np.ndarray, "constants grid"], kinds: dict[int, Kind]
) -> StudyModes:
    """Find the mode of the posterior at likely spreads, and what readings say about there.

    Parameters
    ----------
    curves : StudyCurves
        What was read.
    centre : array
        Quantiles of the prior of the typical constants: logs, of fractions logits.
    kinds : dict
        Constants that vary between studies, and of which kind they are.
    """
    varies = np.array(sorted(kinds), int)
    one = int(np.flatnonzero(Z_GRID == 1.0)[0])
    width = np.maximum(0.5 * (centre[:, one] - centre[:, -1 - one]), LEAST_WIDTH)[varies]
    rows, touched = _rows(curves), curves.touched[:, varies]
    scale, scatter = np.full(len(varies), BETWEEN), SCATTER
    unknown, mode = np.zeros((1 + len(touched), len(varies))), None
    for _ in range(ROUNDS):
        scales = np.concatenate([width[None], np.repeat(scale[None], len(touched), axis=0)])
        weight = np.where(rows.scatters, 1 / np.hypot(scatter, rows.error), 1.0)
        mode = _mode(curves, rows, centre[:, Z_GRID.size // 2], kinds, scales, weight, unknown)
        # Likely spreads are those of the deviations found and of what is not known of them.
        moved = (scale**2 * (mode.unknown**2 + mode.variance)[1:] * touched).sum(axis=0)
        scale = np.sqrt((BETWEEN**2 + moved) / (1 + touched.sum(axis=0)))
        unknown = (
            mode.unknown
            * scales
            / np.concatenate([width[None], np.repeat(scale[None], len(touched), axis=0)])
        )
        if rows.plain.any():
            left = np.mean((mode.off**2 + mode.doubt - rows.error**2)[rows.plain])
            scatter = float(np.clip(np.sqrt(max(left, 0.0)), *SCATTERS))
    assert mode is not None
    return _directions(rows, mode, scale, scatter, len(touched))


class _ReadingRows(NamedTuple):
    """Readings, the curves of published models and printed constants, one under another."""

    study: Int[np.ndarray, " rows"]
    scatters: Bool[np.ndarray, " rows"]
    plain: Bool[np.ndarray, " rows"]
    """Which are readings that were read above their limit."""
    error: Float[np.ndarray, " rows"]


class _Mode(NamedTuple):
    unknown: Float[np.ndarray, "one_and_studies varying"]
    """The typical constants and the deviations of studies, in their scales."""
    variance: Float[np.ndarray, "one_and_studies varying"]
    theta: Float[np.ndarray, "studies varying"]
    off: Float[np.ndarray, " rows"]
    slopes: Float[np.ndarray, "rows varying"]
    weight: Float[np.ndarray, " rows"]
    doubt: Float[np.ndarray, " rows"]
    """Variance of what is predicted."""


def _rows(curves: StudyCurves) -> _ReadingRows:
    by_time = np.repeat(curves.study, curves.read.shape[1])
    study = np.concatenate([by_time, by_time, [one.study for one in curves.printed]]).astype(int)
    scatters = np.arange(len(study)) < len(by_time)
    plain = curves.read & ~curves.below & ~curves.published[:, None]
    rest = np.zeros(len(study) - len(by_time))
    return _ReadingRows(
        study, scatters, np.append(plain.ravel(), rest > 0), np.append(curves.errors.ravel(), rest)
    )


def _linear(
    curves: StudyCurves,
    rows: _ReadingRows,
    theta: Float[np.ndarray, "studies constants"],
    kinds: dict[int, Kind],
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, "rows varying"]]:
    """What rows deviate at the constants of every study, and their slopes."""
    varies = np.array(sorted(kinds), int)
    fractions = np.array([kinds.get(place) == "fraction" for place in range(theta.shape[1])])
    errors, printed = np.array([(one.error, one.log_value) for one in curves.printed]).reshape(-1, 2).T
    steps = np.repeat(theta[..., None], len(varies) + 1, axis=2)
    steps[:, varies, 1 + np.arange(len(varies))] += _STEP
    steps = logs_of(steps.reshape(theta.size, -1), fractions)
    away = curves.log_values[..., None] - np.asarray(log_predicted(curves, steps))
    white = np.einsum("cij,cjb->cib", curves.whiten, np.where(curves.read[..., None], away, 0.0))
    off = np.concatenate([away.reshape(-1, steps.shape[1]), white.reshape(-1, steps.shape[1])])
    off[: len(white.reshape(-1, steps.shape[1]))] *= rows.plain[rows.scatters, None]
    if curves.printed:
        constants = np.asarray(log_constants(curves.printed, steps, theta.shape[1]))
        off = np.concatenate([off, (printed[:, None] - constants) / errors[:, None]])
    return off[:, 0], (off[:, :1] - off[:, 1:]) / _STEP


def _mode(
    curves: StudyCurves,
    rows: _ReadingRows,
    middle: Float[np.ndarray, " constants"],
    kinds: dict[int, Kind],
    scales: Float[np.ndarray, "one_and_studies varying"],
    weight: Float[np.ndarray, " rows"],
    unknown: Float[np.ndarray, "one_and_studies varying"],
) -> _Mode:
    """Newton's steps, damped, to the mode of unknowns that are standard normal a priori."""
    varies = np.array(sorted(kinds), int)

    def at(unknown: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        theta = np.repeat(middle[None], len(scales) - 1, axis=0)
        theta[:, varies] += scales[0] * unknown[0] + scales[1:] * unknown[1:]
        off, slopes = _linear(curves, rows, theta, kinds)
        return theta[:, varies], off, slopes, float(((off * weight) ** 2).sum() + (unknown**2).sum())

    here, damping = at(unknown), 1e-2
    own = np.arange(len(scales)) == 1 + rows.study[:, None]
    own[:, 0] = True
    while True:
        _, off, slopes, cost = here
        jacobian = ((slopes * weight[:, None])[:, None] * own[..., None] * scales).reshape(len(off), -1)
        normal = jacobian.T @ jacobian + np.eye(unknown.size)
        slope = jacobian.T @ (off * weight) - unknown.ravel()
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), slope).reshape(unknown.shape)
        there = at(unknown + step)
        if there[3] < cost:
            here, unknown, damping = there, unknown + step, damping / 10
        else:
            damping = max(damping, 1e-3) * 10
        if damping > _DAMPED or 0 <= cost - there[3] < _ENOUGH:
            break
    covariance = np.linalg.inv(normal)
    doubt = np.einsum("ri,ij,rj->r", jacobian, covariance, jacobian, optimize=True) / weight**2
    variance = np.diag(covariance).reshape(unknown.shape)
    return _Mode(unknown, variance, here[0], here[1], here[2], weight, doubt)


def _directions(
    rows: _ReadingRows, mode: _Mode, scale: np.ndarray, scatter: float, studies: int
) -> StudyModes:
    """Principal directions of what the rows of each study say, in units of the spreads."""
    found = []
    values = (mode.off + np.einsum("rv,rv->r", mode.slopes, mode.theta[rows.study])) * mode.weight
    for place in range(studies):
        mine = rows.study == place
        each, scatters = (mode.slopes * mode.weight[:, None])[mine] * scale, rows.scatters[mine]
        sizes, vectors = np.linalg.eigh(each.T @ each)
        vectors = vectors[:, sizes > TOLD]
        along = each @ vectors
        squares = along[scatters] ** 2
        error = (rows.error[mine][scatters] ** 2) @ squares / np.maximum(squares.sum(axis=0), _ENOUGH)
        found.append(
            [
                vectors / scale[:, None],
                (along[~scatters] ** 2).sum(axis=0),
                squares.sum(axis=0),
                along[~scatters].T @ values[mine][~scatters],
                along[scatters].T @ values[mine][scatters],
                error,
            ]
        )
    most = max(len(one[1]) for one in found)
    parts = [
        np.array([np.pad(part, [(0, 0)] * (part.ndim - 1) + [(0, most - part.shape[-1])]) for part in of])
        for of in zip(*found, strict=True)
    ]
    factor, fixed, scattered, *rest = parts
    fixed = np.where(fixed + scattered > 0, fixed, 1.0)  # a direction that only fills up
    return StudyModes(factor, fixed, scattered, rest[0], rest[1], rest[2], np.array(scatter))
