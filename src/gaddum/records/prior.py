"""Prior: one row of a case's prior table: a named parameter, its distribution, and why.

Distributions are closed under a map from a standard normal variate, so that sampling works in one space.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gaddum.records.base import Record, in_unit
from gaddum.records.source import Source


class Normal(Record):
    """Normal distribution."""

    family: Literal["normal"]
    mean: float = in_unit("of the parameter")
    sd: float = in_unit("of the parameter", gt=0)


class HalfNormal(Record):
    """Absolute value of a centred normal variate."""

    family: Literal["half-normal"]
    sd: float = in_unit("of the parameter", gt=0)


class LogNormal(Record):
    """Lognormal distribution by median and geometric standard deviation."""

    family: Literal["lognormal"]
    median: float = in_unit("of the parameter", gt=0)
    gsd: float = in_unit("1", gt=1)


class LogitNormal(Record):
    """Logit of the parameter is normal: for fractions."""

    family: Literal["logit-normal"]
    median: float = in_unit("1", gt=0, lt=1)
    sd: float = in_unit("logit", gt=0)


class Beta(Record):
    """Beta distribution."""

    family: Literal["beta"]
    a: float = in_unit("1", gt=0)
    b: float = in_unit("1", gt=0)


class Fixed(Record):
    """A declared constant: an assumption without spread, shown as such."""

    family: Literal["fixed"]
    value: float = in_unit("of the parameter")


class Weights(Record):
    """Probabilities of named alternatives."""

    family: Literal["weights"]
    of: dict[str, float] = Field(json_schema_extra={"unit": "1"})

    @model_validator(mode="after")
    def _normalised(self) -> "Weights":
        if any(weight < 0 for weight in self.of.values()) or abs(sum(self.of.values()) - 1) > 1e-9:
            raise ValueError(f"Weights must be non-negative and sum to 1; got {self.of}.")
        return self


Distribution = Annotated[
    Normal | HalfNormal | LogNormal | LogitNormal | Beta | Fixed | Weights, Field(discriminator="family")
]


class Prior(Record):
    """One row of the prior table."""

    name: str
    unit: str
    distribution: Distribution
    reason: str
    source: Source | None = None
    """None: an assumption of the case, for the stated reason."""
