"""Standing: which of the dozen numbers that decide an occupancy are measured in a species, borrowed, or guessed.

*Measured*: read, or computed from what was read, in that species (a K_i in glass counts for all). *Borrowed*: another
species', drug's or route's, said so by its source or scaled by the calculator. *Guessed*: an assumption without either,
or a default where nothing is said.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, get_args

from gaddum.records.dose import Route
from gaddum.records.drug import Disposition, Drug
from gaddum.records.quantity import Quantity, Reported
from gaddum.records.species import Species

Standing = Literal["measured", "borrowed", "guessed"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)


class NumberStanding(NamedTuple):
    """How one number of a drug stands in a species."""

    drug: str
    number: str
    """``K_i at MOR``, ``clearance``, ``F by po``."""
    standing: Standing


def standings(
    drug: Drug,
    species: Species,
    targets: Iterable[str],
    routes: Iterable[Route] = (),
    *,
    lender: tuple[Species, Disposition] | None = None,
    fitted: bool = False,
) -> list[NumberStanding]:
    """How the numbers of a drug stand.

    Parameters
    ----------
    drug : Drug
        Which.
    species : str
        In whom.
    targets : iterable of str
        Those that are asked of.
    routes : iterable of str
        By which it is given, where it is.
    lender : tuple of str and Disposition
        Whose kinetics are used; none of a drug that is not followed from a dose.
    fitted : bool
        Whether its kinetics are a fit's.
    """
    found: dict[str, Standing] = {}
    for affinity in drug.affinities:
        if affinity.target not in targets:
            continue
        at = f"at {affinity.target}"
        direct = affinity.direct_in(species, "behaving")
        if direct is not None:
            found[f"K in vivo {at}"] = _standing(direct[1], species)
        else:
            found[f"K_i {at}"] = _standing(affinity.k_i or affinity.k_on, None)
            found[f"in-vivo/in-vitro ratio {at}"] = _standing(affinity.shift_in(species, "behaving"), species)
        if affinity.k_off is not None:
            found[f"k_off {at}"] = _standing(affinity.k_off, None)
    if lender is not None:
        own, body = lender
        for what, reported in _kinetics(body, routes):
            found[what] = (
                "measured" if fitted else "borrowed" if own != species else _standing(reported, species)
            )
        found["f_u"] = _standing(drug.f_u.get(species), species)
        found["Kp,uu"] = _standing(drug.kp_uu.get(species), species)
        for one in drug.metabolites.get(species, ()):
            found[f"share that forms {one.drug}"] = _standing(one.fraction, species)
    return [NumberStanding(drug.name, what, standing) for what, standing in found.items()]


def standing_words(rows: Iterable[NumberStanding]) -> str:
    """Say how the numbers of one drug stand, in one line.

    Examples
    --------
    >>> standing_words([NumberStanding("a", "K_i at MOR", "measured"), NumberStanding("a", "Kp,uu", "guessed")])
    'measured K_i at MOR; guessed Kp,uu'
    """
    rows = list(rows)
    said = {kind: [one.number for one in rows if one.standing == kind] for kind in STANDINGS}
    return "; ".join(f"{kind} {', '.join(those)}" for kind, those in said.items() if those)


def _kinetics(body: Disposition, routes: Iterable[Route]) -> Iterator[tuple[str, Reported | None]]:
    yield "clearance", body.cl or body.half_life or (body.saturable and body.saturable.v_max) or None
    yield "volume", body.v_c
    for route in routes:
        way = body.absorption.get(route)
        if way is not None:
            yield f"k_a by {route}", way.k_a or way.duration
            yield f"F by {route}", way.f


def _standing(reported: Reported | None, species: Species | None) -> Standing:
    """Of several reports, the best."""
    kinds: list[Standing] = [_of(one, species) for one in reported or ()]
    return min(kinds, key=STANDINGS.index) if kinds else "guessed"


def _of(one: Quantity, species: Species | None) -> Standing:
    source = one.source
    said = f"{source.reason} {source.locator} {one.spread.reason if one.spread else ''}".casefold()
    if "borrow" in said:
        return "borrowed"
    words = set(re.findall(r"[a-z]+", f"{said} {source.cites}".casefold()))
    others = {name for name in get_args(Species) if name != species} if species else set[str]()
    from_others = bool(words & others) and not words & {species, *_PEOPLE[species == "human"]}
    if source.how in ("assumption", "derived") and from_others:
        return "borrowed"
    return "guessed" if source.how == "assumption" else "measured"


_PEOPLE = {True: ("people", "man", "men", "volunteers"), False: ()}
"""Words by which a source may say that it is of people."""
