"""Readiness: everything at which an adjudication of a case would stop, found before it starts.

The case's own assembly and reduction are run with what they refuse collected, so that no rule is written twice: every
scored outcome is reduced, every kind of arm laid out. Outcomes that differ in later digits only, and arms that differ
in amounts and times only, are tried once, which keeps the work linear and short; what their numbers may be is bounded
by the records. A study with errors of its own is left out until these are gone.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from gaddum.outcomes.noncentral_t import GRID
from gaddum.outcomes.reduce import reduce_outcome
from gaddum.parameters import describe, distribution_nodes
from gaddum.records.case import Anchor, Case
from gaddum.records.check import check_records, in_order
from gaddum.records.experiment import Experiment, Study
from gaddum.records.finding import Finding, Level, MissingPrior
from gaddum.records.ledger import Ledger, LoadedCase
from gaddum.records.outcome import Outcome, is_scored
from gaddum.records.outcome.base import LARGEST_D
from gaddum.records.prior import Beta, Distribution, Fixed, LogNormal, Prior, Weights
from gaddum.records.protocol import Protocol
from gaddum.records.study_check import say
from gaddum.response.assemble import Assembly, assemble

_Found = TypeVar("_Found")

_STAND_INS: dict[str, Distribution] = {
    **dict.fromkeys(("arm_noise", "standardised_effect"), Fixed(family="fixed", value=1.0)),
    **dict.fromkeys(("placebo_response", "retest_correlation"), Beta(family="beta", a=1.0, b=1.0)),
    "rule": Weights(family="weights", of={"strict": 0.5, "lax": 0.5}),
    "correction": Weights(family="weights", of={"none": 1.0}),
}
"""Rows that reduction reads as anything but a lognormal."""
_WIDEST_LOG = 60.0
"""Largest quantile of a prior on its smooth scale, most often a logarithm: 26 digits either way."""
_WIDEST = {"fixed": 1e6, "beta": 1e4, "normal": 1e4}
_ENTRY = re.compile(r"(?:hypotheses|anchors)\[[0-9]+\]")


def check_case(loaded: LoadedCase) -> list[Finding]:
    """Check a case: its ledger and its library against each other, and whether it can be weighed.

    Parameters
    ----------
    loaded : LoadedCase
        As `load_case` returns it.

    Returns
    -------
    list of Finding
        Errors first, then warnings, then notes; empty if there is nothing to say.
    """
    found = check_records(loaded)
    broken = {one.file for one in found if one.level == "error"}
    whole = tuple(one for one in loaded.ledger.studies if say(loaded, one, (), "").file not in broken)
    known = {study.id for study in whole}
    faulty = {match[0] for one in found if one.level == "error" and (match := _ENTRY.match(one.where))}
    hypotheses, anchors = (
        tuple(one for at, one in enumerate(getattr(loaded.case, field)) if f"{field}[{at}]" not in faulty)
        for field in ("hypotheses", "anchors")
    )
    kept = {"hypotheses": hypotheses, "anchors": tuple(one for one in anchors if one.study in known)}
    case = loaded.case.model_copy(update=kept)
    rest = dataclasses.replace(loaded, case=case, ledger=Ledger(whole))
    with np.errstate(all="ignore"):
        return in_order([*found, *_unready(rest)])


def _unready(loaded: LoadedCase) -> Iterator[Finding]:
    missing: list[str] = []
    yield from _unusable_priors(loaded)
    yield from _not_reduced(loaded, missing)
    yield from _not_laid_out(loaded, missing)
    if missing:
        is_asked = any(is_scored(one) for _, _, one in loaded.ledger.outcomes())
        message = (
            f"The prior table must have the rows that this case needs; it lacks {', '.join(dict.fromkeys(missing))}. "
            "Add each under `priors` in case.yaml, with its unit, distribution and reason; a bundled case has examples."
        )
        yield say(loaded, None, ("priors",), message, "error" if is_asked else "note")


def _unusable_priors(loaded: LoadedCase) -> Iterator[Finding]:
    """Rows of the prior table whose quantiles no computation can use, and no knowledge means."""
    for index, prior in enumerate(loaded.case.priors):
        if isinstance(prior.distribution, Weights):
            continue
        widest = np.max(np.abs(distribution_nodes(prior.distribution)))
        if not widest <= _WIDEST.get(prior.distribution.family, _WIDEST_LOG):
            told = describe(prior.distribution)
            message = f"A prior must span numbers that can be worked with; {prior.name} is {told}. Correct its numbers."
            yield say(loaded, None, ("priors", index, "distribution"), message)


def _not_reduced(loaded: LoadedCase, missing: list[str]) -> Iterator[Finding]:
    """Outcomes that cannot be reduced, or whose numbers amount to an effect that nobody sees."""
    priors = {prior.name: prior.distribution for prior in loaded.case.priors}
    if isinstance(open_n := priors.get("n_unknown"), LogNormal):
        priors["n_unknown"] = Fixed(family="fixed", value=open_n.median)  # one size stands for the seven
    faults: dict[Any, tuple[str, Level] | None] = {}
    for study, experiment, outcome, path in _scored(loaded.ledger):
        kind = _kind_of_outcome(experiment, outcome)
        if kind not in faults:
            faults[kind] = _fault_of(experiment, outcome, priors, missing)
        if (fault := faults[kind]) is not None:
            yield say(loaded, study, path, *fault)


def _fault_of(
    experiment: Experiment, outcome: Outcome, priors: dict[str, Distribution], missing: list[str]
) -> tuple[str, Level] | None:
    """What is wrong with an outcome; rows that are missing are added to the priors."""

    def with_row(rows: dict[str, Distribution], row: str) -> dict[str, Distribution]:
        rows[row] = _stand_in(row)
        return rows

    table, fault = _attempt(lambda rows: reduce_outcome(experiment, outcome, rows), priors, with_row, missing)
    if fault is not None:
        return fault, "error"
    if table is None or getattr(outcome, "statistic", "d") == "d":
        return None
    effect = max((abs(one["effect"]) for one in table.observed), default=0.0)
    return (_vast(effect), "warning") if effect > LARGEST_D else None


def _vast(effect: float) -> str:
    told = (
        f"A result should amount to an effect within {LARGEST_D:g} SD; with these sizes got {effect:.3g} SD."
    )
    beyond = f" Effects beyond {GRID[-1]:g} SD are weighed as that." if effect > GRID[-1] else ""
    return f"{told}{beyond} Correct its number, `df` or the arms' `n`."


def _not_laid_out(loaded: LoadedCase, missing: list[str]) -> Iterator[Finding]:
    """Arms of which the kinetics or the binding cannot be laid out; one by one where all at once cannot."""
    kinds: dict[Any, tuple[Study, int, str, str]] = {}
    chosen: dict[str, list[Experiment]] = {}
    for study, index, experiment, arm, endpoint in _readings(loaded):
        kind = _kind_of_arm(experiment.protocol, arm, endpoint)
        if kind not in kinds:
            kinds[kind] = (study, index, arm, endpoint)
            mine = chosen.setdefault(study.id, [])
            if experiment not in mine:
                mine.append(experiment)
    studies = {study.id: study for study in loaded.ledger.studies}
    thinned = Ledger(
        tuple(
            studies[name].model_copy(update={"experiments": tuple(experiments)})
            for name, experiments in chosen.items()
        )
    )

    def laid_out(case: Case, ledger: Ledger = thinned) -> Assembly:
        return assemble(dataclasses.replace(loaded, case=case, ledger=ledger))

    found, fault = _attempt(laid_out, loaded.case, _with_row, missing)
    if found is not None:
        for one in found.parameters:
            if not np.all(np.isfinite(one.nodes)):
                message = (
                    f"A quantity must be a number that can be worked with; {one.name} is {one.distribution}."
                )
                yield say(loaded, None, ("priors",), message)
    if fault is None:
        return
    faults: dict[Any, str] = {}
    for kind, (study, index, arm, endpoint) in kinds.items():
        alone = study.experiments[index].model_copy(update={"outcomes": ()})
        anchor = Anchor(
            stratum=alone.protocol.subject.stratum,
            phase=alone.protocol.endpoints[endpoint].assessments[0].phase,
            study=study.id,
            experiment=alone.id,
            endpoint=endpoint,
            arm=arm,
        )
        ledger = Ledger((study.model_copy(update={"experiments": (alone,)}),))
        case = loaded.case.model_copy(update={"anchors": (anchor,)})
        _, here = _attempt(lambda case, ledger=ledger: laid_out(case, ledger), case, _with_row, [])
        if here is not None:
            faults[kind] = here
    for study, index, experiment, arm, endpoint in _readings(loaded):
        told = faults.get(_kind_of_arm(experiment.protocol, arm, endpoint))
        if told is not None:
            yield say(loaded, study, ("experiments", index, "protocol", "arms", arm), told)
    if not faults:
        yield say(loaded, None, (), fault)


def _attempt(
    act: Callable[[Any], _Found], given: Any, with_row: Callable[[Any, str], Any], missing: list[str]
) -> tuple[_Found | None, str | None]:
    """What an act gives, or why it fails; rows of the prior table that it lacks are noted and stood in for."""
    while True:
        try:
            return act(given), None
        except MissingPrior as error:
            missing.append(error.row)
            given = with_row(given, error.row)
        except ValueError as error:
            return None, str(error)
        except Exception as error:  # whatever it is, an adjudication would stop there
            return None, f"It must be possible to weigh this; got {type(error).__name__}: {error}."


def _stand_in(row: str) -> Distribution:
    return _STAND_INS.get(row, LogNormal(family="lognormal", median=1.0, gsd=2.0))


def _with_row(case: Case, row: str) -> Case:
    prior = Prior(
        name=row, unit="1", distribution=_stand_in(row), reason="stands in for a row that is missing"
    )
    return case.model_copy(update={"priors": (*case.priors, prior)})


def _scored(ledger: Ledger) -> Iterator[tuple[Study, Experiment, Outcome, tuple[str | int, ...]]]:
    for study in ledger.studies:
        for index, experiment in enumerate(study.experiments):
            for place, outcome in enumerate(experiment.outcomes):
                if is_scored(outcome):
                    yield study, experiment, outcome, ("experiments", index, "outcomes", place)


def _readings(loaded: LoadedCase) -> Iterator[tuple[Study, int, Experiment, str, str]]:
    """Arms that are read at an endpoint by a scored outcome or as an anchor."""
    anchors: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for one in loaded.case.anchors:
        anchors.setdefault((one.study, one.experiment), []).append((one.arm, one.endpoint))
    for study in loaded.ledger.studies:
        for index, experiment in enumerate(study.experiments):
            scored = [one for one in experiment.outcomes if is_scored(one)]
            read = [(mention.arm, one.endpoint) for one in scored for mention in one.arm_mentions]
            for arm, endpoint in dict.fromkeys((*read, *anchors.get((study.id, experiment.id), ()))):
                yield study, index, experiment, arm, endpoint


def _kind_of_outcome(experiment: Experiment, outcome: Outcome) -> Any:
    protocol = experiment.protocol
    said = outcome.model_dump(exclude={"source", "endpoint", "same_subjects", "correlation"})
    arms = tuple(
        (name, _rounded(arm.n), arm.n_range, arm.subset_of is None, not arm.doses)
        for name, arm in protocol.arms.items()
    )
    return (protocol.design, arms, _hashable(said), type(outcome))


def _kind_of_arm(protocol: Protocol, name: str, endpoint: str) -> Any:
    arm, subject = protocol.arms[name], protocol.subject
    doses = tuple(
        (one.drug, one.route, one.repeats > 1, one.steady_state, one.duration is None) for one in arm.doses
    )
    read = protocol.endpoints[endpoint]
    weighed = subject.weight is None
    left = _hashable([one.model_dump(exclude={"note"}) for one in arm.manipulations])
    return (subject.species, subject.stratum, weighed, doses, left, read.phase, read.family)


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, _hashable(one)) for key, one in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_hashable, value))
    return _rounded(value) if isinstance(value, float) else value


def _rounded(value: float | None) -> Any:
    """A number of two digits or more by its first alone."""
    if value is None or (isinstance(value, int) and value < 10):
        return value
    return f"{value:.0e}"
