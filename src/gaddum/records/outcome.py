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

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gaddum.records.base import Record, in_unit
from gaddum.records.source import Source

VerdictName = Literal[
    "effective",
    "not effective",
    "no difference",
    "abolished",
    "not abolished",
    "partial",
    "enhanced",
    "mimics",
    "does not mimic",
    "occludes",
]
Role = Literal["K", "V", "KA", "X", "KX"]

ROLES: dict[VerdictName, tuple[Role, ...]] = {
    "effective": ("K", "V"),
    "not effective": ("K", "V"),
    "no difference": ("K", "V"),
    "abolished": ("K", "V", "KA"),
    "not abolished": ("K", "V", "KA"),
    "partial": ("K", "V", "KA"),
    "enhanced": ("K", "V", "KA"),
    "mimics": ("X", "V", "K"),
    "does not mimic": ("X", "V", "K"),
    "occludes": ("X", "V", "KX"),
}
"""Arms that each verdict speaks of."""


class _Common(Record):
    endpoint: str
    """Key of the endpoint in the protocol."""
    source: Source
    primary: bool = True
    """False: stored and predicted, not scored (a subscale or dichotomy of a scale already used)."""
    same_subjects: str | None = None
    """Outcomes on the same subjects share a label."""
    correlation: float | None = in_unit("1", None, ge=0, le=1)
    """Correlation with the other outcomes of the same label; 1 means a duplicate."""
    selected: bool = False
    """Whether publication may have depended on this contrast being significant."""


class ArmMean(Record):
    """Mean of one arm."""

    mean: float = in_unit("of the endpoint")
    spread: float = in_unit("of the endpoint", gt=0)
    spread_kind: Literal["SD", "SEM", "unclear"]
    n: int = Field(gt=0)


class Means(_Common):
    """Group means; `change` says that they are changes from baseline."""

    form: Literal["means"]
    arms: Annotated[dict[str, ArmMean], Field(min_length=2)]
    change: bool = False


class Difference(_Common):
    """A mean difference between two arms with its own interval: of a plain comparison or of a statistical model."""

    form: Literal["difference"]
    contrast: tuple[str, str]
    """First arm minus second arm, positive when the first is better."""
    value: float = in_unit("of `sd`; else SD of the endpoint")
    ci: tuple[float, float] = Field(json_schema_extra={"unit": "of `sd`; else SD of the endpoint"})
    ci_level: float = in_unit("1", 0.95, gt=0, lt=1)
    sd: float | None = in_unit("of the endpoint", None, gt=0)
    """Within-group SD, where `value` and `ci` are in points of the endpoint; null where they are in SD already."""


class Count(Record):
    """Responders among n."""

    responders: int = Field(ge=0)
    n: int = Field(gt=0)

    @model_validator(mode="after")
    def _possible(self) -> "Count":
        if self.responders > self.n:
            raise ValueError(f"Responders must not exceed n; got {self.responders} of {self.n}.")
        return self


class Retest(Record):
    """Counts in an arm among those subjects who responded in another arm (crossover, selected)."""

    arm: str
    among_responders_of: str
    responders: int = Field(ge=0)
    n: int = Field(gt=0)


class Responders(_Common):
    """Responder counts per arm, with a retest among earlier responders if there was one."""

    form: Literal["responders"]
    criterion: str
    counts: Annotated[dict[str, Count], Field(min_length=1)]
    retest: Retest | None = None


class Test(_Common):
    """An exact test statistic of one contrast."""

    __test__ = False  # not for pytest to collect

    form: Literal["test"]
    statistic: Literal["t", "F", "d"]
    value: float = in_unit("1")
    df: float | None = in_unit("1", None, gt=0)
    """Residual degrees of freedom; derived from n where not given."""
    contrast: tuple[str, str]
    better: Literal["first", "second"]
    """Which arm of the contrast did better."""
    paired: bool | None = None
    """Whether the arms share their subjects; by design where not given."""


class PValue(_Common):
    """An exact two-sided p-value of one contrast."""

    form: Literal["p-value"]
    p: float = in_unit("1", gt=0, le=1)
    contrast: tuple[str, str]
    better: Literal["first", "second"]
    paired: bool | None = None
    """Whether the arms share their subjects; by design where not given."""


class PThreshold(_Common):
    """Only that p was below (or not below) a threshold."""

    form: Literal["p-threshold"]
    threshold: float = in_unit("1", 0.05, gt=0, lt=1)
    significant: bool
    contrast: tuple[str, str]
    better: Literal["first", "second"] | None = None
    paired: bool | None = None
    """Whether the arms share their subjects; by design where not given."""


class Interaction(_Common):
    """Drug x antagonist interaction of a 2 x 2 design: (K - V) - (KA - A)."""

    form: Literal["interaction"]
    statistic: Literal["F", "t", "p"]
    value: float = in_unit("1")
    df: float | None = in_unit("1", None, gt=0)
    arms: tuple[str, str, str, str]
    """K, V, KA, A."""
    positive: bool = True
    """Whether (K - V) exceeds (KA - A)."""


class Verdict(_Common):
    """Only the authors' word, as an event over arms in named roles."""

    form: Literal["verdict"]
    verdict: VerdictName
    roles: dict[Role, str]
    rule: Literal["strict", "lax", "unknown"] = "unknown"
    correction: Literal["none", "Tukey", "Bonferroni", "unknown"] = "unknown"
    agonist_effect_present: bool | None = None
    """Whether the test drug alone was shown to work; must be answered before any blockade verdict."""

    @model_validator(mode="after")
    def _roles(self) -> "Verdict":
        wanted = ROLES[self.verdict]
        if set(self.roles) != set(wanted):
            raise ValueError(
                f"Verdict {self.verdict!r} must name arms for the roles {', '.join(wanted)}; "
                f"got {', '.join(self.roles) or 'none'}."
            )
        if "KA" in wanted and self.agonist_effect_present is None:
            raise ValueError(
                f"Verdict {self.verdict!r} presupposes that the test drug alone worked; "
                "answer `agonist_effect_present: true` or `false`."
            )
        return self


class Narrative(_Common):
    """A finding that no event over arms expresses: stored and counted, not scored."""

    form: Literal["narrative"]
    text: str
    why: str
    """Why it is not scored."""


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
