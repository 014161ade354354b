"""Command line: `gaddum COMMAND`. Exit codes: 0 done, 1 findings, 2 usage or unusable input, 130 interrupted.

Commands import what they need when they run, so that `gaddum --help` is quick. Results go to standard output,
everything else to standard error.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from gaddum import __version__
from gaddum.surface.options import print_error, print_findings

COMMANDS = {
    "adjudicate": "gaddum.surface.adjudicate",
    "occupancy": "gaddum.surface.occupancy.command",
    "simulate": "gaddum.surface.simulate",
    "audit": "gaddum.surface.audit",
    "predict": "gaddum.surface.predict",
    "compare": "gaddum.surface.compare",
    "update": "gaddum.surface.update",
    "power": "gaddum.surface.power",
    "fit": "gaddum.surface.fit",
    "benchmarks": "gaddum.surface.benchmarks",
    "schild": "gaddum.surface.schild",
    "events": "gaddum.surface.events",
    "check": "gaddum.surface.check",
    "schema": "gaddum.surface.schema",
    "new": "gaddum.surface.new",
    "ledger list": "gaddum.surface.ledger.listing",
    "ledger show": "gaddum.surface.ledger.show",
    "ledger query": "gaddum.surface.ledger.query",
    "ledger import": "gaddum.surface.ledger.import_studies",
    "ledger export": "gaddum.surface.ledger.export",
    "drugs": "gaddum.surface.library",
    "targets": "gaddum.surface.library",
    "serve": "gaddum.surface.web.serve",
}
"""Commands in the order of the help, and the module that holds each, as a function of its name."""

app = typer.Typer(
    name="gaddum",
    help="Which receptors explain this drug's effect, and which experiment would settle it?",
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
for _verb, _home in COMMANDS.items():
    _name = _verb.split()[-1]
    _command = getattr(import_module(_home), _verb.replace(" ", "_"))
    (app if _name == _verb else ledger_app).command(_name)(_command)
app.add_typer(ledger_app, name="ledger")

_INTERRUPTED = "Interrupted; results written earlier are intact."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, by default with the arguments of the process, and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(given, prog_name="gaddum", standalone_mode=True)
    except SystemExit as stop:
        if stop.code == 130 or isinstance(stop.__context__, KeyboardInterrupt):
            print_error(_INTERRUPTED)
            return 130
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        print_error(_INTERRUPTED)
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


def _report_failure(error: ValueError | OSError | ImportError) -> int:
    from gaddum.records.finding import RecordError

    if isinstance(error, RecordError):
        print_findings(error.findings)
    else:
        print_error(f"Error: {error}")
    return 2


if __name__ == "__main__":
    sys.exit(main())
