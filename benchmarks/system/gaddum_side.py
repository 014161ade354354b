"""gaddum's side of the speed benchmark: the definition's table as library records, run through `response.simulate`.

Run: python -m benchmarks.system.gaddum_side [DRAWS] prints seconds, simulations per second and errors against the
oracle.
"""

import sys
import threading
import time
from typing import Any, NamedTuple

import numpy as np
from benchmarks.system import definition
from benchmarks.system.definition import KETAMINES, PARAMETERS, QUANTITIES, READ_TIMES

SOURCE = {"how": "derived", "reason": "benchmark definition"}
MASS = 1000.0
"""Molar mass of every species (g/mol): doses are given in nmol, so it does not matter."""
THREADS = 2


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


def system() -> tuple[Any, np.ndarray]:
    """The system, and which column of the definition's draws each of its parameters is."""
    import jax

    from gaddum.parameter_registry import Register
    from gaddum.records.protocol import Subject
    from gaddum.records.quantity import Quantity
    from gaddum.records.source import Source
    from gaddum.response.simulate import Rates, SimulatedSystem

    jax.config.update("jax_enable_x64", True)
    register = Register()
    own = Source(how="derived", reason="benchmark definition")

    def behavioural(name: str) -> int:
        p = next(p for p in PARAMETERS if p.name == name)
        quantity = (Quantity(value=p.median, unit=p.unit, source=own),)
        return register.report(name, quantity, p.unit, "behaviour", spreads=np.array([np.log(p.gsd)]))

    rates = Rates(*(behavioural(n) for n in ("effect_site", "plasticity_on", "plasticity_off", "tone")))
    made = SimulatedSystem(
        [doses(protocol) for protocol in definition.PROTOCOLS.values()],
        "NMDAR.block & MOR.tone",
        subject=Subject(species="human", paradigm="none"),
        library=library(),
        times=np.array(READ_TIMES),
        register=register,
        rates=rates,
        also=("MOR.agonism",),
    )
    columns = {p.name: i for i, p in enumerate(PARAMETERS)}
    return made, np.array([columns[_name(p.name)] for p in register.parameters])


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


class Timed(NamedTuple):
    """What a run gave and took.

    Attributes
    ----------
    readouts
        Shape [protocol, draw, time, quantity].
    seconds
        Wall-clock time, from the table of draws to the table of readouts.
    cpu
        Processor time of all threads.
    """

    readouts: np.ndarray
    seconds: float
    cpu: float


_READ = {"NMDAR_block": "NMDAR.block", "MOR_agonism": "MOR.agonism", "MOR_tone": "MOR.tone"}


def run(made: Any, columns: np.ndarray, parameters: np.ndarray, threads: int = THREADS) -> Timed:
    """Simulate all protocols for every row of a table of draws; the first call compiles."""
    import jax

    begin, start = time.process_time(), time.perf_counter()
    parts = np.array_split(np.log(parameters[:, columns]).T, threads, axis=1)
    found: list[Any] = [None] * threads

    def work(place: int) -> None:
        with jax.enable_x64(True):
            found[place] = jax.device_get(made.run(parts[place]))

    workers = [threading.Thread(target=work, args=(place,)) for place in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    def read(one: Any, quantity: str) -> np.ndarray:
        return one.features[_READ[quantity]] if quantity in _READ else getattr(one, quantity)

    by_quantity = [np.concatenate([read(one, quantity) for one in found], -1) for quantity in QUANTITIES]
    readouts = np.stack(by_quantity, -1).transpose(0, 2, 1, 3)
    return Timed(readouts, time.perf_counter() - start, time.process_time() - begin)


def brain(made: Any, columns: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """Unbound brain concentrations [protocol, draw, time, species] in the order of `oracle.BRAIN` (nM)."""
    import jax
    from benchmarks.system.oracle import BRAIN

    from gaddum.exposure.concentrations import concentrations
    from gaddum.exposure.plan import Plan

    theta = np.log(parameters[:, columns]).T
    with jax.enable_x64(True):
        levels = np.asarray(jax.jit(lambda x: concentrations(Plan(made.ligands), x, made.times))(theta))
    found = np.zeros((len(made.members), len(parameters), len(made.times), len(BRAIN)))
    for protocol, members in enumerate(made.members):
        for place in members:
            found[protocol, ..., BRAIN.index(f"b_{made.ligands[place].drug}")] += levels[place].T
    return found


def main() -> None:
    from benchmarks.system import oracle

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    table = definition.draws(count)
    made, columns = system()
    for name in ("first", "second"):
        timed = run(made, columns, table)
        rate = count * len(definition.PROTOCOLS) / timed.seconds
        print(f"{name} run: {timed.seconds:.3f} s, {rate:,.0f} simulations per second on {THREADS} threads")
    few = min(count, int(sys.argv[2]) if len(sys.argv) > 2 else 20)
    truth = np.stack([oracle.simulate(p) for p in table[:few]], axis=1)
    print(f"errors over {few} draws:", definition.errors(timed.readouts[:, :few], truth))


if __name__ == "__main__":
    main()
