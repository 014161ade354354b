"""Are accounts found again? Ledgers simulated from four accounts of ketamine, each judged between the four.

    python -m benchmarks.recovery.recovery [--ledgers 20] [--drawn 5] [--seed 0] [--workers 2] [--only letter|rich]

Ledgers on the letter's protocols (`tests/letter.py`), so many of each account, are drawn from the model by which they
are then scored: parameters from their priors, effects, heterogeneity, failed studies, and the report of every scored
outcome (`ledgers`, `draw`, `verdicts`). Each is fitted through the sampler of an adjudication (`weigh`), with equal
prior masses. The mass on the truth must equal its calibrated expectation within three Monte-Carlo errors
(`calibration` derives it).

One rich ledger of each account must give the truth more than 0.9: exact t of all pairs of arms, 40 subjects each, in
the letter's strata; ketamine, and in animals another NMDA receptor blocker, with and without an opioid antagonist
(`rich.yaml`). Its parameters are the medians of their priors, no study fails, and every t is what these lead one to
expect, so that nothing hangs on a seed. Some more, of each account, have their t drawn; what they give is printed
beside. They need not all give 0.9: where no opioid tone is needed the permissive account holds the truth at its edge,
and chance that resembles a little dependence counts for it. Four laboratories in place of one left 0.73, 0.85, 0.99 and
0.99, in fits that were not all established.

Exact are verdicts, with unknown group sizes, decision rules and corrections at the weights of the case, and counts of
responders and of their retest. What the likelihood could not be drawn from is replaced at the same protocols:

- Outcomes on the same animals are taken as on animals of their own, and slices weigh like behaviour (the letter's link
  is 1 already): composite weights and links below 1 raise likelihoods to a power.
- All that the vocabulary of verdicts has no name for is reported and scored too, lest reports be selected; so is a
  crossover in which nobody responded, hence nobody was retested.
- Outcomes that the letter's record does not score (narratives, duplicates) stay unscored.

Every ledger is appended to ``ledgers.jsonl`` as soon as it is weighed, and a rerun does only what is missing there. The
summary is printed and left in ``result.txt``.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from benchmarks.recovery import protocols
from benchmarks.recovery.calibration import Compared, best, pooled, recovery
from benchmarks.recovery.draw import Unvaried
from benchmarks.recovery.ledgers import Ledgers
from benchmarks.recovery.weigh import weigh
from rich.console import Console

from gaddum import parallel
from gaddum.surface.terminal import progress_bar
from gaddum.verdict.adjudicate import SAMPLER

HERE = Path(__file__).parent
LEAST_RICH = 0.9
"""Mass that a rich ledger must give the truth."""
MOST_ERRORS = 3.0
"""Monte-Carlo errors within which the mass on the truth must equal its expectation."""


SETTINGS = {"letter": SAMPLER, "rich": SAMPLER._replace(particles=2 * SAMPLER.particles)}
"""Sampler on each kind of protocols; rich ledgers have narrower posteriors."""


class Task(NamedTuple):
    """One ledger to be drawn and weighed; names its line in the file."""

    protocols: str
    truth: str
    replicate: int
    """Its number; the rich ledger without chance is 0, those drawn follow."""
    seed: int


def main() -> None:
    given = _arguments()
    jax.config.update("jax_enable_x64", True)
    wanted = {
        "letter": [
            Task("letter", name, i, given.seed) for i in range(given.ledgers) for name in protocols.CLASSES
        ],
        "rich": [
            Task("rich", name, i, given.seed) for i in range(given.drawn + 1) for name in protocols.CLASSES
        ],
    }
    chosen = [given.only] if given.only else list(wanted)
    console = Console(stderr=True)
    with progress_bar(console, {name: float(len(wanted[name])) for name in chosen}) as report:
        for name in chosen:
            found = read(given.file)
            todo = [task for task in wanted[name] if task not in found]
            if todo:
                run(name, todo, given.file, workers=given.workers, report=report)
    lines = read(given.file)
    rows = {name: [lines[task] for task in wanted[name] if task in lines] for name in wanted}
    text = f"Seed {given.seed}.\n\n{summary(rows)}"
    given.file.with_name("result.txt").write_text(text, encoding="utf-8")
    print(text, end="")


def run(
    name: str, todo: list[Task], file: Path, *, workers: int, report: Callable[[str, float], None]
) -> None:
    """Draw and weigh ledgers, each appended to a file when it is done."""
    report(name, 0.0)
    ledgers = Ledgers.of(getattr(protocols, name)())
    done = dict.fromkeys(todo, 0.0)
    lock = threading.Lock()

    def one(task: Task) -> None:
        def progress(fraction: float) -> None:
            with lock:
                done[task] = fraction
                report(name, sum(done.values()) / len(done))

        line = adjudicated(ledgers, task, progress)
        with lock, file.open("a", encoding="utf-8") as out:
            out.write(f"\n{json.dumps(line)}")  # a line of its own, whatever an interrupt left before it

    one(todo[0])  # compiles what the others share
    parallel.map_tasks(one, todo[1:], workers=workers)


def adjudicated(ledgers: Ledgers, task: Task, progress: Callable[[float], None]) -> dict[str, Any]:
    """One ledger, drawn and weighed, as a line of the file."""
    start = time.perf_counter()
    stream = np.random.SeedSequence([task.seed, protocols.CLASSES.index(task.truth), task.replicate])
    rng = np.random.default_rng(stream)
    if task.protocols == "letter":
        ledger = ledgers.drawn(task.truth, rng)
    else:
        ledger = ledgers.central(task.truth, rng if task.replicate else Unvaried())
    settings = SETTINGS[task.protocols]
    found = weigh(ledgers, ledger, seed=int(rng.integers(2**31)), settings=settings, progress=progress)
    return {
        **task._asdict(),
        **found._asdict(),
        "failed": ledger.failed,
        "reports": ledger.reports,
        "seconds": round(time.perf_counter() - start, 1),
    }


def read(file: Path) -> dict[Task, dict[str, Any]]:
    """Ledgers weighed so far; blank lines, and one that an interrupt cut short, are passed over."""
    found: dict[Task, dict[str, Any]] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[Task(*(row[name] for name in Task._fields))] = row
    return found


def summary(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Recovery, calibration and the rich ledgers as text."""
    lines: list[str] = []
    if rows["letter"]:
        lines += [*_letter(rows["letter"]), ""]
    if rows["rich"]:
        lines += [*_rich(rows["rich"]), ""]
    every = [row for of in rows.values() for row in of]
    doubtful = sum(len(row["notes"]) for row in every)
    fits = sum(len(row["log_ml"]) for row in every)
    seconds = np.median([row["seconds"] for row in every] or [0])
    lines.append(f"{doubtful} of {fits} fits not established; {seconds:.0f} s a ledger in the middle.")
    return "\n".join(lines) + "\n"


def _letter(rows: list[dict[str, Any]]) -> list[str]:
    names = protocols.CLASSES
    truth = np.array([names.index(row["truth"]) for row in rows])
    p = np.array([[row["mass"][name] for name in names] for row in rows])
    lines = [
        f"The letter's protocols, {len(rows)} ledgers. Error: Monte-Carlo error of the difference.",
        "",
        f"{'Truth':<26}{'ledgers':>8}{'mass on it':>12}{'expected':>10}{'error':>8}{'deviation':>11}",
    ]
    if set(truth) != set(range(len(names))):
        return [*lines, "Not every account has a ledger yet."]
    for h, compared in enumerate(recovery(truth, p)):
        lines.append(_row(names[h], int(np.sum(truth == h)), compared))
    lines.append(_row("any", len(rows), pooled(truth, p)))
    lines += ["", "How often the likeliest account is the truth, beside its probability:"]
    lines.append(_row("likeliest", len(rows), best(truth, p)))
    within = all(abs(one.deviation) <= MOST_ERRORS for one in (*recovery(truth, p), pooled(truth, p)))
    lines += ["", f"Within {MOST_ERRORS:g} errors: {'yes' if within else 'NO'}.", ""]
    lines.append(f"{'Mean mass by truth':<26}" + "".join(f"{name[:14]:>16}" for name in names))
    for h, name in enumerate(names):
        lines.append(f"{name:<26}" + "".join(f"{mass:16.3f}" for mass in p[truth == h].mean(axis=0)))
    return lines


def _row(name: str, count: int, compared: Compared) -> str:
    found, expected, error = compared
    return f"{name:<26}{count:>8}{found:12.3f}{expected:10.3f}{error:8.3f}{compared.deviation:+11.2f}"


def _rich(rows: list[dict[str, Any]]) -> list[str]:
    """The ledgers without chance, which are judged, and beside them the spread of those drawn."""
    lines = [
        "One rich ledger of each account, without chance; beside it those drawn.",
        "",
        f"{'Truth':<26}{'mass on it':>12}{'drawn':>8}{'least':>9}{'middle':>9}{f'above {LEAST_RICH:g}':>12}",
    ]
    judged = []
    for name in protocols.CLASSES:
        mass = {row["replicate"]: row["mass"][name] for row in rows if row["truth"] == name}
        judged.append(mass.pop(0, np.nan))
        drawn = list(mass.values()) or [np.nan]
        above = sum(p > LEAST_RICH for p in drawn)
        lines.append(
            f"{name:<26}{judged[-1]:12.4f}{len(mass):>8}{min(drawn):9.4f}{np.median(drawn):9.4f}{above:>12}"
        )
    enough = all(p > LEAST_RICH for p in judged)
    return [*lines, "", f"Each without chance above {LEAST_RICH:g}: {'yes' if enough else 'NO'}."]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--ledgers", type=int, default=20, help="ledgers of each account (default: 20)")
    parser.add_argument(
        "--drawn", type=int, default=5, help="rich ledgers of each account with drawn statistics (default: 5)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=("letter", "rich"), help="do one part of the study")
    parser.add_argument("--file", type=Path, default=HERE / "ledgers.jsonl", help="where ledgers are kept")
    return parser.parse_args()


if __name__ == "__main__":
    main()
