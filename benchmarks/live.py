"""How long a change of dose, time, drug, route or species takes: `gaddum.live` beside `gaddum.occupancy`, warm.

    python -m benchmarks.live [ROUNDS]

1000 draws, 41 times, all targets that the drugs bind. Each change starts from the same protocol; medians over rounds,
in ms of wall time, and the load. What was not there before, a drug or a species, also draws its parameters, once.
"""

import os
import statistics
import sys
import time

import numpy as np

TIMES = np.linspace(0.0, 24.0, 41)
LINEAR = "naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min"
SLOW = "buprenorphine 8 mg sl at -1 h + morphine 10 mg iv"
CHANGES = {
    "linear, dose": (LINEAR, "naltrexone 20 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min", {}),
    "linear, time": (LINEAR, "naltrexone 50 mg po at -2 h + ketamine 0.5 mg/kg iv over 40 min", {}),
    "linear, drug": (LINEAR, "naloxone 0.4 mg iv at -5 min + ketamine 0.5 mg/kg iv over 40 min", {}),
    "linear, route": (LINEAR, "naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg im", {}),
    "linear, species": (
        LINEAR,
        "naltrexone 1 mg/kg sc at -45 min + ketamine 10 mg/kg ip",
        {"species": "rat"},
    ),
    "slow, dose": (SLOW, "buprenorphine 2 mg sl at -1 h + morphine 10 mg iv", {}),
    "slow, time": (SLOW, "buprenorphine 8 mg sl at -3 h + morphine 10 mg iv", {}),
    "slow, drug": (SLOW, "buprenorphine 8 mg sl at -1 h + naltrexone 50 mg po", {}),
    "slow, route": (SLOW, "buprenorphine 8 mg sl at -1 h + morphine 10 mg sc", {}),
}


def main() -> None:
    import gaddum

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(f"{'':18}{'live, first':>13}{'live, again':>13}{'occupancy':>11}")
    for name, (before, after, settings) in CHANGES.items():
        took: dict[str, list[float]] = {"first": [], "again": [], "alone": []}
        for number in range(rounds):
            live = gaddum.live(before, times=TIMES, seed=number)
            start = time.perf_counter()
            live.change(after, **settings)
            took["first"].append(time.perf_counter() - start)
            start = time.perf_counter()
            gaddum.occupancy(after, times=TIMES, seed=number, **settings)
            took["alone"].append(time.perf_counter() - start)
            live = gaddum.live(before, times=TIMES, seed=number)
            start = time.perf_counter()
            live.change(after, **settings)
            took["again"].append(time.perf_counter() - start)
        first, again, alone = (1e3 * statistics.median(took[key]) for key in ("first", "again", "alone"))
        print(f"{name:18}{first:10.0f} ms{again:10.0f} ms{alone:8.0f} ms")
    print("load (1, 5, 15 min):", ", ".join(f"{one:.1f}" for one in os.getloadavg()))


if __name__ == "__main__":
    main()
