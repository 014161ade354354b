"""Scores of population fits: `python -m benchmarks.population_scores [--seconds S] [DRUG ...]`.

Every paper of every drug and species with two or more is left out and foretold, by the fit of the others, by that fit
with bands twice and half as wide, and by the drug's file without that paper (1.35-fold between studies, 1.2-fold
between readings). Drugs are scored one after another, those with the fewest papers first, until the seconds are over;
scores of a drug are kept in `docs/reference/population-scores.json` until its curves change, so that the next call goes
on. The table goes into `docs/reference/benchmarks.md`.

Reference: Gneiting & Raftery (2007) doi:10.1198/016214506000001437.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gaddum.population.drug_fit import curves_of
from gaddum.population.new_study import digest
from gaddum.population.readings import PopulationData, population_data
from gaddum.records.curve import Curve, load_curves
from gaddum.records.library import Library, load_library
from gaddum.records.species import Species, known_species

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "reference" / "population-scores.json"
PAGE = ROOT / "docs" / "reference" / "benchmarks.md"
BEGIN, END = "<!-- scores of fits: begin -->", "<!-- scores of fits: end -->"
RIVALS = {"fitted": "fit", "library": "drug file", "wider": "twice as wide", "narrower": "half as wide"}


def scorable(library: Library) -> Iterator[tuple[str, Species, Sequence[Curve], PopulationData]]:
    """Drugs and species with two or more papers, fewest papers first; the part of a mixture that is given alone."""
    curves = load_curves(library)
    found = []
    for drug in sorted({name for curve in curves for name in curve.given if name in library.drugs}):
        mine = curves_of(drug, curves, library)
        for species in map(known_species, sorted({curve.species for curve in mine})):
            try:
                data = population_data(mine, species, library)
            except ValueError:
                continue
            used = [curve for curve in mine if curve.id in data.used]
            if len(data.papers) > 1:
                found.append((len(data.papers) * len(data.hierarchy.varies), drug, species, used, data))
    for _, *rest in sorted(found, key=lambda one: one[:3]):
        yield tuple(rest)


def score(data: PopulationData, used: Sequence[Curve]) -> dict[str, Any]:
    """Leave every paper out."""
    import jax

    from gaddum.population.left_out import leave_papers_out

    jax.config.update("jax_enable_x64", True)  # pyright: ignore[reportUnknownMemberType]
    begun = time.process_time()
    papers = leave_papers_out(data)
    return {
        "digest": digest(used),
        "seconds": round(time.process_time() - begun, 1),
        "papers": [
            {
                "paper": one.paper,
                "readings": one.readings,
                "converged": one.converged,
                **{name: _rounded(getattr(one, name)._asdict()) for name in RIVALS},
            }
            for one in papers
        ],
    }


def _rounded(scores: dict[str, Any]) -> dict[str, Any]:
    return {key: round(one, 3) if isinstance(one, float) else list(one) for key, one in scores.items()}


def table(kept: dict[str, Any]) -> str:
    """The table of all that is kept, a row a drug and species."""
    head = ["drug, species", "papers", "readings", *(f"log density: {name}" for name in RIVALS.values())]
    head += [f"interval score: {name}" for name in RIVALS.values()]
    head += ["inside 50, 80, 95 % (±)", "95 % band (fold)", "median off (fold): fit, drug file"]
    rows = [head, ["---"] * len(head)]
    for name, one in sorted(kept.items()):
        rows.append([name, *_row(one["papers"])])
    rows.append(["**all**", *_row([paper for one in kept.values() for paper in one["papers"]])])
    doubted = [
        f"{name} without {paper['paper']}"
        for name, one in sorted(kept.items())
        for paper in one["papers"]
        if not paper["converged"]
    ]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return lines + (f"\n\nNot converged: {'; '.join(doubted)}." if doubted else "\n\nAll fits converged.")


def _row(papers: Sequence[dict[str, Any]]) -> list[str]:
    readings = np.array([one["readings"] for one in papers])
    inside = np.array([one["fitted"]["inside"] for one in papers]) / readings[:, None]
    # Readings of one paper are not independent: coverage is the mean over papers, its error that between papers.
    error = inside.std(axis=0, ddof=1) / np.sqrt(len(papers))
    return [
        str(len(papers)),
        str(readings.sum()),
        *(f"{sum(one[name]['density'] for one in papers):.1f}" for name in RIVALS),
        *(f"{np.mean([one[name]['interval_score'] for one in papers]):.2f}" for name in RIVALS),
        ", ".join(f"{100 * m:.0f} ± {100 * e:.0f}" for m, e in zip(inside.mean(axis=0), error, strict=True)),
        f"{np.median([one['fitted']['width'] for one in papers]):.1f}",
        ", ".join(
            f"{np.exp(np.mean([np.log(one[name]['off']) for one in papers])):.2f}"
            for name in ("fitted", "library")
        ),
    ]


def main(seconds: float, only: Sequence[str]) -> None:
    """Score what is not kept yet, and write both files."""
    kept = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    print(f"load {os.getloadavg()[0]:.1f}")
    for drug, species, used, data in scorable(load_library()):
        name = f"{drug}, {species}"
        if (only and drug not in only) or kept.get(name, {}).get("digest") == digest(used):
            continue
        if time.process_time() > seconds:
            print(f"not scored: {name}, {len(data.papers)} papers")
            continue
        kept[name] = score(data, used)
        KEPT.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")
        print(f"{name}: {kept[name]['seconds']:.0f} s of processor", flush=True)
    shown = table(kept)
    print(shown)
    page = PAGE.read_text()
    PAGE.write_text(page.split(BEGIN)[0] + f"{BEGIN}\n{shown}\n{END}" + page.split(END)[1])
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("drugs", nargs="*")
    given = parser.parse_args()
    main(given.seconds, given.drugs)
