"""The command: see `benchmarks.prediction`."""

import argparse
import re
import sys
import time
from pathlib import Path
from typing import Any

import benchmarks.prediction
from benchmarks.prediction.engagement import row_engagements
from benchmarks.prediction.forecasts import MODEL, RIVALS, forecast_rows, forecasts_document
from benchmarks.prediction.page import DOCS, FIGURE, PAGE, figure, renewed
from benchmarks.prediction.rivals import rivals
from benchmarks.prediction.rows import BlockadeRecord, blockade_record
from benchmarks.prediction.rows_file import ROWS, read, rows_document, write

from gaddum.records.ledger import LoadedCase, load_case

CASE = "ketamine"
DECISION = DOCS / "decisions" / "0010-frozen-prediction-test.md"


def main(arguments: list[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    loaded = load_case(CASE)
    record = blockade_record(loaded)
    if given.model is not None:
        check_look(given.model, DECISION.read_text(encoding="utf-8"))
        rivals = check_rivals(read(RIVALS), record)
        _score_model(loaded, record, rivals, given)
        return
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


def check_look(number: int, decision: str) -> None:
    """Refuse a look at the model's scores that was not written down before."""
    rows = re.findall(r"^\| (\d+) \|.*\|(.*)\|$", decision.partition("| Look |")[2], re.M)
    looks = {look: result.strip() for look, result in rows}
    if looks.get(str(number)):
        raise SystemExit(
            f"A look at the model's scores must be taken once; look {number} has its result in {DECISION}. Write a new "
            "row into the table of looks, with what is asked and why."
        )
    if str(number) not in looks:
        raise SystemExit(
            f"A look at the model's scores must stand in the table of looks before it is taken; look {number} is not "
            f"among {', '.join(looks) or 'none'}. Write into {DECISION} what is asked and why."
        )


def check_rivals(rivals: dict[str, Any] | None, record: BlockadeRecord) -> dict[str, Any]:
    """Refuse rivals that were not scored on these rows."""
    if rivals is None or rivals["record"] != record.digest:
        raise SystemExit(
            "The rivals must be scored on the record before the model is; their file is of another record. "
            "Run `python -m benchmarks.prediction --rivals` and commit what it writes."
        )
    return rivals


def _score_model(
    loaded: LoadedCase, record: BlockadeRecord, rivals: dict[str, Any], given: argparse.Namespace
) -> None:
    from benchmarks.prediction.model import model_forecasts
    from benchmarks.prediction.runs import TrainedRuns

    start = time.monotonic()

    def say(*words: object) -> None:
        print(f"{time.monotonic() - start:6.0f} s", *words, file=sys.stderr, flush=True)

    shown: dict[str, tuple[str, int]] = {}

    def progress(training: str, stage: str, fraction: float) -> None:
        mark = (stage, int(10 * fraction))
        if shown.get(training) != mark:
            shown[training] = mark
            say(f"{training}: {stage} {10 * mark[1]} %")

    runs = TrainedRuns(loaded, given.runs, seed=given.seed, workers=given.workers, progress=progress)
    found = model_forecasts(loaded, record, runs.of, seed=given.seed, told=say)
    write(MODEL, {"look": given.model} | forecasts_document(record, {"model": found}, rivals))
    renew_page()


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
    what.add_argument("--model", type=int, metavar="N", help="look number N at the model's scores")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/prediction"), help="where runs of the model are kept"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
