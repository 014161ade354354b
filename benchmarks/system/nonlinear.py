"""The nonlinear path beside libroadrunner: saturable elimination.

    python -m benchmarks.system.nonlinear --roadrunner PYTHON [--draws 10000] [--rivals 500] [--rounds 3] [--truth 100]

PYTHON is an interpreter that has libroadrunner. Both programs are warm and take both cores, in turn, round after round.
gaddum is its public call, layout and drawing included, whose steps shorten until their error is small enough;
libroadrunner (CVODE, stiff) runs at two tolerances on the draws that it took.
The parameters are made up for the benchmark and are not facts. Prints, and leaves in ``result-nonlinear.txt``, times,
errors against scipy's LSODA at 1e-11, and ratios with their spread over rounds.
"""

import argparse
import os
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HERE = Path(__file__).parent
TIMES = (0.5, 2.0, 6.0, 12.0, 24.0, 48.0)
"""Reading times (h)."""
TOLERANCES = (1e-6, 1e-8)
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
}
GSD = 1.6
_NAMES = {
    "central volume": "v_c",
    "clearance": "cl",
    "volume 2": "v_p",
    "flow 2": "q",
    "V_max": "v_max",
    "K_m": "k_m",
    "po k_a": "k_a",
}
"""What the parameters of the library begin with."""


def library() -> Any:
    """The system as a drug that binds one target; all that is not in the definition is exactly 1."""
    from gaddum.records.drug import Drug
    from gaddum.records.library import Library
    from gaddum.records.target import Target

    source = {"how": "derived", "reason": "benchmark definition"}
    medians = MODELS["saturable"].medians

    def q(value: float, unit: str, gsd: float = 1.0) -> dict[str, Any]:
        return {"value": value, "unit": unit, "spread": {"kind": "GSD", "value": gsd}, "source": source}

    def own(name: str, unit: str) -> dict[str, Any]:
        return q(medians[name], unit, GSD)

    body = {
        "sampling": "arterial",
        "v_c": own("v_c", "L"),
        "cl": own("cl", "L/h"),
        "peripherals": [{"v": own("v_p", "L"), "q": own("q", "L/h")}],
        "saturable": {"v_max": own("v_max", "nmol/h"), "k_m": own("k_m", "nM")},
        "absorption": {"po": {"k_a": own("k_a", "1/h"), "f": q(1.0, "1")}},
    }
    drug = Drug.model_validate(
        {
            "name": "drug",
            "molar_mass": q(1000.0, "g/mol"),
            "f_u": {"human": q(1.0, "1")},
            "kp_uu": {"human": q(1.0, "1")},
            "disposition": {"human": body},
            "affinities": [{"target": "NMDAR", "mode": "channel blocker", "k_i": q(1.0, "nM")}],
        }
    )
    target = {"name": "NMDAR", "full_name": "x", "family": "x", "features": ["block"], "source": source}
    return Library({"NMDAR": Target.model_validate(target)}, {"drug": drug})


def run_gaddum(count: int) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Readings [draw, time], the draws behind them, seconds and seconds of processor."""
    import gaddum
    from gaddum.numerics.variates import even_draws

    drugs = library()
    begin, start = time.process_time(), time.perf_counter()
    found = gaddum.simulate("drug 2000 nmol po", times=TIMES, draws=count, library=drugs)
    seconds, cpu = time.perf_counter() - start, time.process_time() - begin
    drawn = {
        own: np.exp(even_draws([one.name], one.nodes[None], count, 0)[0])
        for one in found.parameters
        for words, own in _NAMES.items()
        if one.name.startswith(words)
    }
    table = np.array([drawn[name] for name in MODELS["saturable"].medians]).T
    return found.concentrations["drug"][0].T, table, seconds, cpu


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


def rival(tables: str, file: str) -> None:
    """Run libroadrunner at all tolerances and leave readings and times in a file."""
    left: dict[str, Any] = {}
    table = np.load(tables)
    for name in MODELS:
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
        rival(sys.argv[2], sys.argv[3])
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
        readings["saturable, gaddum"], table, seconds, cpu = run_gaddum(given.draws)
        if not number:
            np.save(given.folder / "nonlinear.npy", table[: given.rivals])
            continue
        own = (1e3 * seconds / given.draws, 1e3 * cpu / given.draws)
        times.setdefault("saturable, gaddum", []).append(own)
        command = [given.roadrunner, "-m", "benchmarks.system.nonlinear", "rival"]
        command += [str(given.folder / "nonlinear.npy"), str(file)]
        subprocess.run(command, check=True, cwd=HERE.parent.parent, env=os.environ | {"PYTHONPATH": "."})
        with np.load(file) as left:
            for tolerance in TOLERANCES:
                key = f"saturable, libroadrunner {tolerance:g}"
                readings[key] = left[f"saturable {tolerance:g}"]
                seconds, cpu = (float(x) for x in left[f"saturable {tolerance:g} seconds"])
                times.setdefault(key, []).append((1e3 * seconds / given.rivals, 1e3 * cpu / given.rivals))
    known = {"saturable": truth("saturable", table[: given.truth])}
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
        f"Nonlinear systems of nonlinear.py, {len(TIMES)} readings: gaddum {given.draws} draws by its public call, "
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
            theirs, own = times[f"{name}, libroadrunner {tolerance:g}"], times[f"{name}, gaddum"]

            def ratio(place: int, theirs: list = theirs, own: list = own) -> str:
                return _spread([a[place] / b[place] for a, b in zip(theirs, own, strict=True)], ".3g")

            lines.append(f"{f'{name}, libroadrunner {tolerance:g}':64}{ratio(0):>20}{ratio(1):>22}")
    return lines


def _spread(values: list[float], form: str = ".4g") -> str:
    return f"{np.median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


if __name__ == "__main__":
    main()
