"""Outcome: what the paper reported, in the form in which it reported it.

The likelihood is the probability of exactly that statement. A form is two files of its name, here the record and in
`gaddum.outcomes` the likelihood, and a line of `FORMS`; all else follows from what the record declares.

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

from functools import reduce
from importlib import import_module
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from gaddum.records.outcome.base import ReportedOutcome

FORMS = (
    "means",
    "difference",
    "responders",
    "test",
    "p-value",
    "p-threshold",
    "interaction",
    "verdict",
    "narrative",
)
"""Forms of outcome: "p-value" is `PValue` in `p_value.py`."""

RECORDS: dict[str, type[ReportedOutcome]] = {
    form: getattr(import_module(f"{__name__}.{form.replace('-', '_')}"), form.title().replace("-", ""))
    for form in FORMS
}
"""Record of each form."""

if TYPE_CHECKING:
    Outcome = ReportedOutcome
else:
    Outcome = Annotated[reduce(or_, RECORDS.values()), Field(discriminator="form")]


def arms_of(outcome: Outcome) -> tuple[str, ...]:
    """Names of the arms that an outcome speaks of, each once."""
    return tuple(dict.fromkeys(mention.arm for mention in outcome.arm_mentions))


def is_scored(outcome: Outcome) -> bool:
    """Whether an outcome enters the likelihood."""
    return outcome.primary and outcome.can_be_scored
