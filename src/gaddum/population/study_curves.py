"""Study curves: what several studies measured of one drug, laid out so that one call predicts all of it.

Every study has a copy of the constants of its own: those of study k stand `k` registers further on. All curves of all
studies are then one set of dose series, and what is fitted is the calculator's own chain.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from gaddum.exposure.chains import responses_of
from gaddum.exposure.concentrations import LinearLayout, lay_curves, linear_concentrations
from gaddum.exposure.dose_series import series_of
from gaddum.exposure.plan import Body, Ligand
from gaddum.numerics.array_library import AnyArray, array_library
from gaddum.numerics.segments import collect
from gaddum.population.printed_constants import PrintedConstant


class MeasuredCurve(NamedTuple):
    """One curve: what was read of one analyte at one site in one group of a study."""

    study: int
    """Place of its study."""
    ligands: tuple[tuple[Ligand, float], ...]
    """Whose concentrations add up to it, each with what turns nM into the unit of the values."""
    site: str
    times: Float[np.ndarray, " times"]
    """Hours from the test drug."""
    values: Float[np.ndarray, " times"]
    """What was read; below a limit, the limit."""
    errors: Float[np.ndarray, " times"]
    """Standard error of the log of the mean that was read (1); 0 where it is not known."""
    below: Bool[np.ndarray, " times"]
    """Whether it was below a limit."""
    form: Float[np.ndarray, "times times"] | None = None
    """Covariance of the logs (1) where the values are the typical curve of a published model."""


class StudyCurves(NamedTuple):
    """All curves of all studies, as many times each; those beyond a curve's own repeat its last one."""

    linear: LinearLayout
    """Its ligands are those of all curves, in the studies' own registers."""
    factor: Float[np.ndarray, " ligands"]
    curve: Int[np.ndarray, " ligands"]
    """Curve of each ligand."""
    study: Int[np.ndarray, " curves"]
    log_values: Float[np.ndarray, "curves times"]
    errors: Float[np.ndarray, "curves times"]
    read: Bool[np.ndarray, "curves times"]
    """Whether a time was read; not those that only fill up."""
    below: Bool[np.ndarray, "curves times"]
    whiten: Float[np.ndarray, "curves times times"]
    """Makes the deviations of a published model's curve independent and of unit size; 0 for what was read."""
    touched: Bool[np.ndarray, "studies constants"]
    """Which constants the readings of a study depend on."""
    printed: tuple[PrintedConstant, ...] = ()
    """Constants that studies printed."""

    @property
    def published(self) -> Bool[np.ndarray, " curves"]:
        """Which curves are those of published models."""
        return np.any(self.whiten, axis=(1, 2))


def lay_study_curves(
    measured: Sequence[MeasuredCurve], studies: int, constants: int, printed: Sequence[PrintedConstant] = ()
) -> StudyCurves:
    """Lay the curves of studies, and the constants that they printed, out over a register of so many constants."""
    longest = max((len(one.times) for one in measured), default=1)
    rows = [
        (place, one, ligand, factor) for place, one in enumerate(measured) for ligand, factor in one.ligands
    ]
    series = [
        series_of(_moved(ligand, one.study * constants), _filled(one.times, longest), one.site)  # type: ignore[arg-type]
        for _, one, ligand, _ in rows
    ]
    touched = np.zeros((studies, constants), bool)
    for (_, one, ligand, _), mine in zip(rows, series, strict=True):
        for each in mine:
            used = set[int]() if each.chain is None else each.chain.constants
            touched[one.study, [place % constants for place in used]] = True
        for given in ligand.inputs:
            touched[one.study, [place for place in (given.release, given.lag) if place >= 0]] = True
    for one in printed:
        touched[one.study, list(one.places)] = True
    whiten = np.zeros((len(measured), longest, longest))
    for place, one in enumerate(measured):
        if one.form is not None:
            whiten[place, : len(one.times), : len(one.times)] = np.linalg.inv(np.linalg.cholesky(one.form))
    return StudyCurves(
        lay_curves(series, longest),
        np.array([factor for *_, factor in rows]),
        np.array([place for place, *_ in rows], int),
        np.array([one.study for one in measured], int),
        _stacked([np.log(one.values) for one in measured], longest),
        _stacked([one.errors for one in measured], longest),
        np.array([np.arange(longest) < len(one.times) for one in measured], bool).reshape(-1, longest),
        _stacked([one.below for one in measured], longest).astype(bool),
        whiten,
        touched,
        tuple(printed),
    )


def log_predicted(
    curves: StudyCurves, theta: Float[AnyArray, "studies_constants batch"]
) -> Float[AnyArray, "curves times batch"]:
    """Log of what each curve would read, by the log constants of all studies."""
    xp = array_library(theta)
    if not len(curves.study):
        return xp.zeros((*curves.log_values.shape, theta.shape[1]))
    levels = linear_concentrations(curves.linear, responses_of(curves.linear.chains, theta), theta)
    total = collect(levels * curves.factor[:, None, None], curves.curve, len(curves.study))
    least = TINY + np.exp(curves.log_values[..., None]) * FLOOR
    return xp.log(xp.maximum(total, least))


FLOOR = 1e-3
"""Share of what was read below which a prediction counts as this: before a lag is over it has no logarithm."""
TINY = 1e-30
"""Least concentration that has a logarithm."""


Kind = Literal["clearance", "volume", "flow", "rate", "fraction"]
"""What a constant that varies between studies is of."""
SIZED: tuple[Kind, ...] = ("clearance", "volume", "flow")
"""Kinds that grow with the body."""
MOST = 0.98
"""Greatest fraction that a prior may say."""
BETWEEN = 0.3
"""Prior scale of the standard deviation between studies of a log constant or a fraction's logit (half-normal)."""


def kinetic_constants(ligands: Sequence[Ligand]) -> dict[int, Kind]:
    """Places of the constants that vary between studies: of bodies, of ways into them, of forming metabolites."""
    found: dict[int, Kind] = {}

    def are(kind: Kind, *places: int) -> None:
        found.update({place: kind for place in places if place >= 0})

    for ligand in ligands:
        for body in ligand.bodies:
            are("clearance", body.cl)
            are("rate", body.half_life)
            are("volume", body.v_c, *body.v_p)
            are("flow", *body.q)
        for one in ligand.inputs:
            are("rate", one.k_a, one.release, one.transit, one.lag)
            are("fraction", one.f)
        are("fraction", *ligand.fractions)
        are("rate", ligand.k_venous)
    return found


def logits(logs: Float[np.ndarray, " grid"]) -> Float[np.ndarray, " grid"]:
    """Logits of fractions that are given by their logs."""
    logs = np.minimum(logs, np.log(MOST))
    return logs - np.log1p(-np.exp(logs))


def logs_of(
    theta: Float[AnyArray, "constants batch"], fractions: Bool[np.ndarray, " register"]
) -> Float[AnyArray, "constants batch"]:
    """Log constants, a register or several, of which the fractions are given by their logits.

    Fractions by their logs are cut at 1, beyond which a likelihood is flat.
    """
    xp = array_library(theta)
    which = np.tile(fractions, theta.shape[0] // len(fractions))[:, None]
    return xp.where(which, -xp.logaddexp(0.0, -theta), theta)


def _moved(ligand: Ligand, by: int) -> Ligand:
    """The ligand over constants that stand further on."""

    def at(place: int) -> int:
        return place if place < 0 else place + by

    bodies = tuple(
        Body(
            v_c=at(body.v_c),
            cl=at(body.cl),
            half_life=at(body.half_life),
            v_p=tuple(map(at, body.v_p)),
            q=tuple(map(at, body.q)),
            v_max=-1,
            k_m=-1,
        )
        for body in ligand.bodies
    )
    inputs = tuple(
        one._replace(
            k_a=at(one.k_a), release=at(one.release), transit=at(one.transit), f=at(one.f), lag=at(one.lag)
        )
        for one in ligand.inputs
    )
    return ligand._replace(
        bodies=bodies,
        fractions=tuple(map(at, ligand.fractions)),
        inputs=inputs,
        f_u=at(ligand.f_u),
        kp_uu=at(ligand.kp_uu),
        k_e0=at(ligand.k_e0),
        k_venous=at(ligand.k_venous),
    )


def _stacked(rows: list[np.ndarray], size: int) -> np.ndarray:
    return np.array([_filled(row, size) for row in rows], float).reshape(len(rows), size)


def _filled(x: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([x, np.full(size - len(x), x[-1])])
