"""The command: see `benchmarks.prediction`."""

import argparse

import benchmarks.prediction
from benchmarks.prediction.engagement import row_engagements
from benchmarks.prediction.rows import blockade_record
from benchmarks.prediction.rows_file import ROWS, rows_document, write

from gaddum.records.ledger import LoadedCase, load_case

CASE = "ketamine"


def main(arguments: list[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    loaded = load_case(CASE)
    if given.rows:
        _renew_rows(loaded)


def _renew_rows(loaded: LoadedCase) -> None:
    record = blockade_record(loaded)
    write(ROWS, rows_document(record, row_engagements(loaded, record.scored)))
    for row in record.rows:
        shares = " ".join(f"{share:.2f}" for share in row.shares)
        print(f"{row.year}  {row.name:70}  weight {row.weight:.2f}  {shares}")
    for one in record.unread:
        print(f"not read: {one.study}, {one.experiment}, {one.arm}: {one.reason}")
    print(
        f"{len(record.scored)} scored rows of {len({row.cohort for row in record.scored})} cohorts, in {ROWS}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.prediction",
        description=benchmarks.prediction.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--rows", action="store_true", help="renew the rows from the bundled record")
    return parser


if __name__ == "__main__":
    main()
