"""The nonlinear path beside libroadrunner: saturable elimination, and target-mediated disposition.

    python -m benchmarks.system.nonlinear --roadrunner PYTHON [--draws 10000] [--rivals 500] [--rounds 3] [--truth 100]

PYTHON is an interpreter that has libroadrunner. Both programs are warm and take both cores, in turn, round after round.
gaddum shortens its steps until its estimated error meets a target; libroadrunner (CVODE, stiff) runs at two tolerances.
The parameters are made up for the benchmark and are not facts. Prints, and leaves in ``result-nonlinear.txt``, times,
errors against scipy's LSODA at 1e-11, and ratios with their spread over rounds.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HERE = Path(__file__).parent
TIMES = (0.5, 2.0, 6.0, 12.0, 24.0, 48.0)
"""Reading times (h)."""
TOLERANCES = (1e-6, 1e-8)
TARGETS = (1e-5, 1e-6, 1e-7)
"""Targets of gaddum's estimated error."""
PROCESSES = 2
FLOOR = 1e-4
"""Readings are compared relatively, but to this share of the peak at least."""


class Model(NamedTuple):
    """A system as infix equations, with doses into one state at time zero."""

    medians: dict[str, float]
    """Medians of lognormal parameters."""
    states: dict[str, str]
    """Rate of change of each state."""
    begin: dict[str, str]
    """State at time zero, in terms of the parameters; 0 where not given."""
    read: str
    """State that is read."""


MODELS = {
    # An oral dose of 2000 nmol; concentrations in two compartments.
    "saturable": Model(
        {"v_c": 10.0, "cl": 2.0, "v_p": 25.0, "q": 6.0, "v_max": 60.0, "k_m": 20.0, "k_a": 0.8},
        {
            "depot": "-k_a * depot",
            "c": "(k_a * depot - cl * c - v_max * c / (k_m + c) - q * (c - p)) / v_c",
            "p": "q * (c - p) / v_p",
        },
        {"depot": "2000"},
        "c",
    ),
    # A bolus of 300 nmol; drug, target and complex (nM).
    "target-mediated": Model(
        {"v_c": 3.0, "cl": 0.1, "k_on": 0.5, "k_off": 0.02, "k_syn": 0.4, "k_deg": 0.1, "k_int": 0.05},
        {
            "drug": "-cl * drug / v_c - k_on * drug * target + k_off * bound",
            "target": "k_syn - k_deg * target - k_on * drug * target + k_off * bound",
            "bound": "k_on * drug * target - (k_off + k_int) * bound",
        },
        {"drug": "300 / v_c", "target": "k_syn / k_deg"},
        "drug",
    ),
}
GSD = 1.6


def draws(model: Model, count: int) -> np.ndarray:
    """Parameter draws [count, parameters]; the first rows are the same whatever the count."""
    z = np.random.default_rng(2).standard_normal((count, len(model.medians)))
    return np.array(list(model.medians.values())) * GSD**z


def gaddum(name: str, table: np.ndarray, tolerance: float) -> np.ndarray:
    """Readings [draw, time] of one thread's share of the draws."""
    import jax

    from gaddum.exposure.nonlinear import saturable_concentrations, target_mediated_concentrations

    p: dict[str, Any] = dict(zip(MODELS[name].medians, table.T, strict=True))
    with jax.enable_x64(True):
        if name == "saturable":
            bodies = {key: p[key] for key in ("v_c", "cl", "v_max", "k_m", "k_a")}
            bodies |= {key: p[key][None] for key in ("v_p", "q")}
            found = saturable_concentrations(
                TIMES, **bodies, amounts=[2000.0], starts=[0.0], tolerance=tolerance
            )
            return np.asarray(found.values).T
        return np.asarray(
            target_mediated_concentrations(
                TIMES, **p, amounts=[300.0], starts=[0.0], tolerance=tolerance
            ).drug
        ).T


def run_gaddum(name: str, table: np.ndarray, tolerance: float) -> tuple[np.ndarray, float, float]:
    """Readings, seconds and seconds of processor on both cores."""
    begin, start = time.process_time(), time.perf_counter()
    parts: list[Any] = [None] * PROCESSES

    def work(place: int, share: np.ndarray) -> None:
        parts[place] = gaddum(name, share, tolerance)

    shares = np.array_split(table, PROCESSES)
    workers = [threading.Thread(target=work, args=(place, share)) for place, share in enumerate(shares)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return np.concatenate(parts), time.perf_counter() - start, time.process_time() - begin


_runner: Any = None


def _load(name: str, tolerance: float) -> None:
    global _runner
    import antimony
    import roadrunner

    model = MODELS[name]
    lines = [f"{key} = {value!r};" for key, value in model.medians.items()]
    lines += [f"{state} = {model.begin.get(state, '0')};" for state in model.states]
    lines += [f"{state}' = {rate};" for state, rate in model.states.items()]
    if antimony.loadAntimonyString("\n".join(["model system", *lines, "end"])) < 0:
        raise RuntimeError(f"The model must translate to SBML; antimony says: {antimony.getLastError()}")
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    _runner = roadrunner.RoadRunner(antimony.getSBMLString())
    _runner.integrator.setValue("relative_tolerance", tolerance)
    _runner.integrator.setValue("absolute_tolerance", tolerance * 1e-3)
    _runner.integrator.setValue("stiff", True)
    _runner.integrator.setValue("maximum_num_steps", 200_000)
    _runner.timeCourseSelections = ["time", model.read]


def _simulate(task: tuple[str, np.ndarray]) -> tuple[np.ndarray, float]:
    name, table = task
    model, begin = MODELS[name], time.process_time()
    ids = _runner.model.getGlobalParameterIds()
    places = [ids.index(key) for key in model.medians]
    states = [ids.index(state) for state in model.states]
    starts = [compile(model.begin.get(state, "0"), name, "eval") for state in model.states]
    out = np.empty((len(table), len(TIMES)))
    for row, parameters in enumerate(table.tolist()):
        _runner.reset()
        _runner.model.setGlobalParameterValues(places, parameters)
        scope = dict(zip(model.medians, parameters, strict=True))
        _runner.model.setGlobalParameterValues(states, [float(eval(code, {}, scope)) for code in starts])  # noqa: S307
        out[row] = np.asarray(_runner.simulate(times=[0.0, *TIMES]))[1:, 1]
    return out, time.process_time() - begin


def rival(count: int, file: str) -> None:
    """Run libroadrunner at all tolerances and leave readings and times in a file."""
    left: dict[str, Any] = {}
    for name, model in MODELS.items():
        table = draws(model, count)
        for tolerance in TOLERANCES:
            with get_context("spawn").Pool(PROCESSES, _load, (name, tolerance)) as pool:
                pool.map(_simulate, [(name, table[:1])] * PROCESSES, chunksize=1)
                start = time.perf_counter()
                shares = [(name, share) for share in np.array_split(table, 4 * PROCESSES)]
                parts = pool.map(_simulate, shares, chunksize=1)
                seconds = time.perf_counter() - start
            left[f"{name} {tolerance:g}"] = np.concatenate([part for part, _ in parts])
            left[f"{name} {tolerance:g} seconds"] = [seconds, sum(cpu for _, cpu in parts)]
    np.savez(file, **left)


def truth(name: str, table: np.ndarray) -> np.ndarray:
    """Readings by LSODA at 1e-11."""
    from scipy.integrate import solve_ivp

    model = MODELS[name]
    rates = [compile(rate, name, "eval") for rate in model.states.values()]
    place = list(model.states).index(model.read)
    rows = []
    for parameters in table.tolist():
        scope = dict(zip(model.medians, parameters, strict=True))
        start = [float(eval(model.begin.get(state, "0"), {}, scope)) for state in model.states]  # noqa: S307

        def change(_: float, y: np.ndarray, scope: dict[str, float] = scope) -> list[float]:
            here = scope | dict(zip(model.states, y.tolist(), strict=True))
            return [eval(rate, {}, here) for rate in rates]  # noqa: S307

        solved = solve_ivp(
            change, (0.0, TIMES[-1]), start, "LSODA", t_eval=TIMES, rtol=1e-11, atol=1e-12, first_step=1e-6
        )
        rows.append(solved.y[place])
    return np.array(rows)


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] == "rival":
        rival(int(sys.argv[2]), sys.argv[3])
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--roadrunner", required=True, help="Python that has libroadrunner")
    parser.add_argument("--draws", type=int, default=10000)
    parser.add_argument("--rivals", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--truth", type=int, default=100)
    parser.add_argument("--folder", type=Path, default=Path("runs/system"))
    parser.add_argument("--out", type=Path, default=HERE / "result-nonlinear.txt")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    file = given.folder / "nonlinear.npz"
    times: dict[str, list[tuple[float, float]]] = {}
    readings: dict[str, np.ndarray] = {}
    for number in range(given.rounds + 1):  # the first warms gaddum up
        for name, model in MODELS.items():
            for target in TARGETS:
                found, seconds, cpu = run_gaddum(name, draws(model, given.draws), target)
                key = f"{name}, gaddum {target:g}"
                readings[key] = found
                if number:
                    times.setdefault(key, []).append((1e3 * seconds / given.draws, 1e3 * cpu / given.draws))
        if not number:
            continue
        command = [
            given.roadrunner,
            "-m",
            "benchmarks.system.nonlinear",
            "rival",
            str(given.rivals),
            str(file),
        ]
        subprocess.run(command, check=True, cwd=HERE.parent.parent, env=os.environ | {"PYTHONPATH": "."})
        with np.load(file) as left:
            for name in MODELS:
                for tolerance in TOLERANCES:
                    key = f"{name}, libroadrunner {tolerance:g}"
                    readings[key] = left[f"{name} {tolerance:g}"]
                    seconds, cpu = (float(x) for x in left[f"{name} {tolerance:g} seconds"])
                    times.setdefault(key, []).append((1e3 * seconds / given.rivals, 1e3 * cpu / given.rivals))
    known = {name: truth(name, draws(model, given.truth)) for name, model in MODELS.items()}
    text = "\n".join(_report(given, times, readings, known)) + "\n"
    print(text, end="")
    given.out.write_text(text, encoding="utf-8")


def _report(
    given: argparse.Namespace,
    times: dict[str, list[tuple[float, float]]],
    readings: dict[str, np.ndarray],
    known: dict[str, np.ndarray],
) -> list[str]:
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    lines = [
        f"Nonlinear systems of nonlinear.py, {len(TIMES)} readings: gaddum {given.draws} draws on {PROCESSES} threads, "
        f"libroadrunner {given.rivals} draws in {PROCESSES} processes,",
        f"{given.rounds} rounds in turn, warm. {os.cpu_count()} cores, load at the end {loads}. Errors over "
        f"{given.truth} draws against LSODA at 1e-11, relative to the reading or 1e-4 of the peak.",
        "",
        f"{'ms per simulation':40}{'wall':>26}{'processor':>28}   99.9th percentile, maximum error",
    ]
    for key, rounds in times.items():
        name = key.split(",")[0]
        few = min(given.truth, len(readings[key]))
        level = np.maximum(known[name][:few], FLOOR * known[name][:few].max(axis=1, keepdims=True))
        worst = (np.abs(readings[key][:few] - known[name][:few]) / level).max(axis=1)
        high = np.percentile(worst, 99.9, method="higher")
        wall, cpu = (_spread([one[place] for one in rounds]) for place in (0, 1))
        lines.append(f"{key:40}{wall:>26}{cpu:>28}   {high:.1e}, {worst.max():.1e}")
    lines += ["", f"{'times as long as gaddum':64}{'wall':>20}{'processor':>22}"]
    for name in MODELS:
        for tolerance in TOLERANCES:
            for target in TARGETS:
                theirs, own = (
                    times[f"{name}, libroadrunner {tolerance:g}"],
                    times[f"{name}, gaddum {target:g}"],
                )

                def ratio(place: int, theirs: list = theirs, own: list = own) -> str:
                    return _spread([a[place] / b[place] for a, b in zip(theirs, own, strict=True)], ".3g")

                lines.append(
                    f"{f'{name}, libroadrunner {tolerance:g} over gaddum {target:g}':64}{ratio(0):>20}{ratio(1):>22}"
                )
    return lines


def _spread(values: list[float], form: str = ".4g") -> str:
    return f"{np.median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


if __name__ == "__main__":
    main()
