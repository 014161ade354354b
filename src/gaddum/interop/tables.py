"""Tables: a ledger as plain rows, one table for each kind of record, for SQL and other programs that think in tables.

Rows of one study, experiment or arm join on `study`, `experiment` and `arm`; outcomes are numbered within their
experiment. Times are in hours from the test drug. What a report does not say is null.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

from gaddum import units
from gaddum.records.dose import HELD, Dose
from gaddum.records.experiment import Experiment, Study
from gaddum.records.field import FieldPath
from gaddum.records.ledger import Ledger
from gaddum.records.outcome import Outcome, is_scored
from gaddum.records.outcome.interaction import Interaction
from gaddum.records.outcome.means import Means
from gaddum.records.outcome.responders import Responders
from gaddum.records.outcome.verdict import Verdict
from gaddum.records.quantity import Quantity, Reported
from gaddum.records.shorthand import write_doses
from gaddum.records.source import Source
from gaddum.records.yaml import readable


class Column(NamedTuple):
    """One column: its name, its SQL type and what it holds."""

    name: str
    kind: str
    says: str


def _columns(text: str) -> tuple[Column, ...]:
    """Read columns from lines ``name : kind : meaning``."""
    parts = (line.split(" : ") for line in text.strip().splitlines())
    return tuple(Column(*(part.strip() for part in line)) for line in parts)


_STUDY = "study : VARCHAR : id of the study"
_EXPERIMENT = f"{_STUDY}\nexperiment : VARCHAR : id within the study"
_ARM = f"{_EXPERIMENT}\narm : VARCHAR : name within the experiment"
_OUTCOME = f"{_EXPERIMENT}\noutcome : INTEGER : number within the experiment, from 1"
_SOURCE = """
how : VARCHAR : measured, abstract, secondary, derived or assumption
doi : VARCHAR : DOI
pmid : VARCHAR : PubMed's number
cites : VARCHAR : free citation"""

TABLES: dict[str, tuple[Column, ...]] = {
    "studies": _columns(
        f"""{_STUDY}
year : INTEGER : of publication
title : VARCHAR : title
cohort : VARCHAR : shared by reports on the same subjects
lab : VARCHAR : shared by the cohorts of a laboratory
competing_interests : VARCHAR : as declared
sponsor : VARCHAR : sponsor{_SOURCE}
note : VARCHAR : remarks"""
    ),
    "experiments": _columns(
        f"""{_EXPERIMENT}
species : VARCHAR : species
strain : VARCHAR : strain
sex : VARCHAR : male, female, mixed or unstated
age : VARCHAR : age
weight_kg : DOUBLE : mean body weight (kg)
paradigm : VARCHAR : test, model or diagnosis
aetiology : VARCHAR : how subjects came to be as they are
comparator : VARCHAR : group that the paradigm is compared with
stress : VARCHAR : stressed, unstressed or unstated
preparation : VARCHAR : behaving, slice or imaging
stratum : VARCHAR : key under which results are pooled
design : VARCHAR : parallel, crossover, single-arm or unstated
masking : VARCHAR : open, single, double or unstated
selection : VARCHAR : rule by which subjects were selected
washout : VARCHAR : washout
arms : INTEGER : number of arms
outcomes : INTEGER : number of outcomes{_SOURCE}"""
    ),
    "arms": _columns(
        f"""{_ARM}
n : INTEGER : subjects
n_low : INTEGER : least n where a range is reported
n_high : INTEGER : largest n where a range is reported
doses : VARCHAR : doses in shorthand; null for vehicle, and where shorthand cannot say them
subset_of : VARCHAR : arm whose subjects these are
expectancy : DOUBLE : how far subjects can tell that the drug is active (0 to 1)
note : VARCHAR : remarks"""
    ),
    "doses": _columns(
        f"""{_ARM}
dose : INTEGER : number within the arm, from 1
drug : VARCHAR : key of the library
amount : VARCHAR : as reported
amount_value : DOUBLE : in amount_unit
amount_unit : VARCHAR : mg, mg/kg, nmol, nmol/kg, nM or ng/mL
route : VARCHAR : route
time_h : DOUBLE : hours from the test drug
duration_h : DOUBLE : length of an infusion or a held concentration (h)
repeats : INTEGER : number of doses of a series
interval_h : DOUBLE : between the doses of a series (h)
steady_state : BOOLEAN : given for ever before
salt : VARCHAR : salt, base or unstated"""
    ),
    "manipulations": _columns(
        f"""{_ARM}
kind : VARCHAR : knock-out, antibody, lesion, gonadectomy, inhibition, masking or other
target : VARCHAR : key of the library
availability : DOUBLE : fraction of receptors left; the mean where sources conflict
tone : DOUBLE : fraction of endogenous agonist left; the mean where sources conflict
note : VARCHAR : remarks"""
    ),
    "endpoints": _columns(
        f"""{_EXPERIMENT}
endpoint : VARCHAR : key within the experiment
name : VARCHAR : what is read
family : VARCHAR : family of the readout
test_time : VARCHAR : as written: one time, several of which it was one, or unknown
test_time_h : DOUBLE : hours from the test drug; the middle of a window; empty where it is not known
phase : VARCHAR : acute, sustained or unknown
improvement : VARCHAR : increase or decrease"""
    ),
    "outcomes": _columns(
        f"""{_OUTCOME}
endpoint : VARCHAR : key within the experiment
form : VARCHAR : form in which the result is reported
scored : BOOLEAN : whether it enters the likelihood
is_primary : BOOLEAN : false for a second reading of a scale already used
selected : BOOLEAN : whether publication may have depended on it
same_subjects : VARCHAR : shared by outcomes on the same subjects
correlation : DOUBLE : with the other outcomes on these subjects
verdict : VARCHAR : event of a verdict
rule : VARCHAR : strict, lax or unknown
correction : VARCHAR : for multiple tests
agonist_effect_present : BOOLEAN : whether the drug alone worked
statistic : VARCHAR : t, F, d or p
value : DOUBLE : of the statistic, or of a difference
df : DOUBLE : residual degrees of freedom
p : DOUBLE : exact two-sided p
threshold : DOUBLE : of a p-threshold
significant : BOOLEAN : whether p was below the threshold
better : VARCHAR : arm of a contrast that did better, first or second
paired : BOOLEAN : whether the test was paired
positive : BOOLEAN : direction of an interaction
ci_low : DOUBLE : lower limit of a difference
ci_high : DOUBLE : upper limit of a difference
ci_level : DOUBLE : level of the interval
sd : DOUBLE : within-group SD of a difference in points
change : BOOLEAN : whether means are changes
criterion : VARCHAR : who counts as responder
text : VARCHAR : of a narrative
why : VARCHAR : why a narrative is not scored{_SOURCE}"""
    ),
    "outcome_arms": _columns(
        f"""{_OUTCOME}
role : VARCHAR : K, V, KA, A, X, KX, first, second, group, counted, retest or retested
arm : VARCHAR : name within the experiment
mean : DOUBLE : of the endpoint
spread : DOUBLE : of the endpoint
spread_kind : VARCHAR : SD, SEM or unclear
responders : INTEGER : responders
n : INTEGER : subjects behind the result"""
    ),
    "judgements": _columns(
        f"""{_STUDY}
list : VARCHAR : risk of bias or reporting
item : VARCHAR : item of the list
judgement : VARCHAR : low, high or unclear; reported or not reported"""
    ),
    "sources": _columns(
        f"""{_STUDY}
field : VARCHAR : field of the study's record that the source is of{_SOURCE}
locator : VARCHAR : figure, table or paragraph
reason : VARCHAR : method of a derivation or reason of an assumption"""
    ),
}
"""Every table and its columns."""


def ledger_tables(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of every table, in the order of the ledger.

    Parameters
    ----------
    ledger : Ledger
        The studies.

    Returns
    -------
    dict of str to list of tuple
        Rows by table; their values in the order of the table's columns in `TABLES`.
    """
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
    for study in ledger.studies:
        for name, row in _of_study(study):
            rows[name].append(tuple(row.get(column.name) for column in TABLES[name]))
    return rows


def sources_of(study: Study) -> Iterator[tuple[FieldPath, Source]]:
    """Every source in a study, with the field that it is of."""
    return _walk(study, ())


def describe_tables() -> str:
    """Tables and columns as text, one table a line."""
    return "\n".join(
        f"{name}({', '.join(column.name for column in columns)})" for name, columns in TABLES.items()
    )


_Row = tuple[str, dict[str, Any]]


def _of_study(study: Study) -> Iterator[_Row]:
    key = {"study": study.id}
    yield "studies", key | study.model_dump(exclude={"experiments"}) | _cited(study.source)
    for item, judgement in study.risk_of_bias.items():
        yield "judgements", key | {"list": "risk of bias", "item": item, "judgement": judgement}
    for item, told in study.reporting.items():
        judgement = "reported" if told else "not reported"
        yield "judgements", key | {"list": "reporting", "item": item, "judgement": judgement}
    for experiment in study.experiments:
        yield from _of_experiment(key | {"experiment": experiment.id}, experiment)
    for path, source in sources_of(study):
        yield "sources", key | {"field": readable(path)} | source.model_dump()


def _of_experiment(key: dict[str, Any], experiment: Experiment) -> Iterator[_Row]:
    protocol = experiment.protocol
    subject = protocol.subject
    sizes = {"arms": len(protocol.arms), "outcomes": len(experiment.outcomes)}
    more = {"stratum": subject.stratum, "weight_kg": _kilograms(subject.weight)}
    yield (
        "experiments",
        key
        | protocol.model_dump(exclude={"arms", "endpoints", "subject"})
        | subject.model_dump()
        | sizes
        | more
        | _cited(protocol.source),
    )
    for name, arm in protocol.arms.items():
        here = key | {"arm": name}
        low, high = arm.n_range or (None, None)
        yield "arms", here | arm.model_dump() | {"n_low": low, "n_high": high, "doses": _shorthand(arm.doses)}
        for number, dose in enumerate(arm.doses, 1):
            yield "doses", here | {"dose": number} | _dose(dose)
        for one in arm.manipulations:
            left = {"availability": _mean(one.availability), "tone": _mean(one.tone)}
            yield "manipulations", here | one.model_dump() | left
    for name, endpoint in protocol.endpoints.items():
        yield (
            "endpoints",
            key | {"endpoint": name} | endpoint.model_dump() | {"test_time_h": endpoint.test_time_h},
        )
    for number, outcome in enumerate(experiment.outcomes, 1):
        here = key | {"outcome": number}
        low, high = getattr(outcome, "ci", (None, None))
        more = {"scored": is_scored(outcome), "is_primary": outcome.primary, "ci_low": low, "ci_high": high}
        yield "outcomes", here | outcome.model_dump() | more | _cited(outcome.source)
        for row in _outcome_arms(outcome):
            yield "outcome_arms", here | row


def _outcome_arms(outcome: Outcome) -> Iterator[dict[str, Any]]:
    match outcome:
        case Means():
            for name, one in outcome.arms.items():
                yield {"role": "group", "arm": name} | one.model_dump()
        case Responders():
            for name, one in outcome.counts.items():
                yield {"role": "counted", "arm": name} | one.model_dump()
            if outcome.retest is not None:
                yield {"role": "retest"} | outcome.retest.model_dump()
                yield {"role": "retested", "arm": outcome.retest.among_responders_of}
        case Verdict():
            for role, name in outcome.roles.items():
                yield {"role": role, "arm": name}
        case Interaction():
            for role, name in zip(("K", "V", "KA", "A"), outcome.arms, strict=True):
                yield {"role": role, "arm": name}
        case _:
            for role, name in zip(("first", "second"), getattr(outcome, "contrast", ()), strict=False):
                yield {"role": role, "arm": name}


def _shorthand(doses: tuple[Dose, ...]) -> str | None:
    try:
        return write_doses(doses) if doses else None
    except ValueError:
        return None


def _dose(dose: Dose) -> dict[str, Any]:
    kind = "concentration" if dose.route in HELD else "dose"
    return dose.model_dump() | {
        "amount_value": units.magnitude(dose.amount, kind),
        "amount_unit": units.canonical_unit(dose.amount, kind),
        "time_h": dose.time_h,
        "duration_h": dose.duration_h,
        "interval_h": None if dose.interval is None else units.magnitude(dose.interval, "time"),
    }


def _cited(source: Source) -> dict[str, Any]:
    return {name: getattr(source, name) for name in ("how", "doi", "pmid", "cites")}


def _kilograms(weight: Quantity | None) -> float | None:
    return None if weight is None else units.magnitude(f"{weight.value!r} {weight.unit}", "mass")


def _mean(reported: Reported | None) -> float | None:
    if reported is None:
        return None
    values = [units.magnitude(f"{one.value!r} {one.unit}", "number") for one in reported]
    return sum(values) / len(values)


def _walk(value: Any, path: FieldPath) -> Iterator[tuple[FieldPath, Source]]:
    if isinstance(value, Source):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name), (*path, name))
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _walk(part, (*path, key))
    elif isinstance(value, tuple):
        for index, part in enumerate(value):
            yield from _walk(part, (*path, index))
