"""`gaddum events`: predictions for a NONMEM-style table, to hold against NONMEM's own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from gaddum.surface.options import AsJson, Decimal, Separator
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from gaddum.records.event import EventTable

PREDICTION = "PRED"
OURS = "GADDUM"
"""What predictions are called beside those that a table has already."""


@dataclass(frozen=True)
class EventsRequest(Request):
    """What is asked of `gaddum events`."""

    verb = "events"
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="CSV or whitespace table with a header; see docs.")
    ]
    advan: Annotated[int, typer.Option(help="PREDPP's system: 1, 2, 3, 4, 11 or 12.")]
    parameters: Annotated[
        tuple[str, ...],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="The system's parameters, and for compartment n: Fn bioavailability (1), ALAGn lag (0), "
            "Rn rate for RATE -1, Dn duration for RATE -2. A value may be a column of the table; "
            "what is not given is taken from the column of its name.",
        ),
    ] = ()
    separator: Separator = None
    decimal: Decimal = None


class PredictedEvents(NamedTuple):
    """A table of events, and what is predicted at each of them."""

    table: "EventTable"
    column: str
    """What the predictions are called."""
    predicted: list[float]
    """Amount over volume, per record."""
    notes: list[str]


@asking
def events(
    asked: EventsRequest,
    out: Annotated[
        Path | None, typer.Option(help="Write the table to this file instead of printing it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Predict the concentration at every record of a table of events, as NONMEM does.

    \b
    ADVAN  compartments                         parameters (TRANS2 for 1 and 2, else TRANS4)
    1      1 central                            CL V
    2      1 depot, 2 central                   CL V KA
    3      1 central, 2 peripheral              CL V1 Q V2
    4      1 depot, 2 central, 3 peripheral     CL V2 Q V3 KA
    11     1 central, 2 and 3 peripheral        CL V1 Q2 V2 Q3 V3
    12     1 depot, 2 central, 3, 4 peripheral  CL V2 Q3 V3 Q4 V4 KA

    Time is in h, clearance in L/h, volume in L. A dose without CMT goes to compartment 1, an observation is in the
    central compartment. PRED is the amount over the volume in the central compartment (S = V), the amount elsewhere,
    right after the record.

    Example: gaddum events theirs.csv CL=5 V=20 KA=1.2 ALAG1=0.5 --advan 2
    """  # noqa: D301  # \b keeps the table's lines apart
    from gaddum.interop.event_tables import write_events
    from gaddum.surface.files import write_atomically

    found = run(asked)
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)
    text = _as_json(found) if as_json else write_events(found.table, {found.column: found.predicted})
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_atomically(out, text)


def run(asked: EventsRequest) -> PredictedEvents:
    """Read the table that is asked of, and predict each of its records."""
    from gaddum.exposure.event_prediction import column_parameters, predict_events
    from gaddum.interop.event_tables import read_events

    read = read_events(asked.table, separator=asked.separator, decimal=asked.decimal)
    values = _values(asked.parameters, read.covariates)
    predicted = predict_events(read, advan=asked.advan, parameters=values).tolist()
    columns = column_parameters(read, advan=asked.advan, parameters=values)
    unread = [
        column for column in read.covariates if column.upper() in values and column.upper() not in columns
    ]
    notes = [
        *read.notes,
        *(f"{name} is taken from the column {read.covariates[place]}" for name, place in columns.items()),
        *(f"the column {column} is not read, since {column.upper()} is given" for column in unread),
    ]
    if PREDICTION not in {one.upper() for one in read.covariates}:
        return PredictedEvents(read, PREDICTION, predicted, notes)
    notes.append(f"predictions are in the column {OURS}, since the table has a {PREDICTION}")
    return PredictedEvents(read, OURS, predicted, notes)


def _values(parameters: Sequence[str], columns: Sequence[str]) -> dict[str, float | str]:
    values: dict[str, float | str] = {}
    for text in parameters:
        name, _, value = text.partition("=")
        try:
            values[name.strip().upper()] = value if value in columns else float(value)
        except ValueError:
            raise ValueError(f"A parameter must be NAME=NUMBER, such as CL=5; got {text!r}.") from None
    if len(values) != len(parameters):
        raise ValueError(f"Every parameter must be given once; got {' '.join(parameters)}.")
    return values


def _as_json(found: PredictedEvents) -> str:
    rows = [
        one.model_dump()
        | {"covariates": dict(zip(found.table.covariates, one.covariates, strict=True)), "pred": value}
        for one, value in zip(found.table.events, found.predicted, strict=True)
    ]
    document = {"events": rows, "notes": found.notes}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
