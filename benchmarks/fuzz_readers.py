"""Throw random and mutated text at the readers of event tables, shorthand and spreadsheets, and at the predictions.

Run: python benchmarks/fuzz_readers.py [SECONDS] [SEED]. Anything but a ValueError is a failure, shown with the text
that made it. Prints how many texts were tried and accepted, the longest time for one, and the peak of memory; the
result of the last run is kept beside this file.
"""

import random
import resource
import sys
import time
import traceback
from collections.abc import Callable

from gaddum import load_case
from gaddum.exposure.event_prediction import predict_events
from gaddum.interop.event_tables import parse_events, write_events
from gaddum.interop.export import sheet_of_ledger
from gaddum.interop.sheet import parse_sheet, sheet_as_csv
from gaddum.interop.studies import studies_of
from gaddum.records.ledger import Ledger
from gaddum.records.shorthand import parse_doses, write_doses

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
    predict_events(read, advan=4, parameters=PARAMETERS)


def doses(text: str) -> None:
    """Read and write back."""
    read = parse_doses(text)
    assert parse_doses(write_doses(read)) == read


def sheet(text: str) -> None:
    """Read studies, write them as a table and read that back."""
    read = Ledger(studies_of(parse_sheet(text)))
    assert Ledger(studies_of(parse_sheet(sheet_as_csv(sheet_of_ledger(read))))) == read


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120.0
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    studies = load_case("ketamine").ledger.select(["williams2018", "jiang2024"])
    readers: dict[str, tuple[str, Callable[[str], None]]] = {
        "tables": (TABLE, table),
        "shorthand": (DOSES, doses),
        "spreadsheets": (sheet_as_csv(sheet_of_ledger(studies)), sheet),
    }
    counts = {name: [0, 0, 0.0] for name in readers}
    failures, end = 0, time.monotonic() + seconds
    while time.monotonic() < end and failures < 5:
        (name,) = rng.choices(
            list(readers), weights=(100, 100, 2)
        )  # a spreadsheet takes a thousand times as long
        seed, reader = readers[name]
        text = mutated(seed, rng) if rng.random() < 0.85 else noise(rng)
        start = time.monotonic()
        try:
            reader(text)
            counts[name][1] += 1
        except ValueError:
            pass
        except Exception:
            failures += 1
            print(f"FAILURE in {name} on {text!r}\n{traceback.format_exc()}")
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
