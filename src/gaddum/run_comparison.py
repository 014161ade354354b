"""Run comparison: what differs between two stored runs, from their results alone.

The error of a difference is that of two independent runs. A result holds no error of a proposition: it is taken from
the effective draws of the accounts and from the errors of their evidence, at the most that these can do.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gaddum.change_results import AccountChange, NamedChange, PropositionChange, RunComparison
from gaddum.change_words import account_words, listed, proposition_words
from gaddum.result_reader import read_result
from gaddum.result_set import RESULT
from gaddum.results import AdjudicationResult, HypothesisRow, PropositionRow

_OF_THE_RUN = ("command", "files", "run", "cores", "note", "settings")
"""What a manifest says of one run only, or in parts."""
_IN_WORDS = {
    "case_hash": "the files of the case",
    "library_hash": "the library",
    "until": "the last year taken in",
    "version": "the version of gaddum",
}


def compare(first: str | Path | AdjudicationResult, second: str | Path | AdjudicationResult) -> RunComparison:
    """Say what differs between two runs of a case.

    Parameters
    ----------
    first, second : str, Path or AdjudicationResult
        Folders that ``gaddum adjudicate --out`` wrote, their ``result.json``, or results.

    Returns
    -------
    RunComparison
        Settings, studies and priors that differ; every account and proposition before and after, with the error of its
        change; the same in words.

    Raises
    ------
    ValueError
        If one is no run, or the two have no account in common.
    """
    one, other = map(_read, (first, second))
    names = (
        ("first" if isinstance(first, AdjudicationResult) else str(first)),
        ("second" if isinstance(second, AdjudicationResult) else str(second)),
    )
    if not {row.name for row in one.hypotheses} & {row.name for row in other.hypotheses}:
        raise ValueError(
            f"Runs that are compared must have an account in common; these are of {one.case} and {other.case}. "
            "Compare two runs of one case."
        )
    found = RunComparison(
        case=other.case,
        runs=names,
        settings=tuple(_differing(_settings(one), _settings(other))),
        studies=tuple(_differing(_studies(one), _studies(other))),
        priors=tuple(_differing(_priors(one), _priors(other))),
        accounts=tuple(_accounts(one, other)),
        propositions=tuple(_propositions(one, other)),
        words=(),
    )
    return found.model_copy(update={"words": tuple(_words(found))})


def _read(run: str | Path | AdjudicationResult) -> AdjudicationResult:
    if isinstance(run, AdjudicationResult):
        return run
    path = Path(run)
    if not (path / RESULT if path.is_dir() else path).is_file():
        raise ValueError(
            f"A run must be a folder with {RESULT}, or that file; got {str(run)!r}. Make one with "
            "`gaddum adjudicate CASE --out FOLDER`."
        )
    return read_result(path)


def _settings(result: AdjudicationResult) -> dict[str, Any]:
    said = result.manifest.model_dump()
    of_run = {name: said[name] for name in said if name not in _OF_THE_RUN}
    own = {name: getattr(result, name) for name in ("case", "seed", "until", "parameterisation")}
    return own | of_run | {f"sampler: {name}": value for name, value in said["settings"].items()}


def _studies(result: AdjudicationResult) -> dict[str, Any]:
    return {
        row.id: row.model_dump(include={"year", "n_outcomes", "scored"}, mode="json")
        for row in result.studies
    }


def _priors(result: AdjudicationResult) -> dict[str, Any]:
    return {row.name: row.distribution for row in result.priors}


def _differing(one: dict[str, Any], other: dict[str, Any]) -> Iterator[NamedChange]:
    for name in {**other, **one}:
        if one.get(name) != other.get(name):
            yield NamedChange(name=name, first=one.get(name), second=other.get(name))


def _accounts(one: AdjudicationResult, other: AdjudicationResult) -> Iterator[AccountChange]:
    before, after = ({row.name: row for row in run.hypotheses} for run in (one, other))

    def error(row: HypothesisRow) -> float:
        return row.probability * (1 - row.probability) * row.log_ml_mcse

    for name in {**after, **before}:
        pair = before.get(name), after.get(name)
        some = pair[1] or pair[0]
        assert some is not None
        yield AccountChange(
            name=name,
            title=some.title,
            log_bf_before=pair[0] and pair[0].log_bf,
            log_bf_after=pair[1] and pair[1].log_bf,
            **_change(*pair, error, error),
        )


def _propositions(one: AdjudicationResult, other: AdjudicationResult) -> Iterator[PropositionChange]:
    before, after = (
        {(row.name, row.stratum, row.phase): row for row in run.propositions} for run in (one, other)
    )
    for key in {**after, **before}:
        pair = before.get(key), after.get(key)
        yield PropositionChange(
            name=key[0],
            stratum=key[1],
            phase=key[2],
            word_before=pair[0] and pair[0].word,
            word_after=pair[1] and pair[1].word,
            **_change(*pair, _proposition_error(one), _proposition_error(other)),
        )


def _proposition_error(run: AdjudicationResult) -> Callable[[PropositionRow], float]:
    """Largest error of a proposition's probability that draws and evidences of a run leave."""
    draws = sum(row.probability**2 / max(row.ess, 1.0) for row in run.hypotheses if row.probability > 0)
    evidence = sum((row.probability * row.log_ml_mcse) ** 2 for row in run.hypotheses if row.probability > 0)

    def error(row: PropositionRow) -> float:
        p = min(max(row.probability, 0.0), 1.0)  # a sum of shares may end a bit beyond
        return math.sqrt(p * (1 - p) * draws + (max(p, 1 - p) ** 2 * evidence if 0 < p < 1 else 0.0))

    return error


def _change(before: Any, after: Any, error_before: Any, error_after: Any) -> dict[str, float | None]:
    values = [row and row.probability for row in (before, after)]
    if before is None or after is None:
        return {"before": values[0], "after": values[1], "change": None, "error": None}
    error = math.hypot(error_before(before), error_after(after))
    return {"before": values[0], "after": values[1], "change": values[1] - values[0], "error": error}


def _words(found: RunComparison) -> Iterator[str]:
    """What differs, in sentences: what went in first, then what came out."""
    if found.settings:
        yield f"Different settings: {listed(map(_setting, found.settings))}."
    for text, kept in (
        ("Only in the first run", [one.name for one in found.studies if one.second is None]),
        ("Only in the second run", [one.name for one in found.studies if one.first is None]),
        ("Scored otherwise", [one.name for one in found.studies if None not in (one.first, one.second)]),
        ("Parameters with another prior", [one.name for one in found.priors]),
    ):
        if kept:
            yield f"{text}: {listed(kept)}."
    if not (found.settings or found.studies or found.priors):
        yield "Both runs have the same records, priors and settings."
    for text, kept in (
        ("Accounts of the first run only", [one.title for one in found.accounts if one.after is None]),
        ("Accounts of the second run only", [one.title for one in found.accounts if one.before is None]),
    ):
        if kept:
            yield f"{text}: {listed(kept)}."
    yield from account_words(found.accounts)
    yield from proposition_words(found.propositions)


def _setting(one: NamedChange) -> str:
    name = _IN_WORDS.get(one.name, one.name)
    return name if one.name.endswith("hash") else f"{name} ({one.first}, then {one.second})"
