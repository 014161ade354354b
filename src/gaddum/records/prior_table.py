"""Prior table: the rows that a case needs, and what stands in those that its own file does not give.

What makes a case need a row is read off its accounts and studies; a row too many does no harm, one too few would stop
an adjudication.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from gaddum.records.base import Record
from gaddum.records.case import Case
from gaddum.records.experiment import Study
from gaddum.records.library import bundled
from gaddum.records.outcome import is_scored
from gaddum.records.prior import Prior
from gaddum.records.yaml import read_record


class PriorTable(Record):
    """Rows of the prior table, by what makes a case need them."""

    always: tuple[Prior, ...]
    reserve: tuple[Prior, ...]
    tone: tuple[Prior, ...]
    responders: tuple[Prior, ...]
    sizes: tuple[Prior, ...]
    verdicts: tuple[Prior, ...]


@cache
def default_priors() -> PriorTable:
    """What stands in a row where a case says nothing."""
    return read_record(bundled() / "priors.yaml", PriorTable)


def missing_priors(case: Case, studies: Iterable[Study]) -> tuple[Prior, ...]:
    """Rows that a case needs and does not give, as they stand by default."""
    given = {prior.name for prior in case.priors}
    needs = dict.fromkeys(["always", *_needs(case, studies)])
    return tuple(row for need in needs for row in getattr(default_priors(), need) if row.name not in given)


def known_rows() -> tuple[str, ...]:
    """Names of all rows that some case may need, but for binding constants of unnamed targets."""
    return tuple(row.name for _, rows in default_priors() for row in rows)


def _needs(case: Case, studies: Iterable[Study]) -> Iterator[str]:
    features = " ".join(hypothesis.gate for hypothesis in case.hypotheses)
    yield from ("reserve",) if ".reserve" in features else ()
    yield from ("tone",) if ".tone" in features or ".agonism" in features else ()
    for study in studies:
        for experiment in study.experiments:
            scored = [outcome for outcome in experiment.outcomes if is_scored(outcome)]
            forms = {outcome.form for outcome in scored}
            yield from ("responders",) if "responders" in forms else ()
            yield from ("verdicts",) if "verdict" in forms else ()
            yield from ("sizes",) if any(map(experiment.lacks_sizes, scored)) else ()
