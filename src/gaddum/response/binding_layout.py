"""Binding layout: which ligands reach a target in which rows, as arrays over the distinct courses of events there.

Rows that differ only in drugs which do not bind a target see the same course of events at it, so that its features are
computed once for all of them; and arms that get the same doses share their concentration. A pair is one series of doses
of one ligand in one course.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaddum.engagement.binding import bond, rest
from gaddum.exposure.chains import Chains
from gaddum.exposure.dose_series import DoseSeries, SeriesLayout, lay_series, series_of
from gaddum.exposure.plan import Ligand
from gaddum.numerics.quadrature import Quadrature
from gaddum.parameter_registry import Assumption, Register
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
    ligands: tuple[Ligand, ...]


class Remainder(NamedTuple):
    """What manipulations leave at a target: a product of fractions for each of its courses."""

    course: Int[np.ndarray, " fractions"]
    parameter: Int[np.ndarray, " fractions"]


class Site(NamedTuple):
    """How each ligand of each distinct course acts at one target."""

    series: Int[np.ndarray, " pairs"]
    """Series of doses of each pair, by its place in `Block.doses`."""
    course_of_pair: Int[np.ndarray, " pairs"]
    k: Int[np.ndarray, " pairs"]
    """Parameter of log K."""
    shift: Int[np.ndarray, " pairs"]
    """-1 for none, here and below."""
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
    doses: SeriesLayout
    sites: dict[str, Site]


class _BindingParameters(NamedTuple):
    """One series of a ligand of one course at one target; what two courses must share to be one."""

    series: DoseSeries
    k: int
    shift: int
    efficacy: int
    roles: tuple[str, ...]


class Binder:
    """Finds the parameters of every binding and lays courses out; one for a case."""

    def __init__(
        self,
        case: Case,
        library: Library,
        register: Register,
        declared: Callable[..., int],
        chains: Chains,
    ) -> None:
        self._case, self._library, self._register, self._declared = case, library, register, declared
        self._chains = chains
        self._unnamed = {u.name: u.ligands for u in case.unnamed_targets}

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
                tuple(one for ligand in row.ligands for one in self._bound(target, ligand, row, when))
                for row, when in zip(rows, np.append(times, edges[:, -1:], axis=1), strict=True)
            ]
            for target in targets
        }
        series = [one.series for of in bound.values() for row in of for one in row]
        doses = lay_series(series, self._chains, times.shape[1] + 1)
        sites = {target: self._site(target, rows, bound[target], doses) for target in targets}
        stratum = np.array([row.stratum for row in rows], int)
        before = np.maximum(edges[:, -1:] - times, 0.0)
        return Block(acute, rule, width, weights, before, stratum, doses, sites)

    def _site(
        self,
        target: str,
        rows: list[ArmCourse],
        bound: list[tuple[_BindingParameters, ...]],
        doses: SeriesLayout,
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
            series=np.array([doses.place[one.series] for one in each], int),
            course_of_pair=np.array([number for number, _ in pairs], int),
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

    def _bound(
        self, target: str, ligand: Ligand, row: ArmCourse, times: Float[np.ndarray, " nodes"]
    ) -> list[_BindingParameters]:
        """How each series of a ligand binds a target; none where it does not."""
        if target in self._unnamed:
            if ligand.drug not in self._unnamed[target]:
                return []
            k = self._declared(self._unnamed[target][ligand.drug])
            return [_BindingParameters(series, k, -1, -1, ("shared",)) for series in series_of(ligand, times)]
        drug = self._library.drug(ligand.drug)
        affinity = (
            next((a for a in drug.affinities if a.target == target), None) if isinstance(drug, Drug) else None
        )
        if not isinstance(drug, Drug) or affinity is None:
            return []
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
        return [
            _BindingParameters(series, one.k_i, one.shift, one.efficacy, roles)
            for series in series_of(ligand, times)
        ]

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
