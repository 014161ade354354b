"""The ketamine + naltrexone system that the speed benchmark gives to every simulator, written once as tables.

Both enantiomers of ketamine with their norketamines and hydroxynorketamines, naltrexone by mouth or from a depot with
6-beta-naltrexol, the unbound brain concentration of all eight, competition at the NMDA receptor channel and at the mu
opioid receptor, the drive NMDAR.block * MOR.tone, and the acute and the sustained state that it moves: 30 differential
equations, 89 parameters, four protocols, five reading times.

Nothing is imported here but the standard library (numpy inside `draws` and `errors`). `RATES` and `RULES` hold infix
expressions that Python, Antimony and C++ read alike, so every rival program is fed from the same lines: see
`oracle.py` (scipy, tight), `roadrunner.py` (SBML, CVODE) and `export.py` with `mrgsolve.R`.

Units: h, L, nmol, nM. Parameters are medians and geometric standard deviations; where the library holds two accounts,
their geometric mean, with a spread that covers both. Sources are the drugs' own files in `src/gaddum/library/drugs`
(the `where` column); rows marked `assumed` are made up for the benchmark and are not facts.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

KETAMINES = {"S": "SS", "R": "RR"}
"""Enantiomer of ketamine and norketamine -> its hydroxynorketamine."""


class Parameter(NamedTuple):
    """One uncertain number: lognormal, cut at `cap`."""

    name: str
    median: float
    gsd: float
    unit: str
    where: str
    cap: float = float("inf")


class Dose(NamedTuple):
    """A dose into a state (bolus) or, with a duration, into an input rate (zero-order)."""

    into: str
    amount: float
    """nmol."""
    start: float
    """h from the test drug."""
    duration: float = 0.0
    """h; 0 for a bolus."""


def _ketamine(s: str, cl: float, cl_gsd: float, f_u: float) -> list[Parameter]:
    where = f"{s}-ketamine, human"
    return [
        Parameter(f"v_c_{s}", 11.6, 1.08, "L", where),
        Parameter(f"cl_{s}", cl, cl_gsd, "L/h", where),
        Parameter(f"v_1_{s}", 39.0, 1.08, "L", where),
        Parameter(f"q_1_{s}", 145.8, 1.10, "L/h", where),
        Parameter(f"v_2_{s}", 174.0, 1.07, "L", where),
        Parameter(f"q_2_{s}", 72.6, 1.07, "L/h", where),
        Parameter(f"f_m_{s}", 0.8, 1.15, "1", where + ", metabolites", 1.0),
        Parameter(f"f_u_{s}", f_u, 1.15, "1", where, 1.0),
        Parameter(f"kp_uu_{s}", 0.62, 1.26, "1", where),
        Parameter(f"k_e0_{s}", 12.0, 1.5, "1/h", "assumed: brain follows arterial plasma within minutes"),
    ]


def _norketamine(s: str, gsd: float) -> list[Parameter]:
    where = f"{s}-norketamine, human"
    return [
        Parameter(f"v_c_NK{s}", 11.6, gsd, "L", where),
        Parameter(f"cl_NK{s}", 60.0, gsd, "L/h", where),
        Parameter(f"v_1_NK{s}", 221.0, gsd, "L", where),
        Parameter(f"q_1_NK{s}", 157.8, gsd, "L/h", where),
        Parameter(f"f_m_NK{s}", 0.7, 1.2, "1", where + ", metabolites", 1.0),
        Parameter(f"f_u_NK{s}", 0.7, 1.4, "1", where, 1.0),
        Parameter(f"kp_uu_NK{s}", 0.6, 1.8, "1", where),
        Parameter(f"k_e0_NK{s}", 12.0, 1.5, "1/h", "assumed: as for the parent"),
    ]


def _hydroxynorketamine(h: str, gsd: float) -> list[Parameter]:
    where = f"2{h[0]}6{h[1]}-hydroxynorketamine, human"
    return [
        Parameter(f"v_c_{h}", 4.4, gsd, "L", where),
        Parameter(f"cl_{h}", 55.98, gsd, "L/h", where),
        Parameter(f"v_1_{h}", 87.5, gsd, "L", where),
        Parameter(f"q_1_{h}", 102.0, gsd, "L/h", where),
        Parameter(f"f_u_{h}", 0.7, 1.4, "1", where, 1.0),
        Parameter(f"kp_uu_{h}", 0.6, 1.8, "1", where),
        Parameter(f"k_e0_{h}", 12.0, 1.5, "1/h", "assumed: as for the parent"),
    ]


_NTX, _NOL = "naltrexone, human", "6-beta-naltrexol, human"

PARAMETERS: tuple[Parameter, ...] = (
    *_ketamine("S", 88.8, 1.04, 0.65),
    *_ketamine("R", 78.7, 1.15, 0.71),
    *_norketamine("S", 1.06),
    *_norketamine("R", 1.3),
    *_hydroxynorketamine("SS", 1.16),
    *_hydroxynorketamine("RR", 1.5),
    Parameter("v_c_NTX", 7.6, 1.10, "L", _NTX),
    Parameter("cl_NTX", 140.7, 1.5, "L/h", _NTX + "; between two accounts"),
    Parameter("v_1_NTX", 9.6, 1.3, "L", _NTX),
    Parameter("q_1_NTX", 405.0, 1.3, "L/h", _NTX),
    Parameter("v_2_NTX", 147.0, 1.3, "L", _NTX),
    Parameter("q_2_NTX", 9.8, 1.5, "L/h", _NTX),
    Parameter("k_a_po", 0.72, 1.4, "1/h", _NTX + ", po"),
    Parameter("f_po", 0.063, 1.5, "1", _NTX + ", po; between two accounts", 1.0),
    Parameter("k_a_depot", 0.0048, 1.2, "1/h", _NTX + ", depot"),
    Parameter("f_depot", 1.0, 1.1, "1", _NTX + ", depot", 1.0),
    Parameter("f_m_NTX", 0.5, 1.3, "1", _NTX + ", metabolites", 1.0),
    Parameter("f_u_NTX", 0.79, 1.05, "1", _NTX, 1.0),
    Parameter("kp_uu_NTX", 1.0, 1.5, "1", _NTX),
    Parameter("k_e0_NTX", 6.36, 1.5, "1/h", "naloxone's, doi:10.1002/psp4.13215; assumed for naltrexone"),
    Parameter("v_c_NOL", 156.0, 1.3, "L", _NOL),
    Parameter("cl_NOL", 9.01, 1.36, "L/h", _NOL + ": ln 2 v_c / half-life"),
    Parameter("f_u_NOL", 0.79, 1.2, "1", _NOL, 1.0),
    Parameter("kp_uu_NOL", 0.2, 1.8, "1", _NOL),
    Parameter("k_e0_NOL", 6.36, 1.5, "1/h", "assumed: as for naltrexone"),
    # Dissociation constants (nM of unbound drug in brain): K_i times the shift in vivo.
    Parameter("k_nmdar_S", 603.0, 1.9, "nM", "S-ketamine, NMDAR"),
    Parameter("k_nmdar_R", 1418.0, 2.2, "nM", "R-ketamine, NMDAR"),
    Parameter("k_nmdar_NKS", 3060.0, 1.9, "nM", "S-norketamine, NMDAR"),
    Parameter("k_nmdar_NKR", 23400.0, 1.9, "nM", "R-norketamine, NMDAR"),
    Parameter("k_nmdar_SS", 38100.0, 3.2, "nM", "2S6S-hydroxynorketamine, NMDAR"),
    Parameter("k_nmdar_RR", 122000.0, 3.2, "nM", "2R6R-hydroxynorketamine, NMDAR"),
    Parameter("k_mor_S", 14300.0, 3.5, "nM", "S-ketamine, MOR"),
    Parameter("k_mor_R", 45200.0, 3.5, "nM", "R-ketamine, MOR"),
    Parameter("k_mor_NKS", 13000.0, 3.5, "nM", "S-norketamine, MOR"),
    Parameter("k_mor_NKR", 25000.0, 3.5, "nM", "R-norketamine, MOR"),
    Parameter("k_mor_NTX", 4.05, 4.0, "nM", "naltrexone, MOR; between two accounts of the shift"),
    Parameter("k_mor_NOL", 8.10, 4.0, "nM", "6-beta-naltrexol, MOR; between two accounts of the shift"),
    Parameter("efficacy_S", 0.5, 2.0, "1", "S-ketamine, MOR", 1.0),
    Parameter("efficacy_R", 0.3, 2.0, "1", "R-ketamine, MOR", 1.0),
    Parameter("efficacy_NKS", 0.3, 2.0, "1", "S-norketamine, MOR", 1.0),
    Parameter("efficacy_NKR", 0.3, 2.0, "1", "R-norketamine, MOR", 1.0),
    Parameter("tone", 0.3, 3.0, "1", "ketamine case, prior endogenous_tone"),
    Parameter("effect_site", 0.7, 3.0, "1/h", "ketamine case, prior effect_site"),
    Parameter("plasticity_on", 0.5, 3.0, "1/h", "ketamine case, prior plasticity.on"),
    Parameter("plasticity_off", 0.01, 2.0, "1/h", "ketamine case, prior plasticity.off"),
)

INPUTS = ("infusion_S", "infusion_R")
"""Zero-order inputs (nmol/h), 0 unless a protocol switches them on."""


def _exchange(x: str, i: int) -> tuple[str, str]:
    """Net flow from the central to a peripheral compartment, signed for both."""
    flow = f"q_{i}_{x} * (c_{x} / v_c_{x} - p{i}_{x} / v_{i}_{x})"
    return f" - {flow}", flow


def _brain(x: str) -> str:
    return f"k_e0_{x} * (kp_uu_{x} * f_u_{x} * c_{x} / v_c_{x} - b_{x})"


def _rates() -> dict[str, str]:
    rates: dict[str, str] = {}
    for s, h in KETAMINES.items():
        for x, gain, peripherals in (
            (s, f"infusion_{s}", 2),
            (f"NK{s}", f"f_m_{s} * cl_{s} * c_{s} / v_c_{s}", 1),
            (h, f"f_m_NK{s} * cl_NK{s} * c_NK{s} / v_c_NK{s}", 1),
        ):
            flows = [_exchange(x, i + 1) for i in range(peripherals)]
            rates[f"c_{x}"] = f"{gain} - cl_{x} * c_{x} / v_c_{x}" + "".join(out for out, _ in flows)
            rates |= {f"p{i + 1}_{x}": into for i, (_, into) in enumerate(flows)}
            rates[f"b_{x}"] = _brain(x)
    rates["d_po"] = "-k_a_po * d_po"
    rates["d_depot"] = "-k_a_depot * d_depot"
    (out_1, into_1), (out_2, into_2) = _exchange("NTX", 1), _exchange("NTX", 2)
    absorbed = "f_po * k_a_po * d_po + f_depot * k_a_depot * d_depot"
    rates["c_NTX"] = f"{absorbed} - cl_NTX * c_NTX / v_c_NTX{out_1}{out_2}"
    rates |= {"p1_NTX": into_1, "p2_NTX": into_2, "b_NTX": _brain("NTX")}
    # The share of the oral dose that first pass takes forms metabolite as later clearance does.
    formed = "f_m_NTX * ((1 - f_po) * k_a_po * d_po + cl_NTX * c_NTX / v_c_NTX)"
    rates["c_NOL"] = f"{formed} - cl_NOL * c_NOL / v_c_NOL"
    rates["b_NOL"] = _brain("NOL")
    rates["acute"] = "effect_site * (drive - acute)"
    rates["sustained"] = "plasticity_on * drive * (1 - sustained) - plasticity_off * sustained"
    return rates


RATES: dict[str, str] = _rates()
"""State -> its rate of change. c_, p1_, p2_, d_: amounts (nmol); b_: unbound brain (nM); the rest fractions."""

_AGONISTS = ("S", "R", "NKS", "NKR")

RULES: dict[str, str] = {
    "channel": " + ".join(f"b_{x} / k_nmdar_{x}" for x in (*_AGONISTS, "SS", "RR")),
    "NMDAR_block": "channel / (1 + channel)",
    "agonist": " + ".join(f"b_{x} / k_mor_{x}" for x in _AGONISTS),
    "stimulus": " + ".join(f"efficacy_{x} * b_{x} / k_mor_{x}" for x in _AGONISTS),
    "antagonist": "b_NTX / k_mor_NTX + b_NOL / k_mor_NOL",
    "MOR_agonism": "stimulus / (1 + tone + agonist + antagonist)",
    "MOR_tone": "1 - antagonist / (1 + tone + agonist + antagonist)",
    "drive": "NMDAR_block * MOR_tone",
}
"""Algebra between states and rates, in order."""

QUANTITIES = ("NMDAR_block", "MOR_agonism", "MOR_tone", "acute", "sustained")
"""What is read; all are fractions."""

READ_TIMES = (2 / 3, 4.0, 24.0, 72.0, 168.0)
"""h from the start of the ketamine infusion (for naltrexone alone: from the same hour)."""

# Doses: racemic ketamine hydrochloride 0.5 mg/kg over 40 min, 70 kg, salt factor 0.867, half to each enantiomer.
_KETAMINE = 0.5 * 0.5 * 70 * 0.867 * 1e6 / 237.73
# Naltrexone hydrochloride 50 mg by mouth, salt factor 0.903; 380 mg of base as a depot a week before.
_TABLET = Dose("d_po", 50 * 0.903 * 1e6 / 341.40, -0.75)
_DEPOT = Dose("d_depot", 380 * 1e6 / 341.40, -168.0)
_INFUSION = (Dose("infusion_S", _KETAMINE, 0.0, 2 / 3), Dose("infusion_R", _KETAMINE, 0.0, 2 / 3))

PROTOCOLS: dict[str, tuple[Dose, ...]] = {
    "ketamine": _INFUSION,
    "naltrexone 45 min before ketamine": (_TABLET, *_INFUSION),
    "naltrexone depot a week before ketamine": (_DEPOT, *_INFUSION),
    "naltrexone": (_TABLET,),
}


class Stretch(NamedTuple):
    """A piece of a protocol without a jump: boluses at its start, then constant inputs."""

    start: float
    end: float
    boluses: dict[str, float]
    inputs: dict[str, float]


def stretches(doses: tuple[Dose, ...]) -> list[Stretch]:
    """Cut a protocol at its doses, from the first dose to the last reading.

    Parameters
    ----------
    doses : tuple of Dose
        Of one protocol.

    Returns
    -------
    list of Stretch
        In order of time, without gaps.
    """
    ends = [dose.start + dose.duration for dose in doses if dose.duration]
    edges = sorted({dose.start for dose in doses} | set(ends) | {READ_TIMES[-1]})
    return [
        Stretch(
            a,
            b,
            {dose.into: dose.amount for dose in doses if not dose.duration and dose.start == a},
            {
                dose.into: dose.amount / dose.duration
                for dose in doses
                if dose.duration and dose.start <= a < dose.start + dose.duration
            },
        )
        for a, b in zip(edges[:-1], edges[1:], strict=True)
    ]


def draws(count: int, seed: int = 1) -> "np.ndarray":
    """Parameter draws, shape [count, parameters], in the order of `PARAMETERS`; row 0 holds the medians.

    The first rows are the same whatever the count.
    """
    import numpy as np

    z = np.random.default_rng(seed).standard_normal((count, len(PARAMETERS)))
    z[0] = 0.0
    medians, gsds, caps = (
        np.array([getattr(p, name) for p in PARAMETERS]) for name in ("median", "gsd", "cap")
    )
    return np.minimum(medians * gsds**z, caps)


def absolute_tolerance(state: str, relative: float) -> float:
    """Absolute tolerance of a state that goes with a relative one, the same for every program.

    Amounts count down to ten times the relative tolerance in nmol (of doses of 1e5 nmol), concentrations and fractions
    down to a hundredth of it.
    """
    return relative * (10.0 if state[:2] in ("c_", "p1", "p2", "d_") else 0.01)


FLOOR = 1e-6
"""Readings below this (a millionth of full effect) are compared absolutely, others relatively."""


def errors(readouts: "np.ndarray", truth: "np.ndarray") -> dict[str, Any]:
    """Errors of readouts [protocol, draw, time, quantity]: median, 99.9th percentile and maximum.

    A reading's error is its difference over the larger of the truth and `FLOOR`; a simulation's error is the worst of
    its readings, and the summary is over simulations. Missing readings count as infinite.
    """
    import numpy as np

    difference = np.abs(readouts - truth) / np.maximum(np.abs(truth), FLOOR)
    worst = np.where(np.isfinite(difference), difference, np.inf).max(axis=(2, 3)).ravel()
    middle, high = np.percentile(worst, [50, 99.9], method="higher")
    return {"median": float(middle), "p99.9": float(high), "max": float(worst.max())}
