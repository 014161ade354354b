"""The command `gaddum adjudicate`: run the chain, show the verdict, write the report."""

import logging
import os
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaddum import __version__
from gaddum.surface.options import AsJson, CaseName
from gaddum.surface.request import Request, asking, words

if TYPE_CHECKING:
    from gaddum.records.ledger import LoadedCase
    from gaddum.results import AdjudicationResult
    from gaddum.surface.run_folder import RunFolder
    from gaddum.verdict.adjudicate import Adjudication

_log = logging.getLogger("gaddum")

LARGEST_SEED = 2**32 - 1
"""Beyond, the streams of two fits would meet."""
STAGES = {
    "reading the record": 5.0,
    "compiling": 35.0,
    "weighing the hypotheses": 85.0,
    "refitting without time course": 40.0,
    "summarising": 15.0,
    "writing the results": 8.0,
}
"""How long the stages of a run take beside each other (1)."""


def _folder(given: str) -> Path:
    if not given.strip():
        raise typer.BadParameter("a folder must have a name; got none. Write . for the folder you are in.")
    return Path(given)


@dataclass(frozen=True)
class AdjudicateRequest(Request):
    """What is asked of `gaddum adjudicate`."""

    verb = "adjudicate"
    case: CaseName
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of all sampling.")] = 0
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

    def choices(self) -> dict[str, Any]:
        """Keywords of `gaddum.adjudicate`."""
        named = None if self.hypotheses is None else words(self.hypotheses)
        return {name: value for name, value in vars(self).items() if name != "case"} | {"hypotheses": named}


@asking
def adjudicate(
    asked: AdjudicateRequest,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", parser=_folder, help="Output folder.  [default: runs/CASE]")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Threads; the result does not depend on it.")] = 2,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with an interrupted run of the same request, to its very numbers."
        ),
    ] = False,
    as_json: AsJson = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Print the log on standard error.")
    ] = False,
) -> None:
    """Weigh the rival hypotheses of a case. Exit code 0 when done, also if the record does not decide."""
    from gaddum.records.ledger import load_case
    from gaddum.result_set import REPORT
    from gaddum.surface.accelerator import require_address_space
    from gaddum.surface.run_folder import finished, run_folder, run_id
    from gaddum.surface.terminal import print_summary

    loaded = load_case(asked.case)
    folder = out if out is not None else Path("runs") / loaded.case.name
    wanted = asked_of(loaded, asked)
    result = finished(folder, run_id(wanted)) if resume else None
    if result is not None:
        _tell("That run is finished; nothing is left to compute.")
    else:
        require_address_space()
        elsewhere = ["" if out is None else f"--out {shlex.quote(str(out))}"]
        elsewhere += ["" if workers == 2 else f"--workers {workers}", "--resume"]
        again = " ".join([asked.command(), *filter(None, elsewhere)])
        with run_folder(folder, wanted, resume=resume, again=again, say=_tell) as place:
            said = {"command": asked.command(), "run": run_id(wanted)}
            result = _run(loaded, place, asked, said, verbose, quiet=as_json, workers=workers)
    if as_json:
        typer.echo(result.to_json())
        return
    from rich.console import Console

    print_summary(result, Console())
    typer.echo(f"\nReport: {folder / REPORT}")


def _run(
    loaded: "LoadedCase",
    place: "RunFolder",
    asked: AdjudicateRequest,
    said: dict[str, str],
    verbose: bool,
    *,
    quiet: bool,
    workers: int,
) -> "AdjudicationResult":
    """Adjudicate and make the files of the results."""
    from gaddum.result_set import DRAWS, LOG, REPORT, RESULT, digests
    from gaddum.surface.accelerator import collecting_seldom, configure_jax

    work = place.results
    with (
        collecting_seldom(),
        _logging(work / LOG, verbose),
        _interruptible() as stop,
        _progress(verbose, quiet, asked.comparator) as report,
    ):
        _log.info("run %s: %s", said["run"], said["command"])
        report("reading the record", 0.0)
        configure_jax(workers=workers)
        from gaddum.surface.report.page import write_report
        from gaddum.verdict.adjudicate import adjudicate as weigh

        found: Adjudication = weigh(
            loaded,
            workers=workers,
            progress=_stopping(report, stop),
            checkpoints=place.fits,
            **asked.choices(),
        )
        report("writing the results", 0.0)
        result = found.result.with_manifest(**said, cores=_cores())
        for row in result.hypotheses:
            _log.info(
                "%s: log_ml %s, mcse %s, established %s",
                row.name,
                row.log_ml,
                row.log_ml_mcse,
                row.established,
            )
        found.draws.attrs["run"] = said["run"]
        found.draws.to_netcdf(work / DRAWS, engine="h5netcdf")
        page = f"{write_report(result)}\n<!-- run {said['run']} -->\n"
        (work / REPORT).write_text(page, encoding="utf-8")
        result = result.with_manifest(files=digests(work, DRAWS, REPORT))
        (work / RESULT).write_text(result.to_json() + "\n", encoding="utf-8")
        _log.info("verdict: %s", result.verdict)
    return result


def asked_of(loaded: "LoadedCase", asked: AdjudicateRequest) -> dict[str, Any]:
    """What the numbers depend on: the request, what the files say, and what computes."""
    return {"case": loaded.case.name, **asked.choices(), **loaded.hashes, **_made_by()}


def _made_by() -> dict[str, Any]:
    """What else the last digits depend on."""
    from importlib.metadata import PackageNotFoundError, version

    from gaddum.extras import required
    from gaddum.surface.origin import source_digest

    try:
        versions = {name: version(name) for name in ("jax", "numpy")}
    except PackageNotFoundError:  # say which extra has it
        required("jax", "Weighing a case")
        raise
    return {"gaddum": __version__, "source": source_digest(), **versions, "cores": _cores()}


def _cores() -> int | None:
    """Cores that the process may use: sums in another order differ in their last digits."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _tell(sentence: str) -> None:
    with suppress(OSError):  # a terminal that has gone
        typer.echo(sentence, err=True)


def _progress(verbose: bool, quiet: bool, comparator: bool) -> Any:
    """Show progress on standard error: nothing beside a log, nor to a program that reads JSON."""
    from rich.console import Console

    from gaddum.surface.terminal import progress_bar

    console = Console(stderr=True)
    if verbose or (quiet and not console.is_terminal):
        return nullcontext(lambda task, fraction: None)
    stages = {name: share for name, share in STAGES.items() if comparator or "refitting" not in name}
    return progress_bar(console, stages)


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
    """Turn signals into exceptions that unwind the run, and tell its workers."""
    from gaddum.surface.files import handling_stops

    stop = threading.Event()

    def interrupted(number: int, frame: Any) -> None:
        stop.set()
        if number != signal.SIGINT:
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
