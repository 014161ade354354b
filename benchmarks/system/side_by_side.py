"""The side-by-side speed benchmark: gaddum, libroadrunner and mrgsolve in turn, round after round, in one run.

    python -m benchmarks.system.side_by_side --roadrunner PYTHON [--draws 10000] [--rivals 500] [--rounds 3]

PYTHON is an interpreter that has libroadrunner; Rscript must find mrgsolve (R_LIBS). gaddum simulates all draws, the
rivals a subsample of the same draws, and times are per simulation. Everything is warm: compilation (JAX, LLVM, C++) is
not counted. Prints, and leaves in ``result.txt``, times, errors against the oracle and ratios with their spread over
rounds.
"""

import argparse
import csv
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from benchmarks.system import export, gaddum_side, judge, oracle
from benchmarks.system.definition import FLOOR, PROTOCOLS, QUANTITIES

HERE = Path(__file__).parent
STATES = 2
"""The last of the quantities: acute and sustained state. The others are occupancies."""
TRACE = 1e-3
"""Concentrations below this (nM) are compared absolutely, others relatively."""
PROCESSES = 2


class Round(NamedTuple):
    """One program at one tolerance in one round, in ms per simulation."""

    wall: float
    cpu: float
    load: float


class Program(NamedTuple):
    """A program at a tolerance."""

    name: str
    rounds: list[Round]
    readouts: np.ndarray


def main() -> None:
    given = _arguments()
    folder = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    first = gaddum_side.run(given.draws)
    table = gaddum_side.table(first.found)
    export.write(folder, table[: given.rivals])
    np.save(folder / "draws.npy", table[: given.rivals])
    programs: dict[str, Program] = {}
    for number in range(given.rounds):
        for name, wall, cpu, readouts in [
            *_gaddum(given.draws),
            *_roadrunner(given.roadrunner, folder, given.rivals),
            *(_mrgsolve(folder, given.rivals) if given.mrgsolve else []),
        ]:
            one = programs.setdefault(name, Program(name, [], readouts))
            one.rounds.append(Round(wall, cpu, os.getloadavg()[0]))
            print(f"round {number + 1}: {name}: {wall:.4f} ms, {cpu:.4f} ms of processor", file=sys.stderr)
    truth = _truth(table[: given.truth], folder)
    levels = first.brain[:, : given.truth]
    lines = [
        *_head(given, first),
        *_times(programs),
        "",
        *_errors(programs, truth, levels),
        "",
        *_ratios(programs),
    ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    given.out.write_text(text, encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--roadrunner", required=True, help="Python that has libroadrunner")
    parser.add_argument(
        "--mrgsolve", action=argparse.BooleanOptionalAction, default=True, help="also by mrgsolve"
    )
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--rivals", type=int, default=500, help="draws that the rivals simulate")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--truth", type=int, default=250, help="draws that the oracle simulates")
    parser.add_argument("--folder", type=Path, default=Path("runs/system"))
    parser.add_argument("--out", type=Path, default=HERE / "result.txt")
    return parser.parse_args()


Timing = tuple[str, float, float, np.ndarray]


def _gaddum(count: int) -> list[Timing]:
    one = gaddum_side.run(count)
    return [("gaddum", *_each(one.seconds, one.cpu, count), one.readouts)]


def _roadrunner(python: str, folder: Path, count: int) -> list[Timing]:
    file = folder / "roadrunner.npz"
    command = [python, "-m", "benchmarks.system.roadrunner", str(count), str(PROCESSES), str(file)]
    command.append(str(folder / "draws.npy"))
    subprocess.run(command, check=True, cwd=HERE.parent.parent, env=os.environ | {"PYTHONPATH": "."})
    with np.load(file) as found:
        names = [name for name in found.files if not name.startswith("seconds")]
        return [
            (f"libroadrunner {float(name):g}", *_each(*found[f"seconds {name}"], count), found[name])
            for name in names
        ]


def _mrgsolve(folder: Path, count: int) -> list[Timing]:
    command = ["Rscript", str(HERE / "mrgsolve.R"), str(folder), str(PROCESSES)]
    subprocess.run(command, check=True)
    with (folder / "mrgsolve-seconds.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        (
            f"mrgsolve {float(row['tolerance']):g}",
            *_each(float(row["seconds"]), float(row["cpu"]), count),
            judge.read(folder / f"mrgsolve-{row['tolerance']}.csv"),
        )
        for row in rows
    ]


def _each(seconds: float, cpu: float, count: int) -> tuple[float, float]:
    simulations = count * len(PROTOCOLS)
    return 1e3 * float(seconds) / simulations, 1e3 * float(cpu) / simulations


def _truth(table: np.ndarray, folder: Path) -> np.ndarray:
    """The oracle's answers, kept for the next run of the same draws."""
    kept = folder / f"truth-{len(table)}.npz"
    if kept.exists():
        with np.load(kept) as found:
            if np.array_equal(found["draws"], table):
                return found["truth"]
    with get_context("spawn").Pool(PROCESSES) as pool:
        truth = np.stack(pool.map(oracle.simulate_all, table, chunksize=4), axis=1)
    np.savez(kept, draws=table, truth=truth)
    return truth


def _head(given: argparse.Namespace, first: gaddum_side.Timed) -> list[str]:
    import jax

    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return [
        "The ketamine + naltrexone system of definition.py: "
        f"{given.draws} parameter draws x {len(PROTOCOLS)} protocols x 5 reading times x {len(QUANTITIES)} readouts.",
        f"Python {platform.python_version()}, JAX {jax.__version__}, {os.cpu_count()} cores; load at the end {loads} "
        "(1, 5, 15 min): other work shared the cores where this exceeds 2, so prefer processor time.",
        f"gaddum by its public call, layout and drawing included; rivals in {PROCESSES} processes on the first "
        f"{given.rivals} of its draws; {given.rounds} rounds, programs in turn.",
        f"gaddum's first call, compilation included: {first.seconds:.1f} s, {first.cpu:.1f} s of processor (not "
        "counted below; the rivals' compilation is not counted either). "
        f"All readouts finite: {bool(np.isfinite(first.readouts).all())}.",
        "",
    ]


def _times(programs: dict[str, Program]) -> list[str]:
    lines = [f"{'ms per simulation':24}{'wall':>26}{'processor':>28}   load"]
    for one in programs.values():
        wall, cpu = (_spread([getattr(r, name) for r in one.rounds]) for name in ("wall", "cpu"))
        loads = " ".join(f"{r.load:.1f}" for r in one.rounds)
        lines.append(f"{one.name:24}{wall:>26}{cpu:>28}   {loads}")
    return lines


def _spread(values: list[float], form: str = ".4g") -> str:
    return f"{np.median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


def _errors(programs: dict[str, Program], truth: np.ndarray, levels: np.ndarray) -> list[str]:
    """99.9th percentile and maximum over simulations of the worst reading of each kind."""
    count = truth.shape[1]
    split, last = len(QUANTITIES) - STATES, len(QUANTITIES)
    lines = [
        f"Errors against LSODA at 1e-11 over {count} draws ({count * len(PROTOCOLS)} simulations): 99.9th percentile",
        "and maximum of a simulation's worst reading. Relative, but absolute below 1e-6 of a fraction and 1e-3 nM;",
        "absolute errors of the two states in brackets (they are fractions).",
        f"{'':24}{'unbound concentration':>24}{'occupancy':>22}{'behaviour':>22}",
    ]
    for one in programs.values():
        few = min(count, one.readouts.shape[1])
        found, known = one.readouts[:, :few], truth[:, :few, :, :last]
        level = "-"
        if one.name == "gaddum":
            level = _worst(levels, truth[..., last:], TRACE)
        bound = _worst(found[..., :split], known[..., :split], FLOOR)
        states = _worst(found[..., split:], known[..., split:], FLOOR)
        plain = np.abs(found[..., split:] - known[..., split:]).max()
        lines.append(f"{one.name:24}{level:>24}{bound:>22}{states:>22} ({plain:.1e}) [{few} draws]")
    return lines


def _worst(found: np.ndarray, known: np.ndarray, floor: float) -> str:
    worst = (np.abs(found - known) / np.maximum(np.abs(known), floor)).max(axis=(2, 3)).ravel()
    return f"{np.percentile(worst, 99.9, method='higher'):.1e}, {worst.max():.1e}"


def _ratios(programs: dict[str, Program]) -> list[str]:
    """How many times as long a rival takes, round by round."""
    lines = [f"{'times as long as gaddum':24}{'wall':>22}{'processor':>22}"]
    own = programs["gaddum"].rounds
    for one in programs.values():
        if one.name == "gaddum":
            continue

        def ratio(of: Callable[[Round], float], one: Program = one) -> str:
            return _spread([of(a) / of(b) for a, b in zip(one.rounds, own, strict=True)], ".3g")

        lines.append(f"{one.name:24}{ratio(lambda r: r.wall):>22}{ratio(lambda r: r.cpu):>22}")
    return lines


if __name__ == "__main__":
    main()
