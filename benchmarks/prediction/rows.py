"""Rows of the test: what came of every blockade of the record, as shares of three exclusive events.

A row is one cohort's blockade by one antagonist in one phase and one kind of subject (`Subject.stratum`). Every
endpoint that says something is a reading of it. What a reading says of the tests of `gaddum.outcomes.blockade_events`:

- a number by its own p (`gaddum.outcomes.form.compared`), averaged over group sizes where these are unknown; a reported
  statistic goes before what follows from means;
- where there is no number the authors' word: abolished is block and no residual, partial is both, not abolished and
  enhanced are no block;
- with an antagonist-alone arm the residual is over that arm, and with a control as well block is the interaction,
  reported or of four means;
- a retest among earlier responders, without a control arm, keeps a residual if one of them responds;
- an effect of the test drug alone of which nothing is said counts as there, since nobody blocks what does not work; a
  residual of which nothing is said is left open, half and half.

Endpoints whose comparison of the two arms the record does not score are no readings. Rows of a cohort share a weight
of 1.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student_t

from gaddum.outcomes.blockade_events import event_of
from gaddum.outcomes.form import LEVEL, Priors, compared
from gaddum.outcomes.group_sizes import group_sizes
from gaddum.records.blockade import ArmAdditions, Blockade, blockades
from gaddum.records.experiment import Experiment, Study
from gaddum.records.ledger import LoadedCase
from gaddum.records.outcome import Outcome, arms_of, is_scored
from gaddum.records.outcome.means import Means
from gaddum.records.outcome.responders import Responders
from gaddum.records.outcome.verdict import Verdict
from gaddum.records.protocol import Subject

EVENTS = ("abolished", "partial", "not_abolished")
"""The three events that are scored."""
NOTHING = "nothing_to_block"
_WORDS: dict[str, tuple[float, float | None]] = {
    "abolished": (1.0, 0.0),
    "partial": (1.0, 1.0),
    "not abolished": (0.0, None),
    "enhanced": (0.0, None),
}
"""Block and residual by the authors' word."""


class Reading(NamedTuple):
    """What one endpoint says of one blocked arm."""

    study: str
    experiment: str
    endpoint: str
    arm: str
    chances: dict[str, float]
    """Share of each event, "nothing to block" among them; they sum to 1."""


class Row(NamedTuple):
    """One cohort's blockade by one antagonist in one phase."""

    cohort: str
    laboratory: str
    """The cohort itself where no laboratory is named."""
    year: int
    """Of the first report."""
    subject: Subject
    antagonist: str
    phase: str
    readings: tuple[Reading, ...]
    weight: float
    """Its share of the cohort's weight of 1; 0 where there was nothing to block."""

    @property
    def name(self) -> str:
        """Cohort, stratum, antagonist and phase."""
        return f"{self.cohort}: {self.subject.stratum}; {self.antagonist}; {self.phase}"

    @property
    def shares(self) -> Float[np.ndarray, " events"]:
        """Share of each of the three events among the readings, given that there was something to block."""
        found = np.array([[one.chances[event] for event in EVENTS] for one in self.readings]).sum(axis=0)
        return found / found.sum() if found.sum() else found


class Unread(NamedTuple):
    """A blockade of which no event can be read."""

    study: str
    experiment: str
    arm: str
    reason: str


class BlockadeRecord(NamedTuple):
    """All blockades of the test drug in a case."""

    rows: tuple[Row, ...]
    unread: tuple[Unread, ...]
    digest: str
    """Of the studies and of the library, from which rows and covariates follow."""

    @property
    def scored(self) -> tuple[Row, ...]:
        """Rows in which there was something to block."""
        return tuple(row for row in self.rows if row.weight)


def blockade_record(loaded: LoadedCase) -> BlockadeRecord:
    """Read the rows of a case in the order of year and name."""
    priors = {prior.name: prior.distribution for prior in loaded.case.priors}
    found: dict[tuple[str, str, str, str], list[tuple[Study, Experiment, Reading]]] = {}
    unread = []
    for study, experiment, blockade in blocked_arms(loaded):
        readings = list(_readings(study, experiment, blockade, priors))
        if not readings:
            unread.append(Unread(study.id, experiment.id, blockade.blocked, _why(experiment, blockade)))
        for one in readings:
            phase = experiment.protocol.endpoints[one.endpoint].phase
            key = (study.cohort, experiment.protocol.subject.stratum, antagonist(blockade), phase)
            found.setdefault(key, []).append((study, experiment, one))
    rows = [_row(*key, members) for key, members in found.items()]
    scored = [row.cohort for row in rows if row.shares.any()]
    shared = [row._replace(weight=1 / scored.count(row.cohort) if row.shares.any() else 0.0) for row in rows]
    ordered = sorted(shared, key=lambda row: (row.year, row.name))
    return BlockadeRecord(tuple(ordered), tuple(unread), record_digest(loaded))


def blocked_arms(loaded: LoadedCase) -> Iterator[tuple[Study, Experiment, Blockade]]:
    """Blocked arms that get the test drug, which a blockade of another drug's effect does not."""
    for study, experiment in loaded.ledger.experiments():
        for one in blockades(loaded, experiment):
            if ArmAdditions.of(experiment.protocol.arms[one.blocked], experiment.protocol, loaded).test:
                yield study, experiment, one


def antagonist(blockade: Blockade) -> str:
    """What blocks, by name: drugs, or a manipulation with its target."""
    removed = (f"{one.kind} {one.target or 'of an unnamed target'}" for one in blockade.manipulations)
    return " + ".join([*blockade.blockers, *removed])


def record_digest(loaded: LoadedCase) -> str:
    """Digest of the studies and the library, but not of the hypotheses: rows and rivals know none."""
    texts = [study.model_dump_json() for study in loaded.ledger.studies]
    return sha256("\n".join([*texts, loaded.hashes["library_hash"]]).encode()).hexdigest()


def _row(
    cohort: str,
    stratum: str,
    blocker: str,
    phase: str,
    members: list[tuple[Study, Experiment, Reading]],
) -> Row:
    study, experiment, _ = min(members, key=lambda one: one[0].year)
    readings = tuple(reading for _, _, reading in members)
    subject = experiment.protocol.subject
    return Row(cohort, study.lab or cohort, study.year, subject, blocker, phase, readings, 0.0)


def _readings(study: Study, experiment: Experiment, blockade: Blockade, priors: Priors) -> Iterator[Reading]:
    """One reading of every endpoint that compares the blocked arm with the test drug alone."""
    if blockade.drug is None:
        return
    for endpoint in experiment.protocol.endpoints:
        told = [one for one in experiment.outcomes if one.endpoint == endpoint and one.can_be_scored]
        scored = [one for one in told if is_scored(one)]
        if _block(experiment, scored, blockade, priors) is not None:
            chances = _chances(experiment, told, blockade, priors)
            yield Reading(study.id, experiment.id, endpoint, blockade.blocked, chances)


def _block(
    experiment: Experiment, outcomes: list[Outcome], blockade: Blockade, priors: Priors
) -> float | None:
    """Chance that the block is significant: by an interaction, a difference of two arms, or a word."""
    drug, blocked = str(blockade.drug), blockade.blocked
    reported = [one for one in outcomes if one.form == "interaction"]
    if (found := _better(experiment, reported, drug, blocked, priors)) is not None:
        return found
    for one in outcomes:
        if isinstance(one, Means) and (p := _crossed(experiment, one, blockade)) is not None:
            return float(p < LEVEL)
    numbers = [one for one in outcomes if one.form != "verdict"]
    if (found := _better(experiment, numbers, drug, blocked, priors)) is not None:
        return found
    word = _word(outcomes, blockade)
    return None if word is None else _WORDS[word][0]


def _chances(
    experiment: Experiment, outcomes: list[Outcome], blockade: Blockade, priors: Priors
) -> dict[str, float]:
    """Shares of the four events, from the chances that each of three tests found something."""
    drug, blocked, vehicle = str(blockade.drug), blockade.blocked, blockade.vehicle
    effect = None if vehicle is None else _better(experiment, outcomes, drug, vehicle, priors)
    control = blockade.alone or vehicle
    residual = None if control is None else _better(experiment, outcomes, blocked, control, priors)
    if residual is None and (word := _word(outcomes, blockade)) is not None:
        residual = _WORDS[word][1]
    if residual is None:
        retests = [one.retest for one in outcomes if isinstance(one, Responders) and one.retest]
        residual = next((float(one.responders > 0) for one in retests if one.arm == blocked), None)
    block = _block(experiment, outcomes, blockade, priors)
    assert block is not None  # scored outcomes say something of it
    tests = (1.0 if effect is None else effect, block, 0.5 if residual is None else residual)
    chances: dict[str, float] = dict.fromkeys((*EVENTS, NOTHING), 0.0)
    for signs in np.ndindex(2, 2, 2):
        share = float(np.prod([p if sign else 1 - p for p, sign in zip(tests, signs, strict=True)]))
        chances[event_of(*map(bool, signs))] += share
    return chances


def _word(outcomes: list[Outcome], blockade: Blockade) -> str | None:
    """The authors' word on a blockade, primary outcomes first."""
    for one in sorted(outcomes, key=lambda one: not one.primary):
        roles = (one.arm_roles.get("K"), one.arm_roles.get("KA"))
        if isinstance(one, Verdict) and one.verdict in _WORDS and roles == (blockade.drug, blockade.blocked):
            return one.verdict
    return None


def _better(
    experiment: Experiment, outcomes: list[Outcome], first: str, second: str, priors: Priors
) -> float | None:
    """Chance that an arm did significantly better than another: statistics before means, and words last."""
    later = {"means": 1, "verdict": 2}
    for one in sorted(outcomes, key=lambda one: (later.get(one.form, 0), not one.primary)):
        shares = [
            (weight, said.better)
            for sized, weight in _with_sizes(experiment, one, priors)
            if (said := compared(sized, one, first, second)) is not None
        ]
        if shares:
            return sum(weight for weight, better in shares if better) / sum(weight for weight, _ in shares)
    return None


def _with_sizes(
    experiment: Experiment, outcome: Outcome, priors: Priors
) -> Iterator[tuple[Experiment, float]]:
    """The experiment with every possible size of its arms, and the weight of each."""
    if not experiment.lacks_sizes(outcome) or outcome.form == "verdict":
        yield experiment, 1.0
        return
    protocol, df = experiment.protocol, getattr(outcome, "df", None)
    paired = protocol.is_paired(getattr(outcome, "paired", None))
    for scenario in group_sizes(experiment, arms_of(outcome), priors, df=df, paired=paired):
        sized = {
            name: arm.model_copy(update={"n": round(scenario.n[name])}) if name in scenario.n else arm
            for name, arm in protocol.arms.items()
        }
        changed = protocol.model_copy(update={"arms": sized})
        yield experiment.model_copy(update={"protocol": changed}), scenario.weight


def _crossed(experiment: Experiment, outcome: Means, blockade: Blockade) -> float | None:
    """One-signed p of the interaction (K - V) - (KA - A) of four means; 1 where it has the other sign."""
    names = (blockade.drug, blockade.vehicle, blockade.blocked, blockade.alone)
    if not {*names} <= {*outcome.arms} or None in names or len({*names}) < 4:
        return None
    arms = [outcome.arms[str(name)] for name in names]
    if any(arm.spread_kind == "unclear" for arm in arms):
        return None
    signs = np.array([1.0, -1.0, -1.0, 1.0])
    errors = np.array([arm.spread / (arm.n**0.5 if arm.spread_kind == "SD" else 1.0) for arm in arms])
    paired, sizes = experiment.protocol.is_paired(), [arm.n for arm in arms]
    together = experiment.protocol.session_correlation if paired else 0.0
    variance = (1 - together) * np.sum(errors**2) + together * (signs @ errors) ** 2
    df = 3 * (min(sizes) - 1) if paired else sum(sizes) - 4
    increase = experiment.protocol.endpoints[outcome.endpoint].improvement == "increase"
    found = float(signs @ [arm.mean for arm in arms]) * (1.0 if increase else -1.0)
    return float(2 * student_t.sf(found / np.sqrt(variance), df)) if found > 0 else 1.0


def _why(experiment: Experiment, blockade: Blockade) -> str:
    """Why nothing can be read of a blockade."""
    if blockade.drug is None:
        return "No arm got the test drug alone."
    both = [one for one in experiment.outcomes if {blockade.drug, blockade.blocked} <= {*arms_of(one)}]
    silent = both or [one for one in experiment.outcomes if not one.can_be_scored]
    reasons = dict.fromkeys(one.why for one in silent if not is_scored(one))
    told = " ".join(filter(None, reasons))
    return f"Not scored. {told}".strip() if reasons else "No scored outcome compares the two arms."
