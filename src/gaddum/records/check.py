"""Check: whether the parts of a case agree with each other, and what in them is probably not meant.

Files that cannot be read as records never come here (`RecordError` says why). Errors stop an adjudication, warnings
are to be looked at, notes are counted in the report.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from gaddum import units
from gaddum.records.case import Anchor, Case
from gaddum.records.claim import claim_faults
from gaddum.records.drug import Drug
from gaddum.records.experiment import ARRIVE, ROB2, SYRCLE, Experiment, Study
from gaddum.records.finding import Finding, Level, nearest
from gaddum.records.gate import Gate, parse_gate
from gaddum.records.ledger import LoadedCase
from gaddum.records.library import Library
from gaddum.records.outcome import (
    Difference,
    Interaction,
    Means,
    Narrative,
    Outcome,
    Responders,
    Verdict,
)
from gaddum.records.plausible import numbers_in_doubt, sizes_in_doubt
from gaddum.records.protocol import Arm
from gaddum.records.quantity import Quantity
from gaddum.records.yaml import readable

_CHANGES = {
    "agonist": ("agonism", "engagement"),
    "competitive antagonist": ("tone", "agonism", "engagement"),
    "channel blocker": ("block", "reserve", "engagement"),
    "glutamate-site antagonist": ("block", "reserve", "engagement"),
}
"""Features of a target that a drug changes, by its mode."""


def check_case(loaded: LoadedCase) -> list[Finding]:
    """Check a case, its ledger and its library against each other.

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
    for index, study in enumerate(loaded.ledger.studies):
        findings += _check_study(loaded, study)
        for other in loaded.ledger.studies[:index]:
            findings += _check_cohort(loaded, other, study)
    order: tuple[Level, ...] = ("error", "warning", "note")
    return sorted(findings, key=lambda finding: order.index(finding.level))


def is_scored(outcome: Outcome) -> bool:
    """Whether an outcome enters the likelihood."""
    return outcome.primary and not isinstance(outcome, Narrative)


def arms_of(outcome: Outcome) -> tuple[tuple[tuple[str | int, ...], str], ...]:
    """Arms that an outcome speaks of, with the field path of each."""
    if isinstance(outcome, Means):
        return tuple((("arms", arm), arm) for arm in outcome.arms)
    if isinstance(outcome, Responders):
        named: list[tuple[tuple[str | int, ...], str]] = [(("counts", arm), arm) for arm in outcome.counts]
        if outcome.retest is not None:
            named.append((("retest", "arm"), outcome.retest.arm))
            named.append((("retest", "among_responders_of"), outcome.retest.among_responders_of))
        return tuple(named)
    if isinstance(outcome, Interaction):
        return tuple((("arms", index), arm) for index, arm in enumerate(outcome.arms))
    if isinstance(outcome, Verdict):
        return tuple((("roles", role), arm) for role, arm in outcome.roles.items())
    if isinstance(outcome, Narrative):
        return ()
    return tuple((("contrast", index), arm) for index, arm in enumerate(outcome.contrast))


def _say(
    loaded: LoadedCase, study: Study | None, path: tuple, message: str, level: Level = "error"
) -> Finding:
    document = loaded.documents.get("case" if study is None else f"study:{study.id}")
    if document is None:
        return Finding(level, "case" if study is None else study.id, readable(path), message)
    return document.finding(path, message, level)


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _check_question(loaded: LoadedCase) -> Iterator[Finding]:
    case, library = loaded.case, loaded.library
    if case.test_drug not in library.drugs:
        message = f"The test drug must be a drug of the library; got {case.test_drug!r}."
        yield _say(loaded, None, ("test_drug",), f"{message} {library.near_drug(case.test_drug)}")
    for name in _twice(prior.name for prior in case.priors):
        yield _say(loaded, None, ("priors",), f"A prior must be given once; got {name!r} again.")
    for name in _twice(claim.id for claim in case.claims):
        yield _say(loaded, None, ("claims",), f"A claim's id must occur once; got {name!r} again.")
    accounts = tuple(hypothesis.name for hypothesis in case.hypotheses)
    for index, claim in enumerate(case.claims):
        for path, message in claim_faults(claim, library, loaded.ledger.studies, accounts):
            yield _say(loaded, None, ("claims", index, *path), message)
    yield from _check_unnamed(loaded)
    if not loaded.ledger.studies:
        message = "A ledger should hold studies; it is empty, so every answer will be the prior. Add studies/ID.yaml."
        yield _say(loaded, None, (), message, "warning")
    narratives = sum(isinstance(outcome, Narrative) for _, _, outcome in loaded.ledger.outcomes())
    if narratives:
        yield _say(loaded, None, (), f"{narratives} narrative outcome(s) are stored and not scored.", "note")


def _check_unnamed(loaded: LoadedCase) -> Iterator[Finding]:
    rows = [prior.name for prior in loaded.case.priors]
    for index, target in enumerate(loaded.case.unnamed_targets):
        if target.name in loaded.library.targets:
            message = (
                f"An unnamed target must not be a target of the library; got {target.name!r}. Rename it."
            )
            yield _say(loaded, None, ("unnamed_targets", index, "name"), message)
        for drug, row in target.ligands.items():
            path = ("unnamed_targets", index, "ligands", drug)
            if drug not in loaded.library.drugs:
                message = (
                    f"A ligand must be a drug of the library; got {drug!r}. {loaded.library.near_drug(drug)}"
                )
                yield _say(loaded, None, path, message)
            if row not in rows:
                message = f"A ligand's K_i must be a row of `priors`; got {row!r}. {nearest(row, rows)}"
                yield _say(loaded, None, path, message)


def _features(case: Case, library: Library) -> dict[str, tuple[str, ...]]:
    """Features of every target that a gate may name."""
    named: dict[str, tuple[str, ...]] = {name: target.features for name, target in library.targets.items()}
    return named | {target.name: (target.feature,) for target in case.unnamed_targets}


def _check_hypotheses(loaded: LoadedCase) -> Iterator[Finding]:
    case = loaded.case
    for name in _twice(hypothesis.name for hypothesis in case.hypotheses):
        yield _say(loaded, None, ("hypotheses",), f"A hypothesis must be named once; got {name!r} again.")
    features = _features(case, loaded.library)
    contrasted = _contrasted(loaded)
    for index, hypothesis in enumerate(case.hypotheses):
        here = ("hypotheses", index)
        try:
            gate = parse_gate(hypothesis.gate)
        except ValueError as error:
            yield _say(loaded, None, (*here, "gate"), str(error))
            continue
        faults = list(_absent(gate, features))
        for message in faults:
            yield _say(loaded, None, (*here, "gate"), message)
        for field in ("graded", "phased"):
            for place, name in enumerate(getattr(hypothesis, field)):
                if name not in gate.inputs:
                    message = (
                        f"`{field}` must name inputs of the gate; got {name!r}. {nearest(name, gate.inputs)}"
                    )
                    yield _say(loaded, None, (*here, field, place), message)
        if gate.is_constant and gate.inputs:
            message = f"A gate should depend on its inputs; {hypothesis.gate!r} is always {gate.corners[0]}."
            yield _say(loaded, None, (*here, "gate"), message, "warning")
        elif gate.inputs and not faults and len(loaded.ledger) and not contrasted & set(gate.essential):
            message = (
                f"Data should bear on a hypothesis; no arm of the ledger differs from another in "
                f"{' or '.join(gate.essential)}, so {hypothesis.name!r} will keep its prior odds. "
                "Add a study, or drop the hypothesis."
            )
            yield _say(loaded, None, here, message, "warning")


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
    pending, seen, touched = [name], set(), set()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        drug = loaded.library.drugs.get(current)
        if isinstance(drug, Drug):
            touched |= {
                f"{one.target}.{feature}" for one in drug.affinities for feature in _CHANGES[one.mode]
            }
            pending += [one.drug for formed in drug.metabolites.values() for one in formed]
        elif drug is not None:
            pending += [part.drug for part in drug.parts]
        unnamed = (target for target in loaded.case.unnamed_targets if current in target.ligands)
        touched |= {f"{target.name}.{target.feature}" for target in unnamed}
    return touched


def _check_anchors(loaded: LoadedCase) -> Iterator[Finding]:
    anchors = loaded.case.anchors
    for key, count in Counter((anchor.stratum, anchor.phase) for anchor in anchors).items():
        if count > 1:
            yield _say(
                loaded, None, ("anchors",), f"A stratum and phase must have one anchor; {key} has {count}."
            )
    for index, anchor in enumerate(anchors):
        yield from _check_anchor(loaded, anchor, ("anchors", index))
    anchored = {(anchor.stratum, anchor.phase) for anchor in anchors}
    for study, experiment, outcome in loaded.ledger.outcomes():
        endpoint = experiment.protocol.endpoints.get(outcome.endpoint)
        if endpoint is None or not is_scored(outcome):
            continue
        key = (experiment.protocol.subject.stratum, endpoint.phase)
        if key not in anchored:
            anchored.add(key)
            message = (
                f"Every stratum and phase with a scored outcome must have an anchor; got none for stratum "
                f"{key[0]!r}, phase {key[1]!r} (first scored in {study.id}, experiment {experiment.id}). "
                "Add it under `anchors` in case.yaml."
            )
            yield _say(loaded, None, ("anchors",), message)


def _check_anchor(loaded: LoadedCase, anchor: Anchor, path: tuple) -> Iterator[Finding]:
    studies = {study.id: study for study in loaded.ledger.studies}
    if anchor.study not in studies:
        message = f"An anchor must name a study of the ledger; got {anchor.study!r}. {nearest(anchor.study, studies)}"
        yield _say(loaded, None, (*path, "study"), message)
        return
    experiments = {experiment.id: experiment for experiment in studies[anchor.study].experiments}
    if anchor.experiment not in experiments:
        hint = nearest(anchor.experiment, experiments)
        message = f"An anchor must name an experiment of {anchor.study}; got {anchor.experiment!r}. {hint}"
        yield _say(loaded, None, (*path, "experiment"), message)
        return
    protocol = experiments[anchor.experiment].protocol
    for field, known in (("arm", protocol.arms), ("endpoint", protocol.endpoints)):
        name = getattr(anchor, field)
        if name not in known:
            message = (
                f"An anchor must name an {field} of its experiment; got {name!r}. {nearest(name, known)}"
            )
            yield _say(loaded, None, (*path, field), message)
    if anchor.stratum != protocol.subject.stratum:
        message = (
            f"An anchor's stratum must be that of its subjects, {protocol.subject.stratum!r}; "
            f"got {anchor.stratum!r}."
        )
        yield _say(loaded, None, (*path, "stratum"), message)
    endpoint = protocol.endpoints.get(anchor.endpoint)
    if endpoint is not None and endpoint.phase != anchor.phase:
        message = f"An anchor's phase must be that of its endpoint, {endpoint.phase!r}; got {anchor.phase!r}."
        yield _say(loaded, None, (*path, "phase"), message)
    arm = protocol.arms.get(anchor.arm)
    if arm is not None and not arm.doses:
        message = f"An anchor must be an arm that gets the test drug; arm {anchor.arm!r} gets nothing."
        yield _say(loaded, None, (*path, "arm"), message)


def _check_cohort(loaded: LoadedCase, first: Study, second: Study) -> Iterator[Finding]:
    if first.cohort != second.cohort:
        return
    if first.lab != second.lab:
        message = (
            f"Studies of one cohort should come from one lab; {first.id} has {first.lab!r} and {second.id} has "
            f"{second.lab!r} in cohort {first.cohort!r}. Correct `lab` or `cohort`."
        )
        yield _say(loaded, second, ("lab",), message, "warning")
    species = [{one.protocol.subject.species for one in study.experiments} for study in (first, second)]
    if not species[0] & species[1]:
        message = (
            f"Studies of one cohort must share subjects; {first.id} and {second.id} share no species. "
            "Give them cohorts of their own, and one `lab` if that is what they share."
        )
        yield _say(loaded, second, ("cohort",), message)


def _check_study(loaded: LoadedCase, study: Study) -> Iterator[Finding]:
    for name in _twice(experiment.id for experiment in study.experiments):
        message = f"An experiment's id must occur once in a study; got {name!r} again."
        yield _say(loaded, study, ("experiments",), message)
    for field, items in (("risk_of_bias", (*SYRCLE, *ROB2)), ("reporting", ARRIVE)):
        for item in getattr(study, field):
            if item not in items:
                message = (
                    f"An item of `{field}` must be one of the tool's; got {item!r}. {nearest(item, items)}"
                )
                yield _say(loaded, study, (field, item), message)
    for index, experiment in enumerate(study.experiments):
        here = ("experiments", index)
        weight = experiment.protocol.subject.weight
        if weight is not None:
            yield from _check_unit(loaded, study, (*here, "protocol", "subject", "weight"), weight, "mass")
        for name, arm in experiment.protocol.arms.items():
            yield from _check_arm(loaded, study, (*here, "protocol", "arms", name), arm)
        for place, outcome in enumerate(experiment.outcomes):
            yield from _check_outcome(loaded, study, experiment, (*here, "outcomes", place), outcome)
    unsized = sum(
        _lacks_n(experiment, one) for experiment in study.experiments for one in experiment.outcomes
    )
    if unsized:
        message = f"The number of subjects is unknown in {unsized} scored outcome(s); the prior on n applies."
        yield _say(loaded, study, (), message, "note")


def _lacks_n(experiment: Experiment, outcome: Outcome) -> bool:
    if not is_scored(outcome) or isinstance(outcome, (Means, Responders, Difference)):
        return False
    arms = (experiment.protocol.arms.get(name) for _, name in arms_of(outcome))
    return any(arm is not None and arm.n is None and arm.n_range is None for arm in arms)


def _check_arm(loaded: LoadedCase, study: Study, path: tuple, arm: Arm) -> Iterator[Finding]:
    for place, dose in enumerate(arm.doses):
        if dose.drug not in loaded.library.drugs:
            message = (
                f"A dose must be of a drug of the library; got {dose.drug!r}. "
                f"{loaded.library.near_drug(dose.drug)}"
            )
            yield _say(loaded, study, (*path, "doses", place, "drug"), message)
    for place, manipulation in enumerate(arm.manipulations):
        target = manipulation.target
        if target is not None and target not in loaded.library.targets:
            hint = nearest(target, loaded.library.targets)
            message = f"A manipulation must name a target of the library; got {target!r}. {hint}"
            yield _say(loaded, study, (*path, "manipulations", place, "target"), message)
        for field in ("availability", "tone"):
            for index, quantity in enumerate(getattr(manipulation, field) or ()):
                here = (*path, "manipulations", place, field, index)
                yield from _check_unit(loaded, study, here, quantity, "number")


def _check_unit(
    loaded: LoadedCase, study: Study, path: tuple, quantity: Quantity, kind: units.Kind
) -> Iterator[Finding]:
    try:
        units.magnitude(f"{quantity.value!r} {quantity.unit}", kind)
    except ValueError as error:
        yield _say(loaded, study, (*path, "unit"), str(error))


def _check_outcome(
    loaded: LoadedCase, study: Study, experiment: Experiment, path: tuple, outcome: Outcome
) -> Iterator[Finding]:
    protocol = experiment.protocol
    if outcome.endpoint not in protocol.endpoints:
        hint = nearest(outcome.endpoint, protocol.endpoints)
        message = f"An outcome must name an endpoint of its protocol; got {outcome.endpoint!r}. {hint}"
        yield _say(loaded, study, (*path, "endpoint"), message)
    named = arms_of(outcome)
    for place, arm in named:
        if arm not in protocol.arms:
            message = f"An outcome must name arms of its protocol; got {arm!r}. {nearest(arm, protocol.arms)}"
            yield _say(loaded, study, (*path, *place), message)
    if not isinstance(outcome, (Means, Responders)):
        for arm in _twice(arm for _, arm in named):
            message = f"An outcome must compare different arms; got {arm!r} twice."
            yield _say(loaded, study, path, message)
    arms = {arm: protocol.arms[arm] for _, arm in named if arm in protocol.arms}
    if isinstance(outcome, Verdict) and outcome.agonist_effect_present is False:
        message = (
            f"A verdict {outcome.verdict!r} presupposes an effect to block; got `agonist_effect_present: false`. "
            "Say so in a narrative instead, or correct the field."
        )
        yield _say(loaded, study, (*path, "agonist_effect_present"), message, "warning")
    for place, message in (*sizes_in_doubt(outcome, arms), *numbers_in_doubt(outcome)):
        yield _say(loaded, study, (*path, *place), message, "warning")
