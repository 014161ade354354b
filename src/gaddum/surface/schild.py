"""The command `gaddum schild`: pA2, Schild slope and EC50s from a table of responses.

Two ways stand side by side, the global fit and the classical regression, so that a reader sees whether they agree.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaddum.surface.options import AsJson, Decimal, Separator, tell
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from gaddum.concentration_response.global_fit import SchildFit, SchildRegression
    from gaddum.concentration_response.least_squares import CurveFit, Estimate, NestedTest
    from gaddum.concentration_response.responses import Responses

FIGURE = "schild.png"


@dataclass(frozen=True)
class SchildRequest(Request):
    """What is asked of `gaddum schild`."""

    verb = "schild"
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv",
            help="Responses: columns agonist, antagonist, response; or agonist and one column per antagonist level.",
        ),
    ]
    unit: Annotated[str, typer.Option(help="Unit of concentrations that name none.")] = "nM"
    hold: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=VALUE,...", help="Parameters to hold: bottom, top, log_ec50, hill, pa2, slope."
        ),
    ] = None
    level: Annotated[float, typer.Option(help="Level of the confidence intervals.")] = 0.95
    agonist: Annotated[str | None, typer.Option(help="Drug whose molar mass turns ng/mL into nM.")] = None
    antagonist: Annotated[str | None, typer.Option(help="The same for the antagonist.")] = None
    separator: Separator = None
    decimal: Decimal = None


@asking
def schild(
    asked: SchildRequest,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help=f"Folder for result.json and {FIGURE}.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fit agonist curves with a competitive antagonist: pA2, Schild slope, EC50s."""
    from gaddum.result_set import RESULT
    from gaddum.surface.files import as_json as to_json
    from gaddum.surface.files import staged

    document = run(asked)
    if out is not None:
        from gaddum.surface.schild_charts import save_schild_png

        with staged(out) as work:
            save_schild_png(document, work / FIGURE)
            (work / RESULT).write_text(to_json(document), encoding="utf-8")
    tell(document, as_json, lambda console: _print(document, console), out and f"Figure: {out / FIGURE}")


def run(asked: SchildRequest) -> dict[str, Any]:
    """Read and analyse the table that is asked of."""
    from gaddum.concentration_response.responses import read_response_table

    drugs = {"agonist": asked.agonist, "antagonist": asked.antagonist}
    read = read_response_table(
        asked.file, asked.unit, **drugs, separator=asked.separator, decimal=asked.decimal
    )
    document = schild_document(read.responses, fixed=_held(asked.hold), level=asked.level, notes=read.notes)
    return document | {"command": asked.command()}


def schild_document(
    responses: "Responses",
    *,
    fixed: dict[str, float] | None = None,
    level: float = 0.95,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Analyse responses both ways and put the numbers into plain dictionaries.

    Parameters
    ----------
    responses : Responses
        Measurements.
    fixed : dict, optional
        Parameters to hold in the global fit, by name. With one concentration of antagonist the slope is held at 1.
    level : float
        Level of the confidence intervals.
    notes : sequence of str
        What was taken for granted in reading the responses.

    Returns
    -------
    dict
        Keys level, global, regression (None where it cannot be made), curves, points and notes.
    """
    from gaddum.concentration_response.curve_shape import shape_concerns
    from gaddum.concentration_response.global_fit import (
        dose_ratios,
        fit_parallel_curves,
        fit_schild,
        schild_regression,
    )

    held, notes = dict(fixed or {}), list(notes)
    given = responses.levels[responses.levels > 0]
    if given.size == 1 and "slope" not in held:
        held["slope"] = 1.0
        notes.append(
            "One concentration of antagonist: the Schild slope is held at 1, so pA2 is an apparent pK_B."
        )
    whole = fit_schild(responses, fixed=held, level=level)
    parallel = fit_parallel_curves(
        responses, fixed={k: v for k, v in held.items() if k in ("bottom", "top", "hill")}, level=level
    )
    notes += shape_concerns(responses, parallel)
    ratios = dose_ratios(parallel)
    shifted = ratios > 1
    if not shifted.all() and whole.fit["pa2"].standard_error != math.inf:
        left_out = ", ".join(f"{b:g} nM" for b in given[~shifted])
        notes.append(
            f"Left out of the regression, because the curve is not shifted to the right: {left_out}."
        )
    regression = None
    if shifted.any() and whole.fit["pa2"].standard_error != math.inf:
        slope = {"slope": held["slope"]} if "slope" in held else {}
        slope = slope or ({} if shifted.sum() > 1 else {"slope": 1.0})
        regression = schild_regression(given[shifted], ratios[shifted], fixed=slope, level=level)
    notes += [f"Global fit: {whole.fit.status}"] if whole.fit.status != "converged" else []
    if regression is not None and regression.fit.df == 0:
        notes.append("The regression has as many points as parameters, so it has no error of its own.")
    return {
        "level": level,
        "global": _block(whole),
        "regression": None if regression is None else _block(regression),
        "curves": [
            {
                "antagonist_nM": float(b),
                "log_ec50": _estimate(one),
                "ec50_nM": 10 ** (one.value + 9),
                "dose_ratio": 10 ** (one.value - next(iter(_ec50s(parallel))).value),
            }
            for b, one in zip(responses.levels, _ec50s(parallel), strict=True)
        ],
        "points": [
            {"agonist_nM": float(a), "antagonist_nM": float(b), "response": float(y)}
            for a, b, y in zip(*responses, strict=True)
        ],
        "notes": notes,
    }


def _ec50s(parallel: "CurveFit") -> "list[Estimate]":
    return [one for name, one in parallel.estimates.items() if name.startswith("log_ec50[")]


def _block(found: "SchildFit | SchildRegression") -> dict[str, Any]:
    return _fit(found.fit) | {
        "slope_test": _test(found.slope_test),
        "unit_slope": _fit(found.unit_slope),
    }


def _fit(fit: "CurveFit") -> dict[str, Any]:
    return {
        "estimates": {name: _estimate(one) for name, one in fit.estimates.items()},
        "sum_of_squares": fit.sum_of_squares,
        "df": fit.df,
        "residual_sd": fit.residual_sd,
        "r_squared": fit.r_squared,
        "status": fit.status,
    }


def _estimate(one: "Estimate") -> dict[str, Any]:
    return one._asdict()


def _test(test: "NestedTest | None") -> dict[str, Any] | None:
    return None if test is None else {"f": test.f, "df": list(test.df), "p": test.p}


def _held(text: str | None) -> dict[str, float]:
    held: dict[str, float] = {}
    for item in (text or "").split(","):
        if not item.strip():
            continue
        name, equals, value = item.partition("=")
        try:
            held[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ValueError(f"--hold must be like slope=1 or bottom=0,top=100; got {item.strip()!r}.")
    return held


def _print(document: dict[str, Any], console: "Console") -> None:
    from rich.table import Table
    from rich.text import Text

    blocks = {"global fit": document["global"], "regression": document["regression"]}
    for title, block in blocks.items():
        if block is not None:
            console.print(_table(title, block, document["level"]))
            console.print()
    curves = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("Antagonist (nM)", "EC50 (nM)", "Dose ratio"):
        curves.add_column(head, justify="right")
    for row in document["curves"]:
        numbers = (row[key] for key in ("antagonist_nM", "ec50_nM", "dose_ratio"))
        curves.add_row(*(f"{float(f'{number:.3g}'):g}" for number in numbers))
    console.print(curves)
    console.print()
    for title, block in blocks.items():
        for line in _said(title, block):
            console.print(Text(line))
    for note in document["notes"]:
        console.print(Text(note, style="yellow"))


def _table(title: str, block: dict[str, Any], level: float) -> "Table":
    """Estimates of one way of fitting, two intervals each."""
    from rich.table import Table
    from rich.text import Text

    from gaddum.surface.rounding import rounded

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (title.capitalize(), "Estimate", "SE", f"{100 * level:g} % CI", "Profile likelihood"):
        table.add_column(
            head, justify="left" if head.startswith(title.capitalize()) else "right", no_wrap=True
        )
    for name, one in block["estimates"].items():
        label = Text(str(_LABELS.get(name, name)))
        if one["fixed"]:
            table.add_row(label, f"{one['value']:.4g}", "held", "", "")
            continue
        error = one["standard_error"]
        shown = (
            error / 10 if error and math.isfinite(error) else None
        )  # one digit more than the error's first
        if error == math.inf and math.isfinite(one["value"]):
            one = {**one, "value": math.nan}  # not identified
        below = math.isnan(one["value"]) and math.isfinite(one["upper"])
        table.add_row(
            label,
            f"below {rounded(one['upper'])}" if below else rounded(one["value"], shown),
            "" if below else "none" if math.isnan(error) else rounded(error, shown),
            _range(one["lower"], one["upper"], shown),
            _range(one["profile_lower"], one["profile_upper"], shown),
        )
    return table


_LABELS = {"pa2": "pA2", "slope": "Schild slope", "log_ec50": "log10 EC50 (M)", "hill": "Hill slope"}


def _said(title: str, block: dict[str, Any] | None) -> list[str]:
    """What stands below the table about one way of fitting."""
    from gaddum.surface.rounding import rounded

    if block is None:
        return []
    fit = f"{title.capitalize()}: {block['df']} df, R\u00b2 {block['r_squared']:.4f}"
    if block["df"] > 0:
        fit += f", residual SD {block['residual_sd']:.3g}"
    test = block["slope_test"]
    if test is None or block["df"] < 1:
        return [fit + "."]
    p = "p < 0.001" if test["p"] < 0.001 else f"p = {test['p']:.2g}"
    one = block["unit_slope"]["estimates"]["pa2"]
    shown = one["standard_error"] / 10
    return [
        f"{fit}. Slope 1: F({test['df'][0]}, {test['df'][1]}) = {test['f']:.2f}, {p}; "
        f"with slope 1, pK_B {rounded(one['value'], shown)} ({_range(one['lower'], one['upper'], shown)})."
    ]


def _range(lower: float, upper: float, error: float | None) -> str:
    from gaddum.surface.rounding import rounded

    return f"{_bound(lower, error, rounded)} to {_bound(upper, error, rounded)}"


def _bound(value: float, error: float | None, rounded: Any) -> str:
    if value in (float("inf"), float("-inf")):
        return "\u221e" if value > 0 else "\u2212\u221e"
    return str(rounded(value, error))
