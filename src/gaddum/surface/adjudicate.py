"""The command `gaddum adjudicate`: run the chain, show the verdict, write the report."""

import logging
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaddum.surface.options import AsJson, CaseName, tell
from gaddum.surface.request import Request, asking, words

if TYPE_CHECKING:
    from gaddum.records.ledger import LoadedCase
    from gaddum.verdict.adjudicate import Adjudication

_log = logging.getLogger("gaddum")


@dataclass(frozen=True)
class AdjudicateRequest(Request):
    """What is asked of `gaddum adjudicate`."""

    verb = "adjudicate"
    case: CaseName
    seed: Annotated[int, typer.Option(min=0, help="Seed of all sampling.")] = 0
    until: Annotated[int | None, typer.Option(metavar="YEAR", help="Take in studies up to this year.")] = None
    hypotheses: Annotated[
        str | None, typer.Option(metavar="A,B", help="Hypotheses to compare; all where not given.")
    ] = None
    link: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="How far slices and imaging speak to behaviour; by default as in the case.",
        ),
    ] = None
    comparator: Annotated[
        bool,
        typer.Option(
            "--comparator", help="Refit every account without a time course too; half as long again."
        ),
    ] = False


@asking
def adjudicate(
    asked: AdjudicateRequest,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Output folder.  [default: runs/CASE]")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Threads; the result does not depend on it.")] = 2,
    as_json: AsJson = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Print the log on standard error.")
    ] = False,
) -> None:
    """Weigh the rival hypotheses of a case. Exit code 0 when done, also if the record does not decide."""
    from gaddum.records.ledger import load_case
    from gaddum.surface.files import REPORT
    from gaddum.surface.terminal import print_summary

    loaded = load_case(asked.case)
    folder = out if out is not None else Path("runs") / loaded.case.name
    document = _run(loaded, folder, asked, verbose, workers=workers)
    made = f"Report: {folder / REPORT}"
    tell(document, as_json, lambda console: print_summary(document, console), made)


def _run(
    loaded: "LoadedCase", folder: Path, asked: AdjudicateRequest, verbose: bool, *, workers: int
) -> dict[str, Any]:
    """Adjudicate and write the results; all of them or none."""
    from gaddum.surface.accelerator import collecting_seldom, configure_jax
    from gaddum.surface.files import DRAWS, LOG, REPORT, RESULT, as_json, staged

    with (
        collecting_seldom(),
        staged(folder) as work,
        _logging(work / LOG, verbose),
        _interruptible() as stop,
    ):
        _log.info("command: %s", asked.command())
        configure_jax(workers=workers)
        from gaddum.surface.report.page import write_report
        from gaddum.verdict.adjudicate import adjudicate as weigh

        with _progress(verbose) as report:
            found: Adjudication = weigh(
                loaded,
                until=asked.until,
                hypotheses=None if asked.hypotheses is None else words(asked.hypotheses),
                seed=asked.seed,
                workers=workers,
                link=asked.link,
                comparator=asked.comparator,
                progress=_stopping(report, stop),
            )
        manifest = found.document["manifest"] | {"command": asked.command()}
        document = found.document | {"manifest": manifest}
        for row in document["hypotheses"]:
            _log.info(
                "%s: log_ml %s, mcse %s, established %s",
                row["name"],
                row["log_ml"],
                row["log_ml_mcse"],
                row["established"],
            )
        found.draws.to_netcdf(work / DRAWS, engine="h5netcdf")
        (work / REPORT).write_text(write_report(document), encoding="utf-8")
        (work / RESULT).write_text(as_json(document) + "\n", encoding="utf-8")
        _log.info("verdict: %s", document["verdict"])
    return document


def _progress(verbose: bool) -> Any:
    """Give a progress bar on standard error, or nothing beside a log."""
    if verbose:
        return nullcontext(lambda task, fraction: None)
    from rich.console import Console

    from gaddum.surface.terminal import progress_bar

    return progress_bar(Console(stderr=True))


def _stopping(report: Callable[[str, float], None], stop: threading.Event) -> Callable[[str, float], None]:
    """Make a progress callback that logs each task's start and ends the worker that calls it after a stop."""
    begun: set[str] = set()

    def reported(task: str, fraction: float) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        if task not in begun:
            begun.add(task)
            _log.info("begin: %s", task)
        report(task, fraction)

    return reported


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Turn SIGINT and SIGTERM into exceptions that unwind the run, and tell its workers."""
    from gaddum.surface.files import handling_stops

    stop = threading.Event()

    def interrupted(number: int, frame: Any) -> None:
        stop.set()
        if number == signal.SIGTERM:
            sys.exit(128 + number)
        raise KeyboardInterrupt

    with handling_stops(interrupted):
        yield stop


@contextmanager
def _logging(path: Path, verbose: bool) -> Iterator[None]:
    """Write the run's log to a file and, if wanted, to standard error; how the run failed goes there too."""
    handlers: list[logging.Handler] = [logging.FileHandler(path, encoding="utf-8")]
    handlers += [logging.StreamHandler()] if verbose else []
    layout = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    sources = (_log, logging.getLogger("py.warnings"))
    levels = [source.level for source in sources]
    with warnings.catch_warnings():
        logging.captureWarnings(True)
        for handler in handlers:
            handler.setFormatter(layout)
        for source in sources:
            source.setLevel(logging.INFO)
            for handler in handlers:
                source.addHandler(handler)
        try:
            yield
        except BaseException as error:
            _log.error("ended early: %s", type(error).__name__, exc_info=error)
            raise
        finally:
            logging.captureWarnings(False)
            for source, level in zip(sources, levels, strict=True):
                source.setLevel(level)
                for handler in handlers:
                    source.removeHandler(handler)
            handlers[0].close()
