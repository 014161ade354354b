"""Audit: one page on each study that a referee could use, and what sets opposite results apart.

Follows each arm to the receptors (`antagonist_engagement`), works out what the groups could have shown (`detectable`),
collects concerns (`concerns`, `reporting`), and compares blockades with opposite answers across the case
(`disagreement`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from gaddum._version import __version__
from gaddum.notebook import html_of
from gaddum.records.blockade import Blockade, blockades, is_test_drug
from gaddum.records.experiment import Experiment, Study
from gaddum.records.ledger import LoadedCase, load_case
from gaddum.records.outcome import is_scored
from gaddum.records.protocol import Arm
from gaddum.referee.antagonist_engagement import (
    Gap,
    Presence,
    Runs,
    TargetEngagement,
    describe_dose,
    presences,
)
from gaddum.referee.blockade_answers import BlockadeAnswer, answers
from gaddum.referee.concerns import (
    FULL,
    GRADES,
    HALF,
    BlockadeAppraisal,
    Concern,
    agonist_effect,
    appraise,
    leads,
    percent,
)
from gaddum.referee.detectable import Detectable, detectable, effect_size, simple_contrast
from gaddum.referee.disagreement import Pair, pairs
from gaddum.referee.reporting import Reporting, conduct_concerns, is_evidence, reporting, reporting_concerns

DRAWS = 500


class ArmLine(NamedTuple):
    """An arm as recorded."""

    name: str
    n: str
    gets: str


class BlockadeAudit(NamedTuple):
    """One blocked arm: its comparisons, what came of them, what they could have shown."""

    arms: Blockade
    agonist_effect: bool | None
    answers: tuple[BlockadeAnswer, ...]
    detectable: tuple[Detectable, ...]


class ExperimentAudit(NamedTuple):
    """One experiment."""

    id: str
    species: str
    stratum: str
    paradigm: str
    design: str
    masking: str
    arms: tuple[ArmLine, ...]
    endpoints: dict[str, str]
    outcomes: int
    scored: int
    blockades: tuple[BlockadeAudit, ...]
    engagement: tuple[Presence, ...]
    not_followed: tuple[Gap, ...]
    detectable: tuple[Detectable, ...]
    """Contrasts with the vehicle where nothing was blocked."""


class StudyAudit(NamedTuple):
    """One report."""

    id: str
    title: str
    year: int
    doi: str | None
    line: str
    """The verdict of the audit in a sentence or two."""
    concerns: tuple[Concern, ...]
    experiments: tuple[ExperimentAudit, ...]
    reporting: Reporting

    def count(self, grade: str) -> int:
        """Number of concerns of a grade."""
        return sum(one.grade == grade for one in self.concerns)


class Audit(NamedTuple):
    """Audit of a case or of one of its studies."""

    case: str
    title: str
    test_drug: str
    usual_effect: float | None
    """Median of the case's prior on the effect (SD)."""
    line: str
    studies: tuple[StudyAudit, ...]
    pairs: tuple[Pair, ...]
    manifest: dict[str, Any]

    def __repr__(self) -> str:
        return f"<Audit of {self.title}: {len(self.studies)} studies; {self.line}>"

    _repr_html_ = html_of

    @property
    def serious(self) -> int:
        """Number of serious concerns."""
        return sum(study.count("serious") for study in self.studies)

    @property
    def document(self) -> dict[str, Any]:
        """The audit as plain dictionaries and lists, ready for JSON."""
        return _plain(self) | {"serious": self.serious}


def audit(
    case: str | Path | LoadedCase,
    study: str | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> Audit:
    """Ask of published blockade experiments what a referee would ask.

    Parameters
    ----------
    case : str, Path or LoadedCase
        A bundled case, a case folder, or a case already read.
    study : str, optional
        Id of one study; all of the case where not given. Its results are still compared with those of the others.
    draws : int
        Draws of all constants of kinetics and binding for each arm.
    seed : int
        Seed of the draws.
    progress : callable, optional
        Called with (task, fraction done).

    Returns
    -------
    Audit
        Concerns, engagement and power by study, and every pair of opposite results.

    Raises
    ------
    ValueError
        If there is no such case or study.
    """
    loaded = case if isinstance(case, LoadedCase) else load_case(case)
    wanted = loaded.ledger.studies if study is None else (loaded.ledger.study(study),)
    runs = Runs(loaded, draws=draws, seed=seed)
    done: list[StudyAudit] = []
    blocked: list[BlockadeAppraisal] = []
    every = loaded.ledger.studies
    for place, one in enumerate(every):
        if progress is not None:
            progress("following doses", place / len(every))
        if one not in wanted and not any(blockades(loaded, e) for e in one.experiments):
            continue
        found, subjects = _study(one, runs)
        blocked += subjects
        if one in wanted:
            done.append(found)
    if progress is not None:
        progress("following doses", 1.0)
    kept = [
        pair for pair in pairs(blocked) if study is None or study in (pair.weakened.study, pair.spared.study)
    ]
    return Audit(
        loaded.case.name,
        loaded.case.title,
        loaded.case.test_drug,
        effect_size(_priors(loaded)),
        done[0].line if study is not None else _case_line(done, kept),
        tuple(done),
        tuple(kept),
        _manifest(loaded, draws, seed),
    )


def _study(study: Study, runs: Runs) -> tuple[StudyAudit, list[BlockadeAppraisal]]:
    loaded = runs.loaded
    experiments: list[ExperimentAudit] = []
    subjects: list[BlockadeAppraisal] = []
    concerns: list[Concern] = []
    for one in study.experiments:
        if not is_evidence(one):
            continue
        found = blockades(loaded, one)
        held, gaps = presences(one, found, runs)
        mine: list[BlockadeAppraisal] = []
        for arms in found:
            presence = next((p for p in held if p.arm == arms.blocked), None)
            read = answers(one, arms)
            shown = agonist_effect(one, arms.drug, arms.vehicle)
            could = detectable(one, arms, _priors(loaded))
            mine.append(BlockadeAppraisal(study, one, arms, read, presence, gaps, could, shown))
        for subject in mine:
            concerns += appraise(subject)
        concerns += conduct_concerns(one)
        subjects += mine
        experiments.append(_experiment(one, mine, held, gaps, loaded))
    told = reporting(study)
    concerns += reporting_concerns(study, told)
    ordered = tuple(sorted(dict.fromkeys(concerns), key=lambda concern: GRADES.index(concern.grade)))
    line = _line(subjects, ordered)
    audited = StudyAudit(
        study.id, study.title, study.year, study.source.doi, line, ordered, tuple(experiments), told
    )
    return audited, subjects


def _experiment(
    one: Experiment,
    subjects: list[BlockadeAppraisal],
    held: tuple[Presence, ...],
    gaps: tuple[Gap, ...],
    loaded: LoadedCase,
) -> ExperimentAudit:
    protocol = one.protocol
    control = one.control
    others = []
    if not subjects and control is not None:
        pairs_ = [(name, control) for name, arm in protocol.arms.items() if name != control and arm.doses]
        rows = [
            simple_contrast(
                one,
                pair,
                _priors(loaded),
                f"{pair[0]} against {control}",
                paired=protocol.design == "crossover",
            )
            for pair in pairs_
        ]
        others = [row for row in rows if row is not None]
    return ExperimentAudit(
        one.id,
        protocol.subject.species,
        protocol.subject.stratum,
        protocol.subject.paradigm,
        protocol.design,
        protocol.masking,
        tuple(_arm(name, arm, one, loaded) for name, arm in protocol.arms.items()),
        {
            key: f"{e.name}, {'phase unknown' if e.phase == 'unknown' else e.phase}"
            for key, e in protocol.endpoints.items()
        },
        len(one.outcomes),
        sum(is_scored(outcome) for outcome in one.outcomes),
        tuple(BlockadeAudit(s.blockade, s.agonist_effect, s.answers, s.detectable) for s in subjects),
        held,
        gaps,
        tuple(others),
    )


def _arm(name: str, arm: Arm, one: Experiment, loaded: LoadedCase) -> ArmLine:
    size = "not stated" if arm.n is None else str(arm.n)
    if arm.n is None and arm.n_range is not None:
        size = f"{arm.n_range[0]}\u2013{arm.n_range[1]}"
    species = one.protocol.subject.species
    ordered = sorted(arm.doses, key=lambda dose: (is_test_drug(dose.drug, loaded, species), dose.time_h))
    gets = [describe_dose(dose) for dose in ordered]
    gets += [" ".join(filter(None, (m.kind, m.target))) for m in arm.manipulations]
    return ArmLine(name, size, " + ".join(gets) or (arm.note or "vehicle"))


def _line(subjects: list[BlockadeAppraisal], concerns: tuple[Concern, ...]) -> str:
    """Say first whether engagement is the weak point, then what is."""
    rows = _telling(subjects)
    topics = dict.fromkeys(one.topic for one in concerns if one.grade == "serious")
    rest = [topic for topic in topics if not topic.startswith("antagonist at")]
    weak = f" Weak points: {', '.join(rest)}." if rest else " No serious concern."
    if not rows:
        if subjects:
            return "Engagement of the blocked arms could not be judged." + weak
        return "Nothing was blocked here." + weak
    subject, row = min(rows, key=lambda pair: pair[1].induction.together.median)
    there = row.induction.together
    several = len(subjects) > 1
    least = f" ({row.drug} in {subject.experiment.id}, arm {row.arm})" if several else ""
    text = f"{row.target} {percent(there)} at induction{_at_test(subject, row)}{least}"
    if there.median < HALF:
        return f"Engagement is the weak point: {row.drug} occupies {text}." + weak
    if there.median < FULL or there.lower < HALF:
        return f"Engagement may be a weak point: {row.drug} occupies {text}." + weak
    return f"Engagement is not the weak point: {text}." + weak


def _telling(subjects: list[BlockadeAppraisal]) -> list[tuple[BlockadeAppraisal, TargetEngagement]]:
    """Rows on which the answers rest, one an experiment: the least engaged that spared, else the most."""
    told = [one for one in subjects if one.answers] or subjects
    found = []
    for name in dict.fromkeys(one.experiment.id for one in told):
        mine = [one for one in told if one.experiment.id == name]
        spared = [one for one in mine if one.spared]
        rows = [(one, row) for one in spared or mine for row in leads(one)]
        if rows:
            pick = min if spared else max
            found.append(pick(rows, key=lambda pair: pair[1].induction.together.median))
    return found


def _at_test(subject: BlockadeAppraisal, row: TargetEngagement) -> str:
    keys = subject.experiment.protocol.tests([one.endpoint for one in subject.answers] or None)
    shown = {key: f"{100 * row.expression[key].together.median:.0f} %" for key in keys}
    if len(set(shown.values())) == 1:
        return f" and {next(iter(shown.values()))} at test"
    return " and " + ", ".join(f"{share} at {key}" for key, share in shown.items())


def _case_line(studies: list[StudyAudit], found: list[Pair]) -> str:
    serious = sum(study.count("serious") > 0 for study in studies)
    counts = {
        name: sum(pair.conclusion == name for pair in found)
        for name in dict.fromkeys(p.conclusion for p in found)
    }
    listed = "; ".join(f"{count} {name}" for name, count in counts.items())
    opposite = (
        f"{len(found)} pairs of opposite blockade results: {listed}."
        if found
        else "No opposite blockade results."
    )
    return f"{serious} of {len(studies)} studies have serious concerns. {opposite}"


def _priors(loaded: LoadedCase) -> dict[str, Any]:
    return {prior.name: prior.distribution for prior in loaded.case.priors}


def _manifest(loaded: LoadedCase, draws: int, seed: int) -> dict[str, Any]:
    return {
        "version": __version__,
        "draws": draws,
        "seed": seed,
        "case_hash": loaded.hashes["case_hash"],
    }


def _plain(value: Any) -> Any:
    """Named tuples and records as dictionaries; draws stay behind."""
    if hasattr(value, "_asdict"):
        return {
            key: _plain(one)
            for key, one in value._asdict().items()
            if key != "draws" or not isinstance(one, dict)
        }
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
