"""Measure what a case loses of the calculator's kinetics and binding, by feature, species and drugs given.

    python -m benchmarks.reduction [--cases ketamine,morphine]

A case has all constants of the calculator's kinetics, in closed form (decision 0003). What it leaves out is slow
binding: its ligands bind at equilibrium, and so they do here in the calculator. What is left to differ is rounding,
above all in the single precision in which fits follow courses over time. Two measures, both of features that the
calculator has too (block, agonism, tone), at nodes spread over each reading:

- *Draws.* 200 draws of all constants; absolute differences of a case's features from the calculator's at the same
  constants, in double and in single precision.
- *Quantiles of the prior.* 2.5, 50 and 97.5 % of each feature over 4,000 draws, from the calculator and from a case in
  single precision. Both have the same variates, so that their difference has hardly a Monte-Carlo error.

Features that nothing given can move are left out, and so are arms of set concentrations only, which are exact. A
constant has the same variates in calculator and case and in all arms, by its name; draws come in a Latin hypercube. The
result of the last run is kept beside this file.
"""

import argparse
import time
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gaddum.engagement.binding import receptor_of
from gaddum.engagement.layout import Layout, lay_out
from gaddum.engagement.receptor import FEATURES
from gaddum.exposure.concentrations import concentrations
from gaddum.numerics.spline import lookup
from gaddum.numerics.variates import even_variates
from gaddum.records.ledger import LoadedCase, load_case
from gaddum.response.assemble import Assembly, assemble
from gaddum.response.response import account, respond

MOVED_BY = {
    "block": {"channel blocker", "glutamate-site antagonist"},
    "agonism": {"agonist"},
    "tone": {"competitive antagonist"},
}
NODES = 6
"""Nodes of each row, spread over its own."""
DRAWS, PRIOR_DRAWS = 200, 4_000
BATCH = 200
"""Draws of a case at once."""
QUANTILES = (0.025, 0.5, 0.975)
WITHIN = 0.01
"""What a case should keep, of each draw and of each quantile."""


class Followed(NamedTuple):
    """A distinct reading as the calculator lays it out."""

    row: int
    group: str
    """Species and drugs given."""
    layout: Layout
    names: list[str]
    """Of its constants, as a case names them."""
    times: np.ndarray
    features: list[tuple[str, str]]


class Differences(NamedTuple):
    """Absolute differences at one reading's nodes."""

    double: np.ndarray
    single: np.ndarray
    """Of features, [nodes, draws]."""
    quantiles: np.ndarray
    """[quantiles, nodes]"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reduction", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--cases", default="ketamine,morphine")
    jax.config.update("jax_enable_x64", True)
    for name in parser.parse_args(arguments).cases.split(","):
        print(measure(name), end="\n\n", flush=True)


def measure(name: str) -> str:
    """Both measures of one case, as a table."""
    start = time.process_time()
    loaded = load_case(name)
    assembly = assemble(loaded)
    picks = _picks(assembly)
    rows = list(follow(loaded, assembly, picks))
    double = of_case(loaded, assembly, picks, DRAWS, single=False)
    single = of_case(loaded, assembly, picks, DRAWS, single=True)
    prior = of_case(loaded, assembly, picks, PRIOR_DRAWS, single=True)
    found: dict[tuple[str, str], list[Differences]] = {}
    for one in rows:
        exact, spread = (of_calculator(one, draws) for draws in (DRAWS, PRIOR_DRAWS))
        for (target, feature), level, many in zip(one.features, exact, spread, strict=True):
            at = assembly.features.index(f"{target}.{feature}"), one.row
            moved = np.quantile(prior[at], QUANTILES, axis=1) - np.quantile(many, QUANTILES, axis=1)
            found.setdefault((f"{target}.{feature}", one.group), []).append(
                Differences(np.abs(double[at] - level), np.abs(single[at] - level), np.abs(moved))
            )
    table = describe(name, len(rows), found, assembly)
    return f"{table}\n{name}: {time.process_time() - start:.0f} s of processor time"


def follow(loaded: LoadedCase, assembly: Assembly, picks: np.ndarray) -> Iterator[Followed]:
    """Lay out every distinct reading of an arm that gives something that binds a target."""
    features = [tuple(name.split(".")) for name in assembly.features]
    targets = [t for t in dict.fromkeys(target for target, _ in features) if t in loaded.library.targets]
    experiments = {(study.id, one.id): one for study, one in loaded.ledger.experiments()}
    for reading in {one.row: one for one in reversed(assembly.readings) if one.row >= 0}.values():
        protocol = experiments[reading.study, reading.experiment].protocol
        arm, subject = protocol.arms[reading.arm], protocol.subject
        doses = tuple(d for d in arm.doses if any(x.affinities for x, _ in loaded.library.species(d.drug)))
        if not doses:
            continue
        layout = lay_out(
            doses,
            species=subject.species,
            targets=targets,
            weight=None if subject.weight is None else f"{subject.weight.value} {subject.weight.unit}",
            preparation=subject.preparation,
            tone=loaded.case.endogenous_tone(),
            manipulations=arm.manipulations,
            draws=2,
            library=loaded.library,
        )
        modes = {t: {bond.mode for bond in at} for t, at in layout.bonds.items()}
        mine = [(t, f) for t, f in features if f in MOVED_BY and modes.get(t, set()) & MOVED_BY[f]]
        if not mine or not any(one.bodies for one in layout.plan.ligands):
            continue
        where = f"{reading.study}/{reading.experiment}/{reading.arm}"
        names = [one.name.replace("this arm", where) for one in layout.parameters]
        group = f"{subject.species}: {' + '.join(dict.fromkeys(dose.drug for dose in doses))}"
        yield Followed(
            reading.row, group, layout, names, assembly.times[reading.row, picks[reading.row]], mine
        )


def of_calculator(one: Followed, draws: int) -> list[np.ndarray]:
    """Features by the calculator, [nodes, draws] each."""
    theta = np.asarray(lookup(np.array([p.nodes for p in one.layout.parameters]), variates(one.names, draws)))
    times, every = np.unique(one.times, return_inverse=True)
    levels = concentrations(one.layout.plan, theta, times)
    mine = {
        target: receptor_of(one.layout.bonds[target], levels, np.exp(theta), rest=one.layout.rests[target])
        for target, _ in one.features
    }
    return [np.asarray(FEATURES[feature](mine[target]))[every] for target, feature in one.features]


def of_case(
    loaded: LoadedCase, assembly: Assembly, picks: np.ndarray, draws: int, *, single: bool
) -> np.ndarray:
    """Features by a case, [features, rows, nodes, draws]."""
    hypothesis = account(loaded.case.hypotheses[0], assembly)  # features are the same for all
    z = variates([one.name for one in assembly.parameters], draws)

    @jax.jit
    def run(z):
        found = jnp.stack(respond(assembly, z, hypothesis, single=single).features)
        return jnp.take_along_axis(found, picks[None, :, :, None], axis=2)

    parts = [np.asarray(run(z[:, first : first + BATCH])) for first in range(0, draws, BATCH)]
    return np.concatenate(parts, axis=-1)


def variates(names: list[str], draws: int) -> np.ndarray:
    """Standard normal variates that each constant's name seeds."""
    return even_variates(names, draws, 0)


def _picks(assembly: Assembly) -> np.ndarray:
    """Nodes at which each row is read; the last is the test."""
    nodes = [block.before.shape[1] for block in assembly.rows.blocks for _ in block.before]
    return np.array([np.linspace(0, count, NODES).round().astype(int) for count in nodes])


def describe(
    name: str, rows: int, found: dict[tuple[str, str], list[Differences]], assembly: Assembly
) -> str:
    """Table by feature, species and drugs, and what is within 0.01."""
    lines = [
        f"{name}: {rows} distinct readings with kinetics; |difference| of features, largest of the nodes",
        f"{'':<50}{'':>6}{f'{DRAWS} draws, double':>18}{'in single precision':>27}{'quantiles of the prior':>27}",
        f"{'feature  species: drugs':<50}{'nodes':>6}{'largest':>18}{'largest':>9}{'99 %':>9}{'50 %':>9}"
        f"{'2.5 %':>9}{'50 %':>9}{'97.5 %':>9}",
    ]
    largest: dict[str, list[tuple[float, ...]]] = {}
    for (feature, group), each in sorted(found.items()):
        double, single = (np.concatenate([one[i].ravel() for one in each]) for i in (0, 1))
        moved = np.concatenate([one.quantiles for one in each], axis=1)
        shown = (*np.quantile(single, [1.0, 0.99, 0.5]), *moved.max(axis=1))
        lines.append(
            f"{f'{feature}  {group}':<50}{moved.shape[1]:>6}{double.max():>18.1e}"
            + "".join(f"{one:>9.1e}" for one in shown)
        )
        largest.setdefault(feature, []).append((double.max(), single.max(), moved.max()))
    for feature, each in largest.items():
        mine = np.array(each)
        within, (double, single, moved) = (mine <= WITHIN).sum(axis=0), mine.max(axis=0)
        lines.append(
            f"{feature}: of {len(mine)} groups, within {WITHIN:g} are {within[1]} in every draw in single precision, "
            f"{within[2]} in all quantiles; largest {double:.1e} in double, {single:.1e} in single precision, "
            f"{moved:.1e} of quantiles"
        )
    slow = sorted(one.where for one in assembly.assumptions if one.what == "bound at equilibrium")
    lines.append(f"Slow ligands that a case binds at equilibrium: {', '.join(slow) or 'none'}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
