"""Equivalence: an animal's dose in people, by body size and by what it does at a target.

Body size: mg/kg times (W_animal / W_human)^0.33, as regulators scale it. Engagement: the human dose whose median peak
occupancy of a target (or occupancy at a stated time) is the animal's. The first knows nothing of the drug; where they
differ, kinetics or potency differ between the species by more than size.

References
----------
Nair & Jacob (2016). doi:10.4103/0976-0105.177703
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gaddum import units
from gaddum.engagement.effective_dose import MULTIPLES, multiplied
from gaddum.engagement.engagement_courses import EngagementCourses, engage
from gaddum.engagement.layout import Layout, lay_out
from gaddum.engagement.occupancy import curve_times
from gaddum.exposure.regimen import dosed_drugs
from gaddum.exposure.scaling import ADULT_WEIGHT
from gaddum.records.dose import HELD, Dose, Route
from gaddum.records.drug import Drug
from gaddum.records.library import Library, load_library
from gaddum.records.species import Species

EXPONENT = 0.33
"""Power of the ratio of body weights by which a dose per kg scales."""
_ROUTES: tuple[Route, ...] = ("sc", "im", "po", "iv bolus")
"""Routes for people, in this order, where the animal's has no human kinetics."""
_HALVINGS = 24


class EquivalentProtocol(NamedTuple):
    """A human protocol that corresponds to an animal's."""

    target: str
    by_weight: tuple[Dose, ...]
    """Doses scaled by body size."""
    by_engagement: tuple[Dose, ...]
    """Doses that hold as much of the target."""
    held_by_animal: float
    """Median fraction held in the animal: at its peak, or at the stated time."""
    held_by_weight: float
    """The same in people under the doses scaled by size."""
    routes: tuple[tuple[str, str], ...]
    """Routes that had to be changed: (animal's, human's)."""


def scale_by_weight(per_kg: float, animal: float, human: float) -> float:
    """Scale a dose per kg by body weights (kg).

    Examples
    --------
    >>> round(scale_by_weight(10.0, 0.025, 70.0), 3)
    0.729
    """
    if not (animal > 0 and human > 0):
        raise ValueError(f"Body weights must be positive; got {animal!r} and {human!r} kg.")
    return per_kg * (animal / human) ** EXPONENT


def human_equivalent_dose(
    protocol: str | Sequence[Dose],
    target: str,
    *,
    species: Species,
    weight: str | None = None,
    human_weight: str = "70 kg",
    at: float | None = None,
    library: Library | None = None,
    **options: Any,
) -> EquivalentProtocol:
    """Find the human doses that correspond to an animal's, by size and by engagement of a target.

    Parameters
    ----------
    protocol : str or sequence of Dose
        The animal's doses, as for `occupancy`.
    target : str
        A target that some dosed drug, or a metabolite of it, binds.
    species : str
        The animal.
    weight, human_weight : str
        Body weights, such as ``"25 g"``.
    at : float
        Time at which occupancies shall agree (h from the test drug); at their peaks where not given.
    library : Library
        Drugs and targets; the bundled ones by default.
    **options
        `preparation`, `tone`, `draws` and `seed`, as for `occupancy`.

    Raises
    ------
    ValueError
        If the species is human, or no multiple of the doses holds as much.
    """
    if species == "human":
        raise ValueError(
            "A human-equivalent dose is of an animal's; got species 'human'. Name the animal with `species`."
        )
    library = library or load_library()
    animal = lay_out(protocol, species=species, targets=[target], weight=weight, library=library, **options)
    _check_binding(animal, target)
    animal_kg = units.magnitude(weight, "mass") if weight else ADULT_WEIGHT[species]
    human_kg = units.magnitude(human_weight, "mass")
    changed: dict[str, str] = {}
    doses = tuple(_for_people(dose, animal_kg, human_kg, changed, library) for dose in animal.doses)
    human = lay_out(doses, species="human", targets=[target], weight=human_weight, library=library, **options)
    wanted = _median_held(animal, target, at)
    plain = _median_held(human, target, at)
    multiple = _multiple(human, target, at, wanted)
    return EquivalentProtocol(
        target,
        doses,
        tuple(multiplied(dose, multiple) for dose in doses),
        wanted,
        plain,
        tuple(changed.items()),
    )


def _for_people(dose: Dose, animal: float, human: float, changed: dict[str, str], library: Library) -> Dose:
    """A dose scaled by size, by a route that people's kinetics know."""
    if dose.route in HELD:
        return dose
    value, unit = units.magnitude(dose.amount, "dose"), units.canonical_unit(dose.amount, "dose")
    per_kg = value if unit.endswith("/kg") else value / animal
    unit = unit if unit.endswith("/kg") else f"{unit}/kg"
    route = _human_route(dose, library)
    if route != dose.route:
        changed[dose.route] = route
    return dose.model_copy(
        update={"amount": f"{scale_by_weight(per_kg, animal, human):.4g} {unit}", "route": route}
    )


def _human_route(dose: Dose, library: Library) -> Route:
    if dose.route.startswith("iv"):
        return dose.route
    parts = [library.drug(name) for name, _, _ in dosed_drugs((dose,), library)]
    bodies = [one.disposition.get("human") for one in parts if isinstance(one, Drug)]
    known = [set(body.absorption) for body in bodies if body is not None]
    if len(known) < len(parts):  # no human kinetics of its own: those of the lending species hold, routes too
        return dose.route
    shared = set.intersection(*known) | {"iv bolus"}
    return dose.route if dose.route in shared else next(route for route in _ROUTES if route in shared)


def _check_binding(layout: Layout, target: str) -> None:
    if not layout.bonds[target]:
        names = ", ".join(dict.fromkeys(dose.drug for dose in layout.doses))
        raise ValueError(f"Some dosed drug must bind {target}; {names} and metabolites do not.")


def _median_held(layout: Layout, target: str, at: float | None, multiple: float = 1.0) -> float:
    """Median over draws of the peak occupancy, or of that at a time."""
    times = curve_times(layout) if at is None else np.array([at])
    names = {ligand.parent for ligand in layout.plan.ligands} | {dose.drug for dose in layout.doses}
    found: EngagementCourses = engage(layout, times, scale=dict.fromkeys(names, multiple))
    return float(np.median(np.max(found.bound[target].occupied, axis=0)))


def _multiple(layout: Layout, target: str, at: float | None, wanted: float) -> float:
    """Multiple of all doses under which the median held is as wanted; occupancy rises with the dose."""
    low, high = np.log(MULTIPLES[0]), np.log(MULTIPLES[1])
    most = _median_held(layout, target, at, MULTIPLES[1])
    if most < wanted:
        raise ValueError(
            f"No human dose occupies {wanted:.3g} of {target} as the animal's does: the most is {most:.3g}. "
            "State a time at which people have the drug, or take another target."
        )
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _median_held(layout, target, at, float(np.exp(middle))) < wanted:
            low = middle
        else:
            high = middle
    return float(np.exp(high))
