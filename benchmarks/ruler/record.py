"""Record: run calculator, inference and adjudication over the bundled cases.

Everything of gaddum that is looked into is imported here and nowhere else in this folder, so that a rename touches one
place.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from benchmarks.ruler.compare import answers
from benchmarks.ruler.recording import QUANTILES, Key, Recording, result_path, write
from jaxtyping import Float, Int

from gaddum.engagement.binding import constant
from gaddum.engagement.layout import Layout, lay_out
from gaddum.engagement.occupancy import follow
from gaddum.numerics.segments import pick
from gaddum.numerics.spline import lookup
from gaddum.numerics.variates import even_variates
from gaddum.parameter_registry import name_of
from gaddum.records.drug import Drug
from gaddum.records.ledger import LoadedCase, load_case
from gaddum.response.assemble import ArmReading, Assembly, assemble
from gaddum.response.feature_levels import shared
from gaddum.response.response import account, prior_table, respond, values
from gaddum.result_reader import read_result
from gaddum.surface.cli import main as gaddum_command
from gaddum.surface.occupancy.request import DosingRequest

CASES = ("ketamine", "morphine")
SEED = 0
CALCULATOR_DRAWS = 1000
"""As `gaddum occupancy` draws by default."""
PRIOR_DRAWS = 2000
BATCH = 250
"""Prior draws at once: the features of all rows at all nodes then take a quarter of a gigabyte."""
TIMES = 9
"""Times of a reading: nodes spread over its quadrature, of which an arm with a single dose has at least 12, and the
test, which is the last."""

Draws = Float[np.ndarray, "entries draws"]


def record(folder: Path, cases: tuple[str, ...], *, runs: bool, workers: int) -> None:
    """Record cases into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases:
        if runs:
            _run(folder, case, workers)
    jax.config.update("jax_enable_x64", True)
    for case in cases:
        _say(f"{case}: reading")
        loaded = load_case(case)
        assembly = assemble(loaded)
        picks = _picks(assembly)
        readings = [one for one in assembly.readings if one.row >= 0]
        numbers: dict[Key, np.ndarray] = {}
        refused: dict[str, str] = {}
        for done, (where, times) in enumerate(_by_arm(readings, assembly, picks).items()):
            if done % 20 == 0:
                _say(f"{case}: calculator, arm {done + 1}")
            try:
                numbers |= _calculator(case, where, times)
            except ValueError as error:
                refused["/".join(where)] = str(error)
                _say(f"{case}: the calculator refuses {'/'.join(where)}: {error}")
        numbers |= _inference(loaded, assembly, readings, picks)
        arms = _arms(loaded, readings, refused)
        write(folder, case, Recording(numbers, arms, tuple(loaded.library.targets), None))
        _say(f"{case}: {len(numbers)} keys of {len(arms)} arms")


def _run(folder: Path, case: str, workers: int) -> None:
    """Adjudicate as the command does, in a process of its own; its answers are written beside it to be read."""
    result = result_path(folder, case)
    _say(f"{case}: gaddum adjudicate, minutes")
    words = ["adjudicate", case, "--seed", str(SEED), "--workers", str(workers), "--out", str(result.parent)]
    process = get_context("spawn").Process(target=_command, args=(words,))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"gaddum {' '.join(words)} must end well; it ended with {process.exitcode}.")
    said = answers(read_result(result))
    written = {kind: {key: list(one) for key, one in entries.items()} for kind, entries in said.items()}
    text = json.dumps(written, indent=1, ensure_ascii=False)
    (folder / f"{case}.answers.json").write_text(text + "\n", encoding="utf-8")


def _command(words: list[str]) -> None:
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # its summary would drown the progress
        code = gaddum_command(words)
    sys.exit(code)


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def _picks(assembly: Assembly) -> Int[np.ndarray, "rows times"]:
    """Nodes at which each row is read, spread over its own; shorter rows repeat the test."""
    found = []
    for block in assembly.rows.blocks:
        rows, nodes = block.before.shape
        found += [np.linspace(0, nodes, TIMES).round().astype(int)] * rows
    return np.array(found)


def _by_arm(
    readings: list[ArmReading], assembly: Assembly, picks: np.ndarray
) -> dict[tuple[str, str, str], dict[str, np.ndarray]]:
    """Times at which each endpoint of each arm is read (h)."""
    found: dict[tuple[str, str, str], dict[str, np.ndarray]] = {}
    for one in readings:
        times = assembly.times[one.row, picks[one.row]]
        found.setdefault((one.study, one.experiment, one.arm), {})[one.endpoint] = times
    return found


def _arms(
    loaded: LoadedCase, readings: list[ArmReading], refused: dict[str, str]
) -> dict[str, dict[str, Any]]:
    experiments = {(study.id, one.id): one for study, one in loaded.ledger.experiments()}
    found = {}
    for reading in readings:
        arm = experiments[reading.study, reading.experiment].protocol.arms[reading.arm]
        where = "/".join(reading[:3])
        found[where] = {
            "dosed": " + ".join(dict.fromkeys(dose.drug for dose in arm.doses)),
            "refused": refused.get(where),
        }
    return found


def _calculator(
    case: str, where: tuple[str, str, str], endpoints: dict[str, np.ndarray]
) -> dict[Key, np.ndarray]:
    """What `gaddum occupancy CASE:STUDY/EXPERIMENT/ARM` computes, and the same at all medians.

    Read at the test drug (0 h) besides.
    """
    (given,) = DosingRequest((f"{case}:{'/'.join(where)}",)).dosed()
    layout = lay_out(
        given.doses,
        species=given.species,
        weight=given.weight,
        preparation=given.preparation,
        tone=given.tone,
        manipulations=given.manipulations,
        draws=CALCULATOR_DRAWS,
        seed=SEED,
        library=given.library,
    )
    nodes = np.array([parameter.nodes for parameter in layout.parameters])
    medians = np.asarray(lookup(nodes, np.zeros((len(nodes), 1))))
    layout = layout._replace(theta=np.concatenate([medians, layout.theta], axis=1))
    every = np.unique(np.concatenate([[0.0], *endpoints.values()]))
    found = follow(layout, every)
    drawn = [("concentration", drug, draws) for drug, draws in found.concentrations.items()]
    for target, course in found.targets.items():
        drawn += [
            (name, target, getattr(course, name)) for name in ("occupied", "blocked", "activated", "tone")
        ]
    summaries = [(quantity, subject, _summary(draws)) for quantity, subject, draws in drawn]
    constants = _constants(layout)
    numbers: dict[Key, np.ndarray] = {}
    for endpoint, times in endpoints.items():
        own = partial(Key, *where, endpoint, "calculator")
        for place in np.flatnonzero(np.isin(every, [0.0, *times])):
            for quantity, subject, rows in summaries:
                numbers[own(quantity, subject, _hours(every[place]))] = rows[place]
        for subject, row in constants.items():
            numbers[own("constant", subject, "-")] = row
    return numbers


def _constants(layout: Layout) -> dict[str, np.ndarray]:
    """Dissociation constant in vivo of every ligand at every target (nM)."""
    drawn = np.exp(layout.theta)
    return {
        f"{target}:{layout.plan.ligands[bond.ligand].drug}": _summary(
            np.asarray(constant(bond, drawn)).reshape(1, -1)
        )[0]
        for target, at in layout.bonds.items()
        for bond in at
    }


class _Pairs(NamedTuple):
    """Series of doses of the rows' ligands at the targets, flat; -1 for no parameter."""

    label: list[tuple[int, str, str]]
    """Row, target, drug."""
    block: Int[np.ndarray, " pairs"]
    series: Int[np.ndarray, " pairs"]
    parameters: Int[np.ndarray, "pairs 2"]
    """K, in-vivo ratio."""


def _pairs(loaded: LoadedCase, assembly: Assembly) -> _Pairs:
    """Find whose each pair is, by its K."""
    unnamed = {one.name: one.ligands for one in loaded.case.unnamed_targets}

    def k_of(name: str, target: str) -> int | None:
        drug = loaded.library.drug(name)
        if target in unnamed:
            return assembly.index[unnamed[target][name]] if name in unnamed[target] else None
        affinities = drug.affinities if isinstance(drug, Drug) else ()
        k_i = next((a.k_i for a in affinities if a.target == target), None)
        return None if k_i is None else assembly.index[name_of("K_i", k_i, drug=name, target=target)]

    label, place, series, parameters = [], [], [], []
    first = 0
    for number, block in enumerate(assembly.rows.blocks):
        for target, site in block.sites.items():
            for row, course in enumerate(site.course, start=first):
                names = dict.fromkeys(assembly.ligand_names[row])
                by_k = {k: name for name in names if (k := k_of(name, target)) is not None}
                if len(by_k) < sum(k_of(name, target) is not None for name in names):
                    raise ValueError(
                        f"Drugs of one row must differ in K at {target}; got {', '.join(names)}."
                    )
                for pair in np.flatnonzero(site.course_of_pair == course):
                    label.append((row, target, by_k[site.k[pair]]))
                    place.append(number)
                    series.append(site.series[pair])
                    parameters.append([site.k[pair], site.shift[pair]])
        first += block.before.shape[0]
    return _Pairs(label, np.array(place), np.array(series), np.array(parameters))


def _inference(
    loaded: LoadedCase, assembly: Assembly, readings: list[ArmReading], picks: np.ndarray
) -> dict[Key, np.ndarray]:
    """Concentrations, constants and features as the likelihood has them, at z = 0 and over draws of the prior."""
    pairs = _pairs(loaded, assembly)
    features, levels, constants = _over_draws(loaded, assembly, pairs, picks)
    by_row: dict[int, dict[tuple[str, str], np.ndarray]] = {}
    for row in range(len(picks)):
        mine = {("feature", name): _summary(features[i, row]) for i, name in enumerate(assembly.features)}
        places = [i for i, (of, _, _) in enumerate(pairs.label) if of == row]
        at: dict[str, str] = {}
        for drug in dict.fromkeys(pairs.label[i][2] for i in places):
            # The concentration of a drug is one wherever it binds; its series at one target add up.
            at[drug] = next(pairs.label[i][1] for i in places if pairs.label[i][2] == drug)
            parts = [i for i in places if pairs.label[i] == (row, at[drug], drug)]
            mine["concentration", drug] = _summary(levels[parts].sum(axis=0))
        for i in places:
            mine["constant", f"{pairs.label[i][1]}:{pairs.label[i][2]}"] = _summary(constants[[i]])
        by_row[row] = mine
    numbers: dict[Key, np.ndarray] = {}
    for one in readings:
        times = [_hours(time_h) for time_h in assembly.times[one.row, picks[one.row]]]
        for (quantity, subject), rows in by_row[one.row].items():
            for time_h, row in zip(["-"] if quantity == "constant" else times, rows, strict=True):
                place = (one.study, one.experiment, one.arm, one.endpoint)
                numbers[Key(*place, "inference", quantity, subject, time_h)] = row
    return numbers


def _over_draws(
    loaded: LoadedCase, assembly: Assembly, pairs: _Pairs, picks: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features [features, rows, times, draws], concentrations [pairs, times, draws], constants [pairs, draws]."""
    hypothesis = account(loaded.case.hypotheses[0], assembly)  # features are the same for all
    table = prior_table(assembly)
    rows = np.array([row for row, _, _ in pairs.label])

    @jax.jit
    def run(z):
        theta = values(table, z)
        found = jnp.stack(respond(assembly, z, hypothesis).features)
        unbound = shared(assembly, theta, theta.dtype).unbound
        read = jnp.take_along_axis(found, picks[None, :, :, None], axis=2)
        parts = []
        for number, levels in enumerate(unbound):
            mine = np.flatnonzero(pairs.block == number)
            nodes = np.minimum(picks[rows[mine]], levels.shape[1] - 1)
            parts.append(levels[pairs.series[mine][:, None], nodes])
        order = np.argsort(np.concatenate([np.flatnonzero(pairs.block == n) for n in range(len(unbound))]))
        strength = pick(theta, pairs.parameters[:, 0]) + pick(theta, pairs.parameters[:, 1])
        return read, jnp.concatenate(parts)[order], jnp.exp(strength)

    _say(f"{loaded.case.name}: inference, {PRIOR_DRAWS} draws of the prior")
    found = []
    for z in _batches(assembly):
        found.append(jax.device_get(run(z)))
    keep = 1 + PRIOR_DRAWS
    features, levels, constants = (
        np.concatenate(part, axis=-1)[..., :keep] for part in zip(*found, strict=True)
    )
    return features, levels, constants


def _batches(assembly: Assembly) -> Iterator[Float[np.ndarray, "dimension batch"]]:
    """All medians, then prior draws, filled up with medians.

    Each parameter has draws of its own that its name seeds: another parameter, or another order, moves none of them.
    """
    draws = even_variates([parameter.name for parameter in assembly.parameters], PRIOR_DRAWS, SEED)
    count = -(-(1 + PRIOR_DRAWS) // BATCH) * BATCH
    every = np.zeros((assembly.dimension, count))
    every[:, 1 : 1 + PRIOR_DRAWS] = draws
    for start in range(0, count, BATCH):
        yield every[:, start : start + BATCH]


def _summary(draws: Float[np.ndarray, "times draws"]) -> Float[np.ndarray, "times columns"]:
    """All medians, which come first, and the quantiles of the rest."""
    return np.column_stack([draws[:, 0], *np.quantile(draws[:, 1:], QUANTILES, axis=1)])


def _hours(time_h: float) -> str:
    return f"{time_h:.6g} h"
