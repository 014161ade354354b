"""Measure what a case's reduction of the kinetics costs, by feature, species and drugs given.

    python -m benchmarks.reduction [--cases ketamine,morphine]

A case keeps of each ligand's curve a shape, moved by the elimination of the dosed drug, and a scale (decision 0003).
Two measures, both of features that the calculator has too (block, agonism, tone), at nodes spread over each reading:

- *Projected draws.* 200 draws of all the calculator's constants; each is projected on the reduction. The shape takes
  the variate of the elimination; the log scale is fitted to the log curve over all arms of the case that share it,
  each node weighted by the square of the slope of the occupancy by this ligand alone, between exact and fitted level,
  at the target where it is greatest: repeated, that is least squares of that occupancy. Differences are absolute.
- *Quantiles of the prior.* 2.5, 50 and 97.5 % of each feature by exact and by reduced kinetics. Elimination, K_i,
  in-vivo ratio, efficacy, tone and what manipulations leave have the same variates in both; the scales have the prior
  that a case gives them, made from the exact constants' variates as far as that leaves it as it is.

Features that nothing given can move are left out, and so are arms of set concentrations only, which are exact. An
unbound fraction or Kp,uu that no source gives is exactly 1 in the calculator and has a GSD of 1.5 in a case; the last
line of a case counts the curves that this concerns.

A constant has the same variates in all arms, by its name. Draws come in independent Latin hypercubes; the Monte-Carlo
error of a difference of quantiles is the standard deviation of the hypercubes' differences over the root of their
number. Where one is above 0.003 there are as many more as it asks for, up to a limit. The result of the last run is
kept beside this file.
"""

import argparse
import time
import zlib
from collections.abc import Iterator
from functools import lru_cache
from multiprocessing import get_context
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit, ndtri

from gaddum.engagement.binding import BoundFractions, bound, constant
from gaddum.engagement.layout import Layout, lay_out
from gaddum.exposure.concentrations import concentrations
from gaddum.exposure.curves import LOG_FLOOR, LigandCurve, ligands
from gaddum.numerics.spline import bumps, coefficients, lookup
from gaddum.records.ledger import LoadedCase, load_case
from gaddum.records.protocol import Arm, Subject
from gaddum.response.assemble import assemble

NAMED = {"block": "blocked", "agonism": "activated", "tone": "tone"}
MOVED_BY = {
    "block": {"channel blocker", "glutamate-site antagonist"},
    "agonism": {"agonist"},
    "tone": {"competitive antagonist"},
}
PROJECTED = 200
NODES = 6
"""Nodes of each row, spread over its own."""
PAD = 12
"""Times are padded to a multiple of this, so that arms share compiled functions."""
QUANTILES = (0.025, 0.5, 0.975)
ERROR = 0.003
WITHIN = 0.01
"""What a reduction should keep, of each projected draw and of each quantile."""
CHUNK = 4_000
"""Draws of a hypercube."""
CHUNKS = (8, 24)
"""Hypercubes to begin with, and beyond which an error is reported as it is."""
ROUNDS = 8
"""Fits of a scale, each weighted by the one before."""
ALIKE = 1e-6
"""Difference of log levels below which the slope is taken at the level."""
FAINT = 1e-12
"""Weight of a node where nothing is bound, so that a fit is always determined."""

Draws = np.ndarray
"""[times, draws]"""


class Followed(NamedTuple):
    """One arm as calculator and as case lay it out."""

    group: str
    """Species and drugs given."""
    layout: Layout
    times: np.ndarray
    count: int
    """Distinct times; what follows is padding."""
    reduced: list[LigandCurve]
    features: list[tuple[str, str]]
    where: str


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reduction", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--cases", default="ketamine,morphine")
    cases = parser.parse_args(arguments).cases.split(",")
    with get_context("spawn").Pool(len(cases)) as pool:
        for text in pool.imap(measure, cases):
            print(text, end="\n\n", flush=True)


def measure(name: str) -> str:
    """Both measures of one case, as a table."""
    jax.config.update("jax_enable_x64", True)
    start = time.process_time()
    arms = list(follow(load_case(name)))
    table = describe(name, arms, projected(arms), [shifted(one) for one in arms])
    return f"{table}\n{name}: {time.process_time() - start:.0f} s of processor time"


def follow(loaded: LoadedCase) -> Iterator[Followed]:
    """Lay out every distinct arm of a case that gives something that binds a target."""
    assembly = assemble(loaded)
    nodes = iter([block.before.shape[1] for block in assembly.rows.blocks for _ in block.before])
    picks = [np.linspace(0, count, NODES).round().astype(int) for count in nodes]
    features = [tuple(name.split(".")) for name in assembly.features]
    targets = [t for t in dict.fromkeys(target for target, _ in features) if t in loaded.library.targets]
    priors = {prior.name: prior.distribution for prior in loaded.case.priors}
    seen: dict[tuple, tuple[Subject, Arm, set[float], str]] = {}
    for one in assembly.readings:
        if one.row >= 0:
            study = loaded.ledger.study(one.study)
            protocol = next(e.protocol for e in study.experiments if e.id == one.experiment)
            arm, subject = protocol.arms[one.arm], protocol.subject
            left = tuple(m for m in arm.manipulations if m.target)
            weight = None if subject.weight is None else (subject.weight.value, subject.weight.unit)
            key = (arm.doses, left, subject.species, subject.preparation, weight)
            where = f"{one.study}/{one.experiment}/{one.arm}"
            mine = seen.setdefault(key, (subject, arm, set(), where))
            mine[2].update(assembly.times[one.row, picks[one.row]].tolist())
    for subject, arm, when, where in seen.values():
        doses = tuple(d for d in arm.doses if any(x.affinities for x, _ in loaded.library.species(d.drug)))
        if not doses:
            continue
        weight = None if subject.weight is None else f"{subject.weight.value} {subject.weight.unit}"
        layout = lay_out(
            doses,
            species=subject.species,
            targets=targets,
            weight=weight,
            preparation=subject.preparation,
            tone={target: priors["endogenous_tone"] for target in targets if target != "NMDAR"},
            manipulations=arm.manipulations,
            draws=2,
            library=loaded.library,
        )
        modes = {t: {bond.mode for bond in at} for t, at in layout.bonds.items()}
        mine = [(t, f) for t, f in features if f in NAMED and modes.get(t, set()) & MOVED_BY[f]]
        if not mine or not any(one.bodies for one in layout.plan.ligands):
            continue
        distinct = np.array(sorted(when))
        times = np.append(distinct, np.full(-len(distinct) % PAD, distinct[-1]))
        wanted = {one.drug for one in layout.plan.ligands}
        reduced = ligands(layout.doses, subject, loaded.library, times, wanted=wanted, assumptions=set())
        drugs = " + ".join(dict.fromkeys(dose.drug for dose in doses))
        yield Followed(f"{subject.species}: {drugs}", layout, times, len(distinct), reduced, mine, where)


def projected(arms: list[Followed]) -> list[dict[str, Draws]]:
    """Absolute differences of features between draws and their projections, by arm and feature."""
    exact, shapes = [], []
    for arm in arms:
        theta = drawn(arm, PROJECTED, 0)
        exact.append((theta, curves(arm, theta)))
        shapes.append([shaped(one, PROJECTED, 0) for one in arm.reduced])
    scale: dict[str, np.ndarray] = {}
    for _ in range(ROUNDS):
        above: dict[str, np.ndarray] = {}
        weights: dict[str, np.ndarray] = {}
        for arm, (theta, levels), mine in zip(arms, exact, shapes, strict=True):
            for place, (one, shape) in enumerate(zip(arm.reduced, mine, strict=True)):
                key = scale_name(one)
                logs = np.log(np.maximum(levels[place], np.exp(LOG_FLOOR)))
                moved = shape + scale[key] if key in scale else logs
                weight = followed(arm, theta, logs, moved, place) ** 2 + FAINT
                # Where there is none, neither says anything of a scale.
                weight *= (logs > LOG_FLOOR + 1) & (shape > LOG_FLOOR + 1)
                above[key] = above.get(key, 0.0) + (weight * (logs - shape))[: arm.count].sum(0)
                weights[key] = weights.get(key, 0.0) + weight[: arm.count].sum(0)
        scale = {key: above[key] / np.maximum(weights[key], np.finfo(float).tiny) for key in above}
    found = []
    for arm, (theta, levels), mine in zip(arms, exact, shapes, strict=True):
        pairs = zip(arm.reduced, mine, strict=True)
        moved = [shape + (scale[scale_name(one)] if one.scale_sd else 0.0) for one, shape in pairs]
        one, other = features(arm, theta, levels), features(arm, theta, np.exp(np.array(moved)))
        found.append({name: np.abs(one[name] - other[name]) for name in one})
    return found


class Shift(NamedTuple):
    """Differences of a feature's quantiles, [quantiles, times] each, and their Monte-Carlo error."""

    apart: np.ndarray
    error: np.ndarray


def shifted(arm: Followed) -> tuple[dict[str, Shift], int]:
    """Differences of quantiles of the prior, by feature, and how many hypercubes it took."""
    drawn_: list[tuple[dict[str, Draws], dict[str, Draws]]] = []
    wanted = CHUNKS[0]
    while True:
        drawn_ += [both(arm, chunk + 1) for chunk in range(len(drawn_), wanted)]
        found = {name: _shift([(one[name], other[name]) for one, other in drawn_]) for name in drawn_[0][0]}
        worst = max(float(one.error.max()) for one in found.values())
        if worst < ERROR or wanted == CHUNKS[1]:
            return found, wanted
        wanted = min(int(np.ceil((worst / ERROR) ** 2 * wanted)) + 1, CHUNKS[1])


def _shift(parts: list[tuple[Draws, Draws]]) -> Shift:
    exact, reduced = (np.concatenate(side, axis=1) for side in zip(*parts, strict=True))
    each = [quantiles(other) - quantiles(one) for one, other in parts]
    return Shift(
        np.abs(quantiles(reduced) - quantiles(exact)), np.std(each, axis=0, ddof=1) / np.sqrt(len(each))
    )


def both(arm: Followed, chunk: int) -> tuple[dict[str, Draws], dict[str, Draws]]:
    """Features of one hypercube by exact and by reduced kinetics."""
    theta = drawn(arm, CHUNK, chunk)
    logs = []
    for one, own in zip(arm.reduced, coupled(arm, theta), strict=True):
        part = min(own.variance / one.scale_sd**2, 1.0) if one.scale_sd else 0.0
        z = np.sqrt(part) * own.z + np.sqrt(1 - part) * variates(scale_name(one), CHUNK, chunk)
        logs.append(shaped(one, CHUNK, chunk) + one.scale_sd * z)
    return features(arm, theta, curves(arm, theta)), features(arm, theta, np.exp(np.array(logs)))


def quantiles(x: Draws) -> np.ndarray:
    return np.quantile(x, QUANTILES, axis=1)


@lru_cache(maxsize=2048)
def variates(name: str, draws: int, chunk: int) -> np.ndarray:
    """Standard normal variates of what has this name, one in each of as many equally probable classes."""
    generator = np.random.default_rng([zlib.crc32(name.encode()), draws, chunk])
    return ndtri((generator.permutation(draws) + generator.random(draws)) / draws)


def drawn(arm: Followed, draws: int, chunk: int) -> np.ndarray:
    """Log constants of the calculator."""
    table = np.array([one.nodes for one in arm.layout.parameters])
    own = [f"{one.name} {arm.where}" if "this arm" in one.name else one.name for one in arm.layout.parameters]
    return np.asarray(lookup(table, np.array([variates(name, draws, chunk) for name in own])))


def curves(arm: Followed, theta: np.ndarray) -> np.ndarray:
    """Unbound concentrations (nM) by exact kinetics."""
    return np.asarray(concentrations(arm.layout.plan, theta, arm.times))


def shaped(one: LigandCurve, draws: int, chunk: int) -> np.ndarray:
    """Log curve of the reduction before it is scaled."""
    if one.shape is None:
        return np.repeat(one.log_nodes[:, :1], draws, axis=1)
    waves = np.asarray(bumps(jnp.asarray(variates(one.shape.name, draws, chunk))))
    return np.asarray(coefficients(one.log_nodes)) @ waves


def scale_name(one: LigandCurve) -> str:
    """Identity of a scale in a case."""
    return f"exposure scale of {one.drug} from {one.parent} in {one.species}, {' and '.join(one.routes)}"


class Coupled(NamedTuple):
    """The part of a scale that is made of constants which the calculator draws, as a standard normal variate."""

    z: np.ndarray
    variance: float


def coupled(arm: Followed, theta: np.ndarray) -> list[Coupled]:
    """Variates of scales that follow the exact constants, which leaves a scale's prior as it is and lowers the error.

    A constant serves one scale only, and none that moves the shape: scales stay independent of each other and of it.
    """
    shapes = {one.shape.name for one in arm.reduced if one.shape is not None}
    taken = {place for place, one in enumerate(arm.layout.parameters) if one.name in shapes}
    normal = ndtri((np.arange(theta.shape[1]) + 0.5) / theta.shape[1])
    found = []
    for planned in arm.layout.plan.ligands:
        signs = {body.v_c: -1.0 for body in planned.bodies}
        signs |= dict.fromkeys((*planned.fractions, planned.f_u, planned.kp_uu), 1.0)
        signs |= {one.f: 1.0 for one in planned.inputs[:1]}
        mine = [place for place in signs if place >= 0 and place not in taken]
        taken.update(mine)
        if not mine:
            found.append(Coupled(np.zeros(theta.shape[1]), 0.0))
            continue
        total = sum(signs[place] * theta[place] for place in mine)
        z = normal[np.argsort(np.argsort(total))]
        found.append(Coupled(z, float(sum(np.var(theta[place]) for place in mine))))
    return found


def features(arm: Followed, theta: np.ndarray, levels: np.ndarray) -> dict[str, Draws]:
    found: dict[str, Draws] = {}
    held: dict[str, BoundFractions] = {}
    for target, feature in arm.features:
        if target not in held:
            rest = arm.layout.rests[target]
            held[target] = bound(arm.layout.bonds[target], jnp.asarray(levels), jnp.exp(theta), {}, rest)
        found[f"{target}.{feature}"] = np.asarray(getattr(held[target], NAMED[feature]))[: arm.count]
    return found


def followed(arm: Followed, theta: np.ndarray, logs: Draws, moved: Draws, place: int) -> Draws:
    """Slope of the occupancy by a ligand alone between two log concentrations, at the target where it is greatest."""
    constants, most = np.exp(theta), np.zeros(logs.shape)
    apart = moved - logs
    for target in dict.fromkeys(target for target, _ in arm.features):
        for bond in arm.layout.bonds[target]:
            if bond.ligand == place:
                log_k = np.log(np.asarray(constant(bond, constants)))
                p, q = expit(logs - log_k), expit(moved - log_k)
                near = np.abs(apart) < ALIKE
                most = np.maximum(most, np.where(near, p * (1 - p), (q - p) / np.where(near, 1.0, apart)))
    return most


def describe(
    name: str,
    arms: list[Followed],
    differences: list[dict[str, Draws]],
    quantile: list[tuple[dict[str, Shift], int]],
) -> str:
    """Table by feature, species and drugs, and what is within 0.01."""
    groups: dict[tuple[str, str], list[int]] = {}
    for place, arm in enumerate(arms):
        for feature in differences[place]:
            groups.setdefault((feature, arm.group), []).append(place)
    lines = [
        f"{name}: {len(arms)} distinct arms with kinetics; |difference| of features, largest of the nodes",
        f"{'':<50}{'':>6}{'200 projected draws':>23}{'quantiles of the prior':>24}",
        f"{'feature  species: drugs':<50}{'nodes':>6}{'largest':>9}{'95 %':>7}{'50 %':>7}"
        f"{'2.5 %':>8}{'50 %':>8}{'97.5 %':>8}{'error':>8}{'draws':>8}",
    ]
    rows: dict[tuple[str, str], tuple[float, ...]] = {}
    for (feature, group), places in sorted(groups.items()):
        apart = np.concatenate([differences[p][feature].ravel() for p in places])
        shifts = [quantile[p][0][feature] for p in places]
        largest, *others = np.quantile(apart, [1.0, 0.95, 0.5])
        moved = np.concatenate([one.apart for one in shifts], axis=1)
        error = max(one.error.max() for one in shifts)
        draws = CHUNK * max(quantile[p][1] for p in places)
        rows[feature, group] = (largest, *others, moved.max(), error)
        lines.append(
            f"{f'{feature}  {group}':<50}{moved.shape[1]:>6}{largest:>9.3f}{others[0]:>7.3f}{others[1]:>7.3f}"
            + "".join(f"{one:>8.3f}" for one in moved.max(axis=1))
            + f"{error:>8.4f}{draws:>8}"
        )
    for feature in dict.fromkeys(key[0] for key in sorted(rows)):
        mine = np.array([row for key, row in rows.items() if key[0] == feature])
        within = (mine <= WITHIN).sum(axis=0)
        lines.append(
            f"{feature}: of {len(mine)} groups, within {WITHIN:g} are {within[0]} in every projected draw, {within[1]} "
            f"in 95 % of them, {within[3]} in all quantiles; largest {mine[:, 0].max():.3f} and {mine[:, 3].max():.3f}"
        )
    errors = np.concatenate([one.error.ravel() for found, _ in quantile for one in found.values()])
    unknown = [
        f"{one.drug} ({arm.layout.species})"
        for arm in arms
        for one in arm.layout.plan.ligands
        if one.bodies and min(one.f_u, one.kp_uu) < 0
    ]
    lines.append(
        f"Monte-Carlo error of quantiles: below {ERROR:g} for {100 * (errors < ERROR).mean():.1f} % of {errors.size}, "
        f"at most {errors.max():.4f}"
    )
    named = f": {', '.join(sorted(set(unknown)))}" if unknown else ""
    lines.append(f"Curves with an unbound fraction or Kp,uu that no source gives: {len(unknown)}{named}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
