"""Means: group means with their spread.

A spread is called suspect when the numbers would be absurd if its kind were right: group means that lie
more than `LARGEST_D` standard deviations apart (a SEM was probably written as an SD), or means that differ by less
than `SMALLEST_D` of the SD that a SEM implies, or an implied SD beyond `LARGEST_CV` times every mean (an SD was
probably written as a SEM), or any SD beyond `VAST_CV` times every mean. The limits are judgement, set wide on purpose.
"""

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gaddum.records.base import Record, measured, subjects
from gaddum.records.outcome.base import LARGEST_D, Doubt, ReportedOutcome, beyond_enrolled
from gaddum.records.protocol import Protocol

SMALLEST_D = 0.01
LARGEST_CV = 10.0
VAST_CV = 1000.0
TINY_SHARE = 1e-6
"""Share of the widest spread below which one is no spread."""


class ArmMean(Record):
    """Mean of one arm."""

    mean: float = measured("of the endpoint")
    spread: float = measured("of the endpoint", gt=0)
    spread_kind: Literal["SD", "SEM", "unclear"]
    n: int = subjects()


class Means(ReportedOutcome):
    """Group means; `change` says that they are changes from baseline."""

    needs_sizes: ClassVar[bool] = False

    form: Literal["means"]
    arms: Annotated[dict[str, ArmMean], Field(min_length=2)]
    change: bool = False

    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        """Sizes, spreads and selection that can hardly be meant."""
        sizes = {name: one.n for name, one in self.arms.items()}
        if self.selected and len(self.arms) > 3:
            message = (
                "Selection by significance is modelled for means of two or three arms; those of "
                f"{len(self.arms)} arms count as published whatever they had been. Score the selected contrast apart."
            )
            yield Doubt(("selected",), message)
        if protocol.is_paired() and len(set(sizes.values())) > 1:
            told = ", ".join(f"{name} {n}" for name, n in sizes.items())
            message = f"Arms of a crossover share their subjects and should have one n; got {told}. The least counts."
            yield Doubt(("arms",), message)
        yield from beyond_enrolled("arms", sizes, protocol)
        yield from _spreads(self)


def _spreads(outcome: Means) -> Iterator[Doubt]:
    implied = {
        name: one.spread * (math.sqrt(one.n) if one.spread_kind == "SEM" else 1.0)
        for name, one in outcome.arms.items()
    }
    apart = {
        (first, second): abs(outcome.arms[first].mean - outcome.arms[second].mean)
        / (math.hypot(implied[first], implied[second]) / math.sqrt(2))
        for first, second in combinations(outcome.arms, 2)
    }
    kinds = {one.spread_kind for one in outcome.arms.values()}
    pair = max(apart, key=lambda key: apart[key])
    if apart[pair] > LARGEST_D and "SEM" not in kinds:
        yield Doubt(
            ("arms", pair[0], "spread_kind"),
            f"Means should lie within {LARGEST_D:g} SD of each other; {pair[0]} and {pair[1]} are {apart[pair]:.3g} SD "
            "apart. If the spread is a SEM, write `spread_kind: SEM`.",
        )
    differ = len({one.mean for one in outcome.arms.values()}) > 1
    largest = max(abs(one.mean) for one in outcome.arms.values())
    vast = not outcome.change and largest > 0 and min(implied.values()) > LARGEST_CV * largest
    widest = max(implied, key=lambda name: implied[name])
    if not outcome.change and 0 < VAST_CV * largest < implied[widest]:
        message = f"A spread should not be {VAST_CV:g} times the means; got an SD of {implied[widest]:.3g} in {widest}."
        yield Doubt(("arms", widest, "spread"), message)
    narrowest = min(implied, key=lambda name: implied[name])
    if implied[narrowest] < TINY_SHARE * implied[widest]:
        message = f"Spreads should be alike; got an SD of {implied[narrowest]:.3g} in {narrowest} beside "
        yield Doubt(("arms", narrowest, "spread"), f"{message}{implied[widest]:.3g} in {widest}.")
    if kinds == {"SEM"} and ((differ and apart[pair] < SMALLEST_D) or vast):
        yield Doubt(
            ("arms", pair[0], "spread_kind"),
            f"A SEM should not imply an SD that dwarfs the means; got an implied SD of {implied[pair[0]]:.3g} in "
            f"{pair[0]}. If the spread is an SD, write `spread_kind: SD`.",
        )
