"""Standard: the columns in which a ledger is exported, and which are read back without a mapping.

Those of outcomes follow from the records of their forms: a path in words, with ``arm #`` for a key that is an arm.
"""

from collections.abc import Iterator

from gaddum.interop.mapping import Mapping
from gaddum.records.field import leaves
from gaddum.records.outcome import RECORDS
from gaddum.records.outcome.base import ReportedOutcome

_SOURCE = ("how", "doi", "pmid", "cites", "locator", "reason")

_BEFORE = """
study.id : study
study.year : year
study.title : title
experiment.id : experiment
endpoint.key : endpoint
outcome.form : form
subject.species : species
subject.strain : strain
subject.sex : sex
subject.age : age
subject.paradigm : paradigm
subject.aetiology : aetiology
subject.comparator : comparator
subject.stress : stress
subject.preparation : preparation
subject.weight : weight
endpoint.name : endpoint name
endpoint.family : endpoint family
endpoint.test_time : test time
endpoint.test_time_latest : test time latest
endpoint.phase : phase
endpoint.improvement : improvement
arms.{arm #}.n : arm # n
arms.{arm #}.n_range : arm # n range
arms.{arm #}.doses : arm # doses
arms.{arm #}.manipulations : arm # manipulations
arms.{arm #}.subset_of : arm # subset of
arms.{arm #}.expectancy : arm # expectancy
arms.{arm #}.note : arm # note
"""

_NAMES = {
    "arms.{arm #}.n": "arm # mean of n",
    "counts.{arm #}.n": "arm # responders of n",
    "contrast.0": "first arm",
    "contrast.1": "second arm",
    "ci.0": "ci low",
    "ci.1": "ci high",
    "arms.0": "interaction K",
    "arms.1": "interaction V",
    "arms.2": "interaction KA",
    "arms.3": "interaction A",
}
"""Columns of outcomes whose names are not their paths."""

_AFTER = """
protocol.design : design
protocol.masking : masking
protocol.selection : selection
protocol.washout : washout
protocol.session_correlation : session correlation
protocol.cells_per_animal : cells per animal
protocol.engagement : engagement
study.cohort : cohort
study.lab : lab
study.competing_interests : competing interests
study.sponsor : sponsor
study.risk_of_bias : risk of bias
study.reporting : reporting
study.note : study note
"""


def _outcome_columns() -> Iterator[list[str]]:
    """Path and column of every field of any form, those that all forms share last."""
    paths = dict.fromkeys(path for record in RECORDS.values() for path, _ in leaves(record))
    for path in sorted(paths, key=lambda path: path[0] in ReportedOutcome.model_fields):
        if path[0] in ("form", "endpoint", "source"):
            continue
        name = ".".join("{arm #}" if part == "*" else str(part) for part in path)
        field, *inside = (str(part).replace("_", " ") for part in path)
        words = (
            ["arm #", *inside[1:]] if "*" in path else [field.removesuffix("s") if inside else field, *inside]
        )
        yield [f"outcome.{name}", _NAMES.get(name, " ".join(words))]


def _declared(text: str) -> Iterator[list[str]]:
    for line in text.strip().splitlines():
        yield line.split(" : ")


_PAIRS = [
    *_declared(_BEFORE),
    *_outcome_columns(),
    *_declared(_AFTER),
    *(
        [f"{head}.source.{part}", f"{head} {part}"]
        for head in ("outcome", "protocol", "study")
        for part in _SOURCE
    ),
]

STANDARD = Mapping(fields={path: "{" + column + "}" for path, column in _PAIRS})
"""The columns that `export_studies` writes, in their order."""
