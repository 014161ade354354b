"""The command `gaddum fit`: kinetics of a drug from the curves of several studies, and how far a new study may lie."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaddum.surface.options import AsJson, Seed, print_findings, tell
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from rich.console import Console

    from gaddum.population.readings import PopulationData
    from gaddum.records.curve import Curve
    from gaddum.records.library import Library


@dataclass(frozen=True)
class FitRequest(Request):
    """What is asked of `gaddum fit`."""

    verb = "fit"
    drug: Annotated[
        str, typer.Argument(metavar="DRUG", help="Drug or mixture whose doses the curves follow.")
    ]
    species: Annotated[str, typer.Option(help="Whose kinetics are fitted.")] = "human"
    curves: Annotated[
        tuple[str, ...],
        typer.Option(
            metavar="FILE", help="Your own curves, YAML or a table; beside the library's. May be repeated."
        ),
    ] = ()
    only: Annotated[bool, typer.Option("--only-mine", help="Leave the library's curves aside.")] = False
    skip_left_out: Annotated[
        bool, typer.Option("--skip-left-out", help="Do not predict each paper from the others.")
    ] = False
    seed: Seed = 0


@asking
def fit(
    asked: FitRequest,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder in which `fits` gets the fit and its page.")
    ] = Path(),
    as_json: AsJson = False,
) -> None:
    """Learn a drug's kinetics, and their spread between studies, from the curves of several papers.

    Exit code 1 where the sampling did not converge; the fit says so.
    """
    from gaddum.surface.files import write_atomically
    from gaddum.surface.fit_page import print_fit, write_page

    document = run(asked)
    folder = out / "fits"
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{document['fit']['drug']}-{document['fit']['species']}"
    write_atomically(stem.with_suffix(".yaml"), _yaml(document["fit"]))
    write_atomically(stem.with_suffix(".html"), write_page(document))
    made = f"Fit: {stem}.yaml\nPage: {stem}.html\nUse it: gaddum occupancy ... --fit {stem}.yaml"
    tell(
        {key: part for key, part in document.items() if key != "pictures"},
        as_json,
        _shown(document, print_fit),
        made,
    )
    if document["fit"]["note"]:
        raise typer.Exit(1)


def _shown(document: dict[str, Any], show: Any) -> Any:
    def told(console: "Console") -> None:
        show(document, console)

    return told


def run(asked: FitRequest) -> dict[str, Any]:
    """Fit, leave every paper out, and describe what came of it."""
    from rich.console import Console

    from gaddum import __version__
    from gaddum.extras import required
    from gaddum.records.library import load_library
    from gaddum.surface.accelerator import configure_jax
    from gaddum.surface.terminal import progress_bar

    required("jax", "A fit")
    configure_jax()
    from gaddum.population.drug_fit import fit_kinetics

    library = load_library()
    stages = {"fit": 0.5} if asked.skip_left_out else {"fit": 0.4, "left out": 0.6}
    with progress_bar(Console(stderr=True), stages) as report:
        found = fit_kinetics(
            asked.drug,
            species=asked.species,
            curves=_curves(asked, library),
            library=library,
            left_out=not asked.skip_left_out,
            seed=asked.seed,
            progress=report,
        )
    return {
        "fit": found.record.model_dump(mode="json"),
        "scores": [one._asdict() | {"paper": one.paper} for one in found.left_out],
        "unused": [one._asdict() for one in found.data.unused],
        "pictures": _pictures(found.data, found.posterior),
        "command": asked.command(),
        "manifest": {"version": __version__, "command": asked.command()},
    }


def _curves(asked: FitRequest, library: "Library") -> "list[Curve]":
    """Curves of the user's files, and those of the library."""
    from gaddum.interop.curves import read_curves
    from gaddum.records.curve import load_curves, read_curve

    mine: list[Curve] = []
    for name in asked.curves:
        path = Path(name)
        if not path.is_file():
            raise ValueError(f"--curves must be a file of curves; {name!r} is none. Give its path.")
        if path.suffix in (".yaml", ".yml"):
            mine.append(read_curve(path, library))
        else:
            found = read_curves(path, library)
            mine += found.curves
            print_findings(found.findings)
    return mine if asked.only else [*load_curves(library), *mine]


def _pictures(data: "PopulationData", found: Any) -> list[dict[str, Any]]:
    """Readings, their study's own course and the band of a new study, curve by curve."""
    import numpy as np

    from gaddum.population.study_courses import study_courses

    return [
        {
            "curve": name,
            "what": label,
            "unit": unit,
            "paper": data.papers[one.study],
            "published": one.form is not None,
            "times": one.times.tolist(),
            "values": one.values.tolist(),
            "below": one.below.tolist(),
            **{key: np.asarray(part).tolist() for key, part in course._asdict().items()},
        }
        for name, label, unit, one, course in zip(
            data.curves, data.labels, data.units, data.measured, study_courses(data, found), strict=True
        )
    ]


def _yaml(fit: dict[str, Any]) -> str:
    import yaml

    head = "# Made by `gaddum fit`; not to be edited. A fit is renewed when its curves change.\n"
    return head + yaml.safe_dump(fit, sort_keys=False, width=110, allow_unicode=True)
