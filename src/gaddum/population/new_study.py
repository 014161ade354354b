"""New study: a population fit as the record that is kept, from which the calculator draws."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

import numpy as np
from jaxtyping import Float

from gaddum.engagement.occupancy import SPAN
from gaddum.numerics.array_library import Numbers
from gaddum.population.fit import PopulationFit
from gaddum.population.hierarchy import COMMON, RESIDUAL
from gaddum.population.left_out import LEVELS, LeftOutPaper
from gaddum.population.readings import PopulationData
from gaddum.population.study_curves import BETWEEN
from gaddum.records.curve import Curve
from gaddum.records.fit import FittedConstant, KineticFit, PaperScore, SpreadOfLogs
from gaddum.records.species import Species

WORST = 99.0
"""R-hat that is written where it is infinite."""


def kinetic_fit(
    data: PopulationData,
    fit: PopulationFit,
    left_out: Iterable[LeftOutPaper],
    *,
    drug: str,
    species: Species,
    curves: Sequence[Curve],
    seed: int,
    version: str,
) -> KineticFit:
    """Write a fit down.

    Parameters
    ----------
    data, fit, left_out
        What `population_data`, `fit_population` and `leave_papers_out` gave.
    drug, species
        What it is of.
    curves : sequence of Curve
        All that were offered; those that were used are named in the record.
    seed : int
        Seed of the fit.
    version : str
        Of gaddum.
    """
    joint = fit.new_study
    root = np.linalg.cholesky(joint.covariance + 1e-10 * np.eye(len(joint.mean)))
    found = []
    for number, place in enumerate(joint.constants):
        parameter = fit.hierarchy.parameters[place]
        size = float(data.log_weights[place])
        found.append(
            FittedConstant(
                name=parameter.name,
                unit=f"{parameter.unit}/kg" if size else parameter.unit,
                median=_rounded(float(np.exp(joint.mean[number] - size))),
                typical=_rounded(float(np.exp(np.sqrt(joint.typical[number, number])))),
                loadings=tuple(round(float(x), 5) for x in root[number, : number + 1]),
            )
        )
    levels = fit.levels
    return KineticFit(
        drug=drug,
        species=species,
        curves=data.used,
        papers=data.papers,
        digest=digest([curve for curve in curves if curve.id in data.used]),
        constants=tuple(found),
        between={
            kind: _spread(levels.omega[number], BETWEEN) for number, kind in enumerate(fit.hierarchy.spreads)
        },
        common=_spread(levels.common, COMMON),
        residual=_spread(levels.sigma, RESIDUAL),
        left_out=tuple(map(_score, left_out)),
        r_hat=round(min(fit.r_hat, WORST), 4),
        ess=round(fit.ess, 1),
        seed=seed,
        version=version,
        note=None if fit.established else fit.note,
    )


def digest(curves: Iterable[Curve]) -> str:
    """Digest of what curves say, in any order; a field that they leave out does not count."""
    texts = sorted(curve.model_dump_json(exclude_defaults=True) for curve in curves)
    return sha256("\n".join(texts).encode()).hexdigest()[:16]


def _score(one: LeftOutPaper) -> PaperScore:
    return PaperScore(
        paper=one.paper,
        readings=one.readings,
        inside=one.fitted.inside[LEVELS.index(SPAN)],
        off=round(one.fitted.off, 3),
        density=round(one.fitted.density, 2),
        density_before=round(one.library.density, 2),
        off_before=round(one.library.off, 3),
    )


def _spread(draws: Float[Numbers, " draws"], prior: float) -> SpreadOfLogs:
    lower, median, upper = (round(float(x), 4) for x in np.quantile(np.asarray(draws), [0.025, 0.5, 0.975]))
    return SpreadOfLogs(median=median, lower=lower, upper=upper, prior=prior)


def _rounded(x: float) -> float:
    return float(f"{x:.6g}")
