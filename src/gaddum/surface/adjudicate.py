"""The command `gaddum adjudicate`: run the chain, show the verdict, write the report.

Everything heavy is imported when the command runs, so that `gaddum --help` stays quick.
"""

import logging
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaddum.surface.options import AsJson, CaseName, command_line, unusable

if TYPE_CHECKING:
    from gaddum.records.ledger import LoadedCase
    from gaddum.results import AdjudicationResult
    from gaddum.verdict.adjudicate import Adjudication

_log = logging.getLogger("gaddum")

INTERRUPTED = 130


def adjudicate(
    case: CaseName,
    until: Annotated[
        int | None, typer.Option(metavar="YEAR", help="Take in studies up to this year.")
    ] = None,
    hypotheses: Annotated[
        str | None, typer.Option(metavar="A,B", help="Hypotheses to compare; all where not given.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all sampling.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Output folder.  [default: runs/CASE]")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Threads; the result does not depend on it.")] = 2,
    link: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="How far slices and imaging speak to behaviour; by default as in the case.",
        ),
    ] = None,
    comparator: Annotated[
        bool,
        typer.Option(
            "--comparator", help="Refit every account without a time course too; half as long again."
        ),
    ] = False,
    as_json: AsJson = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Print the log on standard error.")
    ] = False,
) -> None:
    """Weigh the rival hypotheses of a case. Exit code 0 when done, also if the record does not decide."""
    from gaddum.records.ledger import load_case

    names = None if hypotheses is None else [name.strip() for name in hypotheses.split(",") if name.strip()]
    command = command_line(
        "adjudicate",
        case,
        seed=seed,
        until=until,
        hypotheses=None if names is None else ",".join(names),
        link=None if link is None else f"{link:g}",
        comparator=comparator,
    )
    try:
        loaded = load_case(case)
        folder = out if out is not None else Path("runs") / loaded.case.name
        result = _run(
            loaded,
            folder,
            command,
            verbose,
            quiet=as_json,
            until=until,
            hypotheses=names,
            seed=seed,
            workers=workers,
            link=link,
            comparator=comparator,
        )
    except (ValueError, OSError) as error:
        raise unusable(error) from None
    except KeyboardInterrupt:
        typer.echo("Interrupted; results written earlier are intact.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        typer.echo(result.to_json())
        return
    from rich.console import Console

    from gaddum.surface.files import REPORT
    from gaddum.surface.terminal import print_summary

    print_summary(result, Console())
    typer.echo(f"\nReport: {folder / REPORT}")


def _run(
    loaded: "LoadedCase",
    folder: Path,
    command: str,
    verbose: bool,
    *,
    quiet: bool,
    workers: int,
    **choices: Any,
) -> "AdjudicationResult":
    """Adjudicate and write the results; all of them or none."""
    from gaddum.surface.accelerator import collecting_seldom, configure_jax
    from gaddum.surface.files import DRAWS, LOG, REPORT, RESULT, staged

    with (
        collecting_seldom(),
        staged(folder) as work,
        _logging(work / LOG, verbose),
        _interruptible() as stop,
    ):
        _log.info("command: %s", command)
        configure_jax(workers=workers)
        from gaddum.surface.report.page import write_report
        from gaddum.verdict.adjudicate import adjudicate as weigh

        with _progress(verbose) as report:
            found: Adjudication = weigh(loaded, workers=workers, progress=_stopping(report, stop), **choices)
        result = found.result.with_manifest(command=command)
        for row in result.hypotheses:
            _log.info(
                "%s: log_ml %s, mcse %s, established %s",
                row.name,
                row.log_ml,
                row.log_ml_mcse,
                row.established,
            )
        found.draws.to_netcdf(work / DRAWS, engine="h5netcdf")
        (work / REPORT).write_text(write_report(result), encoding="utf-8")
        (work / RESULT).write_text(result.to_json() + "\n", encoding="utf-8")
        _log.info("verdict: %s", result.verdict)
    return result


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
