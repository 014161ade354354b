"""Occupancy: a dosing protocol in a species -> how much of each receptor is occupied, blocked and activated over time.

Usable alone: it needs no case and no hypothesis. Every number of the kinetics and of binding is drawn from what the
library reports, so each curve is a band. Draws are a scrambled Sobol sequence, so bands are steady at 1,000 draws.
"""

from collections.abc import Sequence
from textwrap import shorten
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum import units
from gaddum.engagement.engagement_courses import engage
from gaddum.engagement.layout import Layout, first_dose, last_dose, lay_out, laying_out
from gaddum.exposure.unit_curves import UnitCurves
from gaddum.notebook import SHOWN, html_of
from gaddum.parameter_registry import Assumption
from gaddum.parameters import Parameter
from gaddum.records.dose import Dose
from gaddum.records.shorthand import write_doses
from gaddum.records.species import Species

POINTS = 161
"""Most times of a curve where none are asked for."""
CLOSE = 0.2
"""Share of them that lies shortly after a dose."""
SPAN = 0.95
"""Probability that a band holds."""
_SHOWN = 20
"""Doses of a protocol that are written out."""


class Band(NamedTuple):
    """Median and central interval over draws, [times] each."""

    median: Float[np.ndarray, " times"]
    lower: Float[np.ndarray, " times"]
    upper: Float[np.ndarray, " times"]


class TargetCourse(NamedTuple):
    """What happens at one target, draws last; fractions of receptors."""

    occupied: Float[np.ndarray, "times draws"]
    """Held by any given drug or metabolite."""
    blocked: Float[np.ndarray, "times draws"]
    """Held by antagonists or channel blockers."""
    activated: Float[np.ndarray, "times draws"]
    """Held by agonists, weighted by efficacy."""
    tone: Float[np.ndarray, "times draws"]
    """Endogenous signalling that antagonists and manipulations leave, of that at rest."""
    free: Float[np.ndarray, "times draws"]
    """Held by nothing, endogenous agonist included."""
    by_ligand: dict[str, Float[np.ndarray, "times draws"]]


class ProtocolOccupancy(NamedTuple):
    """Engagement of targets under one protocol."""

    protocol: str
    species: Species
    times: Float[np.ndarray, " times"]
    """Hours from the test drug."""
    targets: dict[str, TargetCourse]
    concentrations: dict[str, Float[np.ndarray, "times draws"]]
    """Unbound brain concentration of every ligand (nM)."""
    assumptions: tuple[Assumption, ...]
    parameters: tuple[Parameter, ...]

    def __repr__(self) -> str:
        draws = max((one.occupied.shape[1] for one in self.targets.values()), default=0)
        targets = shorten(", ".join(self.targets), SHOWN)
        return (
            f"<ProtocolOccupancy of {shorten(self.protocol, SHOWN)} in {self.species}: {targets} at "
            f"{self.times.size} times, {draws} draws>"
        )

    _repr_html_ = html_of


@laying_out
def occupancy(
    protocol: str | Sequence[Dose],
    *,
    times: Sequence[float | str] | Float[np.ndarray, " times"] | None = None,
    **setting: Any,
) -> ProtocolOccupancy:
    """Follow a protocol's doses to the receptors.

    Parameters
    ----------
    protocol : str or sequence of Dose
        Doses in shorthand (``"naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min"``) or as records.
    species : str
        Whose kinetics hold.
    targets : sequence of str
        Keys of the library; by default every target that a dosed drug or its metabolites bind.
    times : sequence of float or str
        Hours from the test drug, or text such as ``"30 min"``; by default a grid from the first dose on.
    weight : str
        Body weight, such as ``"70 kg"``; by default the species' usual one.
    preparation : {"behaving", "slice", "imaging"}
        In slices the in-vivo shift of potencies does not apply.
    tone : mapping of str to LogNormal or float
        Endogenous agonist at a target, concentration over its K (1), which competes with what is given; a number is
        taken as exact. None where nothing is said.
    manipulations : tuple of Manipulation
        What was done to the arm other than dosing: fractions of receptors or of endogenous agonist that are left.
    draws : int
        Draws of all parameters.
    seed : int
        Seed of the scrambling of the draws.
    library : Library
        Drugs and targets; the bundled ones by default.

    Returns
    -------
    ProtocolOccupancy
        Draws of every fraction and concentration, with the assumptions made.

    Raises
    ------
    ValueError
        Where a drug, target, route or number is not to be had; says what must hold.

    Examples
    --------
    >>> found = occupancy("naltrexone 50 mg po", targets=["MOR"], times=["4 h"], draws=64)
    >>> 0.8 < float(np.median(found.targets["MOR"].occupied)) < 1.0
    True
    """
    layout = lay_out(protocol, **setting)
    return follow(layout, curve_times(layout) if times is None else read_times(times))


def follow(
    layout: Layout, times: Float[np.ndarray, " times"], *, kept: UnitCurves | None = None
) -> ProtocolOccupancy:
    """Follow a protocol that is laid out at given times (h); `kept` is as in `engage`."""
    found = engage(layout, times, kept=kept)
    ligands = layout.plan.ligands
    courses = {}
    for name, one in found.bound.items():
        by_ligand: dict[str, np.ndarray] = {}
        for bond, held in zip(layout.bonds[name], one.by_ligand, strict=True):
            drug = ligands[bond.ligand].drug
            by_ligand[drug] = by_ligand[drug] + held if drug in by_ligand else held
        parts = (one.occupied, one.blocked, one.activated, one.tone, one.free)
        occupied, blocked, activated, tone, free = (np.asarray(part) for part in parts)
        courses[name] = TargetCourse(occupied, blocked, activated, tone, free, by_ligand)
    levels: dict[str, np.ndarray] = {}
    for ligand, level in zip(ligands, found.levels, strict=True):
        levels[ligand.drug] = levels[ligand.drug] + level if ligand.drug in levels else level
    return ProtocolOccupancy(
        _written(layout.doses),
        layout.species,
        times,
        courses,
        levels,
        layout.assumptions,
        layout.parameters,
    )


def _written(doses: tuple[Dose, ...]) -> str:
    if len(doses) <= _SHOWN:
        return write_doses(doses)
    return f"{write_doses(doses[:_SHOWN])} + {len(doses) - _SHOWN} more doses"


def read_times(
    times: str | Sequence[float | str] | Float[np.ndarray, " times"],
) -> Float[np.ndarray, " times"]:
    """Read hours from numbers or from text with units.

    Examples
    --------
    >>> read_times(["30 min", 4.0, "1 d"]).tolist()
    [0.5, 4.0, 24.0]
    """
    times = [times] if isinstance(times, str) else times
    found = np.array([units.magnitude(t, "time") if isinstance(t, str) else float(t) for t in times])
    if not found.size or not np.isfinite(found).all():
        raise ValueError(f"Times must be finite and at least one; got {list(times)!r}.")
    return found


def curve_times(
    layout: Layout, *, until: float | None = None, points: int = POINTS
) -> Float[np.ndarray, " times"]:
    """Times of a curve from the first dose on, denser after each dose (h).

    Parameters
    ----------
    layout : Layout
        The protocol.
    until : float
        End (h from the test drug); a day after the last dose, or half as long again, where not given.
    points : int
        How many there are at most.
    """
    first, last = first_dose(layout.doses), last_dose(layout.doses)
    stop = last + max(24.0, 0.5 * (last - first)) if until is None else until
    if not stop > first:
        raise ValueError(f"A curve must end after the first dose ({first:g} h); got {stop:g} h.")
    close_by = round(points * CLOSE)
    starts = np.unique([t for dose in layout.doses for t in dose.times_h if t < stop])[:close_by]
    after = np.geomspace(0.02, 1.0, max(close_by // len(starts), 1)) * min(2.0, 0.2 * (stop - first))
    close = (starts[:, None] + after).ravel()
    even = np.linspace(first, stop, points - close_by)
    return np.unique(np.concatenate([even, close[close < stop]]))


def band(draws: Float[np.ndarray, "times draws"], span: float = SPAN) -> Band:
    """Median and central interval of draws, time by time.

    Examples
    --------
    >>> band(np.array([[1.0, 2.0, 3.0]]), span=0.5).median.tolist()
    [2.0]
    """
    lower, median, upper = np.quantile(draws, [0.5 - span / 2, 0.5, 0.5 + span / 2], axis=-1)
    return Band(median, lower, upper)
