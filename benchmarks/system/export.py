"""Write the benchmark's system in other programs' languages: Antimony (hence SBML) and mrgsolve's.

Run: python -m benchmarks.system.export FOLDER DRAWS writes model.ant, model.cpp, draws.csv, doses.csv, readings.csv and
tolerances.csv, which `mrgsolve.R` reads.
"""

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.system.definition import (
    INPUTS,
    PARAMETERS,
    PROTOCOLS,
    QUANTITIES,
    RATES,
    READ_TIMES,
    RULES,
    absolute_tolerance,
    draws,
)

if TYPE_CHECKING:
    import numpy as np


def antimony() -> str:
    """The system as an Antimony model: parameters at their medians, rate rules, assignment rules."""
    lines = ["model system"]
    lines += [f"  {p.name} = {p.median!r};  // {p.unit}, {p.where}" for p in PARAMETERS]
    lines += [f"  {name} = 0;" for name in INPUTS]
    lines += [f"  {name} := {rule};" for name, rule in RULES.items()]
    lines += [f"  {name} = 0;\n  {name}' = {rate};" for name, rate in RATES.items()]
    return "\n".join([*lines, "end", ""])


def mrgsolve() -> str:
    """The system as an mrgsolve model; infusions are doses into the input's compartment, so inputs vanish."""
    rates = dict(RATES)
    for name in INPUTS:
        for state, rate in rates.items():
            rates[state] = rate.replace(f"{name} - ", "-").replace(name, "0")
    local = "\n".join(f"double {name} = {rule};" for name, rule in RULES.items())
    return "\n".join(
        [
            "$PARAM",
            *(f"{p.name} = {p.median!r}" for p in PARAMETERS),
            "$CMT",
            " ".join(RATES),
            "$ODE",
            local,
            *(f"dxdt_{name} = {rate};" for name, rate in rates.items()),
            "$TABLE",
            *(f"double o_{name} = {name};" for name in QUANTITIES),
            "$CAPTURE",
            " ".join(f"o_{name}" for name in QUANTITIES),
            "",
        ]
    )


def write(folder: Path, table: "np.ndarray") -> None:
    """Write the model, its doses and readings, and a table of draws."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.ant").write_text(antimony(), encoding="utf-8")
    (folder / "model.cpp").write_text(mrgsolve(), encoding="utf-8")
    with (folder / "draws.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["ID", *(p.name for p in PARAMETERS)])
        writer.writerows([i + 1, *map(repr, row)] for i, row in enumerate(table.tolist()))
    with (folder / "doses.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["protocol", "state", "amount", "start", "duration"])
        for number, doses in enumerate(PROTOCOLS.values(), 1):
            for dose in doses:
                state = dose.into.replace("infusion_", "c_")
                writer.writerow([number, state, repr(dose.amount), repr(dose.start), repr(dose.duration)])
    with (folder / "tolerances.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [[name, repr(absolute_tolerance(name, 1.0))] for name in RATES]
        csv.writer(file).writerows([["state", "absolute"], *rows])
    with (folder / "readings.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["time"], *([repr(t)] for t in READ_TIMES)])


def main() -> None:
    write(Path(sys.argv[1]), draws(int(sys.argv[2])))


if __name__ == "__main__":
    main()
