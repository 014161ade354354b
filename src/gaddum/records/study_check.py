"""Study check: whether the parts of one study agree with each other and with the library, and what is in doubt."""

from collections import Counter
from collections.abc import Iterable, Iterator

from gaddum import units
from gaddum.records.experiment import ARRIVE, ROB2, SYRCLE, Experiment, Study
from gaddum.records.finding import Finding, Level, nearest
from gaddum.records.ledger import LoadedCase
from gaddum.records.outcome import Outcome, arms_of, is_scored
from gaddum.records.protocol import HEAVIEST, LIGHTEST, Arm
from gaddum.records.quantity import Quantity
from gaddum.records.usual_dose import doubtful_doses
from gaddum.records.yaml import readable


def check_cohort(loaded: LoadedCase, first: Study, second: Study) -> Iterator[Finding]:
    """Find what two studies of one cohort should share and do not."""
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
            place = (*here, "protocol", "subject", "weight")
            fault = list(_check_unit(loaded, study, place, weight, "mass"))
            yield from fault
            if (
                not fault
                and not LIGHTEST < units.magnitude(f"{weight.value!r} {weight.unit}", "mass") < HEAVIEST
            ):
                message = (
                    f"A body weight must be between 1 g and 1000 kg; got {weight.value:g} {weight.unit}."
                )
                yield say(loaded, study, (*place, "value"), message)
        for name, arm in experiment.protocol.arms.items():
            yield from _check_arm(loaded, study, (*here, "protocol", "arms", name), arm)
            for told in doubtful_doses(arm.doses, experiment.protocol.subject.species, loaded.library):
                yield say(loaded, study, (*here, "protocol", "arms", name, "doses"), told, "warning")
        for place, outcome in enumerate(experiment.outcomes):
            yield from _check_outcome(loaded, study, experiment, (*here, "outcomes", place), outcome)
    unsized = sum(
        is_scored(one) and experiment.lacks_sizes(one)
        for experiment in study.experiments
        for one in experiment.outcomes
    )
    if unsized:
        message = f"The number of subjects is unknown in {unsized} scored outcome(s); the prior on n applies."
        yield say(loaded, study, (), message, "note")
    silent = sum(not is_scored(one) and not one.why for e in study.experiments for one in e.outcomes)
    if silent:
        message = f"An outcome that is not scored should say `why`; {silent} of this study do not."
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
    for mention in outcome.arm_mentions:
        if mention.arm not in protocol.arms:
            hint = nearest(mention.arm, protocol.arms)
            message = f"An outcome must name arms of its protocol; got {mention.arm!r}. {hint}"
            yield say(loaded, study, (*path, *mention.field), message)
    for arm in twice(mention.arm for mention in outcome.arm_mentions if not mention.is_key):
        message = f"An outcome must compare different arms; got {arm!r} twice."
        yield say(loaded, study, path, message)
    if set(arms_of(outcome)) <= set(protocol.arms):
        for doubt in outcome.doubts(protocol):
            yield say(loaded, study, (*path, *doubt.field), doubt.message, doubt.level)
