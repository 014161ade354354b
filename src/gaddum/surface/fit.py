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
    from gaddum.records.species import known_species
    from gaddum.surface.accelerator import configure_jax
    from gaddum.surface.terminal import progress_bar

    required("jax", "A fit")
    configure_jax()
    from gaddum.population.fit import fit_population
    from gaddum.population.left_out import leave_papers_out
    from gaddum.population.new_study import kinetic_fit
    from gaddum.population.readings import population_data

    library, species = load_library(), known_species(asked.species)
    drug = library.drug_name(asked.drug)
    curves = _curves(asked, drug, library)
    stages = {"fit": 0.5} if asked.skip_left_out else {"fit": 0.4, "left out": 0.6}
    with progress_bar(Console(stderr=True), stages) as report:
        report("fit", 0.0)
        data = population_data(curves, species, library)
        found = fit_population(data, seed=asked.seed, progress=lambda _, done: report("fit", done))
        left_out = (
            ()
            if asked.skip_left_out
            else leave_papers_out(data, seed=asked.seed, progress=lambda _, done: report("left out", done))
        )
    record = kinetic_fit(
        data, found, left_out, drug=drug, species=species, curves=curves, seed=asked.seed, version=__version__
    )
    return {
        "fit": record.model_dump(mode="json"),
        "scores": [one._asdict() | {"paper": one.paper} for one in left_out],
        "unused": [one._asdict() for one in data.unused],
        "pictures": _pictures(data, found),
        "command": asked.command(),
        "manifest": {"version": __version__, "command": asked.command()},
    }


def _curves(asked: FitRequest, drug: str, library: "Library") -> "list[Curve]":
    """Curves that follow doses of the drug, of a part of it, or of a mixture that it is a part of."""
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
    every = [
        _under_keys(curve, library) for curve in (mine if asked.only else [*load_curves(library), *mine])
    ]
    own = _parts(drug, library)
    return [
        curve for curve in every if curve.given and all(own & _parts(name, library) for name in curve.given)
    ]


def _under_keys(curve: "Curve", library: "Library") -> "Curve":
    """The curve with drugs under the library's names."""
    readings = []
    for one in curve.readings:
        changed: dict[str, Any] = {"doses": tuple(map(library.named, one.doses))}
        if isinstance(name := getattr(one, "drug", None), str):
            changed["drug"] = library.drug_key(name)
        readings.append(one.model_copy(update=changed))
    doses = tuple(map(library.named, curve.doses))
    return curve.model_copy(update={"doses": doses, "readings": tuple(readings)})


def _parts(name: str, library: "Library") -> set[str]:
    return {one.name for one, _ in library.species(name)} if name in library.drugs else set()


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
