"""How long the letter's own record takes: its studies and six accounts that they can tell apart, from a cold start.

    python -m benchmarks.letter [--accounts nmdar,mor-agonism,...] [--seed 0]

The bundled ketamine case is the whole record of the field, and `make run` takes that. This is the run with which
gaddum began (`tests/letter.py`): from the first import to the page, with an empty compile cache. Times are of this
process and of one machine; `letter.txt` keeps the last.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

BEGAN = time.perf_counter()
ACCOUNTS = (
    "nmdar",
    "mor-agonism",
    "nmdar-permissive-opioid",
    "nmdar-or-mor",
    "independent-target",
    "nothing-specific",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--accounts", default=",".join(ACCOUNTS), help="names of accounts, or `all` eight")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        run(None if given.accounts == "all" else given.accounts.split(","), given.seed, Path(folder))


def run(accounts: list[str] | None, seed: int, folder: Path) -> None:
    """Adjudicate, write the page and the numbers, and print the times and what was found."""
    from tests.letter import load_letter

    from gaddum.surface.accelerator import collecting_seldom, configure_jax
    from gaddum.surface.report.page import write_report
    from gaddum.verdict.adjudicate import adjudicate

    configure_jax()
    with collecting_seldom():
        found = adjudicate(load_letter(), hypotheses=accounts, workers=2, seed=seed)
        weighed = time.perf_counter() - BEGAN
        (folder / "report.html").write_text(write_report(found.result), encoding="utf-8")
        (folder / "result.json").write_text(found.result.to_json(), encoding="utf-8")
    written = time.perf_counter() - BEGAN
    rows = found.result.hypotheses
    print(
        f"Seed {seed}, {len(rows)} accounts: weighed after {weighed:.0f} s, written after {written:.0f} s.\n"
    )
    print(f"{'Account':<30}{'log BF':>9}{'error':>8}{'probability':>13}  established")
    for row in rows:
        numbers = f"{row.log_bf:9.2f}{row.log_bf_mcse:8.2f}{row.probability:13.4f}"
        print(f"{row.name:<30}{numbers}  {'yes' if row.established else 'NO'}")


if __name__ == "__main__":
    main()
