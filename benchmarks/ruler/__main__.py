"""Record what the chain says of the bundled cases, and compare.

    python -m benchmarks.ruler record OUT_DIR [--without-runs] [--workers 2] [--cases ketamine,morphine]
    python -m benchmarks.ruler compare A B [--tolerance NAME=VALUE ...]
    python -m benchmarks.ruler gap A

It has three uses:

- *Nothing moved.* A change of form (a rename, a move, a merged copy) must leave every number where it was: record
  before and after, compare with the tolerances as they stand, which allow for the order of sums and nothing else.
- *What moved.* A change of substance moves some numbers and no others: the comparison says how many of which kind, and
  names the worst. Tolerances are loosened by name, and `no` leaves a kind out: ``--tolerance answer=.02 document=no``.
- *Two answers to one question.* The calculator (`gaddum occupancy`) and the inference (`gaddum adjudicate`) both follow
  an arm's doses to its receptors. `gap` says, within one recording, how far apart they are, by feature and drug.

`compare` ends with exit code 1 if anything is beyond its tolerance or stands on one side only.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.ruler.compare import SAYS, TOLERANCES, WORDS, compare, describe
from benchmarks.ruler.gap import describe_gap
from benchmarks.ruler.recording import read


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    if given.use == "record":
        from benchmarks.ruler.record import (
            CASES,
            record,
        )  # the chain itself, which the other uses do not need

        cases = CASES if given.cases is None else tuple(given.cases.split(","))
        record(given.folder, cases, runs=not given.without_runs, workers=given.workers)
        return 0
    if given.use == "gap":
        print(describe_gap(read(given.folder)))
        return 0
    tolerances = TOLERANCES | dict(given.tolerance)
    found = compare(read(given.before), read(given.after), tolerances)
    print(describe(found, tolerances))
    return int(any(one.failed for one in found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ruler",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    uses = parser.add_subparsers(dest="use", required=True)
    record = uses.add_parser("record", help="record what the chain says")
    record.add_argument("folder", type=Path)
    record.add_argument("--without-runs", action="store_true", help="leave out the adjudications (minutes)")
    record.add_argument("--workers", type=int, default=2)
    record.add_argument("--cases", help="names, separated by commas; both bundled cases where not given")
    compare = uses.add_parser("compare", help="compare two recordings")
    compare.add_argument("before", type=Path)
    compare.add_argument("after", type=Path)
    compare.add_argument(
        "--tolerance",
        nargs="+",
        action="extend",
        type=_tolerance,
        default=[],
        metavar="NAME=VALUE",
        help="; ".join(f"{name}={one:g}: {SAYS[name]}" for name, one in TOLERANCES.items()).replace(
            "%", "%%"
        ),
    )
    gap = uses.add_parser("gap", help="calculator against inference within one recording")
    gap.add_argument("folder", type=Path)
    return parser


def _tolerance(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in TOLERANCES:
        raise argparse.ArgumentTypeError(f"A tolerance must be one of {', '.join(TOLERANCES)}; got {name!r}.")
    try:
        return name, WORDS[value] if value in WORDS else float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"The tolerance of {name} must be a number, yes (0) or no (not compared); got {value!r}."
        ) from None


if __name__ == "__main__":
    sys.exit(main())
