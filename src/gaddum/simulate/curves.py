"""Curves: doses of one drug in one species -> unbound brain concentration at given times, for the whole shape grid.

A curve has a *shape* (set by the elimination rate, which is uncertain) and a *scale* (volume, bioavailability, unbound
fraction, Kp,uu). Shapes are stored at the points of `Z_GRID`; scales multiply a curve afterwards. So the closed forms
run once per case, not once per draw.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from gaddum import units
from gaddum.mechanism import exposure
from gaddum.records.dose import HELD, Dose
from gaddum.records.drug import Disposition, Drug, Mixture
from gaddum.records.library import Library
from gaddum.records.protocol import Subject
from gaddum.records.quantity import Quantity, Reported
from gaddum.simulate.parameters import Z_GRID, log_median, log_nodes, log_variance

ADULT_WEIGHT = {"human": 70.0, "rat": 0.3, "mouse": 0.025, "monkey": 7.0, "dog": 10.0}
"""Body weight (kg) assumed where neither the subject nor the disposition states one; listed as an assumption."""

LOG_FLOOR = -60.0
"""Log concentration (nM) that stands for none."""


_concentration = jax.jit(exposure.concentration)
_through = jax.jit(exposure.through)
_cascade = jax.jit(exposure.cascade)
_mammillary = jax.jit(exposure.mammillary)


class Assumption(NamedTuple):
    """Something taken for granted because no source says it."""

    where: str
    what: str
    reason: str


class Ligand(NamedTuple):
    """A species in the brain: the drug itself, or a metabolite of a dosed drug."""

    drug: str
    parent: str
    species: str
    log_nodes: Float[np.ndarray, "nodes grid"]
    """Log unbound concentration (nM) at the wanted times, for each point of the shape grid."""
    shape_reported: Reported | None
    """What sets the shape (clearance or half-life of the parent); None for a set concentration."""
    scale_sd: float
    """Standard deviation of the log scale."""


def dosed_drugs(doses: tuple[Dose, ...], library: Library) -> list[tuple[str, Dose, float]]:
    """Split mixtures: (drug, dose, fraction) for every dose and component."""
    split: list[tuple[str, Dose, float]] = []
    for dose in doses:
        found = library.drug(dose.drug)
        parts = (
            [(p.drug, p.fraction) for p in found.parts] if isinstance(found, Mixture) else [(found.name, 1.0)]
        )
        split += [(name, dose, fraction) for name, fraction in parts]
    return split


def ligands(
    doses: tuple[Dose, ...],
    subject: Subject,
    library: Library,
    times: Float[np.ndarray, " nodes"],
    *,
    wanted: set[str],
    assumptions: set[Assumption],
) -> list[Ligand]:
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
    by_drug: dict[str, list[tuple[Dose, float]]] = {}
    for name, dose, fraction in dosed_drugs(doses, library):
        by_drug.setdefault(name, []).append((dose, fraction))
    found: list[Ligand] = []
    for name, given in by_drug.items():
        drug = library.drug(name)
        assert isinstance(drug, Drug)
        held = [item for item in given if item[0].route in HELD]
        systemic = [item for item in given if item[0].route not in HELD]
        if held and name in wanted:
            found.append(_held(drug, held, subject, times))
        if not systemic:
            continue
        children = drug.metabolites.get(subject.species, ())
        if name in wanted:
            found.append(_systemic(drug, None, systemic, subject, library, times, assumptions))
        for child in children:
            if child.drug not in wanted:
                continue
            metabolite = library.drug(child.drug)
            if not isinstance(metabolite, Drug) or subject.species not in metabolite.disposition:
                assumptions.add(
                    Assumption(
                        f"{child.drug} in {subject.species}",
                        "left out",
                        "a metabolite without a disposition in this species",
                    )
                )
                continue
            found.append(
                _systemic(drug, (metabolite, child.fraction), systemic, subject, library, times, assumptions)
            )
    return found


def _held(drug: Drug, given: list[tuple[Dose, float]], subject: Subject, times: np.ndarray) -> Ligand:
    """A bath or local application: a set unbound concentration while it lasts."""
    level = np.zeros_like(times)
    for dose, fraction in given:
        value = units.magnitude(dose.amount, "concentration")
        if units.canonical_unit(dose.amount, "concentration") == "ng/mL":
            value *= 1e3 / drug.molar_mass.value
        end = np.inf if dose.duration_h is None else dose.time_h + dose.duration_h
        level += np.where((times >= dose.time_h) & (times <= end), value * fraction, 0.0)
    logs = np.log(np.maximum(level, np.exp(LOG_FLOOR)))
    return Ligand(drug.name, drug.name, subject.species, np.repeat(logs[:, None], Z_GRID.size, 1), None, 0.0)


def _systemic(
    drug: Drug,
    child: tuple[Drug, Reported] | None,
    given: list[tuple[Dose, float]],
    subject: Subject,
    library: Library,
    times: np.ndarray,
    assumptions: set[Assumption],
) -> Ligand:
    body = _disposition(drug, subject)
    weight = _weight(subject, body, assumptions)
    central, clearance, shape = _central(body, weight)
    reader = drug if child is None else child[0]
    log_scale = _log_fraction(reader.f_u, "f_u", reader, subject, assumptions)
    log_scale += _log_fraction(reader.kp_uu, "Kp,uu", reader, subject, assumptions)
    variance = _variance(reader.f_u.get(subject.species)) + _variance(reader.kp_uu.get(subject.species))
    variance += log_variance(body.v_c)
    own, gain, direct = central, None, None
    if child is not None:
        metabolite_body = _disposition(child[0], subject)
        direct, _, _ = _central(metabolite_body, weight)
        fraction = np.exp(log_median(child[1]))
        gain = fraction * clearance
        variance += log_variance(child[1]) + log_variance(metabolite_body.v_c)
    total, absorbed_variance = np.zeros((times.size, Z_GRID.size)), 0.0
    for dose, mixture_fraction in given:
        amount, mass_note = _amount(dose, drug, weight, library)
        assumptions.update(mass_note)
        amount *= mixture_fraction
        parent, absorbed, k_a, lag = own, 1.0, None, 0.0
        if dose.route not in ("iv bolus", "iv infusion"):
            if dose.route not in body.absorption:
                raise ValueError(
                    f"{drug.name} in {subject.species} must have absorption by route {dose.route!r} to be dosed so; "
                    f"got {', '.join(body.absorption) or 'no route'}. Add it to the drug's file."
                )
            way = body.absorption[dose.route]
            k_a = None if way.k_a is None else np.exp(log_median(way.k_a))
            absorbed = 1.0 if way.f is None else float(np.exp(log_median(way.f)))
            lag = 0.0 if way.lag is None else float(np.exp(log_median(way.lag)))
            absorbed_variance = max(absorbed_variance, 0.0 if way.f is None else log_variance(way.f))
        streams = [(parent, amount * absorbed)]
        if child is not None and direct is not None:
            streams = [(_cascade(parent, direct, gain), amount * absorbed)]
            if dose.route == "po" and absorbed < 1:  # first pass forms metabolite before the parent is seen
                fraction = float(np.exp(log_median(child[1])))
                streams.append((direct, amount * (1 - absorbed) * fraction))
        for impulse, quantity in streams:
            if k_a is not None:
                impulse = _through(impulse, jnp.full(Z_GRID.size, k_a))
            if body.k_e0 is not None:
                impulse = _through(impulse, jnp.full(Z_GRID.size, np.exp(log_median(body.k_e0))))
            interval = 0.0 if dose.interval is None else units.magnitude(dose.interval, "time")
            for repeat in range(dose.repeats):
                start = dose.time_h + lag + repeat * interval
                total += np.asarray(
                    _concentration(impulse, times, quantity, start=start, duration=dose.duration_h or 0.0)
                )
    logs = np.maximum(np.log(np.maximum(total, np.exp(LOG_FLOOR))) + log_scale, LOG_FLOOR)
    return Ligand(
        reader.name, drug.name, subject.species, logs, shape, float(np.sqrt(variance + absorbed_variance))
    )


def _disposition(drug: Drug, subject: Subject) -> Disposition:
    if subject.species not in drug.disposition:
        raise ValueError(
            f"{drug.name} must have a disposition in {subject.species} to be dosed systemically there; "
            f"got {', '.join(drug.disposition) or 'none'}. Add one to the drug's file (allometry counts as derived)."
        )
    return drug.disposition[subject.species]


def _weight(subject: Subject, body: Disposition, assumptions: set[Assumption]) -> float:
    stated: Quantity | None = subject.weight or body.reference_weight
    if stated is not None:
        return units.magnitude(f"{stated.value} {stated.unit}", "mass")
    weight = ADULT_WEIGHT.get(subject.species)
    if weight is None:
        raise ValueError(
            f"A body weight is needed for {subject.species}; got none. Give `weight` in the subject."
        )
    assumptions.add(Assumption(subject.species, f"body weight {weight:g} kg", "not stated by the report"))
    return weight


def _absolute(reported: Reported, weight: float) -> float:
    """Median of a volume or clearance in L or L/h for the whole body."""
    values = []
    for quantity in reported:
        text = f"{quantity.value} {quantity.unit}"
        kind: units.Kind = "clearance" if _is(text, "clearance") else "volume"
        per_kg = units.canonical_unit(text, kind).endswith("/kg")
        values.append(np.log(units.magnitude(text, kind) * (weight if per_kg else 1.0)))
    return float(np.exp(np.mean(values)))


def _is(text: str, kind: units.Kind) -> bool:
    try:
        units.magnitude(text, kind)
    except ValueError:
        return False
    return True


def _central(body: Disposition, weight: float) -> tuple[exposure.Impulse, np.ndarray, Reported]:
    """Central-compartment response over the shape grid; clearance there; what sets the shape."""
    v_c = _absolute(body.v_c, weight)
    if body.cl is not None:
        relative = np.exp(log_nodes(body.cl) - log_median(body.cl))
        clearance, shape = _absolute(body.cl, weight) * relative, body.cl
    else:
        assert body.half_life is not None
        clearance, shape = np.log(2) * v_c / np.exp(log_nodes(body.half_life)), body.half_life
        relative = np.ones_like(clearance)
    count = len(body.peripherals)
    volumes = np.array([_absolute(p.v, weight) for p in body.peripherals]).reshape(count, 1)
    flows = np.array([_absolute(p.q, weight) for p in body.peripherals]).reshape(count, 1)
    size = Z_GRID.size
    impulse = _mammillary(
        jnp.full(size, v_c),
        jnp.asarray(clearance),
        jnp.asarray(np.broadcast_to(volumes, (count, size))),
        jnp.asarray(flows * relative),
    )
    return impulse, clearance, shape


def _amount(dose: Dose, drug: Drug, weight: float, library: Library) -> tuple[float, set[Assumption]]:
    """Amount in nmol, and what had to be assumed about the salt."""
    value, unit = units.magnitude(dose.amount, "dose"), units.canonical_unit(dose.amount, "dose")
    assumptions: set[Assumption] = set()
    if unit.startswith("mg"):
        given = library.drug(dose.drug)
        factor = 1.0 if given.salt_factor is None else given.salt_factor.value
        if dose.salt == "base":
            factor = 1.0
        elif dose.salt == "unstated" and factor != 1.0:
            assumptions.add(
                Assumption(
                    f"doses of {dose.drug}", f"counted as salt (base = {factor:g} of mass)", "not stated"
                )
            )
        value *= factor * 1e6 / drug.molar_mass.value
    return value * (weight if unit.endswith("/kg") else 1.0), assumptions


def _log_fraction(
    by_species: dict, name: str, drug: Drug, subject: Subject, assumptions: set[Assumption]
) -> float:
    if subject.species in by_species:
        return log_median(by_species[subject.species])
    if by_species:
        lender, reported = next(iter(by_species.items()))
        assumptions.add(
            Assumption(f"{name} of {drug.name} in {subject.species}", f"borrowed from {lender}", "not found")
        )
        return log_median(reported)
    assumptions.add(Assumption(f"{name} of {drug.name} in {subject.species}", "taken as 1", "not found"))
    return 0.0


def _variance(reported: Reported | None) -> float:
    return np.log(1.5) ** 2 if reported is None else log_variance(reported)
