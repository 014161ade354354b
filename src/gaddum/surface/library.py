"""The commands `gaddum drugs` and `gaddum targets`: what the library holds, from which sources, and what it lacks.

What is lacking is asked of the calculator itself: a dose is laid out in every species, and what had to be taken for
granted is told.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from gaddum.surface.csv_table import csv_of_rows
from gaddum.surface.options import AsCsv, AsJson, OwnCase, tell
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from rich.console import Console

    from gaddum.records.drug import Drug
    from gaddum.records.library import Library
    from gaddum.records.quantity import Quantity
    from gaddum.records.species import Species


@dataclass(frozen=True)
class TargetsRequest(Request):
    """What is asked of `gaddum targets`."""

    verb = "targets"
    show: Annotated[
        tuple[str, ...],
        typer.Argument(metavar="[show NAME]", help="What to show; a list of all where nothing is named."),
    ] = ()
    case: OwnCase = None


@dataclass(frozen=True)
class DrugsRequest(TargetsRequest):
    """What is asked of `gaddum drugs`."""

    verb = "drugs"
    species: Annotated[
        str | None, typer.Option(help="Show this species only.  [default: all with kinetics]")
    ] = None


@asking
def targets(asked: TargetsRequest, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the targets of the library, or show one and what binds it."""
    document = run(asked)
    tell(document, as_json, lambda console: _print(document, console), None, as_csv and _table)


@asking
def drugs(asked: DrugsRequest, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the drugs of the library, or show what it knows of one in each species, whence, and what it lacks."""
    document = run(asked)
    tell(document, as_json, lambda console: _print(document, console), None, as_csv and _table)


def run(asked: TargetsRequest) -> dict[str, Any]:
    """List or describe drugs or targets."""
    from gaddum.records.ledger import case_library

    library = case_library(asked.case)
    wanted = asked.show[1:] if asked.show[:1] == ("show",) else asked.show
    if asked.show and not wanted:
        raise ValueError(
            f"show must be followed by a name, such as 'gaddum {asked.verb} show NAME'; got none."
        )
    command = {"command": asked.command()}
    if not isinstance(asked, DrugsRequest):
        if wanted:
            return {"shown": [_target(library, library.target_name(name)) for name in wanted]} | command
        return {"targets": [_target_row(library, name) for name in library.targets]} | command
    if wanted:
        return {
            "shown": [_drug(library, library.drug_name(name), asked.species) for name in wanted]
        } | command
    return {"drugs": [drug_row(library, name) for name in sorted(library.drugs, key=str.casefold)]} | command


def drug_row(library: "Library", name: str) -> dict[str, str]:
    """One row of the table of drugs: names, targets, and in whom and by which routes it may be given."""
    one = library.drugs[name]
    if one.kind == "mixture":
        binds, given = [f"as {' and '.join(part.drug for part in one.parts)}"], ["as its parts"]
    else:
        binds = dict.fromkeys(bond.target for bond in one.affinities)
        given = [
            f"{species} {', '.join(there.absorption)}".strip() for species, there in one.disposition.items()
        ]
    also = ", ".join(one.synonyms)
    return {"drug": name, "also called": also, "binds": ", ".join(binds), "given to, by": "; ".join(given)}


def _target_row(library: "Library", name: str) -> dict[str, str]:
    one = library.targets[name]
    said = {"target": name, "name": one.full_name, "also called": ", ".join(one.synonyms)}
    return said | {"features": ", ".join(one.features)}


def _target(library: "Library", name: str) -> dict[str, Any]:
    """A target with everything that binds it."""
    from gaddum.records.drug import Drug

    bonds = (
        (drug, one) for drug in library.drugs.values() if isinstance(drug, Drug) for one in drug.affinities
    )
    rows = [
        {"species": "", "what": f"{drug.name}, {one.mode}"}
        | _reported(one.k_i or one.k_on or next(iter([*one.k_in_vivo.values(), *one.ec50_plasma.values()])))
        for drug, one in sorted(bonds, key=lambda bond: bond[0].name.casefold())
        if one.target == name
    ]
    return _target_row(library, name) | {"known": rows, "lacking": []}


def _drug(library: "Library", name: str, species: str | None) -> dict[str, Any]:
    """A drug with every number that is known of it, by species, and what is taken for granted where none is."""
    from gaddum.records.drug import Drug
    from gaddum.records.drug_quantities import quantities
    from gaddum.records.species import Species, known_species

    found = library.drug(name)
    only = None if species is None else known_species(species)
    parts = [part for part, _ in library.species(name)]
    who: tuple[Species, ...] = tuple(
        one
        for one in get_args(Species)
        if one == only or (only is None and any(one in p.disposition for p in parts))
    ) or ("human",)
    if not isinstance(found, Drug):
        shown = [_drug(library, part.name, species) for part in parts]
        rows = {"parts": shown, "known": [], "lacking": []}
        return drug_row(library, name) | rows | _met(library, name, who)
    reported: dict[tuple[str, str], list[Any]] = {}
    for path, quantity, _ in quantities(found):
        reported.setdefault(_place(found, path), []).append(quantity)
    known = [
        {"species": where, "what": what} | _reported(said, what not in _EXACT)
        for where in ("", *who)
        for (of, what), said in reported.items()
        if of == where
    ]
    lacking = [one for each in who for one in _lacking(library, found, each)]
    shown = {"known": known, "lacking": [*dict.fromkeys(lacking)]}
    return drug_row(library, name) | shown | _met(library, name, who)


def _met(library: "Library", name: str, who: "Sequence[Species]") -> dict[str, Any]:
    """Whether its binding is predicted or calibrated in each species, and how its curves there are met."""
    from gaddum.surface.occupancy.evidence import met_rows

    targets = dict.fromkeys(one.target for part, _ in library.species(name) for one in part.affinities)
    return {"met": {species: met_rows([name], [*targets], species, library) for species in who}}


def _place(drug: "Drug", path: tuple[str | int, ...]) -> tuple[str, str]:
    """Species of a quantity ("" for all), and what it is, in words."""
    match path:
        case ("affinities", int(place), field, *rest):
            return next(
                (one for one in rest if isinstance(one, str)), ""
            ), f"{field} at {drug.affinities[place].target}"
        case ("metabolites", species, int(place), *_):
            formed = next(those[place].drug for where, those in drug.metabolites.items() if where == species)
            return str(species), f"fraction that forms {formed}"
        case ("disposition", species, "peripherals", int(place), field, *_):
            return str(species), f"{field} of peripheral {place + 1}"
        case ("disposition", species, "absorption", route, *fields):
            return str(species), f"{' '.join(one for one in fields if isinstance(one, str))} by {route}"
        case ("disposition", species, *fields):
            return str(species), " ".join(one for one in fields if isinstance(one, str))
        case (field, str(species), *_):
            return species, str(field)
    return "", str(path[0])


_EXACT = ("molar_mass", "salt_factor", "reference_weight")
"""Numbers that are not drawn, so that a missing spread costs nothing."""


def _reported(reported: Iterable["Quantity"], drawn: bool = True) -> dict[str, str]:
    """What was reported, conflicting reports side by side, and by whom."""
    from gaddum.parameters import DEFAULT_GSD, cite

    said = []
    for one in reported:
        spread = f"GSD {one.gsd:.2g}" if one.gsd else f"no spread given, GSD {DEFAULT_GSD:g} taken" * drawn
        unit = "" if one.unit == "1" else f" {one.unit}"
        said.append(f"{one.value:g}{unit}" + f" ({spread})" * bool(spread))
    return {
        "value": " or ".join(said),
        "source": "; ".join(dict.fromkeys(cite(one.source) for one in reported)),
    }


def _lacking(library: "Library", drug: "Drug", species: "Species") -> Iterator[str]:
    """What the calculator takes for granted of a dose in a species, and what no number of its binding says."""
    from gaddum.engagement.layout import lay_out
    from gaddum.records.dose import Dose

    for one in drug.affinities:
        direct = one.direct_in(species, "behaving")
        if direct is None and one.shift_in(species, "behaving") is None and one.k_i is not None:
            yield f"{one.target} in {species}: in-vivo over in-vitro constant, taken as 1"
        if one.efficacy is None and "agonist" in one.mode.split():
            yield f"{one.target}: efficacy, taken as that of a full agonist"
    if not drug.disposition:
        yield f"kinetics in {species}: none, and no species to borrow from; it cannot be dosed but as a bath"
        return
    if not drug.affinities:
        yield "affinities: none; it binds no target of the library"
        return
    dose = Dose(drug=drug.name, amount="1 mg", route="iv bolus", salt="base", repeats=1)
    for one in lay_out((dose,), species=species, draws=2, library=library).assumptions:
        if drug.name in one.where and one.reason == "not found":
            yield f"{one.where}: {one.what}"
    if species not in drug.disposition:
        return
    if not drug.disposition[species].absorption:
        yield f"routes in {species}: iv only"


def _table(document: dict[str, Any]) -> str:
    """What is listed, or every number of what is shown."""
    rows = document.get("drugs") or document.get("targets")
    return csv_of_rows(rows or [row for one in document["shown"] for row in _numbers(one)])


def _numbers(shown: dict[str, Any]) -> Iterator[dict[str, str]]:
    of = {key: shown[key] for key in ("drug", "target") if key in shown}
    yield from (of | row for row in shown["known"])
    for part in shown.get("parts", ()):
        yield from _numbers(part)


def _print(document: dict[str, Any], console: "Console") -> None:
    from gaddum.surface.terminal import print_rows

    for one in document.get("shown", ()):
        _print_one(one, console)
    for rows in (document.get("drugs", ()), document.get("targets", ())):
        if rows:
            print_rows(rows[0], [list(row.values()) for row in rows])


def _print_one(shown: dict[str, Any], console: "Console") -> None:
    from rich.text import Text

    from gaddum.surface.occupancy.evidence import met_words
    from gaddum.surface.occupancy.terminal_table import say

    (_, name), *rest = ((key, value) for key, value in shown.items() if isinstance(value, str))
    console.print(Text(name, style="bold"))
    for key, value in rest:
        if value:
            say(console, f"{key}: {value}")
    for where, those in groupby(shown["known"], key=itemgetter("species")):
        if where:
            console.print(Text(where, style="bold"))
        for one in those:
            say(console, f"- {one['what']}: {one['value']} [{one['source']}]")
    for species, rows in shown.get("met", {}).items():
        for line in met_words(rows, species):
            say(console, f"{species}: {line.removeprefix(f'{name}: ')}")
    for one in shown["lacking"]:
        say(console, f"- not known: {one}", style="yellow")
    for part in shown.get("parts", ()):
        console.print()
        _print_one(part, console)
