"""Gap: within one recording, what calculator and inference say of the same arm at the same time.

Both follow the same doses to the same receptors, beside the same endogenous agonist and what manipulations leave, so
that a difference is an error of one of them. Features without a counterpart in the calculator (unnamed targets,
receptor reserve) are counted.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from benchmarks.ruler.compare import NEGLIGIBLE
from benchmarks.ruler.recording import Key, Recording
from jaxtyping import Float

Columns = Float[np.ndarray, " columns"]


_COUNTERPART = {"block": "blocked", "agonism": "activated", "engagement": "occupied", "tone": "tone"}
"""Feature -> the calculator's quantity."""


class Gap(NamedTuple):
    """One number that both have."""

    key: Key
    dosed: str
    calculator: Columns
    inference: Columns
    relative: bool

    @property
    def distances(self) -> Columns:
        """At all medians and at the quantiles; relative for concentrations and constants."""
        apart = np.abs(self.calculator - self.inference)
        if not self.relative:
            return apart
        return apart / np.maximum(np.maximum(self.calculator, self.inference), NEGLIGIBLE)

    @property
    def subject(self) -> str:
        """What it is of: a feature, or concentrations and constants by ligand."""
        return (
            self.key.subject if self.key.quantity == "feature" else f"{self.key.quantity} {self.key.subject}"
        )


class Gaps(NamedTuple):
    """All of one case, and what could not be compared."""

    found: list[Gap]
    left_out: dict[str, int]


def gaps(recording: Recording) -> Gaps:
    """Pair what inference says with what the calculator says."""
    found: list[Gap] = []
    left_out: dict[str, int] = {}
    for key, row in recording.numbers.items():
        if key.side != "inference":
            continue
        arm = recording.arms[key.where]
        other, why = _counterpart(key, recording)
        if other is None:
            left_out[why] = left_out.get(why, 0) + 1
        else:
            found.append(Gap(key, arm["dosed"], other, row, key.quantity != "feature"))
    return Gaps(found, left_out)


def _counterpart(key: Key, recording: Recording) -> tuple[Columns | None, str]:
    """What the calculator says, or why it says nothing."""
    arm, numbers = recording.arms[key.where], recording.numbers
    own = key._replace(side="calculator")
    if arm["refused"] is not None:
        return None, "the calculator refuses the arm"
    if key.quantity != "feature":
        target = key.subject.split(":")[0]
        if key.quantity == "constant" and target not in recording.targets:
            return None, "target that nobody has named"
        found = numbers.get(own)
        return found, "the calculator has no such ligand"
    target, feature = key.subject.split(".")
    if target not in recording.targets:
        return None, "target that nobody has named"
    if feature not in _COUNTERPART:
        return None, f"no counterpart of {feature}"
    # A target that is not listed is bound by nothing that was given.
    untouched = np.full(4, float(feature == "tone"))
    return numbers.get(own._replace(quantity=_COUNTERPART[feature], subject=target), untouched), ""


def describe_gap(recordings: Mapping[str, Recording]) -> str:
    """Write the worst of every case, and tables by feature and by what was given."""
    return "\n".join(line for case, recording in recordings.items() for line in _lines(case, gaps(recording)))


def _lines(case: str, all_: Gaps) -> Iterator[str]:
    yield f"{case}: {len(all_.found)} numbers that calculator and inference both give"
    for why, count in all_.left_out.items():
        yield f"  {count} left out: {why}"
    features = [gap for gap in all_.found if not gap.relative]
    yield "\nFeatures (absolute)"
    yield from _table(features, lambda gap: gap.subject)
    yield "\nFeatures by what was given (absolute)"
    yield from _table(features, lambda gap: f"{gap.subject}, {gap.dosed}", above=1e-6)
    yield "\nConcentrations and constants by ligand (relative)"
    yield from _table([gap for gap in all_.found if gap.relative], lambda gap: gap.subject)
    yield ""


def _table(found: list[Gap], group: Callable[[Gap], str], *, above: float = -1.0) -> Iterator[str]:
    """Worst at medians and at quantiles of each group, the worst group first."""
    groups: dict[str, list[Gap]] = {}
    for gap in found:
        groups.setdefault(group(gap), []).append(gap)
    rows = []
    for name, mine in groups.items():
        apart = np.array([gap.distances for gap in mine])
        worst = mine[int(apart[:, 0].argmax())]
        rows.append((apart[:, 0].max(), apart[:, 1:].max(), name, len(mine), worst))
    hidden = [row for row in rows if row[0] <= above]
    yield f"{'':<60}{'numbers':>8}{'medians':>10}{'quantiles':>10}  worst at medians: calculator, inference"
    for medians, quantiles, name, count, worst in sorted(rows, key=lambda row: -row[0]):
        if medians > above:
            values = f"{worst.calculator[0]:.4g}, {worst.inference[0]:.4g} in {worst.key.where} at {worst.key.time}"
            yield f"{name:<60}{count:>8}{medians:>10.2g}{quantiles:>10.2g}  {values}"
    if hidden:
        yield f"{len(hidden)} more agree within {above:g} at medians"
