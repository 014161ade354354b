"""Command line: `gaddum COMMAND`. Exit codes: 0 done, 1 findings, 2 usage or unusable input, 130 interrupted.

Commands import what they need when they run, so that `gaddum --help` is quick. Results go to standard output,
everything else to standard error.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from unicodedata import category

import typer

from gaddum import __version__
from gaddum.surface import completion
from gaddum.surface.ledger import csv_of, export, import_, query
from gaddum.surface.options import AsCsv, AsJson, CaseName

if TYPE_CHECKING:
    from gaddum.records.finding import Finding
    from gaddum.records.ledger import LoadedCase

COMMANDS = {
    "adjudicate": "gaddum.surface.adjudicate",
    "occupancy": "gaddum.surface.occupancy.command",
    "simulate": "gaddum.surface.simulate",
    "audit": "gaddum.surface.audit",
    "benchmarks": "gaddum.surface.benchmarks",
    "schild": "gaddum.surface.schild",
    "events": "gaddum.surface.events",
}
"""Commands of a file of their own, in the order of the help, and the module that holds each."""

app = typer.Typer(
    name="gaddum",
    help="Which receptors carry this drug's effect, and which experiment would settle it?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich takes half of the start-up time
    context_settings={"help_option_names": ["-h", "--help"]},
)
ledger_app = typer.Typer(
    help="List, show, ask, read and write the published studies of a case.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for _name, _home in COMMANDS.items():
    app.command(_name)(getattr(import_module(_home), _name))
app.add_typer(ledger_app, name="ledger")
ledger_app.command("query")(query)
ledger_app.command("import")(import_)
ledger_app.command("export")(export)

_INTERRUPTED = "Interrupted; results written earlier are intact."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, by default with the arguments of the process, and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(given, prog_name="gaddum", standalone_mode=True)
    except SystemExit as stop:
        if stop.code == 130 or isinstance(stop.__context__, KeyboardInterrupt):
            _print_error(_INTERRUPTED)
            return 130
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        _print_error(_INTERRUPTED)
        return 130
    except (ValueError, OSError, ImportError) as error:
        # A module of ours that fails to load has a name; an extra that is missing has none.
        if os.environ.get("GADDUM_DEBUG") or (isinstance(error, ImportError) and error.name is not None):
            raise
        return _report_failure(error)
    return 0


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gaddum {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def check(
    case: Annotated[
        str,
        typer.Argument(
            metavar="CASE|STUDY",
            help="A bundled case, the folder of one, the file of a study in it, or CASE:STUDY.",
            autocompletion=completion.subjects,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Check files, and whether a case can be weighed. Exit code 1 for errors and warnings; notes do not count."""
    from gaddum.records.finding import RecordError, capped
    from gaddum.records.ledger import load_case
    from gaddum.surface.accelerator import collecting_seldom
    from gaddum.surface.audit import find_subject
    from gaddum.weigh.readiness import check_case

    name, study = find_subject(case, None)
    try:
        with collecting_seldom():
            loaded = load_case(name)
            if study is not None:
                loaded.ledger.study(study)
            findings: Sequence[Finding] = check_case(loaded)
    except RecordError as error:
        findings = error.findings
    findings = [one for one in findings if study in (None, Path(one.file).stem)]
    if as_json:
        _print_json({"case": case, "findings": [asdict(finding) for finding in findings]})
    else:
        _print_findings(capped(findings))
        counts = {
            level: sum(one.level == level for one in findings) for level in ("error", "warning", "note")
        }
        typer.echo(f"{case}: " + ", ".join(f"{count} {level}(s)" for level, count in counts.items()))
    raise typer.Exit(int(any(finding.level != "note" for finding in findings)))


@app.command()
def schema(
    name: Annotated[
        str | None,
        typer.Argument(help="case, drug, mixture, study, target or result; all of them where not given."),
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of file, for editors, or of an adjudication's result, for programs."""
    from gaddum.records.schema import DIALECT, FILES, file_schema
    from gaddum.results import AdjudicationResult

    result = {"$schema": DIALECT, **AdjudicationResult.model_json_schema(mode="serialization")}
    if name is None:
        _print_json({kind: file_schema(kind) for kind in FILES} | {"result": result})
    else:
        _print_json(result if name == "result" else file_schema(name))


@app.command()
def new(
    name: Annotated[
        str,
        typer.Argument(help="Name of the case: lower case, digits, - and _; with --study the case's folder."),
    ],
    folder: Annotated[Path, typer.Option(help="Where to make the case's folder.")] = Path("."),
    drug: Annotated[
        str | None,
        typer.Option(help="The drug in question, a key of the library.", autocompletion=completion.drugs),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(help="Id of a study whose file to add to the case instead, ready to fill in."),
    ] = None,
) -> None:
    """Make the folder of a new case, with an example study to overwrite; or the file of a new study."""
    from gaddum.surface.scaffold import scaffold_case, scaffold_study

    if study is not None:
        written = scaffold_study(study, Path(name))
        typer.echo(f"Wrote {written}. Fill it in; what is left to fill in, says: gaddum check {name}")
        return
    made = scaffold_case(name, folder, drug=drug)
    typer.echo(f"Made {made}. Edit {made / 'case.yaml'}, then run: gaddum check {made}")


@ledger_app.command("list")
def ledger_list(case: CaseName, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the studies of a case."""
    from gaddum.records.outcome import is_scored

    rows = [
        {
            "id": study.id,
            "year": study.year,
            "title": study.title,
            "cohort": study.cohort,
            "experiments": len(study.experiments),
            "outcomes": sum(len(experiment.outcomes) for experiment in study.experiments),
            "scored": sum(is_scored(one) for experiment in study.experiments for one in experiment.outcomes),
        }
        for study in _load(case).ledger.studies
    ]
    if as_json:
        _print_json({"case": case, "studies": rows})
    elif as_csv:
        heads = ("id", "year", "title", "cohort", "experiments", "outcomes", "scored")
        typer.echo(csv_of(heads, [[row[head] for head in heads] for row in rows]), nl=False)
    elif rows:
        from gaddum.surface.terminal import print_rows

        print_rows(rows[0], [[str(value) for value in row.values()] for row in rows])
    else:
        _print_error(f"The ledger of {case} is empty.", style="yellow")


@ledger_app.command("show")
def ledger_show(
    case: CaseName,
    study: Annotated[
        str,
        typer.Argument(
            help="Id of the study, as `gaddum ledger list` prints it.", autocompletion=completion.studies
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Show one study as it is recorded."""
    from gaddum.records.yaml import dump_record

    record = _load(case).ledger.study(study)
    if as_json:
        _print_json(record.model_dump(mode="json"))
    else:
        typer.echo(dump_record(record), nl=False)


def _load(case: str) -> "LoadedCase":
    from gaddum.records.ledger import load_case
    from gaddum.surface.accelerator import collecting_seldom

    with collecting_seldom():
        return load_case(case)


def _print_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def _print_error(message: str, *, style: str = "bold red") -> None:
    from rich.console import Console
    from rich.text import Text

    shown = "".join("\ufffd" if category(one) == "Cc" and one not in "\n\t" else one for one in message)
    Console(stderr=True, soft_wrap=True).print(Text(shown, style=style))


def _report_failure(error: ValueError | OSError | ImportError) -> int:
    from gaddum.records.finding import RecordError

    if isinstance(error, RecordError):
        _print_findings(error.findings)
        return 1
    _print_error(f"Error: {error}")
    return 2


def _print_findings(findings: "Iterable[Finding]") -> None:
    styles = {"error": "bold red", "warning": "yellow", "note": "dim"}
    for finding in findings:
        _print_error(str(finding), style=styles[finding.level])


if __name__ == "__main__":
    sys.exit(main())
