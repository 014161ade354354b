"""Independent answers for dosing records: every dose is really given, and a stiff solver integrates the textbook ODEs.

Written from the PREDPP guide (NONMEM Users Guide VI, chapter V), not from gaddum's engine, and built the other way
round. There is no clock that walks through the records. Each dosing record is first spelt out as a plain list of
inputs (start, duration, amount), a steady state as some hundred doses in the past; one integration per dosing record
gives what these inputs alone leave at every record; and the prediction at a record is the sum over the dosing records
that still count there: those since the last one that wiped the slate (EVID 3, EVID 4 or SS 1), itself included.
"""

from collections.abc import Callable, Sequence
from math import inf

import numpy as np
from scipy.integrate import solve_ivp

Row = dict[str, float]
Input = tuple[float, float, float]
"""Start, duration (0: at once), amount."""

SAME = 1e-9


def right_hand_side(advan: int, p: dict[str, float]) -> tuple[Callable[[np.ndarray], list[float]], int, int]:
    """Derivative of the amounts, their number, and the place of the central one."""
    if advan == 1:
        return lambda a: [-p["CL"] / p["V"] * a[0]], 1, 0
    if advan == 2:
        return lambda a: [-p["KA"] * a[0], p["KA"] * a[0] - p["CL"] / p["V"] * a[1]], 2, 1
    if advan == 3:
        return lambda a: [
            -(p["CL"] + p["Q"]) / p["V1"] * a[0] + p["Q"] / p["V2"] * a[1],
            p["Q"] * (a[0] / p["V1"] - a[1] / p["V2"]),
        ], 2, 0  # fmt: skip
    if advan == 4:
        return lambda a: [
            -p["KA"] * a[0],
            p["KA"] * a[0] - (p["CL"] + p["Q"]) / p["V2"] * a[1] + p["Q"] / p["V3"] * a[2],
            p["Q"] * (a[1] / p["V2"] - a[2] / p["V3"]),
        ], 3, 1  # fmt: skip
    if advan == 11:
        return lambda a: [
            -(p["CL"] + p["Q2"] + p["Q3"]) / p["V1"] * a[0] + p["Q2"] / p["V2"] * a[1] + p["Q3"] / p["V3"] * a[2],
            p["Q2"] * (a[0] / p["V1"] - a[1] / p["V2"]),
            p["Q3"] * (a[0] / p["V1"] - a[2] / p["V3"]),
        ], 3, 0  # fmt: skip
    return lambda a: [
        -p["KA"] * a[0],
        p["KA"] * a[0] - (p["CL"] + p["Q3"] + p["Q4"]) / p["V2"] * a[1] + p["Q3"] / p["V3"] * a[2]
        + p["Q4"] / p["V4"] * a[3],
        p["Q3"] * (a[1] / p["V2"] - a[2] / p["V3"]),
        p["Q4"] * (a[1] / p["V2"] - a[3] / p["V4"]),
    ], 4, 1  # fmt: skip


def inputs_of(row: Row, compartment: int, p: dict[str, float], past: float) -> list[Input]:
    """Spell a dosing record out; `past` (h) is how long a steady state is built up."""
    t, ii = row["TIME"], row.get("II", 0.0)
    lag, f = p.get(f"ALAG{compartment}", 0.0), p.get(f"F{compartment}", 1.0)
    rate, steady = row.get("RATE", 0.0), row.get("SS", 0)
    if rate == -1:
        rate = p[f"R{compartment}"]
    if steady and row.get("AMT", 0.0) == 0:
        return [(t - past, past, rate * past)]
    amount = f * row["AMT"]
    duration = p[f"D{compartment}"] if rate == -2 else amount / rate if rate else 0.0
    starts = [t + lag + k * ii for k in range(int(row.get("ADDL", 0)) + 1)]
    if steady:
        last = t if lag >= ii else t + lag - ii  # the last dose before this one; a long lag is clamped
        starts += [last - k * ii for k in range(int(past / ii))]
    return [(start, duration, amount) for start in starts]


def left_by(
    inputs: Sequence[Input], place: int, times: Sequence[float], system: tuple[Callable, int, int]
) -> np.ndarray:
    """Amounts that the inputs leave at the given times, shape (times, compartments)."""
    derivative, size, _ = system
    ends = {start + duration for start, duration, _ in inputs if duration}
    stops = sorted({start for start, *_ in inputs} | ends | set(times))
    state, now, after = np.zeros(size), stops[0], {}
    for stop in stops:
        if stop > now:
            inflow = np.zeros(size)
            inflow[place] = sum(a / d for s, d, a in inputs if d and s <= now + SAME and stop <= s + d + SAME)
            state = solve_ivp(
                lambda _, y, inflow=inflow: np.asarray(derivative(y)) + inflow, (now, stop), state, "LSODA",
                rtol=1e-10, atol=1e-10,
            ).y[:, -1]  # fmt: skip
            now = stop
        state[place] += sum(a for s, d, a in inputs if not d and s == stop)
        after[stop] = state.copy()
    out = []
    for t in times:
        due = [stop for stop in stops if stop <= t + SAME]  # what is due at a record is in before it
        out.append(after[due[-1]] if due else np.zeros(size))
    return np.array(out)


def amounts_by_brute_force(
    advan: int, p: dict[str, float], rows: Sequence[Row], past: float = 600.0
) -> np.ndarray:
    """Amounts after each record, shape (records, compartments)."""
    system = right_hand_side(advan, p)
    total = np.zeros((len(rows), system[1]))
    for i, row in enumerate(rows):
        if row["EVID"] not in (1, 4):
            continue
        compartment = int(row.get("CMT", 0)) or 1
        until = next(
            (j for j in range(i + 1, len(rows)) if rows[j]["EVID"] in (3, 4) or rows[j].get("SS", 0) in (1, 3)), inf
        )  # fmt: skip
        counted = [j for j in range(i, len(rows)) if j < until]
        inputs = inputs_of(row, compartment, p, past)
        left = left_by(inputs, compartment - 1, [rows[j]["TIME"] for j in counted], system)
        total[counted] += left
    return total
