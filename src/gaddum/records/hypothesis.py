"""Hypothesis: a rival account, as a gate over target features with its declared details."""

from typing import Literal

from pydantic import Field

from gaddum.records.base import Record, in_unit

Phase = Literal["induction", "expression", "both"]


class Hypothesis(Record):
    """How graded engagements combine into the effect.

    `gate` is text such as ``"NMDAR.block & MOR.tone"``; ``"0"`` is the account in which nothing specific acts.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    gate: str
    graded: tuple[str, ...] = ()
    """Features whose necessity is graded by the stratum's dependence w: a -> 1 - w + w a."""
    phased: tuple[str, ...] = ()
    """Features that may act at induction, at expression or both: one variant each, sharing the prior mass."""
    bypass: bool = False
    """Whether behaviour follows the gate directly, not through the circuit."""
    own_effect: float = in_unit("1", 1.0)
    """Multiplier of what antagonists do by themselves, beside the gate; 0 where the account denies it."""
    mass: float = in_unit("1", 1.0, gt=0)
    """Prior mass relative to the other hypotheses."""
    says: str
    """What the account claims, in a sentence a referee would accept."""
