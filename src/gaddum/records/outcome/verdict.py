"""Verdict: only the authors' word, as an event over arms in named roles."""

from collections.abc import Iterator
from typing import Literal

from pydantic import model_validator

from gaddum.records.outcome.base import ArmName, Doubt, ReportedOutcome
from gaddum.records.protocol import Protocol

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


class Verdict(ReportedOutcome):
    """Only the authors' word, as an event over arms in named roles."""

    form: Literal["verdict"]
    verdict: VerdictName
    roles: dict[Role, ArmName]
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

    @property
    def headline(self) -> str:
        """The authors' word."""
        return self.verdict

    @property
    def arm_roles(self) -> dict[str, str]:
        """The roles that the verdict names."""
        return {role: arm for role, arm in self.roles.items()}

    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        """A blockade of nothing."""
        if self.agonist_effect_present is False:
            yield Doubt(
                ("agonist_effect_present",),
                f"A verdict {self.verdict!r} presupposes an effect to block; got `agonist_effect_present: false`. "
                "Say so in a narrative instead, or correct the field.",
            )
