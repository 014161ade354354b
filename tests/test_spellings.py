"""One table of spellings through every door: the same meaning everywhere, or the same refusal."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from gaddum import load_case
from gaddum.concentration_response.response_heads import parse_level
from gaddum.concentration_response.responses import parse_responses
from gaddum.interop.event_tables import parse_events
from gaddum.interop.export import sheet_of_ledger
from gaddum.interop.regimens import regimens_from_events
from gaddum.interop.sheet import Sheet
from gaddum.interop.studies import studies_of
from gaddum.records.dose import HELD, Dose
from gaddum.records.library import load_library
from gaddum.records.shorthand import parse_doses, parse_route
from gaddum.records.species import known_species
from gaddum.units import canonical_unit, magnitude

TABLE = yaml.safe_load(Path(__file__).with_name("spellings.yaml").read_text(encoding="utf-8"))
KINDS = ("dose", "concentration", "quantity", "route", "drug", "species", "number")


def meaning(doses: tuple[Dose, ...]) -> list[tuple[Any, ...]]:
    """What doses say, whatever the units in which they say it."""
    return [
        (
            load_library().drug(dose.drug).name,
            pytest.approx(magnitude(dose.amount, "concentration" if dose.route in HELD else "dose")),
            canonical_unit(dose.amount, "concentration" if dose.route in HELD else "dose"),
            dose.route, dose.time_h, dose.duration_h, dose.interval_h, dose.repeats, dose.steady_state, dose.salt,
        )
        for dose in map(load_library().named, doses)
    ]  # fmt: skip


@cache
def williams() -> Sheet:
    return sheet_of_ledger(load_case("ketamine").ledger.select(["williams2018"]))


def imported(column: str, text: str) -> Any:
    """The first experiment of a spreadsheet in which a column says this."""
    sheet = williams()
    rows = tuple(row._replace(cells={**row.cells, column: text}) for row in sheet.rows)
    return studies_of(sheet._replace(rows=rows))[0].experiments[0].protocol


def response(cell: str) -> float | None:
    read = parse_responses(f"agonist (nM)\tcontrol\t10 nM\n1\t7\t{cell}\n").responses
    found = read.response[read.antagonist == 10].tolist()
    return found[0] if found else None


def observed(cell: str) -> float | None:
    return parse_events(f"TIME\tAMT\tDV\n0\t5\t.\n1\t.\t{cell}\n").events[1].dv


def held(text: str) -> float:
    return magnitude(Dose(drug="CTAP", amount=text, route="bath", duration="1 h").amount, "concentration")


def bath(text: str) -> float:
    (dose,) = parse_doses(f"CTAP {text} bath for 1 h")
    return magnitude(dose.amount, "concentration")


def dosed(name: str) -> str:
    """Name of the drug of a table of events."""
    library = load_library()
    (one,) = regimens_from_events(
        parse_events("TIME,AMT\n0,5\n"), drug=library.drug_name(name), unit="mg", routes={1: "po"}
    )
    return one.doses[0].drug


def shorthand_drug(name: str) -> str:
    (dose,) = parse_doses(f"{name} 1 mg ip")
    return load_library().drug_name(dose.drug)


DOORS: dict[str, list[Callable[..., Any]]] = {
    "dose": [
        lambda text: meaning(parse_doses(text)),
        lambda text: meaning(imported("arm 1 doses", text).arms["K"].doses),
    ],
    "concentration": [
        held,
        bath,
        lambda text: parse_level(f"CTAP {text}", "nM").level,
        lambda text: float(parse_responses(f"agonist (nM)\tcontrol\tCTAP {text} \n1\t7\t5\n").responses.levels[1]),
    ],
    "route": [
        parse_route,
        lambda text: Dose.model_validate({"drug": "k", "amount": "1 mg", "route": text}).route,
        lambda text: parse_doses(f"ketamine 1 mg/kg {text}")[0].route,
    ],
    "drug": [load_library().drug_name, shorthand_drug, dosed],
    "species": [known_species, lambda text: imported("species", text).subject.species],
    "number": [response, observed],
}  # fmt: skip


def entries() -> list[Any]:
    found = []
    for number, entry in enumerate(TABLE["spellings"]):
        kind = next(kind for kind in KINDS if kind in entry)
        found.append(pytest.param(kind, entry, id=f"{number}-{kind}"))
    return found


@pytest.mark.parametrize(("kind", "entry"), entries())
def test_a_spelling_means_the_same_at_every_door_or_is_refused_at_every_door(kind, entry):
    text, wanted = entry[kind], entry["is"]
    doors = DOORS.get(kind) or [lambda one: magnitude(one, entry["as"])]
    for number, door in enumerate(doors):
        if wanted == "refused":
            with pytest.raises(ValueError):
                door(text)
            continue
        known = meaning(parse_doses(wanted)) if kind == "dose" else None if wanted == "missing" else wanted
        found = door(text)
        assert found == (pytest.approx(known) if isinstance(known, (int, float)) else known), number


def test_there_are_150_spellings_of_which_40_stand_in_papers():
    habits = {"barlow", "methods", "prism", "nonmem", "excel", "typed", "ileum"}
    of = Counter(entry["of"] in habits for entry in TABLE["spellings"])
    assert {entry["of"] for entry in TABLE["spellings"]} == set(TABLE["sources"])
    assert of.total() >= 150 and of[False] >= 40
