"""Benchmark readings: what each measurement of a benchmark would be, one value a draw, in the unit it was published in.

Doses go the usual way, from kinetics to receptors, with every number of the library drawn. Nothing here looks at the
published value but for its unit. A reading that the chain cannot express raises a ValueError that says why.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np
from jaxtyping import Float

from gaddum import units
from gaddum.engagement.binding import Bond
from gaddum.engagement.engagement_courses import bind, engage
from gaddum.engagement.layout import Layout, first_dose, lay_out
from gaddum.exposure.concentrations import areas, concentrations
from gaddum.records.curve import Curve
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug, Mixture
from gaddum.records.library import Library
from gaddum.records.quantity import Quantity
from gaddum.records.reading import (
    AreaRatio,
    Concentration,
    DoseRatio,
    HalfConcentration,
    HalfTime,
    Measured,
    Occupancy,
    Peak,
    TimeOfMaximum,
    TimeOfPeak,
    TimeWindow,
)

Draws = Float[np.ndarray, " draws"]
AnyDraws = Float[np.ndarray, "*times draws"]

HORIZON = 60 * 24.0
"""How long after the last dose a fall to half is followed (h)."""
PEAKS = 48.0
"""How long after the last dose a maximum is looked for (h)."""
_AFTER = 240
"""Times after each dose and end of an infusion, evenly spaced in their logarithm."""
_SOONEST = 0.005
"""First of them (h)."""
_PROBE = 1000.0
"""Concentration at which the strength of a drug is read (nM); any would do."""


def predict(benchmark: Curve, library: Library, *, draws: int = 1000, seed: int = 0) -> tuple[Draws, ...]:
    """Predict every number of a benchmark.

    Parameters
    ----------
    benchmark : Curve
        Doses and what was measured after them.
    library : Library
        Drugs and targets.
    draws : int
        Draws of all parameters.
    seed : int
        Seed of the draws.

    Returns
    -------
    tuple of array
        Draws of each number of `benchmark.measured`, in the unit of its published value.

    Raises
    ------
    ValueError
        If the chain cannot express a reading; says why.
    """
    numbers = benchmark.measured
    targets = {one.reading.target for one in numbers if isinstance(one.reading, _AT_TARGETS)}
    layout = lay_out(
        benchmark.doses,
        species=benchmark.species,
        targets=sorted(targets) or list(library.targets)[:1],  # kinetics alone need none; one must be named
        draws=draws,
        seed=seed,
        library=library,
    )
    return tuple(
        values
        for _, those in groupby(numbers, key=lambda one: id(one.reading))
        for values in _of_reading(layout, list(those), library, draws, seed)
    )


def _of_reading(
    layout: Layout, numbers: list[Measured], library: Library, draws: int, seed: int
) -> Iterator[Draws]:
    """Numbers of one reading; a series is followed at all its times at once."""
    reading, published = numbers[0].reading, numbers[0].published
    times = [one.time for one in numbers]
    match reading:
        case Occupancy(target=target, unit=unit):
            scale = units.magnitude(f"1 {unit}", "number")
            yield from _at(lambda at: _held(layout, target, at) / scale, times)
        case Concentration():
            yield from _at(lambda at: _concentration(layout, reading, published, at, library), times)
        case _:
            yield _predicted(layout, numbers[0], library, draws, seed)


def _predicted(layout: Layout, one: Measured, library: Library, draws: int, seed: int) -> Draws:
    match one.reading:
        case Peak() as reading:
            times = _grid(layout, PEAKS)
            return _concentration(layout, reading, one.published, times, library).max(axis=0)
        case TimeOfPeak() as reading:
            times = _grid(layout, PEAKS)
            highest = _levels(layout, reading, times, library, by_mass=True).argmax(axis=0)
            return _in_unit(times[highest] - first_dose(layout.doses), one.published, "time")
        case TimeOfMaximum():
            times = _grid(layout, PEAKS)
            highest = _held(layout, one.reading.target, times).argmax(axis=0)
            return _in_unit(times[highest] - first_dose(layout.doses), one.published, "time")
        case HalfTime():
            return _in_unit(_half_time(layout, one.reading.target), one.published, "time")
        case AreaRatio():
            return _area(layout, one.reading.drug, library) / _area(layout, one.reading.over, library)
        case HalfConcentration():
            return _half_concentration(layout, one.reading, library)
        case DoseRatio():
            return _dose_ratio(layout, one.reading, library, draws, seed)
        case _:
            raise ValueError(
                f"A benchmark must be read off a course; got a reading of kind {one.reading.kind!r}. Leave out its "
                "tolerance."
            )


WITHIN = 48
"""Steps in which a window of time is read."""


def _at(
    read: Callable[[Float[np.ndarray, " times"]], Float[np.ndarray, "times draws"]],
    times: Sequence[str | TimeWindow | None],
) -> Iterator[Draws]:
    """Read a course at times, as means over windows, or at hours of them that differ from draw to draw."""
    spans = [
        np.linspace(*time.hours, WITHIN + 1)
        if isinstance(time, TimeWindow)
        else np.array([units.magnitude(str(time), "time")])
        for time in times
    ]
    every, place = np.unique(np.concatenate(spans), return_inverse=True)
    course = read(every)
    for time, at in zip(times, np.split(place, np.cumsum([len(one) for one in spans])[:-1]), strict=True):
        found = course[at]
        if not isinstance(time, TimeWindow):
            yield found[0]
        elif time.reads == "mean":
            yield np.trapezoid(found, dx=1 / WITHIN, axis=0)
        else:
            draws = found.shape[1]
            # Steps by the golden ratio are spread over the window whatever the order of the draws.
            hours = np.arange(draws) * ((np.sqrt(5) - 1) / 2) % 1
            yield found[np.rint(hours * WITHIN).astype(int), np.arange(draws)]


_AT_TARGETS = (Occupancy, TimeOfMaximum, HalfTime, HalfConcentration, DoseRatio)
"""Readings of a target."""


def _held(
    layout: Layout, target: str, times: Sequence[float] | Float[np.ndarray, " times"]
) -> Float[np.ndarray, "times draws"]:
    return np.asarray(engage(layout, np.asarray(times, float)).bound[target].occupied)


def _grid(layout: Layout, beyond: float) -> Float[np.ndarray, " times"]:
    """Times from the first dose on that are dense after every dose and end of an infusion (h)."""
    last = max(dose.end_h for dose in layout.doses) + beyond
    starts = {time + part for dose in layout.doses for time in dose.times_h for part in (0.0, _length(dose))}
    after = [start + np.geomspace(_SOONEST, last - start, _AFTER) for start in starts]
    return np.unique(np.concatenate([[first_dose(layout.doses)], *after]))


def _length(dose: Dose) -> float:
    return dose.duration_h or 0.0


def _half_time(layout: Layout, target: str) -> Draws:
    """Time from the highest occupancy to the first at half of it (h); infinite where that is beyond the horizon."""
    times = _grid(layout, HORIZON)
    held = _held(layout, target, times)
    top = held.argmax(axis=0)
    half = held.max(axis=0) / 2
    after = np.arange(len(times))[:, None] > top
    low = after & (held <= half)
    first = np.where(low.any(axis=0), low.argmax(axis=0), 0)
    lanes = np.arange(held.shape[1])
    above, below = held[first - 1, lanes], held[first, lanes]
    share = (above - half) / np.where(above > below, above - below, 1.0)
    fallen = times[first - 1] + share * (times[first] - times[first - 1])
    return np.where(low.any(axis=0), fallen - times[top], np.inf)


def _concentration(
    layout: Layout,
    reading: Concentration | Peak,
    published: Quantity,
    times: Float[np.ndarray, " times"],
    library: Library,
) -> Float[np.ndarray, "times draws"]:
    by_mass = units.canonical_unit(f"{published.value!r} {published.unit}", "concentration") == "ng/mL"
    return _in_unit(_levels(layout, reading, times, library, by_mass=by_mass), published, "concentration")


def _levels(
    layout: Layout,
    reading: Concentration | Peak | TimeOfPeak,
    times: Float[np.ndarray, " times"],
    library: Library,
    *,
    by_mass: bool,
) -> Float[np.ndarray, "times draws"]:
    site = "venous" if reading.sampling == "unstated" else reading.sampling
    if site not in ("arterial", "venous", "brain"):
        raise ValueError(
            f"A concentration must be total in plasma or unbound in brain to be predicted; got {site!r}."
        )
    molar = np.asarray(concentrations(layout.plan, layout.theta, times, site=site))
    return _total(layout, reading.drug, molar, library, by_mass=by_mass)


def _area(layout: Layout, name: str, library: Library) -> Draws:
    """Area under the plasma curve to infinity, by mass (ng/mL h)."""
    return _total(layout, name, areas(layout.plan, layout.theta), library, by_mass=True)


def _total(
    layout: Layout, name: str, molar: Float[np.ndarray, "ligands ..."], library: Library, *, by_mass: bool
) -> Float[np.ndarray, "..."]:
    """Sum over the parts of a drug, whether given or formed; by mass, nM become ng/mL."""
    total = np.zeros(molar.shape[1:])
    for part in _shares(name, library):
        drug = library.drug(part)
        factor = drug.molar_mass.value / 1e3 if by_mass and isinstance(drug, Drug) else 1.0
        for place in _places(layout, part):
            total = total + molar[place] * factor
    return total


def _half_concentration(layout: Layout, reading: HalfConcentration, library: Library) -> Draws:
    """Unbound plasma concentration of a drug (sum of its parts) at which it alone holds half, at equilibrium."""
    if not reading.unbound:
        raise ValueError(
            "A half-maximal concentration must be unbound to be predicted; got one in whole plasma."
        )
    constants = np.exp(layout.theta)
    levels = np.zeros((len(layout.plan.ligands), 1, layout.theta.shape[1]))
    for name, share in _shares(reading.drug, library).items():
        place = next(i for i in _places(layout, name) if layout.plan.ligands[i].parent == name)
        entry = layout.plan.ligands[place].kp_uu
        levels[place, 0] = _PROBE * share * (constants[entry] if entry >= 0 else 1.0)
    held = np.asarray(bind(layout, reading.target, levels).occupied)[0]
    half = _PROBE * (1 - held) / held
    again = np.asarray(bind(layout, reading.target, levels * half / _PROBE).occupied)[0]
    if not np.allclose(again, 0.5, atol=1e-6):
        raise ValueError(
            f"A half-maximal concentration needs a drug that binds {reading.target} at one site; {reading.drug} does "
            "not. Read an occupancy instead."
        )
    return _in_unit(half, reading.published, "concentration")


def _dose_ratio(layout: Layout, reading: DoseRatio, library: Library, draws: int, seed: int) -> Draws:
    """Ratio of the doses whose highest occupancy is the level; the odds of being held grow with the dose."""
    other = lay_out(
        [reading.over],
        species=layout.species,
        targets=[reading.over_target],
        draws=draws,
        seed=seed,
        library=library,
    )
    found, kinds = [], set[str]()
    for one, target in ((layout, reading.target), (other, reading.over_target)):
        dose, *more = one.doses
        if more or _bends(one.bonds[target]):
            raise ValueError(
                f"A ratio of doses needs single doses of drugs that bind {target} at one site and at equilibrium; got "
                f"{' + '.join(each.drug for each in one.doses)}. Read an occupancy instead."
            )
        held = _held(one, target, _grid(one, PEAKS)).max(axis=0)
        per_odds = units.magnitude(dose.amount, "dose") * (1 - held) / held
        found.append(per_odds * reading.level / (1 - reading.level))
        kinds.add(units.canonical_unit(dose.amount, "dose"))
    if len(kinds) > 1:
        raise ValueError(
            f"Two doses must be in units of one kind to have a ratio; got {' and '.join(sorted(kinds))}."
        )
    return found[0] / found[1]


def _bends(bonds: tuple[Bond, ...]) -> bool:
    """Whether the odds of being held do not simply grow with the concentration."""
    return any(bond.is_slow for bond in bonds) or len({bond.acts.site for bond in bonds}) > 1


def _shares(name: str, library: Library) -> dict[str, float]:
    """Chemical species that a drug consists of, and their shares."""
    found = library.drug(name)
    if isinstance(found, Mixture):
        return {part.drug: part.fraction for part in found.parts}
    return {found.name: 1.0}


def _places(layout: Layout, name: str) -> list[int]:
    """Ligands of the plan that are a drug, given or formed."""
    found = [place for place, one in enumerate(layout.plan.ligands) if one.drug == name]
    if not found:
        given = ", ".join(dict.fromkeys(one.drug for one in layout.plan.ligands))
        raise ValueError(f"A drug that is read must be given or formed; got {name}, where {given} are.")
    return found


def _in_unit(canonical: AnyDraws, published: Quantity, kind: units.Kind) -> AnyDraws:
    """Turn canonical numbers into the unit of what was published."""
    return canonical / units.magnitude(f"1 {published.unit}", kind)
