"""Antagonist engagement: was it there, at which targets, when the test drug acted and when the effect was read.

Each arm's doses are followed to the receptors once (`engagement.occupancy`); arms with the same doses in the same kind
of subject share the run. *Induction* is the time at which the test drug, by itself, holds most of the receptor that it
holds best; *its hours* are those in which it holds at least half of that; *expression* is a test time. What a ligand
would hold without the other drugs follows exactly from the same draws where all bind at equilibrium: with r = c / K
beside endogenous agonist at T = tone / K, r / (1 + T + r). The tone is the case's prior, where an account speaks of it.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.engagement.occupancy import ProtocolOccupancy, TargetCourse, occupancy
from gaddum.numerics.spline import lookup
from gaddum.parameters import canonical, fraction_nodes
from gaddum.records.blockade import ArmAdditions, Blockade, gate_targets
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug
from gaddum.records.experiment import Experiment
from gaddum.records.ledger import LoadedCase
from gaddum.records.library import Library
from gaddum.records.protocol import Manipulation, Protocol
from gaddum.records.target import Affinity
from gaddum.records.vocabulary import MODES
from gaddum.results import Interval

AFTER_DOSE_H = np.concatenate([[0.0], np.geomspace(1 / 60, 24.0, 27)])
"""Times after a dose of the test drug at which its peak is sought (h)."""
SIGNIFICANT = 0.01
"""Median fraction held from which a target is listed."""
_BLOCK = 64
"""Numbers of times are rounded up to multiples of this, so that few shapes are compiled."""


Role = Literal["antagonist", "test drug", "manipulation"]


class Moment(NamedTuple):
    """Fraction held among all the arm's ligands, and by the ligand were it alone."""

    together: Interval
    alone: Interval


class TargetEngagement(NamedTuple):
    """What one drug, with its metabolites, holds of one target in one arm."""

    arm: str
    drug: str
    role: Role
    target: str
    action: str
    """How it binds there: block, agonism; or the kind of manipulation."""
    named: bool
    """Whether a hypothesis of the case names the target."""
    induction: Moment
    its_hours: Moment
    """Mean over the hours in which the test drug is there."""
    expression: dict[str, Moment]
    """By test, as `Protocol.tests` names them."""
    selectivity: float | None
    """Median K_i here over the median K_i at the target that it binds best (1)."""


class Presence(NamedTuple):
    """Engagement in one arm."""

    arm: str
    protocol: str
    induction_h: float
    hours: tuple[float, float]
    """First and last time at which the test drug holds half of its peak or more (h)."""
    lead: str
    """Target by which the time of induction was found."""
    held: tuple[TargetEngagement, ...]
    assumptions: tuple[str, ...]
    draws: dict[tuple[str, str, str], Float[np.ndarray, " draws"]]
    """(drug, target, "induction" or endpoint) -> fraction held among all ligands, at all hours it may be read at."""


class Gap(NamedTuple):
    """An arm whose engagement could not be computed, and why."""

    arm: str
    reason: str


class Runs:
    """Occupancy runs of a case, each made once."""

    def __init__(self, loaded: LoadedCase, *, draws: int, seed: int) -> None:
        self.loaded, self.draws, self.seed = loaded, draws, seed
        self._kept: dict[tuple, ProtocolOccupancy] = {}

    def occupancy(
        self,
        doses: tuple[Dose, ...],
        protocol: Protocol,
        times: np.ndarray,
        manipulations: tuple[Manipulation, ...],
    ) -> ProtocolOccupancy:
        """Follow an arm's doses to the receptors at given times, or return the run that did."""
        subject = protocol.subject
        weight = None if subject.weight is None else f"{subject.weight.value} {subject.weight.unit}"
        key = (
            tuple(dose.model_dump_json() for dose in doses),
            subject.species,
            weight,
            subject.preparation,
            tuple(one.model_dump_json() for one in manipulations),
            times.tobytes(),
        )
        if key not in self._kept:
            self._kept[key] = occupancy(
                doses,
                species=subject.species,
                weight=weight,
                preparation=subject.preparation,
                tone=self.loaded.case.endogenous_tone(),
                manipulations=manipulations,
                times=times,
                draws=self.draws,
                seed=self.seed,
                library=self.loaded.library,
            )
        return self._kept[key]


def presences(
    experiment: Experiment, blocked: tuple[Blockade, ...], runs: Runs
) -> tuple[tuple[Presence, ...], tuple[Gap, ...]]:
    """Follow every arm that gets the test drug to the receptors.

    Parameters
    ----------
    experiment : Experiment
        Its arms.
    blocked : tuple of Blockade
        Its blocked arms, for what else removes a receptor.
    runs : Runs
        Runs of the case.

    Returns
    -------
    tuple of Presence, tuple of Gap
        Arms that could be followed, and those that could not.
    """
    found: list[Presence] = []
    gaps: list[Gap] = []
    for name, arm in experiment.protocol.arms.items():
        kinds = ArmAdditions.of(arm, experiment.protocol, runs.loaded)
        if not kinds.test:
            continue
        try:
            found.append(_presence(name, kinds, arm.doses, experiment, runs))
        except ValueError as error:
            gaps.append(Gap(name, str(error)))
    missing = {one.blocked for one in blocked} - {one.arm for one in found} - {gap.arm for gap in gaps}
    gaps += [Gap(name, "Doses of the test drug are not recorded.") for name in sorted(missing)]
    return tuple(found), tuple(gaps)


def _presence(
    name: str, kinds: ArmAdditions, doses: tuple[Dose, ...], experiment: Experiment, runs: Runs
) -> Presence:
    library, protocol = runs.loaded.library, experiment.protocol
    grid = _grid(kinds.test, protocol)
    run = runs.occupancy(doses, protocol, _padded(grid), protocol.arms[name].manipulations)
    own = _kin([dose.drug for dose in kinds.test], protocol, library)
    lead, at, hours = _induction(run, own, kinds.test, gate_targets(runs.loaded), library)
    places = {name: int(np.argmin(np.abs(run.times - one.time_h))) for name, one in protocol.tests().items()}
    places_of = {key: [places[name] for name in protocol.tests([key])] for key in protocol.endpoints}
    roles: dict[str, Role] = {dose.drug: "test drug" for dose in kinds.test}
    roles |= {dose.drug: "antagonist" for dose in kinds.blockers}
    held: list[TargetEngagement] = []
    draws: dict[tuple[str, str, str], np.ndarray] = {}
    for drug, role in roles.items():
        kin = _kin([drug], protocol, library)
        for target, course in run.targets.items():
            found = _held(course, kin, target, library)
            if found is None or np.median(found.together, axis=1).max() < SIGNIFICANT:
                continue
            held.append(
                TargetEngagement(
                    name,
                    drug,
                    role,
                    target,
                    _action(kin, target, library),
                    target in gate_targets(runs.loaded),
                    found.at(at),
                    found.mean(run.times, hours),
                    {key: found.at(place) for key, place in places.items()},
                    _selectivity(drug, target, library) if role == "antagonist" else None,
                )
            )
            draws[drug, target, "induction"] = found.together[at]
            draws |= {(drug, target, key): found.together[some].ravel() for key, some in places_of.items()}
    for removed, left in _removals(name, kinds.manipulations, tuple(places), runs):
        held.append(removed)
        draws |= {(removed.drug, removed.target, key): 1 - left for key in ("induction", *places_of)}
    return Presence(
        name,
        " + ".join(describe_dose(dose) for dose in sorted(doses, key=lambda dose: dose.time_h)),
        float(run.times[at]),
        (float(run.times[hours[0]]), float(run.times[hours[1]])),
        lead,
        tuple(sorted(held, key=lambda row: (row.role, not row.named, -row.induction.together.median))),
        tuple(f"{a.where}: {a.what} ({a.reason})" for a in run.assumptions),
        draws,
    )


def describe_dose(dose: Dose) -> str:
    """Write a dose as a methods section does.

    Examples
    --------
    >>> describe_dose(Dose(drug="naltrexone", amount="1 mg/kg", route="sc", time="-30 min"))
    'naltrexone 1 mg/kg sc at -30 min'
    """
    over = "" if dose.duration is None else f" over {dose.duration}"
    again = f", {dose.repeats} times every {dose.interval}" if dose.repeats > 1 else ""
    steady = f", steady state of one every {dose.interval}" if dose.steady_state else ""
    return f"{dose.drug} {dose.amount} {dose.route}{over} at {dose.time}{again}{steady}"


def span(draws: Float[np.ndarray, " draws"]) -> Interval:
    """Median and central 95 % interval of draws of a fraction."""
    lower, median, upper = np.clip(np.quantile(draws, [0.025, 0.5, 0.975]), 0.0, 1.0)
    return Interval(median=float(median), lower=float(lower), upper=float(upper))


def lead_target(blocker: str, held: tuple[TargetEngagement, ...]) -> TargetEngagement | None:
    """Row of the target at which a blocker is meant to act: the one it binds best; None where it holds nothing."""
    rows = [row for row in held if row.drug == blocker and row.role != "test drug"]
    return min(rows, key=lambda row: (row.selectivity or 0.0, -row.induction.alone.median), default=None)


def _grid(test: tuple[Dose, ...], protocol: Protocol) -> np.ndarray:
    """Times after the first and the last dose of the test drug, and every test time."""
    starts: list[float] = []
    for dose in test:
        starts += [dose.time_h, dose.times_h[-1]]
        if dose.duration_h is not None:
            starts.append(dose.time_h + dose.duration_h)
    after = np.unique([round(start, 9) for start in starts])[:, None] + AFTER_DOSE_H
    tests = [one.time_h for one in protocol.tests().values()]
    return np.unique(np.concatenate([after.ravel(), tests]))


def _padded(grid: np.ndarray) -> np.ndarray:
    return np.concatenate([grid, np.full(-len(grid) % _BLOCK, grid[-1])])


def _kin(drugs: list[str], protocol: Protocol, library: Library) -> tuple[str, ...]:
    """Chemical species of doses, with their metabolites."""
    species = protocol.subject.species
    return tuple(dict.fromkeys(one for drug in drugs for one in library.family(drug, species)))


def _induction(
    run: ProtocolOccupancy,
    own: tuple[str, ...],
    test: tuple[Dose, ...],
    named: tuple[str, ...],
    library: Library,
) -> tuple[str, int, tuple[int, int]]:
    """Target that the test drug holds best, when it does, and first and last place of its hours."""
    first = min(dose.time_h for dose in test)
    medians: dict[str, np.ndarray] = {}
    for target, course in run.targets.items():
        found = _held(course, own, target, library)
        if found is not None:
            medians[target] = np.where(run.times >= first, np.median(found.alone, axis=1), 0.0)
    if not medians:
        raise ValueError(
            "The test drug must bind a target of the library to have a time of induction; got none among "
            f"{', '.join(run.targets)}. Add affinities to the drug's file."
        )
    among = [target for target in medians if target in named] or list(medians)
    lead = max(among, key=lambda target: medians[target].max())
    course = medians[lead]
    there = np.flatnonzero(course >= 0.5 * course.max())
    return lead, int(np.argmax(course)), (int(there[0]), int(there[-1]))


def _affinities(name: str, target: str, library: Library) -> list[Affinity]:
    drug = library.drugs.get(name)
    return [one for one in drug.affinities if one.target == target] if isinstance(drug, Drug) else []


class _Fractions(NamedTuple):
    """Fraction of a target that some ligands hold, among all ligands and alone."""

    together: Float[np.ndarray, "times draws"]
    alone: Float[np.ndarray, "times draws"]

    def at(self, place: int) -> Moment:
        return Moment(span(self.together[place]), span(self.alone[place]))

    def mean(self, times: Float[np.ndarray, " times"], hours: tuple[int, int]) -> Moment:
        """Mean between two places, draw by draw."""
        first, last = hours
        if first == last:
            return self.at(first)
        inside = slice(first, last + 1)
        length = times[last] - times[first]
        means = [np.trapezoid(one[inside], times[inside], axis=0) / length for one in self]
        return Moment(*(span(one) for one in means))


def _held(course: TargetCourse, kin: tuple[str, ...], target: str, library: Library) -> _Fractions | None:
    """Fractions that some ligands hold; None where they do not bind the target. Sites are independent."""
    mine = [name for name in course.by_ligand if name in kin]
    if not mine:
        return None
    sites: dict[str, list[str]] = {}
    for name in course.by_ligand:
        for one in _affinities(name, target, library)[:1]:
            sites.setdefault(MODES[one.mode].site, []).append(name)
    left_together, left_alone = np.ones(()), np.ones(())
    for site in sites.values():
        names = [name for name in mine if name in site]
        if names:
            held = np.sum([course.by_ligand[name] for name in names], axis=0)
            free = np.maximum(1 - np.sum([course.by_ligand[name] for name in site], axis=0), 1e-12)
            left_together = left_together * (1 - held)
            left_alone = left_alone * free / (held + free)
    return _Fractions(1 - left_together, 1 - left_alone)


def _action(kin: tuple[str, ...], target: str, library: Library) -> str:
    modes = {one.mode for name in kin for one in _affinities(name, target, library)}
    return "agonism" if any(MODES[mode].activates for mode in modes) else "block"


def _selectivity(drug: str, target: str, library: Library) -> float | None:
    """Median K_i at a target over the least median K_i of the drug (1)."""
    constants: dict[str, float] = {}
    for part, _ in library.species(drug):
        for one in part.affinities:
            known = [np.log(canonical(q, part.molar_mass.value)) for q in one.k_i or ()]
            middle = float(np.exp(np.mean(known))) if known else np.inf
            constants[one.target] = min(middle, constants.get(one.target, np.inf))
    return constants[target] / min(constants.values()) if target in constants else None


def _removals(
    arm: str, manipulations: tuple[Manipulation, ...], tests: tuple[str, ...], runs: Runs
) -> Iterator[tuple[TargetEngagement, Float[np.ndarray, " draws"]]]:
    """Targets that knock-outs, antibodies and the like take away, with the fraction left."""
    normal = np.random.default_rng(runs.seed).standard_normal((1, runs.draws))
    parts = [
        (one, of, reported)
        for one in manipulations
        for of, reported in (("of receptors", one.availability), ("of tone", one.tone))
        if reported is not None
    ]
    for one, of, reported in parts:
        left = np.exp(np.minimum(lookup(fraction_nodes(reported)[None], normal)[0], 0.0))
        removed = Moment(span(1 - left), span(1 - left))
        target = str(one.target)  # named wherever a fraction is, as the record checks
        named = target in gate_targets(runs.loaded)
        yield (
            TargetEngagement(
                arm,
                one.kind,
                "manipulation",
                target,
                f"removal {of}",
                named,
                removed,
                removed,
                dict.fromkeys(tests, removed),
                None,
            ),
            left,
        )
