"""Assemble: a case's protocols and hypotheses -> the arrays that the chain runs on. Records meet arrays here.

A *reading* is one arm read at one endpoint: what it was given, where its quadrature nodes lie, which stratum and anchor
it belongs to. Readings with the same content are one row, so an anchor and an identical arm share it exactly.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from gaddum.mechanism.behaviour import Quadrature, gauss_legendre
from gaddum.records.case import Case
from gaddum.records.drug import Drug
from gaddum.records.gate import parse_gate
from gaddum.records.ledger import LoadedCase
from gaddum.records.library import Library
from gaddum.records.outcome import arms_of, is_scored
from gaddum.records.prior import Fixed
from gaddum.records.protocol import Arm, Endpoint, Subject
from gaddum.records.quantity import Reported
from gaddum.simulate.curves import Assumption, Ligand, dosed_drugs, ligands
from gaddum.simulate.parameters import (
    Z_GRID,
    Parameter,
    cite,
    describe,
    describe_reported,
    distribution_nodes,
    log_nodes,
)

PANELS, ORDER = 6, 5
VEHICLE = {"block": 0.0, "agonism": 0.0, "tone": 1.0, "reserve": 1.0, "engagement": 0.0}
"""Level of each feature without any drug."""


class Reading(NamedTuple):
    """One arm read at one endpoint."""

    study: str
    experiment: str
    arm: str
    endpoint: str
    stratum: str
    phase: str
    row: int
    """Row of the reading arrays (shared by readings of the same content); -1 for a plain vehicle, whose effect is 0."""


class Site(NamedTuple):
    """How each ligand of each row acts at one target; arrays [pairs] over (row, ligand)."""

    k: Int[np.ndarray, " pairs"]
    """Parameter of log K; -1 where the ligand does not bind."""
    shift: Int[np.ndarray, " pairs"]
    efficacy: Int[np.ndarray, " pairs"]
    roles: dict[str, Float[np.ndarray, " pairs"]]
    """Role (agonist, antagonist, channel, glutamate, any) -> 1 where the ligand has it."""
    available: Float[np.ndarray, " rows"]
    tone: Float[np.ndarray, " rows"]
    endogenous: int
    """Parameter of the log endogenous tone (C/K)."""


class Rows(NamedTuple):
    """Everything known of the distinct readings.

    Rows are ordered by their number of ligands, most first, and pairs (row, ligand) by slot and then row, so that the
    ligands in slot s are one contiguous block that belongs to the first `slots[s]` rows.
    """

    log_unit: Float[np.ndarray, "pairs nodes grid"]
    shape: Int[np.ndarray, " pairs"]
    scale: Int[np.ndarray, " pairs"]
    slots: tuple[int, ...]
    sites: dict[str, Site]
    reserve: dict[str, int]
    """Feature -> parameter of log tau."""
    second_site: dict[str, int]
    """Feature `reserve` -> parameter of its log potency ratio."""
    weights: Float[np.ndarray, "rows nodes"]
    before: Float[np.ndarray, "rows nodes"]
    width: Float[np.ndarray, "rows panels"]
    sustained: Bool[np.ndarray, " rows"]
    anchor_row: Int[np.ndarray, " rows"]
    anchor_effect: Int[np.ndarray, " rows"]
    """Parameter of log e_max of the row's anchor."""
    stratum: Int[np.ndarray, " rows"]
    """Parameter of the stratum's standard-normal deviation of dependence."""
    own: Float[np.ndarray, "rows own"]
    own_index: Int[np.ndarray, " own"]
    expectancy: Float[np.ndarray, " rows"]


class Assembly(NamedTuple):
    """A case, ready to be simulated."""

    features: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    index: dict[str, int]  # pyright: ignore[reportIncompatibleMethodOverride]: a tuple's own search is not wanted
    rows: Rows
    readings: tuple[Reading, ...]
    anchors: dict[tuple[str, str], int]
    """(stratum, phase) -> row of the anchor."""
    ligand_names: tuple[tuple[str, ...], ...]
    """Ligands of each row."""
    constants: dict[str, float]
    assumptions: tuple[Assumption, ...]
    rule: Quadrature
    times: Float[np.ndarray, "rows nodes"]
    """Nodes, hours from the test drug; the last is the test itself."""

    @property
    def dimension(self) -> int:
        """Number of parameters."""
        return len(self.parameters)


class _Register:
    """Parameters in order of first use, each under one name."""

    def __init__(self) -> None:
        self.parameters: list[Parameter] = []
        self.index: dict[str, int] = {}

    def add(self, parameter: Parameter) -> int:
        if parameter.name not in self.index:
            self.index[parameter.name] = len(self.parameters)
            self.parameters.append(parameter)
        return self.index[parameter.name]


def feature_names(case: Case) -> tuple[str, ...]:
    """Features that the gates of a case refer to, in order of first appearance."""
    names: list[str] = []
    for hypothesis in case.hypotheses:
        names += [name for name in parse_gate(hypothesis.gate).inputs if name not in names]
    return tuple(names)


def assemble(loaded: LoadedCase) -> Assembly:
    """Turn a case into arrays.

    Parameters
    ----------
    loaded : LoadedCase
        Case, ledger and library, as `load_case` returns them.

    Raises
    ------
    ValueError
        Where the case asks for a number that no file gives; says which and where to add it.
    """
    case, library = loaded.case, loaded.library
    features = feature_names(case)
    targets = list(dict.fromkeys(feature.split(".")[0] for feature in features))
    register = _Register()
    priors = {prior.name: prior for prior in case.priors}
    assumptions: set[Assumption] = set()
    wanted = _binding_drugs(case, library, targets)
    rule = gauss_legendre(ORDER)

    def declared(row: str, name: str | None = None) -> int:
        if row not in priors:
            raise ValueError(f"The prior table must have a row {row!r}; it has {', '.join(priors)}.")
        prior = priors[row]
        return register.add(
            Parameter(
                name or row,
                distribution_nodes(prior.distribution),
                prior.unit,
                describe(prior.distribution),
                prior.reason,
                cite(prior.source),
            )
        )

    for row in ("dependence.mean", "dependence.spread", "expectancy", "effect_site", "plasticity.on"):
        declared(row)
    for row in ("plasticity.off", "circuit.depth", "heterogeneity"):
        declared(row)

    rows, readings, anchors = _distinct(loaded)
    count, nodes = len(rows), PANELS * ORDER + 1
    times = np.zeros((count, nodes))
    weights, before = np.zeros((count, nodes - 1)), np.zeros((count, nodes - 1))
    width = np.zeros((count, PANELS))
    per_row: list[list[Ligand]] = []
    for row, (subject, arm, endpoint) in enumerate(rows):
        edges = _edges(arm, endpoint.test_time_h)
        width[row] = np.diff(edges)
        times[row, :-1] = (edges[:-1, None] + width[row][:, None] * rule.nodes).ravel()
        times[row, -1] = endpoint.test_time_h
        weights[row] = (width[row][:, None] * rule.weights).ravel()
        before[row] = np.maximum(endpoint.test_time_h - times[row, :-1], 0.0)
        per_row.append(
            ligands(arm.doses, subject, library, times[row], wanted=wanted, assumptions=assumptions)
        )

    order = sorted(range(count), key=lambda row: -len(per_row[row]))
    place = {row: new for new, row in enumerate(order)}
    rows, per_row = [rows[row] for row in order], [per_row[row] for row in order]
    times, weights, before, width = times[order], weights[order], before[order], width[order]
    readings = [r._replace(row=place.get(r.row, -1)) for r in readings]
    anchors = {key: place[row] for key, row in anchors.items()}
    most = max((len(found) for found in per_row), default=0)
    slots = tuple(sum(len(found) > slot for found in per_row) for slot in range(most))
    pairs = [(row, per_row[row][slot]) for slot, size in enumerate(slots) for row in range(size)]

    sites = {target: _site(target, rows, pairs, case, library, register, declared) for target in targets}
    reserve = {feature: declared("reserve", f"reserve of {feature}") for feature in features}
    second = {
        feature: declared("reserve.potency", f"potency ratio of {feature}")
        for feature in features
        if feature.endswith(".reserve")
    }
    strata = list(dict.fromkeys(subject.stratum for subject, *_ in rows))
    stratum_index = {s: register.add(_standard_normal(f"dependence of {s}")) for s in strata}
    anchor_row = np.full(count, -1)
    anchor_effect = np.zeros(count, int)
    for row, (subject, _, endpoint) in enumerate(rows):
        key = (subject.stratum, endpoint.phase)
        if key in anchors:
            anchor_row[row] = anchors[key]
            anchor_effect[row] = declared(
                "e_max", f"effect of reference in {subject.stratum}, {endpoint.phase}"
            )
    own, own_index = _own_effects(rows, library, targets, declared)
    arrays = Rows(
        log_unit=np.array([ligand.log_nodes for _, ligand in pairs]).reshape(len(pairs), nodes, Z_GRID.size),
        shape=np.array([_shape_parameter(register, ligand) for _, ligand in pairs], int),
        scale=np.array([_scale_parameter(register, ligand) for _, ligand in pairs], int),
        slots=slots,
        sites=sites,
        reserve=reserve,
        second_site=second,
        weights=weights,
        before=before,
        width=width,
        sustained=np.array([endpoint.phase == "sustained" for *_, endpoint in rows], bool),
        anchor_row=anchor_row,
        anchor_effect=anchor_effect,
        stratum=np.array([stratum_index[subject.stratum] for subject, *_ in rows], int),
        own=own,
        own_index=own_index,
        expectancy=np.array([arm.expectancy for _, arm, _ in rows]),
    )
    constants = {p.name: p.distribution.value for p in case.priors if isinstance(p.distribution, Fixed)}
    return Assembly(
        features=features,
        parameters=tuple(register.parameters),
        index=dict(register.index),
        rows=arrays,
        readings=tuple(readings),
        anchors=anchors,
        ligand_names=tuple(tuple(ligand.drug for ligand in found) for found in per_row),
        constants=constants,
        assumptions=tuple(sorted(assumptions)),
        rule=rule,
        times=times,
    )


def _content(subject: Subject, arm: Arm, endpoint: Endpoint) -> tuple:
    """What makes two readings the same row; the endpoint's family matters for own effects."""
    return (
        subject.species,
        subject.stratum,
        None if subject.weight is None else subject.weight.value,
        arm.doses,
        arm.manipulations,
        arm.expectancy,
        endpoint.family,
        endpoint.test_time_h,
        endpoint.phase,
    )


def _binding_drugs(case: Case, library: Library, targets: list[str]) -> set[str]:
    """Drugs with an affinity at any target that the gates name."""
    names = {name for unnamed in case.unnamed_targets for name in unnamed.ligands}
    for name, drug in library.drugs.items():
        if isinstance(drug, Drug) and any(affinity.target in targets for affinity in drug.affinities):
            names.add(name)
    return names


def _distinct(
    loaded: LoadedCase,
) -> tuple[list[tuple[Subject, Arm, Endpoint]], list[Reading], dict[tuple[str, str], int]]:
    """Distinct contents among the arms of scored outcomes and the anchors, and which reading has which."""
    contents: dict[tuple, int] = {}
    rows: list[tuple[Subject, Arm, Endpoint]] = []
    readings: list[Reading] = []
    anchors: dict[tuple[str, str], int] = {}
    reference = {
        (a.study, a.experiment, a.endpoint, a.arm): (a.stratum, a.phase) for a in loaded.case.anchors
    }
    for study, experiment in loaded.ledger.experiments():
        protocol = experiment.protocol
        wanted = [(o.endpoint, arm) for o in experiment.outcomes if is_scored(o) for arm in arms_of(o)]
        wanted += [
            (endpoint, arm) for s, e, endpoint, arm in reference if (s, e) == (study.id, experiment.id)
        ]
        for key, name in dict.fromkeys(wanted):
            endpoint, arm = protocol.endpoints[key], protocol.arms[name]
            row = -1
            if arm.doses or arm.manipulations or arm.expectancy:
                content = _content(protocol.subject, arm, endpoint)
                row = contents.setdefault(content, len(contents))
                if row == len(rows):
                    rows.append((protocol.subject, arm, endpoint))
            readings.append(
                Reading(study.id, experiment.id, name, key, protocol.subject.stratum, endpoint.phase, row)
            )
            where = (study.id, experiment.id, key, name)
            if where in reference and row >= 0:
                anchors[reference[where]] = row
    return rows, readings, anchors


def _edges(arm: Arm, test_time: float) -> Float[np.ndarray, " edges"]:
    """Panel edges from the test drug to the test: first the input, then widening towards the test."""
    inputs = [d.duration_h for d in arm.doses if d.duration_h and d.time_h == 0 and d.route == "iv infusion"]
    first = min(inputs[0] if inputs else 0.25, test_time / 4)
    return np.concatenate([[0.0], np.geomspace(first, test_time, PANELS)])


def _shape_parameter(register: _Register, ligand: Ligand) -> int:
    if ligand.shape_reported is None:
        return -1
    return register.add(
        Parameter(
            f"elimination of {ligand.parent} in {ligand.species}",
            log_nodes(ligand.shape_reported),
            "L/h/kg or h",
            describe_reported(ligand.shape_reported),
            "sets the shape of the concentration curve",
            "; ".join(cite(q.source) for q in ligand.shape_reported),
        )
    )


def _scale_parameter(register: _Register, ligand: Ligand) -> int:
    if ligand.scale_sd == 0:
        return -1
    return register.add(
        Parameter(
            f"exposure scale of {ligand.drug} in {ligand.species} (GSD {np.exp(ligand.scale_sd):.2f})",
            ligand.scale_sd * Z_GRID,
            "1",
            f"lognormal(median 1, gsd {np.exp(ligand.scale_sd):.3g})",
            "volume, bioavailability, unbound fraction and Kp,uu combined",
            "derived: sum of log variances",
        )
    )


def _standard_normal(name: str) -> Parameter:
    return Parameter(
        name, Z_GRID.copy(), "logit SD", "normal(0, 1)", "partial pooling between strata", "assumption"
    )


def _site(
    target: str,
    rows: list[tuple[Subject, Arm, Endpoint]],
    pairs: list[tuple[int, Ligand]],
    case: Case,
    library: Library,
    register: _Register,
    declared: Callable[..., int],
) -> Site:
    """Roles and constants of every ligand of every row at one target."""
    size = len(pairs)
    index = {key: np.full(size, -1) for key in ("k", "shift", "efficacy")}
    roles = {key: np.zeros(size) for key in ("agonist", "antagonist", "channel", "glutamate", "any")}
    available, tone = np.ones(len(rows)), np.ones(len(rows))
    for row, (_, arm, _) in enumerate(rows):
        for manipulation in arm.manipulations:
            if manipulation.target == target:
                available[row] *= _fraction(manipulation.availability)
                tone[row] *= _fraction(manipulation.tone)
    unnamed = {u.name: u.ligands for u in case.unnamed_targets}
    for pair, (row, ligand) in enumerate(pairs):
        if target in unnamed:
            if ligand.drug in unnamed[target]:
                index["k"][pair] = declared(unnamed[target][ligand.drug])
                roles["any"][pair] = 1.0
            continue
        drug = library.drug(ligand.drug)
        affinity = (
            next((a for a in drug.affinities if a.target == target), None) if isinstance(drug, Drug) else None
        )
        if not isinstance(drug, Drug) or affinity is None:
            continue
        index["k"][pair] = register.add(
            Parameter(
                f"K_i of {ligand.drug} at {target}",
                log_nodes(affinity.k_i, drug.molar_mass.value),
                "nM",
                describe_reported(affinity.k_i),
                "equilibrium dissociation constant",
                "; ".join(cite(q.source) for q in affinity.k_i),
            )
        )
        roles["any"][pair] = roles[_ROLE[affinity.mode]][pair] = 1.0
        if affinity.efficacy is not None:
            index["efficacy"][pair] = _shared(register, "efficacy", ligand.drug, target, affinity.efficacy)
        shift = affinity.shift_in(rows[row][0].species)
        if shift is not None and rows[row][0].preparation == "behaving":
            index["shift"][pair] = _shared(register, "in-vivo shift", ligand.drug, target, shift)
    endogenous = -1
    if any(kind in case_features(case, target) for kind in ("tone", "agonism")):
        endogenous = declared("endogenous_tone", f"endogenous tone at {target}")
    return Site(**index, roles=roles, available=available, tone=tone, endogenous=endogenous)


_ROLE = {
    "agonist": "agonist",
    "competitive antagonist": "antagonist",
    "channel blocker": "channel",
    "glutamate-site antagonist": "glutamate",
}


def case_features(case: Case, target: str) -> tuple[str, ...]:
    """Features of one target that the case's gates refer to."""
    return tuple(name.split(".")[1] for name in feature_names(case) if name.split(".")[0] == target)


def _fraction(reported: Reported | None) -> float:
    if reported is None:
        return 1.0
    value = float(np.mean([q.value for q in reported]))
    return value / 100 if reported[0].unit == "%" else value


def _shared(register: _Register, what: str, drug: str, target: str, reported: Reported) -> int:
    """One parameter for all drugs that quote the same numbers (enantiomers share their shift)."""
    text = describe_reported(reported)
    for name, place in register.index.items():
        if name.startswith(f"{what} at {target}") and register.parameters[place].distribution == text:
            return place
    return register.add(
        Parameter(
            f"{what} at {target} ({drug})",
            log_nodes(reported),
            "1",
            text,
            "shared by drugs for which the same numbers are reported",
            "; ".join(cite(q.source) for q in reported),
        )
    )


def _own_effects(
    rows: list[tuple[Subject, Arm, Endpoint]],
    library: Library,
    targets: list[str],
    declared: Callable[..., int],
) -> tuple[np.ndarray, np.ndarray]:
    """Additive own effect of every antagonist given beside the test drug, per species and endpoint family."""
    columns: dict[str, int] = {}
    entries: list[tuple[int, int]] = []
    for row, (subject, arm, endpoint) in enumerate(rows):
        for name in dict.fromkeys(name for name, _, _ in dosed_drugs(arm.doses, library)):
            drug = library.drug(name)
            affinities = drug.affinities if isinstance(drug, Drug) else ()
            modes = {a.mode for a in affinities if a.target in targets}
            if modes and modes <= {"competitive antagonist"}:
                label = f"own effect of {name} in {subject.species}, {subject.preparation}, {endpoint.family}"
                entries.append((row, columns.setdefault(label, len(columns))))
    design = np.zeros((len(rows), len(columns)))
    for row, column in entries:
        design[row, column] = 1.0
    return design, np.array([declared("own_effect", label) for label in columns], int)


__all__ = ["VEHICLE", "Assembly", "Reading", "Rows", "Site", "assemble", "feature_names"]
