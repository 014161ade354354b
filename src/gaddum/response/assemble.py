"""Assemble: a case's protocols and hypotheses -> the arrays that the chain runs on. Records meet arrays here.

A *reading* is one arm read at one endpoint: what it was given, where its quadrature nodes lie, which stratum and anchor
it belongs to. Readings with the same content are one row, so an anchor and an identical arm share it exactly.
"""

from collections.abc import Callable, Collection
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaddum.exposure.chains import Chain, Chains, lay_chains
from gaddum.exposure.dose_series import lingers, series_of
from gaddum.exposure.plan import Ligand
from gaddum.exposure.regimen import dosed_drugs, plan_regimen
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.parameter_registry import Assumption, Register
from gaddum.parameters import Parameter, declared_parameter
from gaddum.records.case import Case
from gaddum.records.dose import HELD, Dose
from gaddum.records.drug import Drug
from gaddum.records.finding import MissingPrior
from gaddum.records.gate import parse_gate
from gaddum.records.ledger import LoadedCase
from gaddum.records.library import Library
from gaddum.records.outcome import arms_of, is_scored
from gaddum.records.prior import Fixed
from gaddum.records.protocol import Arm, Assessment, Subject
from gaddum.records.vocabulary import MODES
from gaddum.response.binding_layout import ArmCourse, Binder, Block
from gaddum.response.panels import nodes_of, panels, rule_of


class ArmReading(NamedTuple):
    """One arm read at one endpoint; one for each time at which that may have been, in their order."""

    study: str
    experiment: str
    arm: str
    endpoint: str
    stratum: str
    phase: str
    row: int
    """Row of the reading arrays (shared by readings of the same content); -1 for a plain vehicle, whose effect is 0."""


class DistinctReading(NamedTuple):
    """One distinct content of a reading: who got what and what was read when."""

    subject: Subject
    arm: Arm
    family: str
    """Of the endpoint."""
    read: Assessment
    where: str
    """Study, experiment and arm that came first."""


class Rows(NamedTuple):
    """Everything known of the distinct readings, ordered by block."""

    blocks: tuple[Block, ...]
    chains: Chains
    """Ways from a dose to an unbound concentration."""
    strata: Int[np.ndarray, " strata"]
    """Parameter of each stratum's standard-normal deviation of dependence."""
    reserve: dict[str, int]
    """Feature -> parameter of log tau."""
    second_site: dict[str, int]
    """Feature `reserve` -> parameter of its log potency ratio."""
    anchor_row: Int[np.ndarray, " rows"]
    """Row of each row's anchor; -1 for none."""
    anchor_effect: Int[np.ndarray, " rows"]
    """Parameter of log e_max of the row's anchor."""
    own: Float[np.ndarray, "rows own"]
    own_index: Int[np.ndarray, " own"]
    expectancy: Float[np.ndarray, " rows"]


class Assembly(NamedTuple):
    """A case, ready to be simulated."""

    features: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    index: dict[str, int]  # pyright: ignore[reportIncompatibleMethodOverride]: a tuple's own search is not wanted
    rows: Rows
    readings: tuple[ArmReading, ...]
    anchors: dict[tuple[str, str], int]
    """(stratum, phase) -> row of the anchor."""
    ligand_names: tuple[tuple[str, ...], ...]
    """Ligands of each row."""
    most_inputs: int
    """Inputs of the largest gate of the case, for which one compiled function serves all accounts."""
    constants: dict[str, float]
    assumptions: tuple[Assumption, ...]
    times: Float[np.ndarray, "rows nodes"]
    """Nodes, hours from the test drug; the last is the test itself, repeated in rows with fewer nodes than others."""

    @property
    def dimension(self) -> int:
        """Number of parameters."""
        return len(self.parameters)


def feature_names(case: Case) -> tuple[str, ...]:
    """Features that the gates of a case refer to, in order of first appearance."""
    names: list[str] = []
    for hypothesis in case.hypotheses:
        names += [name for name in parse_gate(hypothesis.gate).inputs if name not in names]
    return tuple(names)


def assemble(loaded: LoadedCase, *, whole: Collection[str] = ()) -> Assembly:
    """Turn a case into arrays.

    Parameters
    ----------
    loaded : LoadedCase
        Case, ledger and library, as `load_case` returns them.
    whole : collection of str
        Studies of which every arm is read at every endpoint, whatever was reported; of others those of scored outcomes.

    Raises
    ------
    ValueError
        Where the case asks for a number that no file gives; says which and where to add it.
    """
    case, library = loaded.case, loaded.library
    features = feature_names(case)
    targets = list(dict.fromkeys(feature.split(".")[0] for feature in features))
    register = Register(ties=True, fits=library.fits)
    priors = {prior.name: prior for prior in case.priors}
    wanted = _binding_drugs(case, library, targets)

    def declared(row: str, name: str | None = None) -> int:
        if row not in priors:
            raise MissingPrior(row, priors)
        return register.add(declared_parameter(priors[row], name))

    for row in ("dependence.mean", "dependence.spread", "expectancy", "effect_site", "plasticity.on"):
        declared(row)
    for row in ("plasticity.off", "circuit.depth", "heterogeneity"):
        declared(row)

    rows, readings, anchors = _distinct(loaded, whole)
    plans = [
        plan_regimen(arm.doses, subject, library, wanted=wanted, register=register).ligands
        for subject, arm, *_ in rows
    ]
    grids = [
        panels(one.arm.doses, one.read.time_h, lingering=_lingers(one.arm.doses, plan, register))
        for one, plan in zip(rows, plans, strict=True)
    ]
    order = sorted(range(len(rows)), key=lambda row: (len(grids[row]), rows[row].read.phase == "sustained"))
    place = {row: new for new, row in enumerate(order)}
    rows, grids = [rows[row] for row in order], [grids[row] for row in order]
    plans = [plans[row] for row in order]
    readings = [r._replace(row=place.get(r.row, -1)) for r in readings]
    anchors = {key: place[row] for key, row in anchors.items()}
    moments = [nodes_of(edges) for edges in grids]
    chains = lay_chains(_chains(plans), register.tied)

    strata = list(dict.fromkeys(subject.stratum for subject, *_ in rows))
    stratum_index = {s: register.add(_standard_normal(f"dependence of {s}")) for s in strata}
    count = len(rows)
    anchor_row = np.full(count, -1)
    anchor_effect = np.zeros(count, int)
    for row, one in enumerate(rows):
        key = (one.subject.stratum, one.read.phase)
        if key in anchors:
            anchor_row[row] = anchors[key]
            anchor_effect[row] = declared("e_max", f"effect of reference in {key[0]}, {key[1]}")
    own, own_index = _own_effects(rows, library, targets, declared)
    binder = Binder(case, library, register, declared, chains)
    blocks = []
    for size in dict.fromkeys(len(edges) for edges in grids):
        mine = [row for row in range(count) if len(grids[row]) == size]
        inside = [
            ArmCourse(one.subject, one.arm, one.where, strata.index(one.subject.stratum), plans[row])
            for row in mine
            for one in (rows[row],)
        ]
        acute = sum(rows[row].read.phase != "sustained" for row in mine)
        edges = np.array([grids[row] for row in mine])
        blocks.append(binder.block(acute, edges, rule_of(size - 1), inside, targets))
    reserve = {feature: declared("reserve", f"reserve of {feature}") for feature in features}
    second = {
        feature: declared("reserve.potency", f"potency ratio of {feature}")
        for feature in features
        if feature.endswith(".reserve")
    }
    arrays = Rows(
        blocks=tuple(blocks),
        chains=chains,
        strata=np.array(list(stratum_index.values()), int),
        reserve=reserve,
        second_site=second,
        anchor_row=anchor_row,
        anchor_effect=anchor_effect,
        own=own,
        own_index=own_index,
        expectancy=np.array([row.arm.expectancy for row in rows]),
    )
    constants = {p.name: p.distribution.value for p in case.priors if isinstance(p.distribution, Fixed)}
    return Assembly(
        features=features,
        parameters=tuple(register.parameters),
        index=dict(register.index),
        rows=arrays,
        readings=tuple(readings),
        anchors=anchors,
        ligand_names=tuple(tuple(ligand.drug for ligand in found) for found in plans),
        most_inputs=max((len(parse_gate(h.gate).inputs) for h in case.hypotheses), default=1),
        constants=constants,
        assumptions=tuple(sorted(register.assumptions)),
        times=_rectangular(moments),
    )


def _lingers(doses: tuple[Dose, ...], ligands: tuple[Ligand, ...], register: Register) -> bool:
    """Whether doses are repeated and what they give outlasts the interval between them."""
    repeated = [dose for dose in doses if dose.repeats > 1]
    if not repeated or any(dose.route in HELD for dose in repeated):
        return False
    medians = register.table()[:, Z_GRID.size // 2]
    return all(lingers(ligand, medians, register.tied) for ligand in ligands)


def _chains(plans: list[tuple[Ligand, ...]]) -> list[Chain]:
    """Every way from a dose to a ligand."""
    nowhen = np.zeros(0)
    every = [one.chain for ligands in plans for ligand in ligands for one in series_of(ligand, nowhen)]
    return [chain for chain in every if chain is not None]


def _content(one: DistinctReading) -> tuple:
    """What makes two readings the same row; the endpoint's family matters for own effects.

    What a manipulation leaves is the arm's own, unless its record shares it.
    """
    subject, arm = one.subject, one.arm
    left = [part for by in arm.manipulations for part in (by.availability, by.tone) if part is not None]
    return (
        one.where if any(reported[0].shared is None for reported in left) else None,
        subject.species,
        subject.stratum,
        None if subject.weight is None else subject.weight.value,
        arm.doses,
        arm.manipulations,
        arm.expectancy,
        one.family,
        one.read,
    )


def _binding_drugs(case: Case, library: Library, targets: list[str]) -> set[str]:
    """Drugs with an affinity at any target that the gates name."""
    names = {name for unnamed in case.unnamed_targets for name in unnamed.ligands}
    for name, drug in library.drugs.items():
        if isinstance(drug, Drug) and any(affinity.target in targets for affinity in drug.affinities):
            names.add(name)
    return names


def _distinct(
    loaded: LoadedCase, whole: Collection[str]
) -> tuple[list[DistinctReading], list[ArmReading], dict[tuple[str, str], int]]:
    """Distinct contents among the arms of scored outcomes, whole studies and anchors, and which reading has which."""
    contents: dict[tuple, int] = {}
    rows: list[DistinctReading] = []
    readings: list[ArmReading] = []
    anchors: dict[tuple[str, str], int] = {}
    reference = {(a.study, a.experiment, a.endpoint, a.arm, a.phase): a.stratum for a in loaded.case.anchors}
    for study, experiment in loaded.ledger.experiments():
        protocol = experiment.protocol
        wanted = list(product(protocol.endpoints, protocol.arms)) if study.id in whole else []
        wanted += [(o.endpoint, arm) for o in experiment.outcomes if is_scored(o) for arm in arms_of(o)]
        wanted += [
            (endpoint, arm) for s, e, endpoint, arm, _ in reference if (s, e) == (study.id, experiment.id)
        ]
        pairs = [(key, name, protocol.endpoints[key]) for key, name in dict.fromkeys(wanted)]
        for key, name, endpoint, read in [(*pair, read) for pair in pairs for read in pair[-1].assessments]:
            subject, arm = protocol.subject, protocol.arms[name]
            row = -1
            if arm.doses or arm.manipulations or arm.expectancy:
                where = f"{study.id}/{experiment.id}/{name}"
                one = DistinctReading(subject, arm, endpoint.family, read, where)
                row = contents.setdefault(_content(one), len(contents))
                if row == len(rows):
                    rows.append(one)
            readings.append(ArmReading(study.id, experiment.id, name, key, subject.stratum, read.phase, row))
            anchor = (study.id, experiment.id, key, name, read.phase)
            if anchor in reference and row >= 0:
                anchors.setdefault((reference[anchor], read.phase), row)
    return rows, readings, anchors


def _rectangular(moments: list[np.ndarray]) -> Float[np.ndarray, "rows nodes"]:
    """Times of all rows in one array, the test repeated at the end of shorter rows."""
    most = max((times.size for times in moments), default=1)
    rows = [np.pad(times, (0, most - times.size), mode="edge") for times in moments]
    return np.array(rows).reshape(len(rows), most)


def _standard_normal(name: str) -> Parameter:
    return Parameter(
        name,
        Z_GRID.copy(),
        "logit SD",
        "normal(0, 1)",
        "partial pooling between strata",
        "assumption",
        "itself",
    )


def _own_effects(
    rows: list[DistinctReading],
    library: Library,
    targets: list[str],
    declared: Callable[..., int],
) -> tuple[np.ndarray, np.ndarray]:
    """Additive own effect of every antagonist given beside the test drug, per species and endpoint family."""
    columns: dict[str, int] = {}
    entries: list[tuple[int, int]] = []
    for row, (subject, arm, family, *_) in enumerate(rows):
        for name in dict.fromkeys(name for name, _, _ in dosed_drugs(arm.doses, library)):
            drug = library.drug(name)
            affinities = drug.affinities if isinstance(drug, Drug) else ()
            modes = [MODES[a.mode] for a in affinities if a.target in targets]
            if modes and all(mode.silences and not mode.activates for mode in modes):
                label = f"own effect of {name} in {subject.species}, {subject.preparation}, {family}"
                entries.append((row, columns.setdefault(label, len(columns))))
    design = np.zeros((len(rows), len(columns)))
    for row, column in entries:
        design[row, column] = 1.0
    return design, np.array([declared("own_effect", label) for label in columns], int)
