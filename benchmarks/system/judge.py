"""Compare what `mrgsolve.R` left in a folder with the oracle: seconds per simulation and errors.

Run: python -m benchmarks.system.judge FOLDER
"""

import csv
import sys
from pathlib import Path

import numpy as np
from benchmarks.system.definition import PROTOCOLS, QUANTITIES, READ_TIMES, draws, errors
from benchmarks.system.oracle import simulate


def read(path: Path) -> np.ndarray:
    """Readouts [protocol, draw, time, quantity] from a file of rows in order of protocol, draw and time."""
    with path.open(encoding="utf-8") as file:
        rows = sorted(
            ((int(row["protocol"]), int(row["ID"])), place, [float(row[f"o_{q}"]) for q in QUANTITIES])
            for place, row in enumerate(csv.DictReader(file))
        )
    values = np.array([row[2] for row in rows])
    return values.reshape(len(PROTOCOLS), -1, len(READ_TIMES), len(QUANTITIES))


def main() -> None:
    folder = Path(sys.argv[1])
    with (folder / "mrgsolve-seconds.csv").open(encoding="utf-8") as file:
        timed = list(csv.DictReader(file))
    found = {row["tolerance"]: read(folder / f"mrgsolve-{row['tolerance']}.csv") for row in timed}
    count = next(iter(found.values())).shape[1]
    truth = np.stack([simulate(row) for row in draws(count)], axis=1)
    for row in timed:
        wall, cpu = (1e3 * float(row[name]) / count / len(PROTOCOLS) for name in ("seconds", "cpu"))
        off = {name: f"{value:.1e}" for name, value in errors(found[row["tolerance"]], truth).items()}
        print(
            f"mrgsolve {row['tolerance']}, {row['processes']} processes: {wall:.2f} ms per simulation, "
            f"{cpu:.2f} ms of processor; errors {off}"
        )


if __name__ == "__main__":
    main()
