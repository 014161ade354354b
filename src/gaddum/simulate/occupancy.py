"""Occupancy: a dosing protocol in a species -> how much of each receptor is occupied, blocked and activated over time.

Usable alone: it needs no case and no hypothesis. Every number of the kinetics and of binding is drawn from what the
library reports, so each curve is a band. Draws are a scrambled Sobol sequence, so bands are steady at 1,000 draws.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.special import ndtri
from scipy.stats import qmc

from gaddum import units
from gaddum.mechanism.behaviour import gauss_legendre
from gaddum.records.dose import HELD, Dose
from gaddum.records.drug import Drug
from gaddum.records.library import Library, load_library
from gaddum.records.protocol import Preparation, Subject
from gaddum.records.quantity import Quantity

try:
    from gaddum.records.shorthand import parse_doses, write_doses
except ImportError:
    parse_doses = None
    write_doses = str
from gaddum.records.source import Source
from gaddum.records.species import Species
from gaddum.simulate.binding import Bond, Bound, bonds, bound, slow_courses
from gaddum.simulate.exposures import concentrations
from gaddum.simulate.parameters import Parameter
from gaddum.simulate.regimen import Assumption, Plan, Register, dosed_drugs, plan_regimen
from gaddum.simulate.response import values as read_values

ORDER = 5
"""Gauss-Legendre nodes in each interval of the kinetic form."""
POINTS = 161
"""Times of a curve where none are asked for."""
SPAN = 0.95
"""Probability that a band holds."""


class Band(NamedTuple):
    """Median and central interval over draws, [times] each."""

    median: Float[np.ndarray, " times"]
    lower: Float[np.ndarray, " times"]
    upper: Float[np.ndarray, " times"]


class Course(NamedTuple):
    """What happens at one target, draws last; fractions of receptors."""

    occupied: Float[np.ndarray, "times draws"]
    """Held by any given drug or metabolite."""
    blocked: Float[np.ndarray, "times draws"]
    """Held by antagonists or channel blockers."""
    activated: Float[np.ndarray, "times draws"]
    """Held by agonists, weighted by efficacy."""
    by_ligand: dict[str, Float[np.ndarray, "times draws"]]


class Occupancy(NamedTuple):
    """Engagement of targets under one protocol."""

    protocol: str
    species: Species
    times: Float[np.ndarray, " times"]
    """Hours from the test drug."""
    targets: dict[str, Course]
    concentrations: dict[str, Float[np.ndarray, "times draws"]]
    """Unbound brain concentration of every ligand (nM)."""
    assumptions: tuple[Assumption, ...]
    parameters: tuple[Parameter, ...]


def occupancy(
    protocol: str | Sequence[Dose],
    *,
    species: Species = "human",
    targets: Sequence[str] | None = None,
    times: Sequence[float | str] | Float[np.ndarray, " times"] | None = None,
    weight: str | None = None,
    preparation: Preparation = "behaving",
    draws: int = 1000,
    seed: int = 0,
    library: Library | None = None,
) -> Occupancy:
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
    draws : int
        Draws of all parameters.
    seed : int
        Seed of the scrambling of the draws.
    library : Library
        Drugs and targets; the bundled ones by default.

    Returns
    -------
    Occupancy
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
    library = library or load_library()
    doses = parse_doses(protocol) if isinstance(protocol, str) else tuple(protocol)
    if not doses:
        raise ValueError(
            "A protocol must have at least one dose; got none. Write such as 'naltrexone 50 mg po'."
        )
    if draws < 2:
        raise ValueError(f"A band needs at least 2 draws; got {draws}.")
    known = _known(doses, library)
    wanted = _descendants(doses, species, library)
    names = list(targets) if targets else _bound_targets(wanted, library)
    register = Register()
    subject = _subject(species, weight, preparation)
    plan = plan_regimen(known, subject, library, wanted=wanted, register=register)
    at = {name: bonds(plan, name, species, library, register, preparation=preparation) for name in names}
    grid = _times(times, known)
    with jax.enable_x64(True):
        theta = read_values(register.table(), jnp.asarray(_variates(len(register.parameters), draws, seed)))
        levels = concentrations(plan, theta, grid)
        found = {name: _course(plan, at[name], theta, levels, grid, known) for name in names}
    return Occupancy(
        write_doses(known),
        species,
        grid,
        {name: _labelled(plan, at[name], one) for name, one in found.items()},
        {ligand.drug: np.asarray(level) for ligand, level in zip(plan.ligands, levels, strict=True)},
        tuple(sorted(register.assumptions)),
        tuple(register.parameters),
    )


def band(draws: Float[np.ndarray, "times draws"], span: float = SPAN) -> Band:
    """Median and central interval of draws, time by time.

    Examples
    --------
    >>> band(np.array([[1.0, 2.0, 3.0]]), span=0.5).median.tolist()
    [2.0]
    """
    lower, median, upper = np.quantile(draws, [0.5 - span / 2, 0.5, 0.5 + span / 2], axis=-1)
    return Band(median, lower, upper)


def _known(doses: tuple[Dose, ...], library: Library) -> tuple[Dose, ...]:
    """Doses under the library's names; synonyms are followed."""
    found = []
    for dose in doses:
        name = dose.drug
        for drug in library.drugs.values():
            if name not in library.drugs and name.casefold() in (
                other.casefold() for other in (drug.name, *drug.synonyms)
            ):
                name = drug.name
        library.drug(name)
        found.append(dose.model_copy(update={"drug": name}))
    return tuple(found)


def _descendants(doses: tuple[Dose, ...], species: Species, library: Library) -> set[str]:
    """Dosed drugs with all their metabolites in a species."""
    found: set[str] = set()
    left = [name for name, _, _ in dosed_drugs(doses, library)]
    while left:
        name = left.pop()
        drug = library.drug(name)
        if name not in found and isinstance(drug, Drug):
            found.add(name)
            left += [child.drug for child in drug.metabolites.get(species, ())]
    return found


def _bound_targets(names: set[str], library: Library) -> list[str]:
    """Targets that any of the drugs binds, in the library's order."""
    drugs = [library.drug(name) for name in names]
    hit = {affinity.target for drug in drugs if isinstance(drug, Drug) for affinity in drug.affinities}
    found = [name for name in library.targets if name in hit]
    if not found:
        raise ValueError(
            f"At least one drug must bind a target of the library; none of {', '.join(sorted(names))} does. "
            "Add affinities to the drug's file, or name `targets`."
        )
    return found


def _subject(species: Species, weight: str | None, preparation: Preparation) -> Subject:
    stated = None
    if weight is not None:
        kg = units.magnitude(weight, "mass")
        if not kg > 0:
            raise ValueError(f"A body weight must be positive; got {weight!r}.")
        stated = Quantity(
            value=kg, unit="kg", source=Source(how="assumption", reason="stated for this calculation")
        )
    return Subject(species=species, paradigm="none", weight=stated, preparation=preparation)


def _times(
    times: Sequence[float | str] | Float[np.ndarray, " times"] | None, doses: tuple[Dose, ...]
) -> Float[np.ndarray, " times"]:
    """Times asked for, or a grid from the first dose until a day after the last."""
    if times is not None:
        found = np.array([units.magnitude(t, "time") if isinstance(t, str) else float(t) for t in times])
        if not found.size or not np.isfinite(found).all():
            raise ValueError(f"Times must be finite and at least one; got {list(times)!r}.")
        return found
    first = min(dose.time_h for dose in doses)
    last = max(_last(dose) for dose in doses)
    return np.linspace(first, last + max(24.0, 0.5 * (last - first)), POINTS)


def _last(dose: Dose) -> float:
    interval = 0.0 if dose.interval is None else units.magnitude(dose.interval, "time")
    return dose.time_h + interval * (dose.repeats - 1) + (dose.duration_h or 0.0)


def _variates(parameters: int, draws: int, seed: int) -> Float[np.ndarray, "parameters draws"]:
    """Standard normal variates from a scrambled Sobol sequence."""
    if not parameters:
        return np.zeros((0, draws))
    power = int(np.ceil(np.log2(draws)))
    uniform = qmc.Sobol(parameters, rng=np.random.default_rng(seed)).random_base2(power)[:draws]
    return ndtri(np.clip(uniform, 1e-6, 1 - 1e-6)).T


def _course(
    plan: Plan,
    at: tuple[Bond, ...],
    theta: jax.Array,
    levels: jax.Array,
    times: Float[np.ndarray, " times"],
    doses: tuple[Dose, ...],
) -> Bound:
    """Fractions at one target; slow ligands are followed from the first dose to each time."""
    constants = jnp.exp(theta)
    slow: dict[int, jax.Array] = {}
    if any(bond.k_off >= 0 for bond in at):
        edges, cycle = _edges(times, doses)
        rule = gauss_legendre(ORDER)
        width = np.diff(edges)
        nodes = (edges[:-1, None] + width[:, None] * rule.nodes).ravel()
        inside = concentrations(plan, theta, nodes)
        place = np.searchsorted(edges, np.maximum(times, edges[0]))
        slow = {
            key: jnp.where((times >= edges[0])[:, None], course[place], 0.0)
            for key, course in slow_courses(at, inside, constants, width, rule, cycle).items()
        }
    return bound(at, levels, constants, slow)


def _edges(
    times: Float[np.ndarray, " times"], doses: tuple[Dose, ...]
) -> tuple[Float[np.ndarray, " edges"], int | None]:
    """Edges of intervals from the first dose to the last time, finer after each dose; length of a first cycle."""
    first = min(dose.time_h for dose in doses)
    last = max(float(times.max()), first + 1e-6)
    starts: list[float] = []
    steady = [dose for dose in doses if dose.steady_state]
    for dose in doses:
        interval = 0.0 if dose.interval is None else units.magnitude(dose.interval, "time")
        for repeat in range(dose.repeats):
            start = dose.time_h + repeat * interval
            starts += [start, start + (dose.duration_h or 0.0)]
    after = np.concatenate([[0.0], np.geomspace(1 / 60, max(last - first, 0.1), 48)])
    grid = (np.array(starts)[:, None] + after).ravel()
    cycle_end = None
    if steady:
        if len(steady) > 1 or steady[0].time_h > first or any(d.route in HELD for d in steady):
            raise ValueError(
                "A slowly dissociating ligand needs its steady state to come first and alone; got other doses before "
                "or beside it. Give the steady-state dose the earliest time."
            )
        cycle_end = first + units.magnitude(steady[0].interval or "24 h", "time")
        grid = np.append(grid, cycle_end)
        last = max(last, cycle_end)
    edges = np.unique(
        np.concatenate([grid[(grid >= first) & (grid <= last)], times[times > first], [first, last]])
    )
    return edges, None if cycle_end is None else int(np.searchsorted(edges, cycle_end))


def _labelled(plan: Plan, at: tuple[Bond, ...], one: Bound) -> Course:
    by_ligand = {
        plan.ligands[bond.ligand].drug: np.asarray(held) for bond, held in zip(at, one.by_ligand, strict=True)
    }
    return Course(np.asarray(one.occupied), np.asarray(one.blocked), np.asarray(one.activated), by_ligand)
