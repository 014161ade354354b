"""Base: what outcomes of every form say, of which arms, and in what they can hardly be meant.

A form adds how the result was reported. Text that names an arm is an `ArmName`, and a mapping has arms as its keys:
from that alone follow the arms that an outcome speaks of and the columns of a spreadsheet.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar, NamedTuple

from gaddum.records.base import MOST_SUBJECTS, Record, in_unit
from gaddum.records.field import FieldPath, leaves
from gaddum.records.finding import Level
from gaddum.records.protocol import Protocol
from gaddum.records.source import Source

ArmName = Annotated[str, "name of an arm of the protocol"]

LARGEST_D = 6.0
"""Effect (SD) beyond which a number is called suspect: judgement, set wide on purpose."""


def residual_df() -> Any:
    """Declare residual degrees of freedom, which need not be whole numbers."""
    return in_unit("1", None, ge=1, le=100.0 * MOST_SUBJECTS)


class ArmMention(NamedTuple):
    """An arm that an outcome speaks of."""

    field: FieldPath
    arm: str
    is_key: bool
    """Whether the arm is the key of what is said of it."""


class Doubt(NamedTuple):
    """What in an outcome can hardly be meant, or does not go with its protocol."""

    field: FieldPath
    message: str
    level: Level = "warning"


class ReportedOutcome(Record, ABC):
    """What every form says; a form adds how the result was reported."""

    can_be_scored: ClassVar[bool] = True
    """Whether the form has a likelihood: a module of its name in `gaddum.outcomes`."""
    needs_sizes: ClassVar[bool] = True
    """Whether the likelihood needs numbers of subjects that the outcome itself does not hold."""

    endpoint: str
    """Key of the endpoint in the protocol."""
    source: Source
    primary: bool = True
    """False: stored and predicted, not scored (a subscale or dichotomy of a scale already used); `why` says why."""
    why: str | None = None
    """Why it is not scored; null where it is."""
    same_subjects: str | None = None
    """Outcomes on the same subjects share a label."""
    correlation: float | None = in_unit("1", None, ge=0, le=1)
    """Correlation with the other outcomes of the same label; 1 means a duplicate."""
    selected: bool = False
    """Whether publication may have depended on this contrast being significant."""
    form: Any
    """Name of the form, which each record declares as a literal: the tag by which a file tells them apart."""

    @property
    def headline(self) -> str:
        """The outcome in a word or two."""
        return self.form

    @property
    def arm_mentions(self) -> tuple[ArmMention, ...]:
        """Every arm that the outcome speaks of, with its place."""
        found: dict[ArmMention, None] = {}
        for path, kind in leaves(type(self)):
            if "*" in path:
                inside = path[: path.index("*")]
                found |= {ArmMention((*inside, key), key, True): None for key in _at(self, inside) or ()}
            elif kind == ArmName and (arm := _at(self, path)) is not None:
                found[ArmMention(path, arm, False)] = None
        return tuple(found)

    @property
    def arm_roles(self) -> dict[str, str]:
        """Arms by their roles (K, V, KA, A, X, KX), where the form gives them roles."""
        return {}

    @abstractmethod
    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        """Find what in the outcome can hardly be meant, beside this protocol."""


def _at(here: Any, path: FieldPath) -> Any:
    for part in path:
        if here is None:
            return None
        if isinstance(here, dict):
            here = here.get(part)
        else:
            here = here[part] if isinstance(part, int) else getattr(here, part)
    return here


def beyond_enrolled(field: str, sizes: dict[str, int], protocol: Protocol) -> Iterator[Doubt]:
    """Numbers of subjects that exceed what the arm had."""
    for name, size in sizes.items():
        enrolled = protocol.arms[name].n if name in protocol.arms else None
        if enrolled is not None and size > enrolled:
            message = f"An outcome should count at most the arm's n = {enrolled}; got {size}."
            yield Doubt((field, name, "n"), message)


def against_design(
    protocol: Protocol, arms: Iterable[str], *, paired: bool | None = None, df: float | None = None
) -> Iterator[Doubt]:
    """What a test says of itself that the design, or the number of subjects, does not allow."""
    if protocol.design not in ("parallel", "crossover"):
        return
    if paired is not None and paired != protocol.is_paired():
        told = "paired" if paired else "not paired"
        message = f"A test should be paired in a crossover only; got {told} in `design: {protocol.design}`. "
        yield Doubt(
            ("paired",), message + "Leave `paired` out to take it from the design, or correct one of them."
        )
    sizes = {name: arm.n for name, arm in protocol.arms.items() if arm.subset_of is None}
    every, named = [n for n in sizes.values() if n is not None], [sizes.get(name) or 0 for name in arms]
    if df is None or len(every) < len(sizes) or min(named) < 2:
        return
    if protocol.is_paired(paired):
        least, most = min(named) - 2, (max(every) - 1) * (len(every) - 1)
    else:
        least, most = min(named) - 1, sum(every) - len(every)
    if not least <= df <= most:
        message = (
            f"With n = {', '.join(map(str, every))} in `design: {protocol.design}` a test should have {least} to "
            f"{most} degrees of freedom; got {df:g}. Correct `df`, the arms' `n` or the design."
        )
        yield Doubt(("df",), message)
