"""Concerns: what a referee would hold against a blockade experiment, each point graded and with its remedy.

Grades: ``serious`` (the experiment may not show what it is said to show), ``caution`` (a rival reading is open),
``note`` (worth knowing). Each concern says what was found, why it matters and what would mend it.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from gaddum.outcomes.form import compared
from gaddum.records.blockade import Blockade
from gaddum.records.experiment import Experiment, Study
from gaddum.records.outcome.interaction import Interaction
from gaddum.records.outcome.responders import Responders
from gaddum.records.outcome.verdict import Verdict
from gaddum.referee.antagonist_engagement import Gap, Presence, TargetEngagement, lead_target
from gaddum.referee.blockade_answers import BlockadeAnswer
from gaddum.referee.detectable import POWER, Detectable
from gaddum.results import Interval

Grade = Literal["serious", "caution", "note"]
GRADES: tuple[Grade, ...] = ("serious", "caution", "note")
HALF = 0.5
"""Fraction held below which a receptor counts as mostly free."""
FULL = 0.9
"""Median fraction held from which engagement counts as reached."""
DISPLACED = 0.1
"""Loss of the antagonist's share to the test drug that is worth a note."""


class Concern(NamedTuple):
    """One point against an experiment or a report."""

    grade: Grade
    topic: str
    experiment: str | None
    """None where it concerns the whole report."""
    found: str
    why: str
    mend: str


class BlockadeAppraisal(NamedTuple):
    """One blocked arm with all that was worked out about it."""

    study: Study
    experiment: Experiment
    blockade: Blockade
    answers: tuple[BlockadeAnswer, ...]
    presence: Presence | None
    gaps: tuple[Gap, ...]
    detectable: tuple[Detectable, ...]
    agonist_effect: bool | None

    @property
    def weakened(self) -> bool:
        """Whether any answer says that the effect was taken away."""
        return any(one.answer == "weakened" for one in self.answers)

    @property
    def spared(self) -> bool:
        """Whether any answer says that the effect was left standing."""
        return any(one.answer == "spared" for one in self.answers)

    @property
    def blocker(self) -> str:
        """Name what blocks."""
        return " and ".join([*self.blockade.blockers, *(one.kind for one in self.blockade.manipulations)])


def appraise(subject: BlockadeAppraisal) -> tuple[Concern, ...]:
    """Collect every concern about one blocked arm.

    Parameters
    ----------
    subject : BlockadeAppraisal
        The arm and what is known of it.

    Returns
    -------
    tuple of Concern
        In the order of a referee's questions.
    """
    parts = (_engagement, _selectivity, _agonist, _controls, _power, _stars, _positive_control)
    return tuple(one for part in parts for one in part(subject))


def agonist_effect(experiment: Experiment, drug: str | None, vehicle: str | None) -> bool | None:
    """Whether the test drug alone was shown to work; None where nothing says so."""
    if drug is None or vehicle is None:
        return None
    readings = (compared(experiment, outcome, drug, vehicle) for outcome in experiment.outcomes)
    found = [reading.better for reading in readings if reading is not None]
    return any(found) if found else None


def percent(span: Interval) -> str:
    """Write a band of a fraction.

    Examples
    --------
    >>> percent(Interval(median=0.984, lower=0.58, upper=0.9996))
    '98 % (58\u2013100 %)'
    """
    return f"{100 * span.median:.0f} % ({100 * span.lower:.0f}\u2013{100 * span.upper:.0f} %)"


def leads(subject: BlockadeAppraisal) -> tuple[TargetEngagement, ...]:
    """Row of each blocker at the target at which it is meant to act."""
    if subject.presence is None:
        return ()
    names = dict.fromkeys(row.drug for row in subject.presence.held if row.role != "test drug")
    rows = (lead_target(name, subject.presence.held) for name in names)
    return tuple(row for row in rows if row is not None)


def _engagement(s: BlockadeAppraisal) -> Iterator[Concern]:
    at, arm = s.experiment.id, s.blockade.blocked
    for gap in s.gaps:
        if gap.arm == arm:
            yield Concern(
                "caution",
                "antagonist at induction",
                at,
                f"Engagement in arm {arm} could not be computed: {gap.reason}",
                "Whether the antagonist was there is then an act of faith.",
                "Record doses, routes and times, or add the missing kinetics.",
            )
    rows = leads(s)
    if s.presence is not None and s.blockade.blockers and not rows:
        yield Concern(
            "serious",
            "antagonist at induction",
            at,
            f"{s.blocker} in arm {arm} occupies under 1 % of every target at all times.",
            "Nothing was blocked, so the arm says nothing about what blocking would do.",
            "Give a dose that reaches its target while the test drug is there, and show it.",
        )
    for row in rows:
        yield from _one_engagement(s, row)


def _one_engagement(s: BlockadeAppraisal, row: TargetEngagement) -> Iterator[Concern]:
    at, induction = s.experiment.id, row.induction.together
    if row.role == "manipulation":
        if induction.median < HALF:
            yield Concern(
                "caution",
                "antagonist at induction",
                at,
                f"The {row.drug} takes away {percent(induction)} of {row.target} (arm {row.arm}).",
                "What is left may be enough for the effect, or may not.",
                "Add an arm without any of it.",
            )
        return
    where = (
        f"{row.drug} occupies {percent(induction)} of {row.target} when the test drug peaks (arm {row.arm})"
    )
    if induction.median < HALF:
        yield Concern(
            "caution" if s.weakened else "serious",
            "antagonist at induction",
            at,
            f"{where}.",
            "The effect was taken away while most receptors were free, so something else may have done it."
            if s.weakened
            else "Most receptors were free while the test drug was there, so persistence of the effect proves nothing.",
            "Give more, or nearer in time to the test drug; show occupancy or block of a reference agonist.",
        )
        return
    if induction.lower < HALF:
        yield Concern(
            "caution",
            "antagonist at induction",
            at,
            f"{where}; the lower limit is below half.",
            "With what is known of kinetics and binding, the receptors may have been mostly free.",
            "Measure the antagonist in plasma or brain, or its effect on a reference agonist at the same time.",
        )
    keys = s.experiment.protocol.tests({one.endpoint for one in s.answers} or None)
    gone = [key for key in row.expression if key in keys and row.expression[key].together.median < HALF]
    if gone:
        shown = "; ".join(f"{key} {percent(row.expression[key].together)}" for key in gone)
        yield Concern(
            "caution",
            "antagonist at the test",
            at,
            f"By the test {row.drug} has left {row.target}: {shown}.",
            "The result speaks of starting the effect, not of a receptor that is needed while behaviour is read.",
            "Give the antagonist again before the test, in an arm of its own.",
        )
    if row.induction.alone.median - induction.median > DISPLACED:
        yield Concern(
            "note",
            "antagonist at induction",
            at,
            f"The test drug displaces {row.drug} from {row.target}: {percent(row.induction.alone)} alone, "
            f"{percent(induction)} together.",
            "The block is surmountable, and a higher dose of the test drug gets round it.",
            "Vary the dose of the antagonist.",
        )


def _selectivity(s: BlockadeAppraisal) -> Iterator[Concern]:
    for lead in leads(s):
        if s.presence is None or lead.role == "manipulation":
            continue
        others = [
            row
            for row in s.presence.held
            if row.drug == lead.drug
            and row.role == "antagonist"
            and row.target != lead.target
            and row.induction.together.median >= HALF
        ]
        if others:
            listed = ", ".join(
                f"{row.target} {percent(row.induction.together)}"
                + (f" (K_i {_fold(row, lead)})" if row.selectivity and lead.selectivity else "")
                for row in others
            )
            yield Concern(
                "caution" if s.weakened else "note",
                "selectivity",
                s.experiment.id,
                f"At this dose {lead.drug} also occupies {listed}.",
                f"What it takes away cannot be laid to {lead.target} alone."
                if s.weakened
                else "Harmless for an effect that persists: all these receptors were occupied at once.",
                f"Repeat with an antagonist, or at a dose, that occupies {lead.target} only.",
            )


def _fold(row: TargetEngagement, lead: TargetEngagement) -> str:
    fold = (row.selectivity or 1.0) / (lead.selectivity or 1.0)
    return (
        f"{fold:.2g}-fold that at {lead.target}" if fold >= 1 else f"{1 / fold:.2g}-fold below {lead.target}"
    )


def _agonist(s: BlockadeAppraisal) -> Iterator[Concern]:
    at = s.experiment.id
    if s.agonist_effect is False:
        yield Concern(
            "serious",
            "agonist effect",
            at,
            "The test drug alone did not beat its control here.",
            "Where there is no effect, none can be blocked or spared.",
            "Show the effect first, in the same animals or people and by the same test.",
        )
    elif s.agonist_effect is None and s.blockade.drug is not None:
        yield Concern(
            "serious",
            "agonist effect",
            at,
            "No scored outcome says that the test drug alone beat a control in this experiment.",
            "Without an effect to block, less or as much of it means nothing.",
            "Report the contrast of the test drug with its vehicle.",
        )
    lead = _test_lead(s)
    if lead is not None and lead.induction.alone.median < 0.2:
        yield Concern(
            "note",
            "test drug",
            at,
            f"The test drug occupies {percent(lead.induction.alone)} of {lead.target} at its peak.",
            "An account that needs this target has little to work with.",
            "Read it with spare receptors in mind.",
        )


def _test_lead(s: BlockadeAppraisal) -> TargetEngagement | None:
    if s.presence is None:
        return None
    rows = [row for row in s.presence.held if row.role == "test drug" and row.target == s.presence.lead]
    return rows[0] if rows else None


def _controls(s: BlockadeAppraisal) -> Iterator[Concern]:
    at, b = s.experiment.id, s.blockade
    if b.drug is None:
        yield Concern(
            "serious",
            "controls",
            at,
            f"No arm gets the test drug without {s.blocker}.",
            "There is nothing to compare the blocked arm with but the reader's expectation.",
            "Add the test drug alone, allocated at random.",
        )
    if b.vehicle is None:
        yield Concern(
            "serious",
            "controls",
            at,
            "No arm without the test drug.",
            "An effect cannot be told from time, handling or expectancy.",
            "Add a vehicle (or active placebo) arm.",
        )
    if b.alone is None:
        yield Concern(
            "serious" if s.weakened else "caution",
            "controls",
            at,
            f"No arm gets {s.blocker} alone."
            if b.blockers
            else f"No arm has the {s.blocker} without the test drug.",
            "The antagonist may move the readout by itself, the commonest rival to both “abolished” and “spared”.",
            f"Add {s.blocker} with vehicle, at the same dose and time.",
        )


def _positive_control(s: BlockadeAppraisal) -> Iterator[Concern]:
    if not s.spared:
        return
    held_up = any(
        isinstance(outcome, Verdict)
        and outcome.verdict in ("abolished", "partial")
        and any(dose.drug in s.blockade.blockers for dose in _doses(experiment, outcome.roles["KA"]))
        for experiment in s.study.experiments
        for outcome in experiment.outcomes
    )
    if not held_up:
        yield Concern(
            "caution",
            "controls",
            s.experiment.id,
            f"No positive control: nothing shows that {s.blocker} blocked anything in this laboratory.",
            "An effect that persists is told from a failed blockade only by a reference agonist that is stopped.",
            "Block a reference agonist with the same dose at the same time.",
        )


def _doses(experiment: Experiment, arm: str) -> tuple:
    found = experiment.protocol.arms.get(arm)
    return () if found is None else found.doses


def _power(s: BlockadeAppraisal) -> Iterator[Concern]:
    for row in s.detectable:
        if "antagonist" not in row.contrast or row.power_of_abolition is None:
            continue
        if row.power_of_abolition < POWER:
            known = f"n = {row.n}" if row.stated else f"n not stated (taken as {row.n})"
            unit = "SD of the differences" if row.paired else "SD"
            yield Concern(
                "serious" if s.spared and row.power_of_abolition < HALF and row.stated else "caution",
                "power",
                s.experiment.id,
                f"{row.contrast[0].upper()}{row.contrast[1:]}, {known}: 80 % power from {row.effect.median:.2g} {unit} "
                f"on; full removal of an effect of usual size would be seen {100 * row.power_of_abolition:.0f} % of "
                "the time.",
                "An effect that persists may only have gone unseen to be smaller."
                if s.spared
                else "Significant results of weak tests overstate the effect and often fail to repeat.",
                "Choose the group size for the contrast that the conclusion rests on.",
            )


def _stars(s: BlockadeAppraisal) -> Iterator[Concern]:
    tested = any(
        isinstance(outcome, Interaction) and outcome.arms[2] == s.blockade.blocked
        for outcome in s.experiment.outcomes
    )
    retested = any(isinstance(one, Responders) and one.retest is not None for one in s.experiment.outcomes)
    if s.answers and not tested and not retested and any(one.form == "verdict" for one in s.answers):
        yield Concern(
            "caution",
            "interaction",
            s.experiment.id,
            f"“{s.answers[0].text}” is recorded as a word or as separate comparisons, not as an interaction.",
            "A significant and a non-significant difference need not differ significantly.",
            "Report the interaction of test drug and antagonist with its exact statistic.",
        )
