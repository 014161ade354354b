"""Sites: which ligands reach a target in which rows, as arrays over the distinct courses of events there.

Rows that differ only in drugs which do not bind a target see the same course of events at it, so that its features are
computed once for all of them; and arms that get the same dose share its curve. A pair is one ligand of one course.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaddum.mechanism.behaviour import Quadrature
from gaddum.records.case import Case
from gaddum.records.drug import Drug
from gaddum.records.gate import parse_gate
from gaddum.records.library import Library
from gaddum.records.protocol import Arm, Subject
from gaddum.records.quantity import Reported
from gaddum.simulate.curves import Ligand
from gaddum.simulate.parameters import Z_GRID, Parameter, cite, describe_reported, log_nodes
from gaddum.simulate.spline import coefficients

RANK_TOLERANCE = 1e-10
"""Largest error (log concentration) of the low-rank form of the tabulated curves."""


class Sampled:
    """Parameters in order of first use, each under one name."""

    def __init__(self) -> None:
        self.parameters: list[Parameter] = []
        self.index: dict[str, int] = {}

    def add(self, parameter: Parameter) -> int:
        """Place of a parameter, which is new or known by its name."""
        if parameter.name not in self.index:
            self.index[parameter.name] = len(self.parameters)
            self.parameters.append(parameter)
        return self.index[parameter.name]


class Course(NamedTuple):
    """What happens in one row: who gets what, and the concentrations that follow."""

    subject: Subject
    arm: Arm
    stratum: int
    """Place of its stratum."""
    ligands: list[Ligand]


class Curves(NamedTuple):
    """Log unit concentrations (nM) of the curves that share a shape parameter: `loads @ basis @ bumps(z[shape])`."""

    shape: int
    """Place of the shape's parameter among `Rows.shapes`; -1 where nothing is uncertain, and then `loads` are the values."""
    loads: Float[np.ndarray, "curve_nodes rank"]
    basis: Float[np.ndarray, "rank spline"]


class Site(NamedTuple):
    """How each ligand of each distinct course acts at one target."""

    curves: tuple[Curves, ...]
    curve: Int[np.ndarray, " pairs"]
    """Curve of each pair, counted through `curves`."""
    course_of_pair: Int[np.ndarray, " pairs"]
    scale: Int[np.ndarray, " pairs"]
    """Parameter of the log exposure scale; -1 for none, here and below."""
    k: Int[np.ndarray, " pairs"]
    """Parameter of log K."""
    shift: Int[np.ndarray, " pairs"]
    efficacy: Int[np.ndarray, " pairs"]
    roles: dict[str, Float[np.ndarray, " pairs"]]
    """Role (agonist, antagonist, channel, glutamate, any) -> 1 where the ligand has it."""
    available: Float[np.ndarray, " courses"]
    tone: Float[np.ndarray, " courses"]
    stratum: Int[np.ndarray, " courses"]
    endogenous: int
    """Parameter of the log endogenous tone (C/K)."""
    course: Int[np.ndarray, " rows"]
    """Course of each row of the block."""


class Block(NamedTuple):
    """Rows that share a number of quadrature panels, acute readings first."""

    acute: int
    """Number of acute readings."""
    width: Float[np.ndarray, "rows panels"]
    """Width of each panel (h)."""
    weights: Float[np.ndarray, "rows nodes"]
    """Quadrature weights (h)."""
    before: Float[np.ndarray, "rows nodes"]
    """Time from each node to the test (h)."""
    sites: dict[str, Site]


class _Bound(NamedTuple):
    """One ligand of one course at one target, as parameters; what two courses must share to be one."""

    scale: int
    k: int
    shift: int
    efficacy: int
    shape: int
    roles: tuple[str, ...]
    log_unit: bytes


class Binder:
    """Finds the parameters of every binding and lays courses out; one for a case."""

    def __init__(
        self, case: Case, library: Library, register: Sampled, declared: Callable[..., int]
    ) -> None:
        self._case, self._library, self._register, self._declared = case, library, register, declared
        self._unnamed = {u.name: u.ligands for u in case.unnamed_targets}
        self.shapes: list[int] = []
        """Parameters of shapes in order of first use."""

    def site(self, target: str, rows: list[Course]) -> Site:
        """Distinct courses of a block's rows at a target."""
        found: dict[tuple, list[int]] = {}
        for place, row in enumerate(rows):
            available = tone = 1.0
            for manipulation in row.arm.manipulations:
                if manipulation.target == target:
                    available *= _fraction(manipulation.availability)
                    tone *= _fraction(manipulation.tone)
            bound = [one for ligand in row.ligands if (one := self._bound(target, ligand, row)) is not None]
            found.setdefault((row.stratum, available, tone, tuple(bound)), []).append(place)
        courses = sorted(found, key=lambda key: -len(key[3]))
        # Courses with as many ligands stand together and their pairs slot by slot, which `collect` adds as they are.
        pairs = [
            (place, key[3][slot])
            for size in sorted({len(key[3]) for key in courses}, reverse=True)
            for slot in range(size)
            for place, key in enumerate(courses)
            if len(key[3]) == size
        ]
        course = np.zeros(len(rows), int)
        for place, key in enumerate(courses):
            course[found[key]] = place
        owners, bound = [place for place, _ in pairs], [one for _, one in pairs]
        curves, curve = _curves(bound)
        return Site(
            curves=curves,
            curve=curve,
            course_of_pair=np.array(owners, int),
            scale=np.array([one.scale for one in bound], int),
            k=np.array([one.k for one in bound], int),
            shift=np.array([one.shift for one in bound], int),
            efficacy=np.array([one.efficacy for one in bound], int),
            roles={role: np.array([float(role in one.roles) for one in bound]) for role in _ROLES},
            available=np.array([available for _, available, _, _ in courses]),
            tone=np.array([tone for _, _, tone, _ in courses]),
            stratum=np.array([stratum for stratum, *_ in courses], int),
            endogenous=self._endogenous(target),
            course=course,
        )

    def _bound(self, target: str, ligand: Ligand, row: Course) -> _Bound | None:
        """How a ligand binds a target, or None where it does not."""
        register = self._register
        if target in self._unnamed:
            if ligand.drug not in self._unnamed[target]:
                return None
            k = self._declared(self._unnamed[target][ligand.drug])
            return self._with_exposure(ligand, k, -1, -1, ("any",))
        drug = self._library.drug(ligand.drug)
        affinity = (
            next((a for a in drug.affinities if a.target == target), None) if isinstance(drug, Drug) else None
        )
        if not isinstance(drug, Drug) or affinity is None:
            return None
        k = register.add(
            Parameter(
                f"K_i of {ligand.drug} at {target}",
                log_nodes(affinity.k_i, drug.molar_mass.value),
                "nM",
                describe_reported(affinity.k_i),
                "equilibrium dissociation constant",
                "; ".join(cite(q.source) for q in affinity.k_i),
            )
        )
        efficacy = shift = -1
        if affinity.efficacy is not None:
            efficacy = _shared(register, "efficacy", ligand.drug, target, affinity.efficacy)
        moved = affinity.shift_in(row.subject.species)
        if moved is not None and row.subject.preparation == "behaving":
            shift = _shared(register, "in-vivo shift", ligand.drug, target, moved)
        return self._with_exposure(ligand, k, shift, efficacy, (_ROLE[affinity.mode], "any"))

    def _with_exposure(
        self, ligand: Ligand, k: int, shift: int, efficacy: int, roles: tuple[str, ...]
    ) -> _Bound:
        shape, scale = _shape_parameter(self._register, ligand), _scale_parameter(self._register, ligand)
        if shape >= 0:
            if shape not in self.shapes:
                self.shapes.append(shape)
            shape = self.shapes.index(shape)
        return _Bound(scale, k, shift, efficacy, shape, roles, ligand.log_nodes.tobytes())

    def _endogenous(self, target: str) -> int:
        names = [name.split(".") for h in self._case.hypotheses for name in parse_gate(h.gate).inputs]
        if any(where == target and kind in ("tone", "agonism") for where, kind in names):
            return self._declared("endogenous_tone", f"endogenous tone at {target}")
        return -1


def block_of(
    acute: int, edges: Float[np.ndarray, "rows edges"], rule: Quadrature, sites: dict[str, Site]
) -> Block:
    """Lay out a block from the panel edges of its rows (h)."""
    width = np.diff(edges, axis=1)
    times = (edges[:, :-1, None] + width[..., None] * rule.nodes).reshape(len(edges), -1)
    weights = (width[..., None] * rule.weights).reshape(len(edges), -1)
    return Block(acute, width, weights, np.maximum(edges[:, -1:] - times, 0.0), sites)


_ROLE = {
    "agonist": "agonist",
    "competitive antagonist": "antagonist",
    "channel blocker": "channel",
    "glutamate-site antagonist": "glutamate",
}
_ROLES = (*_ROLE.values(), "any")


def _curves(pairs: list[_Bound]) -> tuple[tuple[Curves, ...], np.ndarray]:
    """Distinct curves grouped by what sets their shape, and which is each pair's."""
    curves: list[Curves] = []
    known: dict[tuple[int, bytes], int] = {}
    for shape in sorted({one.shape for one in pairs}):
        mine = list(dict.fromkeys(one.log_unit for one in pairs if one.shape == shape))
        for text in mine:
            known[shape, text] = len(known)
        table = np.concatenate([np.frombuffer(text).reshape(-1, Z_GRID.size) for text in mine])
        if shape < 0:
            curves.append(Curves(-1, table[:, Z_GRID.size // 2, None], np.ones((1, 1))))
        else:
            curves.append(Curves(shape, *_factored(np.asarray(coefficients(table)))))
    return tuple(curves), np.array([known[one.shape, one.log_unit] for one in pairs], int)


def _factored(table: Float[np.ndarray, "curves spline"]) -> tuple[np.ndarray, np.ndarray]:
    """The product of fewest columns that gives a table; curves that differ by time alone are nearly collinear."""
    left, size, right = np.linalg.svd(table, full_matrices=False)
    for rank in range(1, size.size):
        loads = left[:, :rank] * size[:rank]
        if np.abs(table - loads @ right[:rank]).max() < RANK_TOLERANCE:
            return loads, right[:rank]
    return table, np.eye(table.shape[1])


def _shape_parameter(register: Sampled, ligand: Ligand) -> int:
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


def _scale_parameter(register: Sampled, ligand: Ligand) -> int:
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


def _fraction(reported: Reported | None) -> float:
    if reported is None:
        return 1.0
    value = float(np.mean([q.value for q in reported]))
    return value / 100 if reported[0].unit == "%" else value


def _shared(register: Sampled, what: str, drug: str, target: str, reported: Reported) -> int:
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
