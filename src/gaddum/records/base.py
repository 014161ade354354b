"""What every record has in common: frozen, closed, and strict about what it is given.

Records say what was published. They hold no arrays and know no statistics; `response` and `outcomes` turn
them into numbers. A float field names its unit with `in_unit`, so that tools and tests can read it.
"""

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

MOST_SUBJECTS = 100_000
"""More than any experiment that can be scored ever had in an arm."""
LARGEST = 1e30
"""Beyond any number of any unit; squares of it, and their ratios, can still be worked with."""


class Record(BaseModel):
    """Base of all records: immutable, and an unknown field is an error rather than ignored."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        str_strip_whitespace=True,
        allow_inf_nan=False,
        coerce_numbers_to_str=True,
    )


def subjects(default: Any = ..., **keywords: Any) -> Any:
    """Declare a field that holds a number of subjects, at least one."""
    return Field(default, gt=0, le=MOST_SUBJECTS, **keywords)


def measured(unit: str, **keywords: Any) -> Any:
    """Declare a float field that holds what was measured, of any size that can be worked with."""
    least = {} if "gt" in keywords else {"ge": -LARGEST}
    return in_unit(unit, le=LARGEST, **least, **keywords)


def in_unit(unit: str, default: Any = ..., **keywords: Any) -> Any:
    """Declare a float field together with its unit (`"1"` for a pure number), machine-readable.

    Parameters
    ----------
    unit : str
        The unit the number is in.
    default : Any
        The default, when the field has one.
    **keywords : Any
        Passed to `pydantic.Field` (`description`, `gt`, ...).
    """
    return Field(default, json_schema_extra={"unit": unit}, **keywords)


def _lacking(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _or_null(unit: str) -> Any:
    return Field(allow_inf_nan=True, json_schema_extra={"unit": unit, "type": ["number", "null"]})


# One NaN for all that is no number, so that records which lack the same are equal; null in JSON.
_nan_where_lacking = BeforeValidator(lambda value: math.nan if _lacking(value) else value)
Nats = Annotated[float, _or_null("nats"), _nan_where_lacking]
Number = Annotated[float, _or_null("1"), _nan_where_lacking]
Hours = Annotated[float, _or_null("h"), _nan_where_lacking]
Known = Annotated[
    Annotated[float, _or_null("1")] | None, BeforeValidator(lambda value: None if _lacking(value) else value)
]
"""None for all that is no number, where it may be that there is none."""
