"""Binding layout: which ligands reach a target in which rows, as arrays over the distinct courses of events there.

Rows that differ only in drugs which do not bind a target see the same course of events at it, so that its features are
computed once for all of them; and arms that get the same doses share their concentration. A pair is one series of doses
of one ligand in one course.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from gaddum.engagement.binding import bond, refuse_several_slow, rest
from gaddum.engagement.intervals import jumps, subdivided
from gaddum.exposure.chains import Chains
from gaddum.exposure.dose_series import DoseSeries, SeriesLayout, lay_series, series_of
from gaddum.exposure.plan import Input, Ligand
from gaddum.numerics.quadrature import Quadrature, gauss_legendre
from gaddum.parameter_registry import Register
from gaddum.records.case import TONE, Case
from gaddum.records.drug import Drug
from gaddum.records.library import Library
from gaddum.records.protocol import Arm, Subject
from gaddum.records.vocabulary import MODES, UNNAMED_MODE, BindingSite

SLOW_RULE = gauss_legendre(7)
"""Rule of each interval over which slow binding is followed."""
SLOW_GROWTH = 1.0
"""Width of such an interval over the time since the last dose; every reading is an edge as well."""


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


class SlowBinding(NamedTuple):
    """Slow dissociation at one target: its ligand's pairs, and the intervals over which it is followed.

    Each course of it has one slow ligand, and intervals from its first dose on of which every reading is an edge.
    """

    courses: Int[np.ndarray, " slow"]
    """Courses that have a slow ligand."""
    pair: Int[np.ndarray, " slow"]
    """One of its pairs in each, for its constants."""
    k_on: Int[np.ndarray, " slow"]
    """-1 where it follows from k_off and K."""
    k_off: Int[np.ndarray, " slow"]
    """-1 where what is bound stays bound."""
    width: Float[np.ndarray, "intervals slow"]
    series: Int[np.ndarray, " inner"]
    """Series of each pair of these courses at the nodes of the intervals, by its place in `Block.inner`."""
    pair_of_series: Int[np.ndarray, " inner"]
    course_of_series: Int[np.ndarray, " inner"]
    """Course, by its place in `courses`."""
    edge: Int[np.ndarray, "slow times"]
    """Edge at which each time of the row lies."""


class Site(NamedTuple):
    """How each ligand of each distinct course acts at one target."""

    series: Int[np.ndarray, " pairs"]
    """Series of doses of each pair, by its place in `Block.doses`."""
    course_of_pair: Int[np.ndarray, " pairs"]
    k: Int[np.ndarray, " pairs"]
    """Parameter of log K."""
    shift: Int[np.ndarray, " pairs"]
    """-1 for none, here and below."""
    f_u: Int[np.ndarray, " pairs"]
    """Where K is that of total plasma."""
    efficacy: Int[np.ndarray, " pairs"]
    modes: tuple[str, ...]
    """Mode of each pair."""
    is_slow: Bool[np.ndarray, " pairs"]
    """Whether a pair follows its rates."""
    slow: SlowBinding | None
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
    inner: SeriesLayout
    """Series at the nodes of the intervals over which slow binding is followed."""
    sites: dict[str, Site]


class _BindingParameters(NamedTuple):
    """One series of a ligand of one course at one target; what two courses must share to be one."""

    series: DoseSeries
    k: int
    shift: int
    efficacy: int
    mode: str
    k_on: int = -1
    k_off: int = -1
    is_slow: bool = False
    f_u: int = -1

    @property
    def site(self) -> BindingSite:
        """Where it binds."""
        return MODES[self.mode].site


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
                self._course(target, row, when)
                for row, when in zip(rows, np.append(times, edges[:, -1:], axis=1), strict=True)
            ]
            for target in targets
        }
        series = [one.series for of in bound.values() for row in of for one in row]
        doses = lay_series(series, self._chains, times.shape[1] + 1)
        distinct = {mine for of in bound.values() for mine in of}
        followed = {mine: found for mine in distinct if (found := _slow_edges(mine)) is not None}
        most = max((len(found) for found in followed.values()), default=1)
        # Intervals of no length change nothing.
        followed = {
            mine: np.pad(found, (0, most - len(found)), mode="edge") for mine, found in followed.items()
        }
        nodes = {mine: tuple(_nodes(found).tolist()) for mine, found in followed.items()}
        within = [one.series._replace(times=nodes[mine]) for mine in followed for one in mine]
        inner = lay_series(within, self._chains, (most - 1) * SLOW_RULE.nodes.size)
        sites = {
            target: self._site(target, rows, bound[target], doses, followed, inner) for target in targets
        }
        stratum = np.array([row.stratum for row in rows], int)
        before = np.maximum(edges[:, -1:] - times, 0.0)
        return Block(acute, rule, width, weights, before, stratum, doses, inner, sites)

    def _site(
        self,
        target: str,
        rows: list[ArmCourse],
        bound: list[tuple[_BindingParameters, ...]],
        doses: SeriesLayout,
        followed: dict[tuple[_BindingParameters, ...], Float[np.ndarray, " edges"]],
        inner: SeriesLayout,
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
            f_u=np.array([one.f_u for one in each], int),
            efficacy=np.array([one.efficacy for one in each], int),
            modes=tuple(one.mode for one in each),
            is_slow=np.array([one.is_slow for one in each], bool),
            slow=_slow(
                pairs, {n: followed[key[2]] for n, key in enumerate(courses) if key[2] in followed}, inner
            ),
            courses=len(courses),
            available=_left([available for available, _, _ in courses]),
            tone_left=_left([tone_left for _, tone_left, _ in courses]),
            endogenous=self._endogenous(target),
            course=course,
        )

    def _course(
        self, target: str, row: ArmCourse, times: Float[np.ndarray, " nodes"]
    ) -> tuple[_BindingParameters, ...]:
        """Every series of every ligand of a row at one target."""
        found = [(ligand.drug, self._bound(target, ligand, row, times)) for ligand in row.ligands]
        refuse_several_slow(
            {drug for drug, of in found for one in of if one.is_slow}, f"{target} in {row.where}"
        )
        return tuple(one for _, of in found for one in of)

    def _bound(
        self, target: str, ligand: Ligand, row: ArmCourse, times: Float[np.ndarray, " nodes"]
    ) -> list[_BindingParameters]:
        """How each series of a ligand binds a target; none where it does not."""
        if target in self._unnamed:
            if ligand.drug not in self._unnamed[target]:
                return []
            k = self._declared(self._unnamed[target][ligand.drug])
            return [
                _BindingParameters(series, k, -1, -1, UNNAMED_MODE) for series in series_of(ligand, times)
            ]
        drug = self._library.drug(ligand.drug)
        affinity = (
            next((a for a in drug.affinities if a.target == target), None) if isinstance(drug, Drug) else None
        )
        if not isinstance(drug, Drug) or affinity is None:
            return []
        one = bond(-1, ligand, drug, affinity, row.subject.species, row.subject.preparation, self._register)
        return [
            _BindingParameters(
                series,
                one.k_i,
                one.shift,
                one.efficacy,
                one.mode,
                one.k_on,
                one.k_off,
                one.is_slow,
                one.f_u,
            )
            for series in series_of(ligand, times)
        ]

    def _endogenous(self, target: str) -> int:
        self._case.endogenous_tone()  # refuses a prior that the calculator would not take
        return self._declared(TONE, f"endogenous tone at {target}") if target in self._case.toned else -1


def _slow_edges(mine: tuple[_BindingParameters, ...]) -> Float[np.ndarray, " edges"] | None:
    """Edges of the intervals over which a course's slow ligand is followed; None where there is none."""
    slow = [one for one in mine if one.is_slow]
    if not slow:
        return None
    if any(isinstance(one.series.given, Input) and one.series.given.steady_state for one in slow):
        raise ValueError(
            "A slowly dissociating ligand of a case must have a first dose; got one at steady state. Write the doses "
            "before the test drug out, as `every 24 h x 14`."
        )
    first, times = jumps(one.series.given for one in slow)[0], slow[0].series.times
    if first >= times[-1]:
        return None
    given = [one.series.given for one in mine if one.site == slow[0].site]
    changes = sorted({first, *(time for time in jumps(given) if first <= time < times[-1])})
    return subdivided(changes, sorted({time for time in times if time > first}), growth=SLOW_GROWTH)


def _nodes(edges: Float[np.ndarray, " edges"]) -> Float[np.ndarray, " nodes"]:
    return (edges[:-1, None] + np.diff(edges)[:, None] * SLOW_RULE.nodes).ravel()


def _slow(
    pairs: list[tuple[int, _BindingParameters]],
    followed: dict[int, Float[np.ndarray, " edges"]],
    inner: SeriesLayout,
) -> SlowBinding | None:
    """Slow binding in the courses that have edges for it."""
    if not followed:
        return None
    courses = list(followed)
    mine = {number: [at for at, (course, _) in enumerate(pairs) if course == number] for number in courses}
    slow = [next(at for at in mine[number] if pairs[at][1].is_slow) for number in courses]
    parts = [
        (at, place)
        for place, number in enumerate(courses)
        for at in mine[number]
        if pairs[at][1].site == pairs[slow[place]][1].site
    ]
    within = [
        pairs[at][1].series._replace(times=tuple(_nodes(followed[courses[place]]).tolist()))
        for at, place in parts
    ]
    edge = [
        np.where((times := np.array(pairs[at][1].series.times)) > edges[0], np.searchsorted(edges, times), 0)
        for at, edges in zip(slow, followed.values(), strict=True)
    ]
    return SlowBinding(
        courses=np.array(courses, int),
        pair=np.array(slow, int),
        k_on=np.array([pairs[at][1].k_on for at in slow], int),
        k_off=np.array([pairs[at][1].k_off for at in slow], int),
        width=np.diff(np.array(list(followed.values())), axis=1).T,
        series=np.array([inner.place[one] for one in within], int),
        pair_of_series=np.array([at for at, _ in parts], int),
        course_of_series=np.array([place for _, place in parts], int),
        edge=np.array(edge, int),
    )


def _left(of_courses: list[tuple[int, ...]]) -> Remainder:
    pairs = [(course, place) for course, places in enumerate(of_courses) for place in places]
    course, parameter = np.array(pairs, int).reshape(-1, 2).T
    return Remainder(course, parameter)
