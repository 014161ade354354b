"""Study check: whether the parts of one study agree with each other and with the library, and what is in doubt."""

from collections import Counter
from collections.abc import Iterable, Iterator

from gaddum import units
from gaddum.records.experiment import ARRIVE, ROB2, SYRCLE, Experiment, Study
from gaddum.records.finding import Finding, Level, nearest
from gaddum.records.ledger import LoadedCase
from gaddum.records.outcome import Outcome, is_scored
from gaddum.records.outcome.difference import Difference
from gaddum.records.outcome.interaction import Interaction
from gaddum.records.outcome.means import Means
from gaddum.records.outcome.narrative import Narrative
from gaddum.records.outcome.responders import Responders
from gaddum.records.outcome.verdict import Verdict
from gaddum.records.plausible import numbers_in_doubt, sizes_in_doubt
from gaddum.records.protocol import Arm
from gaddum.records.quantity import Quantity
from gaddum.records.yaml import readable


def check_cohort(loaded: LoadedCase, first: Study, second: Study) -> Iterator[Finding]:
    """Find what two studies of one cohort should share and do not."""
    if first.cohort != second.cohort:
        return
    if first.lab != second.lab:
        message = (
            f"Studies of one cohort should come from one lab; {first.id} has {first.lab!r} and {second.id} has "
            f"{second.lab!r} in cohort {first.cohort!r}. Correct `lab` or `cohort`."
        )
        yield say(loaded, second, ("lab",), message, "warning")
    species = [{one.protocol.subject.species for one in study.experiments} for study in (first, second)]
    if not species[0] & species[1]:
        message = (
            f"Studies of one cohort must share subjects; {first.id} and {second.id} share no species. "
            "Give them cohorts of their own, and one `lab` if that is what they share."
        )
        yield say(loaded, second, ("cohort",), message)


def check_study(loaded: LoadedCase, study: Study) -> Iterator[Finding]:
    """Find what in a study names nothing, is said twice, or can hardly be meant."""
    for name in twice(experiment.id for experiment in study.experiments):
        message = f"An experiment's id must occur once in a study; got {name!r} again."
        yield say(loaded, study, ("experiments",), message)
    for field, items in (("risk_of_bias", (*SYRCLE, *ROB2)), ("reporting", ARRIVE)):
        for item in getattr(study, field):
            if item not in items:
                message = (
                    f"An item of `{field}` must be one of the tool's; got {item!r}. {nearest(item, items)}"
                )
                yield say(loaded, study, (field, item), message)
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
        yield say(loaded, study, (), message, "note")


def say(
    loaded: LoadedCase, study: Study | None, path: tuple, message: str, level: Level = "error"
) -> Finding:
    """Finding about a field of the case, or of a study, with its place in the file."""
    document = loaded.documents.get("case" if study is None else f"study:{study.id}")
    if document is None:
        return Finding(level, "case" if study is None else study.id, readable(path), message)
    return document.finding(path, message, level)


def twice(names: Iterable[str]) -> list[str]:
    """Names that occur more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def _arms_of(outcome: Outcome) -> tuple[tuple[tuple[str | int, ...], str], ...]:
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


def _lacks_n(experiment: Experiment, outcome: Outcome) -> bool:
    if not is_scored(outcome) or isinstance(outcome, (Means, Responders, Difference)):
        return False
    arms = (experiment.protocol.arms.get(name) for _, name in _arms_of(outcome))
    return any(arm is not None and arm.n is None and arm.n_range is None for arm in arms)


def _check_arm(loaded: LoadedCase, study: Study, path: tuple, arm: Arm) -> Iterator[Finding]:
    for place, dose in enumerate(arm.doses):
        if dose.drug not in loaded.library.drugs:
            message = (
                f"A dose must be of a drug of the library; got {dose.drug!r}. "
                f"{loaded.library.near_drug(dose.drug)}"
            )
            yield say(loaded, study, (*path, "doses", place, "drug"), message)
    for place, manipulation in enumerate(arm.manipulations):
        target = manipulation.target
        if target is not None and target not in loaded.library.targets:
            hint = nearest(target, loaded.library.targets)
            message = f"A manipulation must name a target of the library; got {target!r}. {hint}"
            yield say(loaded, study, (*path, "manipulations", place, "target"), message)
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
        yield say(loaded, study, (*path, "unit"), str(error))


def _check_outcome(
    loaded: LoadedCase, study: Study, experiment: Experiment, path: tuple, outcome: Outcome
) -> Iterator[Finding]:
    protocol = experiment.protocol
    if outcome.endpoint not in protocol.endpoints:
        hint = nearest(outcome.endpoint, protocol.endpoints)
        message = f"An outcome must name an endpoint of its protocol; got {outcome.endpoint!r}. {hint}"
        yield say(loaded, study, (*path, "endpoint"), message)
    named = _arms_of(outcome)
    for place, arm in named:
        if arm not in protocol.arms:
            message = f"An outcome must name arms of its protocol; got {arm!r}. {nearest(arm, protocol.arms)}"
            yield say(loaded, study, (*path, *place), message)
    if not isinstance(outcome, (Means, Responders)):
        for arm in twice(arm for _, arm in named):
            message = f"An outcome must compare different arms; got {arm!r} twice."
            yield say(loaded, study, path, message)
    arms = {arm: protocol.arms[arm] for _, arm in named if arm in protocol.arms}
    if isinstance(outcome, Verdict) and outcome.agonist_effect_present is False:
        message = (
            f"A verdict {outcome.verdict!r} presupposes an effect to block; got `agonist_effect_present: false`. "
            "Say so in a narrative instead, or correct the field."
        )
        yield say(loaded, study, (*path, "agonist_effect_present"), message, "warning")
    if isinstance(outcome, Means) and outcome.selected and len(outcome.arms) > 3:
        message = (
            "Selection by significance is modelled for means of two or three arms; those of "
            f"{len(outcome.arms)} arms count as published whatever they had been. Score the selected contrast apart."
        )
        yield say(loaded, study, (*path, "selected"), message, "warning")
    for place, message in (*sizes_in_doubt(outcome, arms), *numbers_in_doubt(outcome)):
        yield say(loaded, study, (*path, *place), message, "warning")
