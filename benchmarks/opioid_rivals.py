"""Rival structures for people's opioid antagonists: which of them meets early, late and no occupancy at once.

    python -m benchmarks.opioid_rivals

Every row changes one thing of the library's drug file and foretells the same readings; nothing is fitted. *Within 8 h*
is the mean error over the readings of 2 to 50 mg (points), *onset* what 5 mg occupies at 1 h (%). Human MOR.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gaddum.engagement.benchmark_readings import predict
from gaddum.engagement.occupancy import occupancy
from gaddum.records.curve import Curve, curves_of
from gaddum.records.library import Library, load_library
from gaddum.records.reading import Occupancy

DRAWS = 1000
_WRITTEN = {"how": "assumption", "reason": "a rival structure"}


def number(value: float, unit: str, gsd: float = 1.3) -> tuple[Any, ...]:
    """A number of a drug's file, as one report."""
    from gaddum.records.quantity import Quantity

    spread = {"kind": "GSD", "value": gsd}
    return (Quantity.model_validate({"value": value, "unit": unit, "spread": spread, "source": _WRITTEN}),)


def with_drug(library: Library, name: str, **fields: Any) -> Library:
    """The library with fields of a drug replaced."""
    drug = library.drugs[name].model_copy(update=fields)
    return replace(library, drugs={**library.drugs, name: drug})


def with_disposition(library: Library, name: str, **fields: Any) -> Library:
    """The library with fields of people's kinetics of a drug replaced."""
    drug: Any = library.drugs[name]
    body = drug.disposition["human"].model_copy(update=fields)
    return with_drug(library, name, disposition={**drug.disposition, "human": body})


def with_mor(library: Library, name: str, **fields: Any) -> Library:
    """The library with fields of a drug's affinity at MOR replaced."""
    drug: Any = library.drugs[name]
    bonds = (one.model_copy(update=fields) if one.target == "MOR" else one for one in drug.affinities)
    return with_drug(library, name, affinities=tuple(bonds))


def deeper_phase(library: Library, level: float) -> Library:
    """Naltrexone's last phase read back to a level (ng/mL) after 50 mg, by the arithmetic of the drug's file."""
    drug: Any = library.drugs["naltrexone"]
    share = level / 0.3168 / (1 + level / 0.3168)
    middle = drug.disposition["human"].peripherals[0]
    last = middle.model_copy(
        update={
            "q": number(141 * share, "L/h", 1.5),
            "v": number(141 * share * (1 - share) * 96 / np.log(2), "L"),
        }
    )
    cl = (*number(211 * (1 - share), "L/h", 1.1), *number(94 * (1 - share), "L/h", 1.2))
    return with_disposition(library, "naltrexone", cl=cl, peripherals=(middle, last))


def naltrexone_rivals(library: Library) -> dict[str, Library]:
    """Structures that could carry naltrexone's occupancy over days."""
    days = {f"{hours} h": number(np.log(2) / hours, "1/h") for hours in (24, 90)}
    entries = {"0.2": number(0.2, "1", 1.8), "0.7": number(0.7, "1", 1.8)}
    return {
        "as the library has it": library,
        "last plasma phase at its lower bound": deeper_phase(library, 0.35),
        "last plasma phase at its upper bound": deeper_phase(library, 1.08),
        **{
            f"slow brain compartment, half-time {one}": with_disposition(library, "naltrexone", k_e0=rate)
            for one, rate in days.items()
        },
        **{
            f"slow dissociation, half-time {one}": with_mor(library, "naltrexone", k_off=rate)
            for one, rate in days.items()
        },
        **{
            f"6-beta-naltrexol's entry {one}": with_drug(library, "6-beta-naltrexol", kp_uu={"human": entry})
            for one, entry in entries.items()
        },
    }


def naloxone_rivals(library: Library) -> dict[str, Library]:
    """Constants that naloxone could have in people."""
    drug: Any = library.drugs["naloxone"]
    (bond,) = (one for one in drug.affinities if one.target == "MOR")
    names = ("cloned human receptor", "reversal of fentanyl", "reversal of buprenorphine")
    alone = {
        name: with_mor(library, "naloxone", ec50_plasma={"human": (one,)})
        for name, one in zip(names, bond.ec50_plasma["human"], strict=True)
    }
    monkey = with_mor(library, "naloxone", ec50_plasma={"human": number(4.6, "ng/mL", 2.0)})
    return {"as the library has it": library, **alone, "the monkey's half occupancy": monkey}


def errors(curves: Mapping[str, Curve], library: Library) -> dict[str, list[float]]:
    """Predicted less read of every occupancy, in points, by paper."""
    found: dict[str, list[float]] = {}
    for curve in curves.values():
        for reading in curve.readings:
            if not isinstance(reading, Occupancy):
                continue
            part = curve.model_copy(
                update={"readings": (reading,), "doses": reading.doses or curve.doses, "tolerance": None}
            )
            scale = 1.0 if reading.unit == "%" else 100.0
            for one, values in zip(part.measured, predict(part, library, draws=DRAWS), strict=True):
                off = scale * (float(np.median(values)) - one.published.value)
                found.setdefault(curve.paper, []).append(off)
    return found


def main() -> None:
    """Print both tables."""
    library = load_library()
    naltrexone = {one.id: one for one in curves_of("naltrexone", library) if one.species == "human"}
    early = {"r": naltrexone["naltrexone-Rabiner-2011"]}
    days = {"d": naltrexone["B03b-naltrexone-48h"]}
    half = naltrexone["B03a-naltrexone-half-time"]
    head = f"{'':52}{'within 8 h':>11}{'onset':>7}{'48 h (75)':>11}{'half-time (90 h)':>18}{'20 mg naltrexol iv':>20}"
    print(f"naltrexone\n{head}")
    for name, one in naltrexone_rivals(library).items():
        ((offs,), (late,)) = errors(early, one).values(), errors(days, one).values()
        fall = float(np.quantile(predict(half, one, draws=DRAWS)[0], 0.5, method="inverted_cdf"))
        setting: Any = {"targets": ["MOR"], "draws": DRAWS, "library": one}
        onset, central = (
            float(np.median(occupancy(text, times=times, **setting).targets["MOR"].occupied))
            for text, times in (("naltrexone 5 mg po", ["1 h"]), ("6-beta-naltrexol 20 mg iv", ["2 h"]))
        )
        print(
            f"{name:52}{np.mean(np.abs(offs)):11.1f}{100 * onset:7.0f}{75 + late[0]:11.0f}{fall:18.1f}"
            f"{100 * central:20.0f}"
        )
    naloxone = {
        one.id: one for one in curves_of("naloxone", library) if one.species == "human" and one.counted
    }
    print(f"\nnaloxone\n{'':52}{'mean of 15':>11}{'mean of 3 papers':>18}")
    for name, one in naloxone_rivals(library).items():
        by_paper = errors(naloxone, one)
        sizes = [np.abs(offs) for offs in by_paper.values()]
        print(f"{name:52}{np.mean(np.concatenate(sizes)):11.1f}{np.mean([x.mean() for x in sizes]):18.1f}")


if __name__ == "__main__":
    main()
