"""gaddum's side of the speed benchmark: the definition's table as library and case, through `gaddum.simulate`.

Run: python -m benchmarks.system.gaddum_side [DRAWS] prints seconds, simulations per second and errors against the
oracle. A call of the public function lays everything out, draws and reads; it draws by itself, so that rivals are given
the draws that it took.
"""

import sys
import time
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from benchmarks.system import definition
from benchmarks.system.definition import KETAMINES, PARAMETERS, PROTOCOLS, QUANTITIES, READ_TIMES

SOURCE = {"how": "derived", "reason": "benchmark definition"}
MASS = 1000.0
"""Molar mass of every species (g/mol): doses are given in nmol, so it does not matter."""


def library() -> Any:
    """The definition's eight species as drugs of a library."""
    from gaddum.records.drug import Drug
    from gaddum.records.library import Library
    from gaddum.records.target import Target

    table = {p.name: p for p in PARAMETERS}
    unit = {"1": "1", "L": "L", "L/h": "L/h", "1/h": "1/h", "nM": "nM"}

    def q(name: str) -> dict[str, Any]:
        p = table[name]
        spread = {"kind": "GSD", "value": p.gsd}
        return {"value": p.median, "unit": unit[p.unit], "spread": spread, "source": SOURCE}

    def drug(x: str, peripherals: int, **more: Any) -> Drug:
        body: dict[str, Any] = {
            "sampling": "arterial",
            "v_c": q(f"v_c_{x}"),
            "cl": q(f"cl_{x}"),
            "k_e0": q(f"k_e0_{x}"),
            "peripherals": [{"v": q(f"v_{i}_{x}"), "q": q(f"q_{i}_{x}")} for i in range(1, peripherals + 1)],
            "absorption": more.pop("absorption", {}),
        }
        affinities = []
        for target, mode in (("NMDAR", "channel blocker"), ("MOR", more.pop("mor", "agonist"))):
            name = f"k_{target.lower()}_{x}"
            if name in table:
                efficacy = (
                    {"efficacy": q(f"efficacy_{x}")} if f"efficacy_{x}" in table and target == "MOR" else {}
                )
                affinities.append({"target": target, "mode": mode, "k_i": q(name), **efficacy})
        return Drug.model_validate(
            {
                "name": x,
                "molar_mass": {"value": MASS, "unit": "g/mol", "source": SOURCE},
                "f_u": {"human": q(f"f_u_{x}")},
                "kp_uu": {"human": q(f"kp_uu_{x}")},
                "disposition": {"human": body},
                "affinities": affinities,
                **more,
            }
        )

    drugs = {}
    for s, h in KETAMINES.items():
        drugs[s] = drug(s, 2, metabolites={"human": [{"drug": f"NK{s}", "fraction": q(f"f_m_{s}")}]})
        nk = f"NK{s}"
        drugs[nk] = drug(nk, 1, metabolites={"human": [{"drug": h, "fraction": q(f"f_m_{nk}")}]})
        drugs[h] = drug(h, 1)
    ways = {way: {"k_a": q(f"k_a_{way}"), "f": q(f"f_{way}")} for way in ("po", "depot")}
    drugs["NTX"] = drug(
        "NTX",
        2,
        mor="competitive antagonist",
        absorption=ways,
        metabolites={"human": [{"drug": "NOL", "fraction": q("f_m_NTX")}]},
    )
    drugs["NOL"] = drug("NOL", 0, mor="competitive antagonist")
    features = ["block", "agonism", "tone"]
    targets = {
        name: Target.model_validate(
            {"name": name, "full_name": name, "family": "benchmark", "features": features, "source": SOURCE}
        )
        for name in ("NMDAR", "MOR")
    }
    return Library(targets, drugs)


def doses(protocol: tuple[definition.Dose, ...]) -> tuple[Any, ...]:
    """A protocol of the definition as dose records."""
    from gaddum.records.dose import Dose

    found = []
    for one in protocol:
        drug, route = {
            "d_po": ("NTX", "po"),
            "d_depot": ("NTX", "depot"),
            "infusion_S": ("S", "iv infusion"),
            "infusion_R": ("R", "iv infusion"),
        }[one.into]
        fields = {"drug": drug, "amount": f"{one.amount!r} nmol", "route": route, "time": f"{one.start!r} h"}
        found.append(
            Dose.model_validate(fields | ({"duration": f"{one.duration!r} h"} if one.duration else {}))
        )
    return tuple(found)


def case() -> Any:
    """The definition's gate and behavioural parameters as a case of one account."""
    from gaddum.records.case import Case
    from gaddum.records.ledger import Ledger, LoadedCase

    table = {p.name: p for p in PARAMETERS}

    def row(name: str, median: float, gsd: float) -> dict[str, Any]:
        distribution = {"family": "lognormal", "median": median, "gsd": gsd}
        return {"name": name, "unit": "1", "distribution": distribution, "reason": "benchmark definition"}

    priors = [row(name, table[own].median, table[own].gsd) for name, own in _BEHAVIOUR.items()]
    account = {
        "name": ACCOUNT,
        "title": "benchmark",
        "gate": "NMDAR.block & MOR.tone",
        "bypass": True,
        "says": "The drive is block of NMDAR where tone at MOR is left.",
    }
    made = Case.model_validate(
        {
            "name": "benchmark",
            "title": "benchmark",
            "question": "benchmark",
            "test_drug": "S",
            "effect": "benchmark",
            "hypotheses": [account],
            "priors": [*priors, row("reserve", 1e-12, 1.0001)],  # the definition has no spare receptors
        }
    )
    return LoadedCase(made, library(), Ledger(()), Path())


ACCOUNT = "permissive"
_BEHAVIOUR = {
    "endogenous_tone": "tone",
    "effect_site": "effect_site",
    "plasticity.on": "plasticity_on",
    "plasticity.off": "plasticity_off",
}
_READ = {"NMDAR_block": "NMDAR.block", "MOR_agonism": "MOR.agonism", "MOR_tone": "MOR.tone"}


class Timed(NamedTuple):
    """What a run gave and took.

    Attributes
    ----------
    found
        What `gaddum.simulate` returned.
    seconds
        Wall-clock time, from the protocols' records to the table of readouts.
    cpu
        Processor time of all threads.
    """

    found: Any
    seconds: float
    cpu: float

    @property
    def readouts(self) -> np.ndarray:
        """Shape [protocol, draw, time, quantity]."""
        states = self.found.states[ACCOUNT]
        by_quantity = [
            self.found.features[_READ[name]] if name in _READ else getattr(states, name)
            for name in QUANTITIES
        ]
        return np.stack(by_quantity, -1).transpose(0, 2, 1, 3)

    @property
    def brain(self) -> np.ndarray:
        """Unbound brain concentrations [protocol, draw, time, species] in the order of `oracle.BRAIN` (nM)."""
        from benchmarks.system.oracle import BRAIN

        every = [self.found.concentrations[name.removeprefix("b_")] for name in BRAIN]
        return np.stack(every, -1).transpose(0, 2, 1, 3)


def run(count: int) -> Timed:
    """Simulate all protocols for as many draws; the first call of many draws compiles."""
    import gaddum

    protocols, loaded = [doses(one) for one in PROTOCOLS.values()], _case()
    begin, start = time.process_time(), time.perf_counter()
    found = gaddum.simulate(protocols, case=loaded, times=READ_TIMES, draws=count)
    return Timed(found, time.perf_counter() - start, time.process_time() - begin)


_case = cache(case)


def table(found: Any) -> np.ndarray:
    """Draws that a simulation took, [draw, parameter] in the definition's order."""
    from gaddum.numerics.variates import even_draws

    count = found.states[ACCOUNT].acute.shape[-1]
    by_name = {
        _name(one.name): np.exp(even_draws([one.name], one.nodes[None], count, 0)[0])
        for one in found.parameters
    }
    return np.array([np.minimum(by_name[p.name], p.cap) for p in PARAMETERS]).T


def _name(text: str) -> str:
    """Name in the definition of a parameter of the register."""
    words = text.split()
    simple = {
        "central": "v_c",
        "clearance": "cl",
        "f_u": "f_u",
        "Kp,uu": "kp_uu",
        "k_e0": "k_e0",
        "efficacy": "efficacy",
    }
    if text.startswith("endogenous tone"):
        return "tone"
    if text in _BEHAVIOUR:
        return _BEHAVIOUR[text]
    if text.startswith("share"):
        return f"f_m_{words[words.index('of') + 1]}"
    if words[0] in ("po", "depot"):
        return {"k_a": "k_a", "bioavailability": "f"}[words[1]] + f"_{words[0]}"
    if words[0] == "K_i":
        return f"k_{words[4].lower()}_{words[2]}"
    if words[0] in ("volume", "flow"):
        return f"{'v' if words[0] == 'volume' else 'q'}_{int(words[1]) - 1}_{words[words.index('of') + 1]}"
    if words[0] in simple:
        return f"{simple[words[0]]}_{words[words.index('of') + 1]}"
    return text


def main() -> None:
    from benchmarks.system import oracle

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    for name in ("first", "second"):
        timed = run(count)
        rate = count * len(PROTOCOLS) / timed.seconds
        print(f"{name} call: {timed.seconds:.3f} s, {rate:,.0f} simulations per second")
    few = min(count, int(sys.argv[2]) if len(sys.argv) > 2 else 20)
    truth = np.stack([oracle.simulate(p) for p in table(timed.found)[:few]], axis=1)
    print(f"errors over {few} draws:", definition.errors(timed.readouts[:, :few], truth))


if __name__ == "__main__":
    main()
