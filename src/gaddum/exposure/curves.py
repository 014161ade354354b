"""Curves: doses of one drug in one species -> unbound brain concentration at given times, for the whole shape grid.

For inference a curve has a *shape* (set by the elimination of the dosed drug, which is uncertain) and a *scale*
(volume, bioavailability, unbound fraction, Kp,uu). Shapes are stored at the points of `Z_GRID`; scales multiply a curve
afterwards. So the closed forms run once per case, not once per draw. Other constants are held at their medians;
`occupancy` draws them all.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.exposure import plan as plans
from gaddum.exposure.concentrations import concentrations
from gaddum.exposure.plan import Plan
from gaddum.exposure.regimen import dosed_drugs, plan_regimen
from gaddum.exposure.saturable_pathways import is_saturable
from gaddum.exposure.scaling import elimination
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.parameter_registry import Assumption, Register
from gaddum.parameters import Parameter
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug
from gaddum.records.library import Library
from gaddum.records.protocol import Subject

LOG_FLOOR = -60.0
"""Log concentration (nM) that stands for none."""
LINGERING = 0.5
"""Fall of the log concentration over the later half of the interval between doses up to which a series is smooth."""
UNKNOWN_GSD = 1.5
"""Spread of an unbound fraction or a Kp,uu that no source gives."""


class LigandCurve(NamedTuple):
    """A species in the brain: the drug itself, or a metabolite of a dosed drug."""

    drug: str
    parent: str
    species: str
    log_nodes: Float[np.ndarray, "nodes grid"]
    """Log unbound concentration (nM) at the wanted times, for each point of the shape grid."""
    shape: Parameter | None
    """What sets the shape (clearance or half-life of the parent); None for a set concentration."""
    routes: tuple[str, ...]
    """Routes of which only a part is absorbed, whose bioavailability is part of the scale."""
    scale_sd: float
    """Standard deviation of the log scale."""


def ligands(
    doses: tuple[Dose, ...],
    subject: Subject,
    library: Library,
    times: Float[np.ndarray, " nodes"],
    *,
    wanted: set[str],
    assumptions: set[Assumption],
) -> list[LigandCurve]:
    """Every ligand that the doses put into the brain and that `wanted` names.

    Parameters
    ----------
    doses : tuple of Dose
        Of one arm.
    subject : Subject
        Species and weight.
    library : Library
        Drugs and targets.
    times : array
        Hours from the test drug.
    wanted : set of str
        Drugs that bind something the case asks about; others are left out.
    assumptions : set of Assumption
        Filled with what had to be taken for granted.
    """
    register = Register()
    plan = plan_regimen(doses, subject, library, wanted=wanted, register=register)
    assumptions.update(register.assumptions)
    for one in plan.ligands:
        if is_saturable(one):
            raise ValueError(
                f"Kinetics must be linear in a case, whose curves scale with the dose; {one.drug} has `saturable` "
                "elimination. Give the clearance that holds at the doses of the case."
            )
    table = register.table()
    central = np.repeat(table[:, Z_GRID.size // 2, None], Z_GRID.size, axis=1)
    found: dict[int, LigandCurve] = {}
    for parent in dict.fromkeys(ligand.parent for ligand in plan.ligands):
        places = [i for i, one in enumerate(plan.ligands) if one.parent == parent]
        mine = [plan.ligands[i] for i in places]
        shape = next((_shape(one) for one in mine if one.bodies), -1)
        theta = central.copy()
        if shape >= 0:
            theta[shape] = table[shape]
        levels = np.asarray(concentrations(Plan(tuple(mine)), theta, times))
        for place, one, level in zip(places, mine, levels, strict=True):
            logs = np.log(np.maximum(level, np.exp(LOG_FLOOR)))
            drug = library.drug(parent)
            sets = elimination(drug, subject.species) if one.bodies and isinstance(drug, Drug) else None
            routes = tuple(sorted({way.route for way in one.inputs if way.f >= 0}))
            sd = _scale_sd(one, register)
            found[place] = LigandCurve(one.drug, parent, subject.species, logs, sets, routes, sd)
    return [found[place] for place in range(len(plan.ligands))]


def lingers(doses: tuple[Dose, ...], subject: Subject, library: Library, *, wanted: set[str]) -> bool:
    """Whether every ligand of a series of doses falls slowly from one dose to the next, by `LINGERING` at most."""
    series = [dose for dose in doses if dose.repeats > 1]
    for dose in series:
        once = dose.model_copy(update={"repeats": 1, "interval": None})
        next_time = dose.times_h[1]
        times = np.array([(dose.time_h + next_time) / 2, next_time])
        for ligand in ligands((once,), subject, library, times, wanted=wanted, assumptions=set()):
            middle, end = ligand.log_nodes[:, Z_GRID.size // 2]
            if middle - end > LINGERING:
                return False
    return bool(series)


def _shape(ligand: plans.Ligand) -> int:
    """Parameter that sets the shape: elimination of the dosed drug."""
    body = ligand.bodies[0]
    return body.cl if body.cl >= 0 else body.half_life


def _scale_sd(ligand: plans.Ligand, register: Register) -> float:
    """Standard deviation of the log of all factors that multiply a curve."""
    variances = register.variances
    if not ligand.bodies:
        return 0.0
    unknown = np.log(UNKNOWN_GSD) ** 2
    places = [body.v_c for body in ligand.bodies] + list(ligand.fractions)
    variance = sum(variances[place] for place in places)
    for place in (ligand.f_u, ligand.kp_uu):
        variance += unknown if place < 0 else variances[place]
    absorbed = [variances[one.f] for one in ligand.inputs if one.f >= 0]
    return float(np.sqrt(variance + max(absorbed, default=0.0)))


__all__ = ["Assumption", "LigandCurve", "dosed_drugs", "ligands", "lingers"]
