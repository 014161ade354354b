"""Compare: two recordings -> how many numbers of each kind moved, how far, and which most.

The distance between two numbers is relative for concentrations and constants; absolute for fractions, answers and
probabilities; in units of its stated error for a log evidence; and a word is the same or not.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from benchmarks.ruler.recording import COLUMNS, Recording

from gaddum.results import AdjudicationResult

TOLERANCES: dict[str, float] = {
    "concentration": 1e-9,
    "constant": 1e-9,
    "occupancy": 1e-9,
    "feature": 1e-9,
    "quantile": 1e-9,
    "log_evidence": 1e-6,
    "answer": 1e-9,
    "document": 0.0,
}
"""Largest distance that passes, for a change that moves nothing: the order of sums may change, which is worth 1e-14."""
SAYS = {
    "concentration": "relative, at all medians",
    "constant": "relative, dissociation constants in vivo at all medians",
    "occupancy": "absolute, the calculator's fractions at all medians",
    "feature": "absolute, the inference's fractions at all medians",
    "quantile": "2.5, 50 and 97.5 % of all of these, relative or absolute as they are",
    "log_evidence": "in units of its stated error",
    "answer": "absolute, probabilities of propositions and accounts; words must be the same",
    "document": "yes (0): the whole result, to the last digit",
}
WORDS = {"yes": 0.0, "no": math.inf}
NEGLIGIBLE = 1e-6
"""Concentration (nM) that stands for none, far below every constant of the library; what is less is taken for it."""
ALLOWED = ("manifest.version", "manifest.python", "manifest.jax", "manifest.numpy")
"""What may differ in a result: it says with what that was made. It holds neither times nor paths."""

_TOLERANCE_OF = dict.fromkeys(("occupied", "blocked", "activated", "tone"), "occupancy")
_RELATIVE = ("concentration", "constant")


class Compared(NamedTuple):
    """One kind of number in two recordings."""

    kind: str
    tolerance: str
    count: int
    beyond: int
    worst: float
    worst_key: str
    worst_values: tuple[Any, Any]
    before_only: tuple[str, ...]
    after_only: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether anything is beyond its tolerance or on one side only."""
        return bool(self.beyond or self.before_only or self.after_only)


def compare(
    before: Mapping[str, Recording], after: Mapping[str, Recording], tolerances: Mapping[str, float]
) -> list[Compared]:
    """Compare all cases of two recordings; cases and runs that one side lacks are keys that it lacks."""
    found = []
    one, other = _kinds(before), _kinds(after)
    for kind, (tolerance, distance) in {**_meanings(one), **_meanings(other)}.items():
        if tolerances[tolerance] < math.inf:
            entries = one.get(kind, {}), other.get(kind, {})
            found.append(_compared(kind, tolerance, *entries, distance, tolerances[tolerance]))
    return found


def answers(result: AdjudicationResult) -> dict[str, dict[str, tuple[Any, ...]]]:
    """What a run says, out of its result: log evidences with their errors, answers and probabilities, and words."""
    evidence: dict[str, tuple[Any, ...]] = {}
    answer: dict[str, tuple[Any, ...]] = {}
    words: dict[str, tuple[Any, ...]] = {}
    for row in result.hypotheses:
        for form, numbers in ((result.parameterisation, row), ("absolute", row.absolute)):
            evidence[f"{row.name}/{form}"] = (numbers.log_ml, numbers.log_ml_mcse)
            answer[f"account/{row.name}/{form}"] = (numbers.probability,)
        words[f"account/{row.name}/established"] = (row.established,)
        for phase, variant in row.variants.items():
            evidence[f"{row.name}/{phase}"] = (variant.log_ml, variant.log_ml_mcse)
    for row in result.propositions:
        key = f"{row.name}/{row.stratum}/{row.phase}"
        for name in ("probability", "lower", "upper", "prior"):
            answer[f"{key}/{name}"] = (getattr(row, name),)
        words[key] = (row.verdict,)
    for row in result.claims:
        words[f"claim/{row.id}"] = (row.verdict,)
    return {"log_evidence": evidence, "answer": answer, "word": words}


def describe(found: list[Compared], tolerances: Mapping[str, float], *, shown: int = 5) -> str:
    """Write the comparison as a table, with what is worst and what one side lacks beneath."""
    lines = [f"{'kind':<38}{'compared':>9}{'beyond':>8}{'worst':>11}  tolerance"]
    for one in found:
        limit = f"{one.tolerance}={tolerances[one.tolerance]:g}"
        lines.append(f"{one.kind:<38}{one.count:>9}{one.beyond:>8}{one.worst:>11.3g}  {limit}")
    for one in found:
        if one.beyond:
            was, is_ = one.worst_values
            lines.append(f"\n{one.kind}, worst: {one.worst_key}\n  {was!r} -> {is_!r}")
        for side, keys in (("first", one.before_only), ("second", one.after_only)):
            if keys:
                more = f"\n  and {len(keys) - shown} more" if len(keys) > shown else ""
                lines.append(
                    f"\n{one.kind}, {len(keys)} in the {side} only:\n  " + "\n  ".join(keys[:shown]) + more
                )
    failed = [one.kind for one in found if one.failed]
    lines.append(f"\nBeyond: {', '.join(failed)}." if failed else "\nNothing moved beyond its tolerance.")
    return "\n".join(lines)


Distance = Callable[[tuple[Any, ...], tuple[Any, ...]], float]
Entries = dict[str, tuple[Any, ...]]


def _meanings(kinds: Mapping[str, Entries]) -> dict[str, tuple[str, Distance]]:
    """Tolerance and distance of each kind."""
    found: dict[str, tuple[str, Distance]] = {}
    for kind in kinds:
        quantity, _, column = kind.split(" ", 1)[-1].partition(", ")
        if column:
            name = _TOLERANCE_OF.get(quantity, quantity) if column == COLUMNS[0] else "quantile"
            found[kind] = (name, relative if quantity in _RELATIVE else absolute)
        else:
            found[kind] = {
                "log_evidence": ("log_evidence", in_errors),
                "answer": ("answer", absolute),
                "word": ("answer", different),
                "document": ("document", different),
            }[kind]
    return found


def _kinds(recordings: Mapping[str, Recording]) -> dict[str, Entries]:
    """Everything recorded, by kind and then by key."""
    found: dict[str, Entries] = {}
    for case, recording in recordings.items():
        for key, row in recording.numbers.items():
            for column, value in zip(COLUMNS, row.tolist(), strict=True):
                text = f"{case}/{key} ({column})"
                group = COLUMNS[0] if column == COLUMNS[0] else "quantiles"
                found.setdefault(f"{key.side} {key.quantity}, {group}", {})[text] = (value,)
        if recording.result is not None:
            for kind, entries in answers(recording.result).items():
                found.setdefault(kind, {}).update({f"{case}/{key}": one for key, one in entries.items()})
            found.setdefault("document", {}).update(_document(case, recording.result))
    return found


def _document(case: str, result: AdjudicationResult) -> Entries:
    """Leaves of a result that must not differ."""
    leaves = dict(_leaves("", json.loads(result.to_json())))
    return {f"{case}/{path}": (json.dumps(leaf),) for path, leaf in leaves.items() if path not in ALLOWED}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """All that is no container, and empty containers, by path."""
    inside = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    if not inside or not value:
        yield path, value
    for key, one in inside:
        yield from _leaves(f"{path}.{key}" if path else str(key), one)


def _compared(
    kind: str, tolerance: str, before: Entries, after: Entries, distance: Distance, limit: float
) -> Compared:
    shared = [key for key in before if key in after]
    distances = [distance(before[key], after[key]) for key in shared]
    place = max(range(len(shared)), key=distances.__getitem__, default=None)
    return Compared(
        kind,
        tolerance,
        len(shared),
        sum(one > limit for one in distances),
        0.0 if place is None else distances[place],
        "" if place is None else shared[place],
        ("", "") if place is None else (before[shared[place]], after[shared[place]]),
        tuple(key for key in before if key not in after),
        tuple(key for key in after if key not in before),
    )


def absolute(before: tuple[Any, ...], after: tuple[Any, ...]) -> float:
    """Absolute difference; what is not a number equals only another such."""
    return _difference(before[0], after[0])


def relative(before: tuple[Any, ...], after: tuple[Any, ...]) -> float:
    """Difference over the larger of the two; both are at least `NEGLIGIBLE`."""
    largest = max(abs(before[0]), abs(after[0]), NEGLIGIBLE)
    return _difference(before[0], after[0]) / largest if math.isfinite(largest) else different(before, after)


def in_errors(before: tuple[Any, ...], after: tuple[Any, ...]) -> float:
    """Difference of two log evidences over the error of that difference."""
    apart = _difference(before[0], after[0])
    error = math.hypot(before[1] or 0.0, after[1] or 0.0)
    return apart / error if error else math.inf if apart else 0.0


def different(before: tuple[Any, ...], after: tuple[Any, ...]) -> float:
    """0 for the same, infinite for another."""
    return 0.0 if before == after else math.inf


def _difference(before: float | None, after: float | None) -> float:
    """Absolute difference, 0 between equals of any kind, infinite where there is none."""
    if before == after or (before != before and after != after):
        return 0.0
    if before is None or after is None:
        return math.inf
    apart = abs(before - after)
    return math.inf if math.isnan(apart) else apart
