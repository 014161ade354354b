"""`gaddum events`: predictions for a NONMEM-style table, to hold against NONMEM's own."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gaddum.records.event import EventTable

PREDICTION = "PRED"


def events(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="CSV or whitespace table with a header; see docs.")
    ],
    parameters: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="The system's parameters, and for compartment n: Fn bioavailability (1), ALAGn lag (0), "
            "Rn rate for RATE -1, Dn duration for RATE -2.",
        ),
    ],
    advan: Annotated[int, typer.Option(help="PREDPP's system: 1, 2, 3, 4, 11 or 12.")],
    out: Annotated[
        Path | None, typer.Option(help="Write the table to this file instead of printing it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
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
    from gaddum.exposure.event_prediction import predict_events
    from gaddum.interop.event_tables import read_events, write_events
    from gaddum.surface.files import write_atomically

    read = read_events(table)
    predicted = predict_events(read, advan=advan, parameters=_values(parameters)).tolist()
    text = _as_json(read, predicted) if as_json else write_events(read, {PREDICTION: predicted})
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_atomically(out, text)


def _values(parameters: Sequence[str]) -> dict[str, float]:
    values: dict[str, float] = {}
    for text in parameters:
        name, _, value = text.partition("=")
        try:
            values[name.strip().upper()] = float(value)
        except ValueError:
            raise ValueError(f"A parameter must be NAME=NUMBER, such as CL=5; got {text!r}.") from None
    if len(values) != len(parameters):
        raise ValueError(f"Every parameter must be given once; got {' '.join(parameters)}.")
    return values


def _as_json(table: "EventTable", predicted: Sequence[float]) -> str:
    rows = [
        one.model_dump()
        | {"covariates": dict(zip(table.covariates, one.covariates, strict=True)), "pred": value}
        for one, value in zip(table.events, predicted, strict=True)
    ]
    return json.dumps({"events": rows}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
