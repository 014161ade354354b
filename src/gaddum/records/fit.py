"""Fit: kinetics of a drug in a species as several studies show them together, kept in a file.

A fit takes the place of what the drug's file reports of the same constants: they are then jointly lognormal, as in a
study that nobody has seen. The file names the curves that it learnt from by their digest.
"""

import math
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from typing import Annotated

from pydantic import Field, model_validator

from gaddum.records.base import Record, in_unit
from gaddum.records.species import Species
from gaddum.records.yaml import read_document, to_record


class FittedConstant(Record):
    """One constant in a new study."""

    name: str
    """Identity, as the table of priors writes it."""
    unit: str
    """Canonical; per kg where the drug's file has it so."""
    median: float = in_unit("see the field `unit`", gt=0)
    typical: float = in_unit("1", ge=1)
    """Geometric standard deviation by which the typical study is known."""
    loadings: tuple[float, ...] = Field(json_schema_extra={"unit": "1"})
    """How much the standard normal scores of the constants up to this one move its log; the last is its own."""

    @property
    def new_study(self) -> float:
        """Geometric standard deviation in a new study."""
        return math.exp(math.hypot(*self.loadings))


class SpreadOfLogs(Record):
    """A standard deviation of logs: the median and central 95 % of its posterior, and the scale of its prior."""

    median: float = in_unit("1", ge=0)
    lower: float = in_unit("1", ge=0)
    upper: float = in_unit("1", ge=0)
    prior: float = in_unit("1", gt=0)


class PaperScore(Record):
    """How a fit without a paper foretold its readings, beside the drug's file without that paper."""

    paper: str
    readings: int
    inside: int
    """Readings in the 95 % band of a reading."""
    off: float = in_unit("1", ge=1)
    """Root mean square distance of medians from readings (fold)."""
    density: float = in_unit("nat")
    """Joint log density of the readings."""
    density_before: float = in_unit("nat")
    """The same by the drug's file without that paper, 1.35-fold between studies and 1.2-fold between readings."""
    off_before: float = in_unit("1", ge=1)


class KineticFit(Record):
    """A population fit of a drug's kinetics in a species."""

    drug: str
    species: Species
    curves: Annotated[tuple[str, ...], Field(min_length=1)]
    """Curves that it learnt from."""
    papers: Annotated[tuple[str, ...], Field(min_length=1)]
    digest: str
    """Of the content of these curves."""
    constants: Annotated[tuple[FittedConstant, ...], Field(min_length=1)]
    between: dict[str, SpreadOfLogs]
    """Spread between studies by kind of constant."""
    common: SpreadOfLogs
    """Spread of what moves all volumes, clearances and flows of a study."""
    residual: SpreadOfLogs
    """Spread of readings about their study's own course."""
    left_out: tuple[PaperScore, ...] = ()
    r_hat: float = in_unit("1")
    ess: float = in_unit("1")
    seed: int
    version: str
    """Of gaddum."""
    note: str | None = None

    @model_validator(mode="after")
    def _triangular(self) -> "KineticFit":
        for place, one in enumerate(self.constants):
            if len(one.loadings) != place + 1:
                raise ValueError(
                    f"Loadings must be one for each constant up to this one; got {len(one.loadings)} at {one.name!r}, "
                    f"the {place + 1}th. Run the fit anew."
                )
        names = [one.name for one in self.constants]
        if len(set(names)) < len(names):
            raise ValueError("A fit must name each constant once. Run it anew.")
        return self


def read_fit(path: Traversable) -> KineticFit:
    """Read a fit that `gaddum fit` wrote, or raise `RecordError`."""
    return to_record(read_document(path), KineticFit)


def joined(fits: Iterable[KineticFit]) -> tuple[KineticFit, ...]:
    """Fits of which later ones take the place of earlier ones of the same drug in the same species.

    Raises
    ------
    ValueError
        Where fits of two drugs have a constant in common.
    """
    kept = {(one.drug, one.species): one for one in fits}
    of: dict[str, str] = {}
    for one in kept.values():
        for constant in one.constants:
            if of.setdefault(constant.name, one.drug) != one.drug:
                raise ValueError(
                    f"A constant must be of one fit; {constant.name!r} is of those of {of[constant.name]} and "
                    f"{one.drug}. Use one of them."
                )
    return tuple(kept.values())
