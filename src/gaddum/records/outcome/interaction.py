"""Interaction: of test drug and antagonist in a 2 x 2 design."""

from typing import Literal

from gaddum.records.base import in_unit
from gaddum.records.outcome.base import ReportedOutcome


class Interaction(ReportedOutcome):
    """Drug x antagonist interaction of a 2 x 2 design: (K - V) - (KA - A)."""

    form: Literal["interaction"]
    statistic: Literal["F", "t", "p"]
    value: float = in_unit("1")
    df: float | None = in_unit("1", None, gt=0)
    arms: tuple[str, str, str, str]
    """K, V, KA, A."""
    positive: bool = True
    """Whether (K - V) exceeds (KA - A)."""
