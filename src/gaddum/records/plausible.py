"""Plausible: numbers of an outcome that can hardly be what they are called.

A spread is called suspect when the numbers would be absurd if its kind were right: group means that lie
more than `LARGEST_D` standard deviations apart (a SEM was probably written as an SD), or means that differ by less
than `SMALLEST_D` of the SD that a SEM implies, or an implied SD beyond `LARGEST_CV` times every mean (an SD was
probably written as a SEM). The limits are judgement, set wide on purpose.
"""

import math
from collections.abc import Iterator
from itertools import combinations

from gaddum.records.outcome import Outcome
from gaddum.records.outcome.difference import Difference
from gaddum.records.outcome.interaction import Interaction
from gaddum.records.outcome.means import Means
from gaddum.records.outcome.p_threshold import PThreshold
from gaddum.records.outcome.responders import Responders
from gaddum.records.outcome.test import Test
from gaddum.records.protocol import Arm

LARGEST_D = 6.0
SMALLEST_D = 0.01
LARGEST_CV = 10.0


def sizes_in_doubt(outcome: Outcome, arms: dict[str, Arm]) -> Iterator[tuple[tuple, str]]:
    """Numbers of subjects that exceed what the arm had."""
    sizes: dict[str, int] = {}
    if isinstance(outcome, Means):
        sizes = {arm: one.n for arm, one in outcome.arms.items()}
    if isinstance(outcome, Responders):
        sizes = {arm: one.n for arm, one in outcome.counts.items()}
        retest = outcome.retest
        first = None if retest is None else outcome.counts.get(retest.among_responders_of)
        if retest is not None and first is not None and retest.n > first.responders:
            yield (
                ("retest", "n"),
                f"A retest should count among the {first.responders} responder(s) of "
                f"{retest.among_responders_of!r}; got n = {retest.n}. Correct one of them.",
            )
    for name, size in sizes.items():
        enrolled = arms[name].n if name in arms else None
        if enrolled is not None and size > enrolled:
            field = "arms" if isinstance(outcome, Means) else "counts"
            yield (field, name, "n"), f"An outcome should count at most the arm's n = {enrolled}; got {size}."


def numbers_in_doubt(outcome: Outcome) -> Iterator[tuple[tuple, str]]:
    """Spreads and effects that would be absurd if they were what they are called."""
    if isinstance(outcome, Means):
        yield from _spreads(outcome)
    if isinstance(outcome, Difference):
        low, high = outcome.ci
        if not low < outcome.value < high:
            yield ("ci",), f"A CI should hold its value; got {outcome.value:g} and [{low:g}, {high:g}]."
        in_sd = outcome.value / (outcome.sd or 1.0)
        if abs(in_sd) > LARGEST_D:
            told = "Name the `sd` within groups." if outcome.sd is None else "Is the `sd` perhaps a SEM?"
            yield ("value",), f"A difference should be within {LARGEST_D:g} SD; got {in_sd:.3g}. {told}"
    if isinstance(outcome, Test) and outcome.statistic == "d" and abs(outcome.value) > LARGEST_D:
        yield ("value",), f"A standardised effect should be within {LARGEST_D:g} SD; got {outcome.value:g}."
    negative = outcome.value < 0 if isinstance(outcome, (Test, Interaction)) else False
    if isinstance(outcome, (Test, Interaction)) and outcome.statistic in ("F", "p") and negative:
        yield ("value",), f"A value of {outcome.statistic} should not be negative; got {outcome.value:g}."
    if isinstance(outcome, Interaction) and outcome.statistic == "p" and not 0 < outcome.value <= 1:
        yield ("value",), f"A p-value should be in (0, 1]; got {outcome.value:g}."
    if isinstance(outcome, PThreshold) and outcome.threshold > 0.2:
        yield ("threshold",), f"A significance threshold is seldom above 0.2; got {outcome.threshold:g}."


def _spreads(outcome: Means) -> Iterator[tuple[tuple, str]]:
    implied = {
        name: one.spread * (math.sqrt(one.n) if one.spread_kind == "SEM" else 1.0)
        for name, one in outcome.arms.items()
    }
    apart = {
        (first, second): abs(outcome.arms[first].mean - outcome.arms[second].mean)
        / math.sqrt(0.5 * (implied[first] ** 2 + implied[second] ** 2))
        for first, second in combinations(outcome.arms, 2)
    }
    kinds = {one.spread_kind for one in outcome.arms.values()}
    pair = max(apart, key=lambda key: apart[key])
    if apart[pair] > LARGEST_D and "SEM" not in kinds:
        yield (
            ("arms", pair[0], "spread_kind"),
            f"Means should lie within {LARGEST_D:g} SD of each other; {pair[0]} and {pair[1]} are {apart[pair]:.3g} SD "
            "apart. If the spread is a SEM, write `spread_kind: SEM`.",
        )
    differ = len({one.mean for one in outcome.arms.values()}) > 1
    largest = max(abs(one.mean) for one in outcome.arms.values())
    vast = not outcome.change and largest > 0 and min(implied.values()) > LARGEST_CV * largest
    if kinds == {"SEM"} and ((differ and apart[pair] < SMALLEST_D) or vast):
        yield (
            ("arms", pair[0], "spread_kind"),
            f"A SEM should not imply an SD that dwarfs the means; got an implied SD of {implied[pair[0]]:.3g} in "
            f"{pair[0]}. If the spread is an SD, write `spread_kind: SD`.",
        )
