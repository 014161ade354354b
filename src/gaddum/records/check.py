"""Check: whether the parts of a case agree with each other, and what in them is probably not meant.

Files that cannot be read as records never come here (`RecordError` says why). Errors stop an adjudication, warnings
are to be looked at, notes are counted in the report.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import get_args

from gaddum.records.case import Anchor, Case
from gaddum.records.claim import claim_faults
from gaddum.records.drug import Drug
from gaddum.records.experiment import Study
from gaddum.records.finding import Finding, Level, nearest
from gaddum.records.gate import Gate, parse_gate
from gaddum.records.ledger import LoadedCase
from gaddum.records.library import Library
from gaddum.records.outcome import is_scored
from gaddum.records.outcome.narrative import Narrative
from gaddum.records.prior_table import known_rows
from gaddum.records.species import Species
from gaddum.records.study_check import check_cohort, check_study, say, twice
from gaddum.records.vocabulary import MODES


def check_records(loaded: LoadedCase) -> list[Finding]:
    """Check a case, its ledger and its library against each other; `gaddum.weigh.readiness` tries more.

    Parameters
    ----------
    loaded : LoadedCase
        As `load_case` returns it.

    Returns
    -------
    list of Finding
        Errors first, then warnings, then notes; empty if there is nothing to say.
    """
    findings = [*_check_question(loaded), *_check_hypotheses(loaded), *_check_anchors(loaded)]
    cohorts: dict[str, Study] = {}
    for study in loaded.ledger.studies:
        findings += check_study(loaded, study)
        first = cohorts.setdefault(study.cohort, study)
        if first is not study:
            findings += check_cohort(loaded, first, study)
    return in_order(findings)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, then warnings, then notes."""
    order: tuple[Level, ...] = ("error", "warning", "note")
    return sorted(findings, key=lambda finding: order.index(finding.level))


def _check_question(loaded: LoadedCase) -> Iterator[Finding]:
    case, library = loaded.case, loaded.library
    if case.test_drug not in library.drugs:
        message = f"The test drug must be a drug of the library; got {case.test_drug!r}."
        yield say(loaded, None, ("test_drug",), f"{message} {library.near_drug(case.test_drug)}")
    for name in twice(prior.name for prior in case.priors):
        yield say(loaded, None, ("priors",), f"A prior must be given once; got {name!r} again.")
    for name in twice(claim.id for claim in case.claims):
        yield say(loaded, None, ("claims",), f"A claim's id must occur once; got {name!r} again.")
    accounts = tuple(hypothesis.name for hypothesis in case.hypotheses)
    for index, claim in enumerate(case.claims):
        for path, message in claim_faults(claim, library, loaded.ledger.studies, accounts):
            yield say(loaded, None, ("claims", index, *path), message)
    yield from _check_priors(loaded)
    yield from _check_unnamed(loaded)
    if not loaded.ledger.studies:
        message = "A ledger should hold studies; it is empty, so every answer will be the prior. Add studies/ID.yaml."
        yield say(loaded, None, (), message, "warning")
    narratives = sum(isinstance(outcome, Narrative) for _, _, outcome in loaded.ledger.outcomes())
    if narratives:
        yield say(loaded, None, (), f"{narratives} narrative outcome(s) are stored and not scored.", "note")


def _check_priors(loaded: LoadedCase) -> Iterator[Finding]:
    """Name rows that nothing reads, and those that stand by default."""
    if "case" not in loaded.documents:
        return
    rows = [prior.name for prior in loaded.case.priors]
    given = rows[: len(loaded.documents["case"].content.get("priors") or ())]
    bound = {row for target in loaded.case.unnamed_targets for row in target.ligands.values()}
    for index, name in enumerate(given):
        if name not in known_rows() and name not in bound:
            message = (
                f"A prior should be a row that a case may need; got {name!r}. {nearest(name, known_rows())}"
            )
            yield say(loaded, None, ("priors", index, "name"), message, "warning")
    if taken := rows[len(given) :]:
        message = f"{len(taken)} row(s) of the prior table stand by default: {', '.join(taken)}."
        yield say(loaded, None, ("priors",), message, "note")


def _check_unnamed(loaded: LoadedCase) -> Iterator[Finding]:
    rows = [prior.name for prior in loaded.case.priors]
    for index, target in enumerate(loaded.case.unnamed_targets):
        if target.name in loaded.library.targets:
            message = (
                f"An unnamed target must not be a target of the library; got {target.name!r}. Rename it."
            )
            yield say(loaded, None, ("unnamed_targets", index, "name"), message)
        for drug, row in target.ligands.items():
            path = ("unnamed_targets", index, "ligands", drug)
            if drug not in loaded.library.drugs:
                message = (
                    f"A ligand must be a drug of the library; got {drug!r}. {loaded.library.near_drug(drug)}"
                )
                yield say(loaded, None, path, message)
            if row not in rows:
                message = f"A ligand's K_i must be a row of `priors`; got {row!r}. {nearest(row, rows)}"
                yield say(loaded, None, path, message)


def _features(case: Case, library: Library) -> dict[str, tuple[str, ...]]:
    """Features of every target that a gate may name."""
    named: dict[str, tuple[str, ...]] = {name: target.features for name, target in library.targets.items()}
    return named | {target.name: (target.feature,) for target in case.unnamed_targets}


def _check_hypotheses(loaded: LoadedCase) -> Iterator[Finding]:
    case = loaded.case
    for name in twice(hypothesis.name for hypothesis in case.hypotheses):
        yield say(loaded, None, ("hypotheses",), f"A hypothesis must be named once; got {name!r} again.")
    features = _features(case, loaded.library)
    contrasted = _contrasted(loaded)
    for index, hypothesis in enumerate(case.hypotheses):
        here = ("hypotheses", index)
        try:
            gate = parse_gate(hypothesis.gate)
        except ValueError as error:
            yield say(loaded, None, (*here, "gate"), str(error))
            continue
        faults = list(_absent(gate, features))
        for message in faults:
            yield say(loaded, None, (*here, "gate"), message)
        for field in ("graded", "phased"):
            for place, name in enumerate(getattr(hypothesis, field)):
                if name not in gate.inputs:
                    message = (
                        f"`{field}` must name inputs of the gate; got {name!r}. {nearest(name, gate.inputs)}"
                    )
                    yield say(loaded, None, (*here, field, place), message)
        if gate.is_constant and gate.inputs:
            message = f"A gate should depend on its inputs; {hypothesis.gate!r} is always {gate.corners[0]}."
            yield say(loaded, None, (*here, "gate"), message, "warning")
        elif gate.inputs and not faults and len(loaded.ledger) and not contrasted & set(gate.essential):
            message = (
                f"Data should bear on a hypothesis; no arm of the ledger differs from another in "
                f"{' or '.join(gate.essential)}, so {hypothesis.name!r} will keep its prior odds. "
                "Add a study, or drop the hypothesis."
            )
            yield say(loaded, None, here, message, "warning")


def _absent(gate: Gate, features: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for name in gate.inputs:
        target, feature = name.rsplit(".", 1)
        if target not in features:
            yield f"A gate must name known targets; got {target!r} in {name!r}. {nearest(target, features)}"
        elif feature not in features[target]:
            offered = ", ".join(features[target])
            yield f"A gate must name features that its targets have; got {name!r}, {target} has {offered}."


def _contrasted(loaded: LoadedCase) -> set[str]:
    """Features (TARGET.feature) in which some arm of the ledger differs from another arm of its experiment."""
    touches = {name: _touched(loaded, name) for name in loaded.library.drugs}
    features = _features(loaded.case, loaded.library)
    contrasted: set[str] = set()
    for _, experiment in loaded.ledger.experiments():
        per_arm: list[dict[str, list[str]]] = []
        for arm in experiment.protocol.arms.values():
            changed: dict[str, list[str]] = {}
            for dose in arm.doses:
                for name in touches.get(dose.drug, ()):
                    changed.setdefault(name, []).append(repr(dose))
            for manipulation in arm.manipulations:
                for feature in features.get(manipulation.target or "", ()):
                    changed.setdefault(f"{manipulation.target}.{feature}", []).append(repr(manipulation))
            per_arm.append({name: sorted(changes) for name, changes in changed.items()})
        for name in {name for changed in per_arm for name in changed}:
            if len(per_arm) == 1 or any(changed.get(name) != per_arm[0].get(name) for changed in per_arm):
                contrasted.add(name)
    return contrasted


def _touched(loaded: LoadedCase, name: str) -> set[str]:
    """Features that a drug, its parts and its metabolites change."""
    family = {name}.union(*(loaded.library.family(name, species) for species in get_args(Species)))
    drugs = [drug for one in family if isinstance(drug := loaded.library.drugs[one], Drug)]
    unnamed = [target for target in loaded.case.unnamed_targets if family & target.ligands.keys()]
    return {f"{target.name}.{target.feature}" for target in unnamed} | {
        f"{one.target}.{feature}"
        for drug in drugs
        for one in drug.affinities
        for feature in MODES[one.mode].changes
    }


def _check_anchors(loaded: LoadedCase) -> Iterator[Finding]:
    anchors = loaded.case.anchors
    for key, count in Counter((anchor.stratum, anchor.phase) for anchor in anchors).items():
        if count > 1:
            yield say(
                loaded, None, ("anchors",), f"A stratum and phase must have one anchor; {key} has {count}."
            )
    for index, anchor in enumerate(anchors):
        yield from _check_anchor(loaded, anchor, ("anchors", index))
    anchored = {(anchor.stratum, anchor.phase) for anchor in anchors}
    for study, experiment, outcome in loaded.ledger.outcomes():
        endpoint = experiment.protocol.endpoints.get(outcome.endpoint)
        if endpoint is None or not is_scored(outcome):
            continue
        stratum = experiment.protocol.subject.stratum
        phases = dict.fromkeys(one.phase for one in endpoint.assessments)
        for key in [(stratum, phase) for phase in phases if (stratum, phase) not in anchored]:
            anchored.add(key)
            message = (
                f"Every stratum and phase with a scored outcome must have an anchor; got none for stratum "
                f"{key[0]!r}, phase {key[1]!r} (first scored in {study.id}, experiment {experiment.id}). "
                "Add it under `anchors` in case.yaml."
            )
            yield say(loaded, None, ("anchors",), message)


def _check_anchor(loaded: LoadedCase, anchor: Anchor, path: tuple) -> Iterator[Finding]:
    studies = {study.id: study for study in loaded.ledger.studies}
    if anchor.study not in studies:
        message = f"An anchor must name a study of the ledger; got {anchor.study!r}. {nearest(anchor.study, studies)}"
        yield say(loaded, None, (*path, "study"), message)
        return
    experiments = {experiment.id: experiment for experiment in studies[anchor.study].experiments}
    if anchor.experiment not in experiments:
        hint = nearest(anchor.experiment, experiments)
        message = f"An anchor must name an experiment of {anchor.study}; got {anchor.experiment!r}. {hint}"
        yield say(loaded, None, (*path, "experiment"), message)
        return
    protocol = experiments[anchor.experiment].protocol
    for field, known in (("arm", protocol.arms), ("endpoint", protocol.endpoints)):
        name = getattr(anchor, field)
        if name not in known:
            message = (
                f"An anchor must name an {field} of its experiment; got {name!r}. {nearest(name, known)}"
            )
            yield say(loaded, None, (*path, field), message)
    if anchor.stratum != protocol.subject.stratum:
        message = (
            f"An anchor's stratum must be that of its subjects, {protocol.subject.stratum!r}; "
            f"got {anchor.stratum!r}."
        )
        yield say(loaded, None, (*path, "stratum"), message)
    endpoint = protocol.endpoints.get(anchor.endpoint)
    if endpoint is not None and anchor.phase not in {one.phase for one in endpoint.assessments}:
        message = f"An anchor's phase must be that of its endpoint, {endpoint.phase!r}; got {anchor.phase!r}."
        yield say(loaded, None, (*path, "phase"), message)
    arm = protocol.arms.get(anchor.arm)
    if arm is not None and not arm.doses:
        message = f"An anchor must be an arm that gets the test drug; arm {anchor.arm!r} gets nothing."
        yield say(loaded, None, (*path, "arm"), message)
