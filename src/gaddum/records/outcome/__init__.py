"""Outcome: what the paper reported, in the form in which it reported it.

Nine forms; the likelihood (in `outcomes.reduce`) is the probability of exactly that statement:

=============  =======================================================================================
means          group means (or change scores) with SD or SEM and n
difference     a mean difference between two arms with its CI, in SD or in points with their SD
responders     counts of responders, also as a retest in a subset selected on an earlier response
test           an exact t, F (1 df) or standardised effect of one contrast
p-value        an exact two-sided p of one contrast, with its direction
p-threshold    only "p < 0.05" (or "n.s.") of one contrast
interaction    the drug x antagonist interaction of a 2 x 2 design (F or t, or its p)
verdict        only the authors' word, as an event over named arms (vocabulary below)
narrative      anything else: stored and counted, not scored
=============  =======================================================================================

Verdicts are events over arms in the roles K (test drug), V (vehicle), KA (test drug + antagonist), X (other drug),
KX (test drug + other drug). ">" is "significantly better than" by the test that was run:

===================  ==============================================================================
effective            K > V
not effective        not K > V (same event: no difference)
no difference        neither K > V nor V > K
abolished            strict: K > V and KA < K;  lax: K > V and KA, V not different
not abolished        strict: K > V and KA > V;  lax: K > V and KA, K not different
partial              K > V, KA < K and KA > V
enhanced             K > V and KA > K
mimics               X > V (lax), and X, K not different (strict)
does not mimic       not X > V although K > V
occludes             X > V, and KX, X not different
antagonist alone     A > V, A < V or neither is written as effective / no difference with K := A
===================  ==============================================================================

Better is always the direction that the endpoint calls improvement.
"""

from typing import Annotated

from pydantic import Field

from gaddum.records.outcome.difference import Difference
from gaddum.records.outcome.interaction import Interaction
from gaddum.records.outcome.means import Means
from gaddum.records.outcome.narrative import Narrative
from gaddum.records.outcome.p_threshold import PThreshold
from gaddum.records.outcome.p_value import PValue
from gaddum.records.outcome.responders import Responders
from gaddum.records.outcome.test import Test
from gaddum.records.outcome.verdict import Verdict

Outcome = Annotated[
    Means | Difference | Responders | Test | PValue | PThreshold | Interaction | Verdict | Narrative,
    Field(discriminator="form"),
]


def arms_of(outcome: Outcome) -> tuple[str, ...]:
    """Names of the arms that an outcome speaks of, each once."""
    match outcome:
        case Means():
            names = list(outcome.arms)
        case Responders():
            names = list(outcome.counts)
            if outcome.retest is not None:
                names += [outcome.retest.arm, outcome.retest.among_responders_of]
        case Interaction():
            names = list(outcome.arms)
        case Verdict():
            names = list(outcome.roles.values())
        case Narrative():
            names = []
        case _:
            names = list(outcome.contrast)
    return tuple(dict.fromkeys(names))


def is_scored(outcome: Outcome) -> bool:
    """Whether an outcome enters the likelihood."""
    return outcome.primary and not isinstance(outcome, Narrative)
