"""The command: see `benchmarks.prediction`."""

import argparse
from pathlib import Path

import benchmarks.prediction
from benchmarks.prediction.engagement import row_engagements
from benchmarks.prediction.forecasts import MODEL, RIVALS, forecast_rows, forecasts_document
from benchmarks.prediction.page import FIGURE, PAGE, figure, renewed
from benchmarks.prediction.rivals import rivals
from benchmarks.prediction.rows import BlockadeRecord, blockade_record
from benchmarks.prediction.rows_file import ROWS, read, rows_document, write

from gaddum.records.ledger import LoadedCase, load_case

CASE = "ketamine"


def main(arguments: list[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    loaded = load_case(CASE)
    record = blockade_record(loaded)
    _renew_rows(loaded, record)
    if given.rivals:
        _renew_rivals(loaded, record)
        renew_page()


def renew_page(page: Path = PAGE, picture: Path = FIGURE) -> None:
    """Renew page and figure from the committed files; the model's scores only where they are of these rows."""
    rows, *forecasts = (found for path in (ROWS, RIVALS, MODEL) if (found := read(path)) is not None)
    current = [one for one in forecasts if one["record"] == rows["record"]]
    page.write_text(renewed(page.read_text(encoding="utf-8"), rows, *current), encoding="utf-8")
    picture.write_text(figure(rows, *current), encoding="utf-8")


def _renew_rows(loaded: LoadedCase, record: BlockadeRecord) -> None:
    write(ROWS, rows_document(record, row_engagements(loaded, record.scored)))
    for row in record.rows:
        shares = " ".join(f"{share:.2f}" for share in row.shares)
        print(f"{row.year}  {row.name:70}  weight {row.weight:.2f}  {shares}")
    for one in record.unread:
        print(f"not read: {one.study}, {one.experiment}, {one.arm}: {one.reason}")
    print(
        f"{len(record.scored)} scored rows of {len({row.cohort for row in record.scored})} cohorts, in {ROWS}"
    )


def _renew_rivals(loaded: LoadedCase, record: BlockadeRecord) -> None:
    forecasts = rivals(record.scored, row_engagements(loaded, record.scored))
    found = {name: forecast_rows(record.scored, one) for name, one in forecasts.items()}
    write(RIVALS, forecasts_document(record, found))
    print(f"rivals in {RIVALS}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.prediction",
        description=benchmarks.prediction.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--rows", action="store_true", help="renew the rows from the bundled record")
    what.add_argument(
        "--rivals", action="store_true", help="renew rows, rivals' forecasts and scores, page and figure"
    )
    return parser


if __name__ == "__main__":
    main()
