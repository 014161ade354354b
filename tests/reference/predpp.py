"""Independent answers for dosing records: every dose is really given, and a stiff solver integrates the textbook ODEs.

Written from the PREDPP guide (NONMEM Users Guide VI, chapter V), not from gaddum's engine, and built the other way
round. There is no clock that walks through the records. Each dosing record is first spelt out as a plain list of
inputs (start, duration, amount), a steady state as some hundred doses in the past. What one unit given at once, and one
unit an hour from then on, leave behind is integrated once for each compartment; every input of the list adds its share
of that, since the equations are linear. The prediction at a record is the sum over the dosing records that still count
there: those since the last one that wiped the slate (EVID 3, EVID 4 or SS 1), itself included.
"""

from collections.abc import Callable, Sequence
from functools import cache
from math import inf

import numpy as np
from scipy.integrate import solve_ivp

Row = dict[str, float]
Input = tuple[float, float, float]
"""Start, duration (0: at once), amount."""

SAME = 1e-9
PAST = 600.0
"""How long (h) a steady state is built up."""
HORIZON = PAST + 100.0
"""How long (h) a unit is followed: through a steady state's past and all records after it."""
ENTRY = {"F", "ALAG", "R", "D"}
"""What parameters of entry into a numbered compartment are called; the others are flows and volumes."""


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
        starts += [t + lag - k * ii for k in range(1, int(past / ii))]
    return [(start, duration, amount) for start in starts]


@cache
def unit_responses(
    advan: int, flows: frozenset[tuple[str, float]], place: int
) -> tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    """Amounts over time after one unit at once into a compartment, and under one unit an hour since time 0."""
    derivative, size, _ = right_hand_side(advan, dict(flows))
    unit, nothing = np.eye(size)[place], np.zeros(size)

    def followed(start: np.ndarray, inflow: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        return solve_ivp(
            lambda _, y: np.asarray(derivative(y)) + inflow, (0.0, HORIZON), start, "LSODA", rtol=1e-10,
            atol=1e-12, dense_output=True,
        ).sol  # fmt: skip

    return followed(unit, nothing), followed(nothing, unit)


def left_by(
    inputs: Sequence[Input], times: Sequence[float], responses: Sequence[Callable[[np.ndarray], np.ndarray]]
) -> np.ndarray:
    """Amounts that the inputs leave at the given times, shape (times, compartments)."""
    at_once, constant = responses
    start, duration, amount = np.array(inputs).T
    since = np.asarray(times)[:, None] - start
    since = np.where(np.abs(since) < SAME, 0.0, since)  # what is due at a record is in before it
    brief = duration == 0
    left = _summed(at_once, since[:, brief], amount[brief])
    rate, since, duration = amount[~brief] / duration[~brief], since[:, ~brief], duration[~brief]
    return left + _summed(constant, since, rate) - _summed(constant, since - duration, rate)


def _summed(response: Callable[[np.ndarray], np.ndarray], since: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Sum of responses of given sizes, of those that have begun; shape (times, compartments)."""
    hours, place = np.unique(np.maximum(since, 0.0), return_inverse=True)
    if not hours.size:
        return np.zeros((len(since), 1))
    assert hours[-1] <= HORIZON
    each = response(hours).T[place.reshape(since.shape)]
    return np.einsum("td,tdc->tc", np.where(since >= 0, size, 0.0), each)


def amounts_by_brute_force(
    advan: int, p: dict[str, float], rows: Sequence[Row], past: float = PAST
) -> np.ndarray:
    """Amounts after each record, shape (records, compartments)."""
    total = np.zeros((len(rows), right_hand_side(advan, p)[1]))
    flows = frozenset((name, value) for name, value in p.items() if name.rstrip("0123456789") not in ENTRY)
    for i, row in enumerate(rows):
        if row["EVID"] not in (1, 4):
            continue
        compartment = int(row.get("CMT", 0)) or 1
        until = next(
            (j for j in range(i + 1, len(rows)) if rows[j]["EVID"] in (3, 4) or rows[j].get("SS", 0) in (1, 3)), inf
        )  # fmt: skip
        counted = [j for j in range(i, len(rows)) if j < until]
        inputs = inputs_of(row, compartment, p, past)
        responses = unit_responses(advan, flows, compartment - 1)
        total[counted] += left_by(inputs, [rows[j]["TIME"] for j in counted], responses)
    return total
