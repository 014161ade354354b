"""Layout: a dosing protocol in a kind of subject -> everything that its evaluation needs, drawn parameters included.

The last place where records are read: what follows (`engagement_courses`) knows places and numbers only. Laid out
once, a protocol is followed at any times and any multiple of a dose.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any, NamedTuple, TypeVar, get_args

import numpy as np
from jaxtyping import Float

from gaddum import units
from gaddum.engagement.binding import Bond, RestingTarget, bonds, rest
from gaddum.exposure.plan import Plan
from gaddum.exposure.regimen import plan_regimen
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.parameter_registry import Assumption, Register
from gaddum.parameters import Parameter, describe, distribution_nodes, prior_draws
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug
from gaddum.records.finding import nearest
from gaddum.records.library import Library, load_library
from gaddum.records.prior import LogNormal
from gaddum.records.protocol import HEAVIEST, LIGHTEST, Manipulation, Preparation, Subject
from gaddum.records.quantity import Quantity
from gaddum.records.shorthand import parse_doses
from gaddum.records.source import Source
from gaddum.records.species import Species, known_species

DRAWS = 1000
"""Draws of all parameters, where no number is asked for."""
Verb = TypeVar("Verb", bound=Callable[..., Any])


class Layout(NamedTuple):
    """A protocol ready to be followed."""

    doses: tuple[Dose, ...]
    """Under the library's names."""
    species: Species
    plan: Plan
    bonds: dict[str, tuple[Bond, ...]]
    """What binds each target."""
    rests: dict[str, RestingTarget]
    """Each target before any drug."""
    theta: Float[np.ndarray, "parameters draws"]
    """Draws of the parameters (their logs)."""
    assumptions: tuple[Assumption, ...]
    parameters: tuple[Parameter, ...]


def lay_out(
    protocol: str | Sequence[Dose],
    *,
    species: Species = "human",
    targets: Sequence[str] | None = None,
    weight: str | None = None,
    preparation: Preparation = "behaving",
    tone: Mapping[str, LogNormal | float] | None = None,
    manipulations: tuple[Manipulation, ...] = (),
    draws: int = DRAWS,
    seed: int = 0,
    library: Library | None = None,
) -> Layout:
    """Lay a protocol out; the arguments are those of `occupancy`.

    Raises
    ------
    ValueError
        Where a drug, target, route or number is not to be had; says what must hold.
    """
    library = library or load_library()
    doses = parse_doses(protocol) if isinstance(protocol, str) else tuple(protocol)
    if not doses:
        raise ValueError(
            "A protocol must have at least one dose; got none. Write such as 'naltrexone 50 mg po'."
        )
    if draws < 2:
        raise ValueError(f"A band needs at least 2 draws; got {draws}.")
    species = known_species(species)
    known = tuple(map(library.named, doses))
    wanted = {one for dose in known for one in library.family(library.drug(dose.drug).name, species)}
    names = [library.target_name(name) for name in targets] if targets else _bound_targets(wanted, library)
    register = Register(fits=library.fits)
    subject = _subject(species, weight, preparation)
    plan = plan_regimen(known, subject, library, wanted=wanted, register=register)
    at = {name: bonds(plan, name, species, library, register, preparation=preparation) for name in names}
    strange = [name for name in tone or {} if name not in library.targets]
    if strange:
        raise ValueError(
            f"Tone must be given of targets of the library; got {', '.join(strange)}. "
            f"{nearest(strange[0], library.targets)}"
        )
    rests = {
        name: rest(
            name, manipulations, "this arm", register, tone=_tone(name, (tone or {}).get(name), register)
        )
        for name in names
    }
    return Layout(
        known,
        species,
        plan,
        at,
        rests,
        prior_draws(register.parameters, draws, seed),
        tuple(sorted(register.assumptions)),
        tuple(register.parameters),
    )


def laying_out(verb: Verb) -> Verb:
    """Show in a verb's signature the keywords that it passes on to `lay_out` as ``**setting``."""
    own, passed = (list(signature(one).parameters.values()) for one in (verb, lay_out))
    known = {one.name for one in own}
    more = [one for one in passed if one.kind is one.KEYWORD_ONLY and one.name not in known]
    shown: Any = verb
    shown.__signature__ = signature(verb).replace(parameters=own[:-1] + more)
    return shown


def _tone(target: str, given: LogNormal | float | None, register: Register) -> int:
    """Parameter of the endogenous agonist over its K; -1 where nothing is said of it."""
    if given is None:
        return -1
    if isinstance(given, LogNormal):
        nodes, text = distribution_nodes(given), describe(given)
    elif 0 <= given < np.inf:
        nodes, text = np.full(Z_GRID.size, np.log(max(given, _NO_TONE))), f"exactly {given:g}"
    else:
        raise ValueError(f"Tone is a concentration over its K, 0 or more; got {given!r} at {target}.")
    reason = "endogenous agonist over its K, which competes with what is given"
    return register.add(
        Parameter(
            f"endogenous tone at {target}", nodes, "1", text, reason, "assumption: given with the protocol"
        )
    )


_NO_TONE = 1e-12
"""Tone of 0 on the scale of logarithms."""


def first_dose(doses: Sequence[Dose]) -> float:
    """Time of the first dose (h)."""
    return min(dose.time_h for dose in doses)


def last_dose(doses: Sequence[Dose]) -> float:
    """End of the last dose (h)."""
    return max(dose.end_h for dose in doses)


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
    if preparation not in get_args(Preparation):
        raise ValueError(
            f"A preparation must be {', '.join(get_args(Preparation))}; got {preparation!r}. "
            "Take 'behaving' for living subjects."
        )
    stated = None
    if weight is not None:
        kg = units.magnitude(weight, "mass")
        if not LIGHTEST < kg < HEAVIEST:
            raise ValueError(f"A body weight must be between 1 g and 1000 kg; got {weight!r}.")
        stated = Quantity(
            value=kg, unit="kg", n=None, source=Source(how="assumption", reason="stated for this calculation")
        )
    return Subject(species=species, paradigm="none", weight=stated, preparation=preparation)
