"""Time the log density of a case that is sampled, and its gradient, per draw, against budgets of 40 and 80 us.

Run: python benchmarks/log_density.py [CASE]. Prints the best, median and worst of repeated calls on one batch, one
and two threads; the result of the last run is kept beside this file.
"""

import statistics
import sys
import threading
import time

import jax
import numpy as np

from gaddum.records.ledger import load_case
from gaddum.response.assemble import assemble
from gaddum.verdict.adjudicate import SAMPLER
from gaddum.weigh import compare
from gaddum.weigh.likelihood import build_problem, log_likelihood, setting

LANES, REPEATS = SAMPLER.lanes, 60


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    case = load_case(sys.argv[1] if len(sys.argv) > 1 else "ketamine")
    start = time.perf_counter()
    assembly = assemble(case)
    problem = build_problem(case, assembly)
    print(
        f"{case.case.name}: {assembly.dimension} parameters, {len(problem.scored)} scored outcomes, "
        f"{problem.assembly.rows.expectancy.size} distinct readings; read in {time.perf_counter() - start:.1f} s"
    )
    function = log_likelihood(problem, single=True)
    variant = compare.variants(case.case)[1]
    given = setting(problem, compare.variant_account(variant, assembly, absolute=False))
    z = np.random.default_rng(0).standard_normal((assembly.dimension, LANES))
    compiled = {
        "value": (jax.jit(function), 40.0),
        "gradient": (jax.jit(jax.value_and_grad(lambda z, s: function(z, s).sum())), 80.0),
    }
    for name, (call, budget) in compiled.items():
        start = time.perf_counter()
        jax.block_until_ready(call(z, given))
        compilation = time.perf_counter() - start
        for threads in (1, 2):
            times = run(call, z, given, threads)
            low, middle, high = (
                1e6 * t / LANES / threads for t in (min(times), statistics.median(times), max(times))
            )
            print(
                f"{name:9} {threads} thread(s): {low:6.1f} {middle:6.1f} {high:6.1f} us per draw "
                f"(best, median, worst); "
                f"budget {budget:.0f}; compilation {compilation:.1f} s"
            )


def run(call, z, given, threads: int) -> list[float]:
    """Seconds per round of `threads` simultaneous batches."""
    times: list[float] = []

    def work() -> None:
        with jax.enable_x64(True):
            for _ in range(REPEATS):
                jax.block_until_ready(call(z, given))

    for _ in range(5):
        workers = [threading.Thread(target=work) for _ in range(threads)]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        times.append((time.perf_counter() - start) / REPEATS)
    return times


if __name__ == "__main__":
    main()
