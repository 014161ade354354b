"""Protocol: who gets what, when, and what is then read: subjects, arms, endpoints, design.

A Protocol with Outcomes is published evidence (see `experiment`); without, it is a candidate design.
"""

import math
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import Field, field_validator, model_validator

from gaddum import units
from gaddum.records.base import MOST_SUBJECTS, Record, in_unit, subjects
from gaddum.records.dose import LONGEST, Dose
from gaddum.records.quantity import Quantity, Reported
from gaddum.records.source import Source
from gaddum.records.species import Species, known_species

Stress = Literal["stressed", "unstressed", "unstated"]
Preparation = Literal["behaving", "slice", "imaging"]
Phase = Literal["acute", "sustained"]
USUAL_TIMES: dict[Phase, tuple[float, float]] = {"acute": (0.5, 1.0), "sustained": (24.0, 48.0)}
"""Hours from the test drug at which most endpoints of the bundled records are read, for one whose hour nobody says."""
_DRUG_ARM = re.compile(r"[KX]?[KXA](?![A-Za-z])")


LIGHTEST, HEAVIEST = 1e-3, 1e3
"""Body weights (kg) between which those of all species lie."""


class Subject(Record):
    """The animals or people, and the state they are in."""

    species: Species
    strain: str | None = None
    sex: Literal["male", "female", "mixed", "unstated"] = "unstated"
    age: str | None = None
    paradigm: str
    aetiology: str | None = None
    comparator: str | None = None
    """The group that the paradigm is compared with (for example resilient animals)."""
    stress: Stress = "unstated"
    """Patients with a depressive disorder count as stressed."""
    preparation: Preparation = "behaving"
    weight: Quantity | None = None

    @field_validator("species", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return known_species(given) if isinstance(given, str) else given

    @property
    def stratum(self) -> str:
        """Key under which dependence on a target is pooled: species, stress state, sex if known, preparation."""
        parts = [self.species, self.stress]
        if self.sex in ("male", "female"):
            parts.append(self.sex)
        parts.append(self.preparation)
        return ", ".join(parts)


class Manipulation(Record):
    """What was done to an arm other than dosing: knock-out, antibody, lesion, gonadectomy, masking."""

    kind: Literal["knock-out", "antibody", "lesion", "gonadectomy", "inhibition", "masking", "other"]
    target: str | None = None
    """The target whose availability or tone changes."""
    availability: Reported | None = None
    """Fraction of receptors left (1 = all)."""
    tone: Reported | None = None
    """Fraction of endogenous agonist left (1 = all)."""
    note: str | None = None

    @model_validator(mode="after")
    def _targeted(self) -> "Manipulation":
        if (self.availability or self.tone) and not self.target:
            raise ValueError(
                "A manipulation that changes availability or tone must name its `target`; got none."
            )
        return self


class Arm(Record):
    """One group: its size and what it receives. No doses means vehicle."""

    n: int | None = subjects(None, description="Subjects; null where the report does not say.")
    n_range: tuple[int, int] | None = None
    """Where only a range is reported (``[9, 11]``)."""
    doses: tuple[Dose, ...] = ()
    manipulations: tuple[Manipulation, ...] = ()
    subset_of: str | None = None
    """The arm whose subjects (or responders) these are."""
    expectancy: float = in_unit("1", 0.0, ge=0, le=1)
    """How far subjects can tell that they got an active drug (0 masked or animal, 1 plainly felt)."""
    note: str | None = None

    @model_validator(mode="after")
    def _size(self) -> "Arm":
        if self.n_range is not None and not 0 < self.n_range[0] <= self.n_range[1] <= MOST_SUBJECTS:
            told = f"`n_range` must be [low, high] with 0 < low <= high <= {MOST_SUBJECTS}"
            raise ValueError(f"{told}; got {self.n_range}.")
        return self


class Assessment(NamedTuple):
    """One time at which an endpoint may have been read."""

    time_h: float
    """From the test drug (h)."""
    phase: Phase


class Endpoint(Record):
    """What is read, when, and which direction counts as improvement."""

    name: str
    family: str
    """Endpoint family, for antagonists' own effects (for example "immobility", "depression rating")."""
    test_time: str
    """When it is read, from the test drug; ``1 h or 24 h`` where it was one of these, ``unknown`` where nobody says."""
    test_time_latest: str | None = None
    """End of the window, where the report gives a range of times."""
    phase: Literal["acute", "sustained", "unknown"]
    improvement: Literal["increase", "decrease"]

    @field_validator("test_time")
    @classmethod
    def _one_of(cls, text: str) -> str:
        if text.split()[:1] == ["unknown"]:
            return "unknown"  # a column of hours may have its unit in the mapping: "unknown h"
        for one in _alternatives(text):
            _within_reach(one)
        return text

    @field_validator("test_time_latest")
    @classmethod
    def _readable(cls, text: str | None) -> str | None:
        return text if text is None else _within_reach(text)

    @model_validator(mode="after")
    def _paired(self) -> "Endpoint":
        hours = 0 if self.test_time == "unknown" else len(_alternatives(self.test_time))
        if self.test_time_latest is not None and hours != 1:
            raise ValueError(f"A window must begin at one hour; got a `test_time` of {self.test_time!r}.")
        if self.phase == "unknown" and hours > 2:
            raise ValueError(
                "An endpoint of unknown phase must have one hour, two (an acute and a sustained one) or `unknown`; "
                f"got {self.test_time!r}. Give the phase, or two hours."
            )
        return self

    @property
    def assessments(self) -> tuple[Assessment, ...]:
        """When it was read; several where that is not known, of which each is as likely as any other.

        An unknown phase is acute at the earlier and sustained at the later of two hours, and either at one.

        Examples
        --------
        >>> swim = {"name": "swim", "family": "immobility", "improvement": "decrease", "phase": "unknown"}
        >>> [tuple(one) for one in Endpoint(test_time="1 h or 24 h", **swim).assessments]
        [(1.0, 'acute'), (24.0, 'sustained')]
        """
        phases = get_args(Phase) if self.phase == "unknown" else (self.phase,)
        if self.test_time == "unknown":
            return tuple(Assessment(time, phase) for phase in phases for time in USUAL_TIMES[phase])
        hours = sorted(units.magnitude(one, "time") for one in _alternatives(self.test_time))
        if self.test_time_latest is not None:
            hours = [0.5 * (hours[0] + units.magnitude(self.test_time_latest, "time"))]
        if len(hours) == len(phases):
            return tuple(map(Assessment, hours, phases))
        return tuple(Assessment(time, phase) for phase in phases for time in hours)

    @property
    def test_time_h(self) -> float | None:
        """Test time in hours, the middle of a window; None where it is not known."""
        times = {one.time_h for one in self.assessments}
        return times.pop() if len(times) == 1 else None


def _alternatives(test_time: str) -> list[str]:
    parts = re.split(r"\s+or\s+", test_time)
    unit = parts[-1].lstrip("0123456789. ")
    return [f"{part} {unit}" if re.fullmatch(r"[0-9.]+", part) else part for part in parts]


def _within_reach(text: str) -> str:
    if abs(units.magnitude(text, "time")) > LONGEST:
        raise ValueError(f"A test time must be within {LONGEST:g} h of the test drug; got {text!r}.")
    return text


class Protocol(Record):
    """Subjects, arms and endpoints of one experiment."""

    subject: Subject
    arms: Annotated[dict[str, Arm], Field(min_length=1)]
    endpoints: Annotated[dict[str, Endpoint], Field(min_length=1)]
    design: Literal["parallel", "crossover", "single-arm", "unstated"] = "unstated"
    masking: Literal["open", "single", "double", "unstated"] = "unstated"
    selection: str | None = None
    """Rule by which subjects or subsets were selected."""
    washout: str | None = None
    cells_per_animal: Quantity | None = None
    """Cluster size where the unit of replication is a cell in an animal."""
    source: Source

    def tests(self, endpoints: Iterable[str] | None = None) -> dict[str, Assessment]:
        """When endpoints are read, by name: the endpoint's, with the hour where it is one of several."""
        found = {}
        for key in self.endpoints if endpoints is None else endpoints:
            known = self.endpoints[key].test_time_h is not None
            for one in self.endpoints[key].assessments:
                found.setdefault(key if known else f"{key}, if at {one.time_h:.3g} h", one)
        return found

    def is_paired(self, said: bool | None = None) -> bool:
        """Whether arms share their subjects: as a test says of itself, or else by design."""
        return self.design == "crossover" if said is None else said

    def vehicle(self, among: Iterable[str] | None = None) -> str | None:
        """Name the arm that gets nothing, by its doses and manipulations, or else the one called V.

        An arm called K, X, A, KA or KX is a drug's, whose doses were not read if it has none.
        """
        names = [name for name in (self.arms if among is None else among) if name in self.arms]
        bare = (
            name
            for name in names
            if not (self.arms[name].doses or self.arms[name].manipulations or _DRUG_ARM.match(name))
        )
        return next(bare, "V" if "V" in names else None)

    @model_validator(mode="after")
    def _consistent(self) -> "Protocol":
        earliest = {key: min(when.time_h for when in one.assessments) for key, one in self.endpoints.items()}
        unknown = next((key for key, one in self.endpoints.items() if one.test_time == "unknown"), None)
        for name, arm in self.arms.items():
            if arm.subset_of is not None and arm.subset_of not in self.arms:
                raise ValueError(
                    f"`subset_of` must name an arm of the same protocol; got {arm.subset_of!r} in arm {name!r}, "
                    f"arms are {', '.join(self.arms)}."
                )
            first = min((dose.time_h for dose in arm.doses), default=-math.inf)
            for key, time in earliest.items():
                if time < first:
                    raise ValueError(
                        f"A test must not come before the first dose; endpoint {key!r} is read at "
                        f"{time:g} h, arm {name!r} is first dosed at {first:g} h."
                    )
            last = max((dose.times_h[-1] for dose in arm.doses if unknown), default=-math.inf)
            if unknown and earliest[unknown] < last:
                raise ValueError(
                    f"An unknown test time stands for {earliest[unknown]:g} h and later, which must not come before "
                    f"the last dose; arm {name!r} is dosed until {last:g} h. Name the hours at which endpoint "
                    f"{unknown!r} may have been read, such as `test_time: {last + 1:g} h or {last + 24:g} h`."
                )
        return self
