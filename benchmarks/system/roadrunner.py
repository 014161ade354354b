"""A rival in the speed benchmark: libroadrunner (SBML compiled by LLVM, CVODE), on one or several processes.

It is no dependency of gaddum: make an environment for it by ``pip install libroadrunner antimony numpy scipy``, and run

    python -m benchmarks.system.roadrunner [DRAWS] [PROCESSES] [FILE] [TABLE]

Prints seconds per simulation and errors against the oracle at several tolerances; with FILE (.npz) it leaves readouts
and times there instead, for `side_by_side.py`, with TABLE (.npy) for its draws. A protocol is run stretch by stretch:
doses are put into the state between calls, which is quicker than SBML events and loses no accuracy.
"""

import sys
import time
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from benchmarks.system.definition import (
    INPUTS,
    PARAMETERS,
    PROTOCOLS,
    QUANTITIES,
    RATES,
    READ_TIMES,
    absolute_tolerance,
    draws,
    errors,
    stretches,
)
from benchmarks.system.export import antimony

TOLERANCES = (1e-6, 1e-8, 1e-10)
_runner = None


class Timed(NamedTuple):
    """What a run gave and took.

    Attributes
    ----------
    readouts
        Shape [protocol, draw, time, quantity].
    seconds
        Wall-clock time.
    cpu
        Processor time, summed over processes: what remains comparable on a busy machine.
    """

    readouts: np.ndarray
    seconds: float
    cpu: float


def run(table: np.ndarray, tolerance: float, processes: int = 1) -> Timed:
    """Simulate all protocols for every row of a table of draws.

    Parameters
    ----------
    table : array
        Parameter draws, as `definition.draws` makes them.
    tolerance : float
        Relative tolerance of CVODE; absolute ones go with it.
    processes : int
        Worker processes; compilation of the model is not counted.
    """
    if processes == 1:
        _load(tolerance)
        start = time.perf_counter()
        found, cpu = _simulate(table)
        return Timed(found, time.perf_counter() - start, cpu)
    with get_context("spawn").Pool(processes, _load, (tolerance,)) as pool:
        pool.map(_simulate, [table[:1]] * processes, chunksize=1)  # until every worker stands ready
        start = time.perf_counter()
        parts = pool.map(_simulate, np.array_split(table, 4 * processes), chunksize=1)
        seconds = time.perf_counter() - start
    return Timed(np.concatenate([part for part, _ in parts], axis=1), seconds, sum(cpu for _, cpu in parts))


def _load(tolerance: float) -> None:
    global _runner
    import antimony as translator
    import roadrunner

    if translator.loadAntimonyString(antimony()) < 0:
        raise RuntimeError(f"The model must translate to SBML; antimony says: {translator.getLastError()}")
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    _runner = roadrunner.RoadRunner(translator.getSBMLString())
    _runner.integrator.setValue("relative_tolerance", tolerance)
    _runner.integrator.setValue("absolute_tolerance", absolute_tolerance("acute", tolerance))
    for name in RATES:
        _runner.integrator.setIndividualTolerance(name, absolute_tolerance(name, tolerance))
    _runner.integrator.setValue("stiff", True)
    _runner.integrator.setValue("maximum_num_steps", 200_000)
    _runner.timeCourseSelections = ["time", *QUANTITIES]


def _simulate(table: np.ndarray) -> tuple[np.ndarray, float]:
    assert _runner is not None
    begin = time.process_time()
    ids = _runner.model.getGlobalParameterIds()
    places = [ids.index(p.name) for p in PARAMETERS]
    inputs = [ids.index(name) for name in INPUTS]
    plans = [stretches(doses) for doses in PROTOCOLS.values()]
    out = np.full((len(plans), len(table), len(READ_TIMES), len(QUANTITIES)), np.nan)
    for row, parameters in enumerate(table):
        _runner.model.setGlobalParameterValues(places, parameters.tolist())
        for number, plan in enumerate(plans):
            _runner.reset()  # states to their initial values of 0; parameters stay
            for stretch in plan:
                _runner.model.setGlobalParameterValues(inputs, [stretch.inputs.get(n, 0.0) for n in INPUTS])
                for name, amount in stretch.boluses.items():
                    _runner[name] = _runner[name] + amount
                within = [k for k, t in enumerate(READ_TIMES) if stretch.start < t <= stretch.end]
                times = sorted(
                    {0.0, stretch.end - stretch.start} | {READ_TIMES[k] - stretch.start for k in within}
                )
                found = np.asarray(_runner.simulate(times=times))
                at = found[:, 0] + stretch.start
                for k in within:
                    out[number, row, k] = found[int(np.argmin(np.abs(at - READ_TIMES[k]))), 1:]
    return out, time.process_time() - begin


def main() -> None:
    from benchmarks.system.oracle import simulate

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    table = np.load(sys.argv[4])[:count] if len(sys.argv) > 4 else draws(count)
    if len(sys.argv) > 3:
        left = {f"{t:g}": run(table, t, processes) for t in TOLERANCES}
        times = {f"seconds {name}": [one.seconds, one.cpu] for name, one in left.items()}
        np.savez(sys.argv[3], **{name: one.readouts for name, one in left.items()}, **times)
        return
    truth = np.stack([simulate(row) for row in table], axis=1)
    for tolerance in TOLERANCES:
        found = run(table, tolerance, processes)
        wall, cpu = (1e3 * x / count / len(PROTOCOLS) for x in (found.seconds, found.cpu))
        off = {name: f"{value:.1e}" for name, value in errors(found.readouts, truth).items()}
        print(
            f"libroadrunner {tolerance:g}, {processes} processes: {wall:.2f} ms per simulation, "
            f"{cpu:.2f} ms of processor; errors {off}"
        )


if __name__ == "__main__":
    main()
