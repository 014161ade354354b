"""Throw random and mutated text at every reader, and at what predicts and fits from it.

Run: python benchmarks/fuzz_readers.py [TEXTS] [SEED], 1,000,000 texts by default. Anything but a ValueError is a
failure, shown with the text that made it. Prints how many texts were tried and accepted, the longest time for one, and
the peak of memory; the result of the last run is kept beside this file.
"""

import contextlib
import math
import random
import resource
import sys
import time
import traceback
from collections.abc import Callable

from gaddum import load_case
from gaddum.concentration_response.responses import parse_responses
from gaddum.exposure.event_prediction import predict_events
from gaddum.interop.curves import parse_curves
from gaddum.interop.decode import decode
from gaddum.interop.event_tables import parse_events, write_events
from gaddum.interop.export import sheet_of_ledger
from gaddum.interop.sheet import parse_sheet, sheet_as_csv
from gaddum.interop.studies import studies_of
from gaddum.records.experiment import Study
from gaddum.records.ledger import Ledger
from gaddum.records.library import load_library
from gaddum.records.shorthand import parse_doses, write_doses
from gaddum.records.species import known_species
from gaddum.records.yaml import dump_record, parse_document, to_record
from gaddum.units import CANONICAL, magnitude

TABLE = """ID,TIME,AMT,RATE,EVID,CMT,II,ADDL,SS,DV,MDV,WT
1,0,100,-2,1,1,12,3,1,.,1,70
1,0:30,.,.,0,2,.,.,.,3.1,0,70
# comment
1,30,5,2,4,1,6,2,.,.,1,70
2,9,1e2,5,4,2,8,.,2,.,1,NA
2,9,.,.,3,.,.,.,.,.,1,NA
3,0,0,7,1,2,0,0,1,.,1,50
"""
DOSES = (
    "naltrexone 50 mg po every 24 h x 7 from -144 h + CTAP 1 uM bath for 30 min at -15 min; "
    "(+)-MK-801 0.1 mg/kg iv over 2 h as base + nitrous oxide 2 mM inhaled ; k 1 mg sc daily at steady state"
)
RESPONSES = """agonist (nM),control,AM251 10 nM mean,AM251 10 nM SD,AM251 10 nM n,AM251 0.1 \u00b5mol/L
1,2.3,0.9,0.5,3,0.1
10,23.7,6.5,2,3,NA
# comment
1e2,80.1,51.3,4,3,0.9
"""
CURVES = """curve,species,doses,drug,site,time (min),value,unit,sd,n,limit,source
a,human,naltrexone 50 mg po,naltrexone,venous,0,0,ng/mL,,8,0.25,10.1000/182
a,human,naltrexone 50 mg po,naltrexone,venous,60,8.6,ng/mL,3.1,8,0.25,10.1000/182
a,human,naltrexone 50 mg po,naltrexone,venous,1440,<0.25,ng/mL,,8,0.25,10.1000/182
"""
OWN = """Extraction of 2021;;
# by hand
study;dose;"mean, last"
-;mg/kg;s
Klein 2020;0,5;"12
and 13"

Zhang;1,25;NA
"""
QUANTITY = "\u22123.5x10-7 mL min-1 kg-1"
NAME = "(\u00b1)-MK\u2011801"
PIECES = [
    "",
    "",
    ",",
    "\n",
    "-",
    "9",
    ".",
    "e",
    "1e308",
    "99999",
    '"',
    "\0",
    "NA",
    "\u00e9",
    ":",
    "#",
    " ",
    "\t",
    "+",
]
PIECES += [
    ";",
    "mg/kg",
    " at ",
    "x",
    "\u2212",
    "(",
    "/",
    "%",
    "^",
    "\u2028",
    "\u0130",
    "\u017f",
    "\u212a",
    "\u00b2",
    "\u0663",
    "\ud7ff",
    "-1",
    "-2",
    "1e-300",
    " " * 500,
]
PARAMETERS = {
    "CL": 5.0,
    "V2": 18.0,
    "Q": 4.0,
    "V3": 40.0,
    "KA": 0.9,
    "F1": 0.7,
    "ALAG1": 1.5,
    "D1": 3.5,
    "R2": 20.0,
}


def mutated(seed: str, rng: random.Random) -> str:
    """Replace, cut, double or move a few pieces of a text."""
    text = list(seed)
    for _ in range(rng.choice([1, 1, 2, 3, 5, 20])):
        at = rng.randrange(len(text) + 1)
        end = at + rng.choice([0, 0, 1, 1, 2, 10, 60])
        piece = list(rng.choice(PIECES)) if rng.random() < 0.8 else text[at:end] * rng.choice([2, 3, 50])
        text[at:end] = piece
        if not text:
            break
    return "".join(text)


def noise(rng: random.Random) -> str:
    """Random bytes, read as text."""
    return rng.randbytes(rng.choice([0, 1, 10, 100, 5000])).decode("latin-1")


def table(text: str) -> None:
    """Read, write back and predict."""
    read = parse_events(text)
    assert parse_events(write_events(read)) == read
    assert all(map(math.isfinite, predict_events(read, advan=4, parameters=PARAMETERS)))


def doses(text: str) -> None:
    """Read and write back."""
    read = parse_doses(text)
    assert parse_doses(write_doses(read)) == read


def sheet(text: str) -> None:
    """Read studies, write them as a table and read that back."""
    read = Ledger(studies_of(parse_sheet(text)))
    assert Ledger(studies_of(parse_sheet(sheet_as_csv(sheet_of_ledger(read))))) == read


def own_sheet(text: str) -> None:
    """Read a table of somebody's own, and that again as it is written."""
    read = parse_sheet(text, known=lambda heads: "study" in heads)
    kept = [row.cells for row in read.rows if row.cells]
    assert [row.cells for row in parse_sheet(sheet_as_csv(read), separator=",").rows] == kept


def study(text: str) -> None:
    """Read a study's file, and write it back."""
    read = to_record(parse_document(text), Study)
    assert to_record(parse_document(dump_record(read)), Study) == read


def responses(text: str) -> None:
    """Read, and hold the columns against each other."""
    read = parse_responses(text)
    assert len(read.responses.response) == len(read.responses.agonist) == len(read.responses.antagonist)


def curves(text: str) -> None:
    """Read; every number is finite."""
    for one in parse_curves(text, load_library()).curves:
        assert all(math.isfinite(number.published.value) for number in one.measured)


def octets(text: str) -> None:
    """Decode the text's bytes in an encoding that its length picks."""
    code = ("utf-8", "utf-16", "cp1252", "latin-1", "utf-16-be")[len(text) % 5]
    decode(text.encode(code, "replace"))


def quantity(text: str) -> None:
    """Read as each kind of quantity."""
    for kind in CANONICAL:
        with contextlib.suppress(ValueError):
            magnitude(text, kind)


def name(text: str) -> None:
    """Look up as a drug, a target and a species."""
    library = load_library()
    for resolve in (library.drug_name, library.target_name, known_species):
        with contextlib.suppress(ValueError):
            resolve(text)


def ledger() -> str:
    """Two studies of the ketamine case as a spreadsheet."""
    studies = load_case("ketamine").ledger.select(["williams2018", "jiang2024"])
    return sheet_as_csv(sheet_of_ledger(studies))


READERS: dict[str, tuple[Callable[[], str], Callable[[str], None], int]] = {
    "tables": (lambda: TABLE, table, 20),
    "shorthand": (lambda: DOSES, doses, 20),
    "responses": (lambda: RESPONSES, responses, 20),
    "curves": (lambda: CURVES, curves, 10),
    "bytes": (lambda: TABLE + RESPONSES, octets, 10),
    "quantities": (lambda: QUANTITY, quantity, 20),
    "names": (lambda: NAME, name, 10),
    "own spreadsheets": (lambda: OWN, own_sheet, 10),
    "studies": (lambda: dump_record(load_case("ketamine").ledger.study("jiang2024")), study, 5),
    "spreadsheets": (ledger, sheet, 1),
}
"""Seed, reader and weight; a spreadsheet takes a thousand times as long as a table."""


def throw(reader: str, seed: str, rng: random.Random) -> bool:
    """Throw one text at a reader; whether it took it. Anything but a ValueError is raised, with the text as a note."""
    text = mutated(seed, rng) if rng.random() < 0.85 else noise(rng)
    try:
        READERS[reader][1](text)
    except ValueError:
        return False
    except Exception as error:
        error.add_note(f"{reader}: {text!r}")
        raise
    return True


def main() -> int:
    texts = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    seeds = {name: reader[0]() for name, reader in READERS.items()}
    weights = [weight for _, _, weight in READERS.values()]
    counts = {name: [0, 0, 0.0] for name in READERS}
    failures = 0
    for name in rng.choices(list(READERS), weights, k=texts):
        start = time.monotonic()
        try:
            counts[name][1] += throw(name, seeds[name], rng)
        except Exception:
            failures += 1
            print(f"FAILURE\n{traceback.format_exc()}")
        counts[name][0] += 1
        counts[name][2] = max(counts[name][2], time.monotonic() - start)
    for name, (tried, accepted, longest) in counts.items():
        print(f"{name}: {tried} texts, {accepted} accepted, longest {longest:.2f} s")
    print(
        f"{failures} failures; peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
