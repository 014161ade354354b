"""Binding layout: which ligands reach a target in which rows, as arrays over the distinct courses of events there.

Rows that differ only in drugs which do not bind a target see the same course of events at it, so that its features are
computed once for all of them; and arms that get the same dose share its curve. A pair is one ligand of one course.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaddum.engagement.binding import bond, rest
from gaddum.exposure.curves import LigandCurve
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.numerics.quadrature import Quadrature
from gaddum.numerics.spline import coefficients
from gaddum.parameter_registry import Assumption, Register
from gaddum.parameters import Parameter
from gaddum.records.case import TONE, Case
from gaddum.records.drug import Drug
from gaddum.records.library import Library
from gaddum.records.protocol import Arm, Subject


class ArmCourse(NamedTuple):
    """What happens in one row: who gets what, and the concentrations that follow."""

    subject: Subject
    arm: Arm
    where: str
    """Study, experiment and arm."""
    stratum: int
    """Place of its stratum."""
    ligands: list[LigandCurve]


class Curves(NamedTuple):
    """Log unit concentrations (nM) of the curves that share a shape parameter."""

    shape: int
    """Place of the shape's parameter among `Rows.shapes`; -1 where nothing is uncertain."""
    table: Float[np.ndarray, "curves nodes spline"]
    """Spline coefficients over the shape's variate, or values, one each, where nothing is uncertain."""


class Remainder(NamedTuple):
    """What manipulations leave at a target: a product of fractions for each of its courses."""

    course: Int[np.ndarray, " fractions"]
    parameter: Int[np.ndarray, " fractions"]


class Site(NamedTuple):
    """How each ligand of each distinct course acts at one target."""

    curve: Int[np.ndarray, " pairs"]
    """Curve of each pair, counted through `Block.curves`."""
    course_of_pair: Int[np.ndarray, " pairs"]
    scale: Int[np.ndarray, " pairs"]
    """Parameter of the log exposure scale; -1 for none, here and below."""
    k: Int[np.ndarray, " pairs"]
    """Parameter of log K."""
    shift: Int[np.ndarray, " pairs"]
    efficacy: Int[np.ndarray, " pairs"]
    roles: dict[str, Float[np.ndarray, " pairs"]]
    """Role (agonist, antagonist, channel, glutamate; shared: at the site of all but glutamate) -> 1 where it has it."""
    courses: int
    """Number of distinct courses."""
    available: Remainder
    """Of the receptors."""
    tone_left: Remainder
    """Of the endogenous agonist."""
    endogenous: int
    """Parameter of the log endogenous tone (C/K)."""
    course: Int[np.ndarray, " rows"]
    """Course of each row of the block."""


class Block(NamedTuple):
    """Rows that share a number of quadrature panels, acute readings first."""

    acute: int
    """Number of acute readings."""
    rule: Quadrature
    """Rule of each panel."""
    width: Float[np.ndarray, "rows panels"]
    """Width of each panel (h)."""
    weights: Float[np.ndarray, "rows nodes"]
    """Quadrature weights (h)."""
    before: Float[np.ndarray, "rows nodes"]
    """Time from each node to the test (h)."""
    stratum: Int[np.ndarray, " rows"]
    """Place of each row's stratum."""
    curves: tuple[Curves, ...]
    sites: dict[str, Site]


class _BindingParameters(NamedTuple):
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
        self, case: Case, library: Library, register: Register, declared: Callable[..., int]
    ) -> None:
        self._case, self._library, self._register, self._declared = case, library, register, declared
        self._unnamed = {u.name: u.ligands for u in case.unnamed_targets}
        self.shapes: list[int] = []
        """Parameters of shapes in order of first use."""

    def block(
        self,
        acute: int,
        edges: Float[np.ndarray, "rows edges"],
        rule: Quadrature,
        rows: list[ArmCourse],
        targets: list[str],
    ) -> Block:
        """Lay out rows, acute readings first, from the panel edges of each (h)."""
        width = np.diff(edges, axis=1)
        times = (edges[:, :-1, None] + width[..., None] * rule.nodes).reshape(len(edges), -1)
        weights = (width[..., None] * rule.weights).reshape(len(edges), -1)
        bound = {
            target: [
                tuple(one for ligand in row.ligands if (one := self._bound(target, ligand, row)) is not None)
                for row in rows
            ]
            for target in targets
        }
        curves, place = _curves([one for of in bound.values() for row in of for one in row])
        sites = {target: self._site(target, rows, bound[target], place) for target in targets}
        stratum = np.array([row.stratum for row in rows], int)
        before = np.maximum(edges[:, -1:] - times, 0.0)
        return Block(acute, rule, width, weights, before, stratum, curves, sites)

    def _site(
        self,
        target: str,
        rows: list[ArmCourse],
        bound: list[tuple[_BindingParameters, ...]],
        place: dict[tuple[int, bytes], int],
    ) -> Site:
        """Distinct courses at a target."""
        found: dict[tuple[tuple[int, ...], tuple[int, ...], tuple[_BindingParameters, ...]], list[int]] = {}
        for number, (row, mine) in enumerate(zip(rows, bound, strict=True)):
            left = rest(target, row.arm.manipulations, row.where, self._register)
            found.setdefault((left.available, left.tone_left, mine), []).append(number)
        courses = sorted(found, key=lambda key: -len(key[2]))
        # Courses with as many ligands stand together and their pairs slot by slot, which `collect` adds as they are.
        pairs = [
            (number, key[2][slot])
            for size in sorted({len(key[2]) for key in courses}, reverse=True)
            for slot in range(size)
            for number, key in enumerate(courses)
            if len(key[2]) == size
        ]
        course = np.zeros(len(rows), int)
        for number, key in enumerate(courses):
            course[found[key]] = number
        each = [one for _, one in pairs]
        return Site(
            curve=np.array([place[one.shape, one.log_unit] for one in each], int),
            course_of_pair=np.array([number for number, _ in pairs], int),
            scale=np.array([one.scale for one in each], int),
            k=np.array([one.k for one in each], int),
            shift=np.array([one.shift for one in each], int),
            efficacy=np.array([one.efficacy for one in each], int),
            roles={role: np.array([float(role in one.roles) for one in each]) for role in _ROLES},
            courses=len(courses),
            available=_left([available for available, _, _ in courses]),
            tone_left=_left([tone_left for _, tone_left, _ in courses]),
            endogenous=self._endogenous(target),
            course=course,
        )

    def _bound(self, target: str, ligand: LigandCurve, row: ArmCourse) -> _BindingParameters | None:
        """How a ligand binds a target, or None where it does not."""
        if target in self._unnamed:
            if ligand.drug not in self._unnamed[target]:
                return None
            k = self._declared(self._unnamed[target][ligand.drug])
            return self._with_exposure(ligand, k, -1, -1, ("shared",))
        drug = self._library.drug(ligand.drug)
        affinity = (
            next((a for a in drug.affinities if a.target == target), None) if isinstance(drug, Drug) else None
        )
        if not isinstance(drug, Drug) or affinity is None:
            return None
        one = bond(-1, drug, affinity, row.subject.species, row.subject.preparation, self._register)
        if one.k_off >= 0:
            self._register.assumptions.add(
                Assumption(
                    f"{drug.name} at {target}",
                    "bound at equilibrium",
                    "a case does not follow slow dissociation",
                )
            )
        role = _ROLE[affinity.mode]
        roles = (role,) if role == "glutamate" else (role, "shared")
        return self._with_exposure(ligand, one.k_i, one.shift, one.efficacy, roles)

    def _with_exposure(
        self, ligand: LigandCurve, k: int, shift: int, efficacy: int, roles: tuple[str, ...]
    ) -> _BindingParameters:
        scale = _scale_parameter(self._register, ligand)
        shape = -1 if ligand.shape is None else self._register.add(ligand.shape)
        if shape >= 0:
            if shape not in self.shapes:
                self.shapes.append(shape)
            shape = self.shapes.index(shape)
        return _BindingParameters(scale, k, shift, efficacy, shape, roles, ligand.log_nodes.tobytes())

    def _endogenous(self, target: str) -> int:
        self._case.endogenous_tone()  # refuses a prior that the calculator would not take
        return self._declared(TONE, f"endogenous tone at {target}") if target in self._case.toned else -1


_ROLE = {
    "agonist": "agonist",
    "competitive antagonist": "antagonist",
    "channel blocker": "channel",
    "glutamate-site antagonist": "glutamate",
}
_ROLES = (*_ROLE.values(), "shared")


def _left(of_courses: list[tuple[int, ...]]) -> Remainder:
    pairs = [(course, place) for course, places in enumerate(of_courses) for place in places]
    course, parameter = np.array(pairs, int).reshape(-1, 2).T
    return Remainder(course, parameter)


def _curves(pairs: list[_BindingParameters]) -> tuple[tuple[Curves, ...], dict[tuple[int, bytes], int]]:
    """Distinct curves grouped by what sets their shape, and the place of each."""
    curves: list[Curves] = []
    known: dict[tuple[int, bytes], int] = {}
    for shape in sorted({one.shape for one in pairs}):
        mine = list(dict.fromkeys(one.log_unit for one in pairs if one.shape == shape))
        for text in mine:
            known[shape, text] = len(known)
        table = np.array([np.frombuffer(text).reshape(-1, Z_GRID.size) for text in mine])
        middle = Z_GRID.size // 2
        curves.append(
            Curves(shape, table[..., middle : middle + 1] if shape < 0 else np.asarray(coefficients(table)))
        )
    return tuple(curves), known


def _scale_parameter(register: Register, ligand: LigandCurve) -> int:
    if ligand.scale_sd == 0:
        return -1
    origin = "" if ligand.drug == ligand.parent else f" from {ligand.parent}"
    given = f", {' and '.join(ligand.routes)}" if ligand.routes else ""
    gsd = np.exp(ligand.scale_sd)
    return register.add(
        Parameter(
            f"exposure scale of {ligand.drug}{origin} in {ligand.species}{given}",
            ligand.scale_sd * Z_GRID,
            "1",
            f"lognormal(median 1, gsd {gsd:.3g})",
            "volume, bioavailability, unbound fraction and Kp,uu combined",
            "derived: sum of log variances",
        )
    )
