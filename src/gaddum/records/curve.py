"""Benchmark: a published measurement that the library and the engagement calculator must predict.

A benchmark gives doses in one species, what was measured after them, and how near a prediction has to come. The
tolerance is written before any prediction is run; a benchmark that turns out to fail stays. What the library's own
numbers were taken from, and what nobody could verify, may be listed but is not counted.

Times are hours from the first dose's time 0 (the last dose of a regimen at steady state). A drug that is a mixture is
read as the sum of its parts by mass.
"""

from collections.abc import Iterator
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gaddum import units
from gaddum.records.base import Record, in_unit
from gaddum.records.dose import HELD, Dose
from gaddum.records.drug import Drug
from gaddum.records.finding import Finding, RecordError, nearest
from gaddum.records.library import Library, bundled, load_library, yaml_files
from gaddum.records.quantity import Quantity
from gaddum.records.shorthand import write_doses
from gaddum.records.species import Species
from gaddum.records.yaml import Document, FieldPath, read_document, to_record


class _Measurement(Record):
    """What every reading has: the published value, with unit, spread and source."""

    published: Quantity


class Occupancy(_Measurement):
    """Fraction of a target held by the drugs given and their metabolites, at a time."""

    kind: Literal["occupancy"]
    target: str
    time: str


Sampling = Literal["arterial", "venous", "brain"]
"""Where a concentration is read: total in plasma, or unbound in brain."""


class Concentration(_Measurement):
    """Concentration of a drug or metabolite at a time: total in plasma, unbound in brain."""

    kind: Literal["concentration"]
    drug: str
    time: str
    sampling: Sampling


class Peak(_Measurement):
    """Highest concentration of a drug or metabolite: total in plasma, unbound in brain."""

    kind: Literal["peak"]
    drug: str
    sampling: Sampling


class TimeOfMaximum(_Measurement):
    """Time from the first dose at which the occupancy of a target is highest."""

    kind: Literal["time of maximum"]
    target: str


class HalfTime(_Measurement):
    """Time that the occupancy of a target takes to fall from its maximum to half of it."""

    kind: Literal["half-time"]
    target: str


class AreaRatio(_Measurement):
    """Area under the plasma curve of one drug over that of another, to infinity, by mass."""

    kind: Literal["area ratio"]
    drug: str
    over: str


class HalfConcentration(_Measurement):
    """Unbound plasma concentration of the drug given that holds half of a target at equilibrium."""

    kind: Literal["half-maximal concentration"]
    target: str
    drug: str


class DoseRatio(_Measurement):
    """Ratio of two doses that reach the same highest occupancy of their targets.

    The first is of the benchmark's own dose, the second of `over`; amounts of the two doses are not used.
    """

    kind: Literal["dose ratio"]
    target: str
    over: Dose
    over_target: str
    level: float = in_unit("1", 0.5, gt=0, lt=1)
    """Occupancy at which the doses are compared."""


Reading = Annotated[
    Occupancy | Concentration | Peak | TimeOfMaximum | HalfTime | AreaRatio | HalfConcentration | DoseRatio,
    Field(discriminator="kind"),
]

_UNITS: dict[str, units.Kind] = {
    "occupancy": "number",
    "concentration": "concentration",
    "peak": "concentration",
    "time of maximum": "time",
    "half-time": "time",
    "area ratio": "number",
    "half-maximal concentration": "concentration",
    "dose ratio": "number",
}


class Tolerance(Record):
    """How near the predicted median has to come to the published value.

    ``difference``: within so much in the unit of the reading; ``fold``: within this factor either way. Over several
    readings it holds for `each` of them or for their root mean square (of the logarithms, for a fold).
    """

    kind: Literal["difference", "fold"]
    value: float = in_unit("of the reading; fold: 1", gt=0)
    over: Literal["each", "root mean square"] = "each"
    reason: str

    @model_validator(mode="after")
    def _a_factor(self) -> "Tolerance":
        if self.kind == "fold" and not self.value > 1:
            raise ValueError(f"A fold must be a factor above 1; got {self.value:g}.")
        return self


class Benchmark(Record):
    """One published measurement to be predicted."""

    id: str
    title: str
    species: Species
    doses: Annotated[tuple[Dose, ...], Field(min_length=1)]
    readings: Annotated[tuple[Reading, ...], Field(min_length=1)]
    tolerance: Tolerance
    counted: bool = True
    reason: str | None = None
    """Why it is not counted."""
    note: str | None = None

    @model_validator(mode="after")
    def _honest(self) -> "Benchmark":
        if not self.counted and not self.reason:
            raise ValueError("A benchmark that is not counted must say why; got no `reason`. Add one.")
        guessed = [one for one in self.readings if one.published.source.how == "assumption"]
        if self.counted and guessed:
            raise ValueError(
                f"A counted benchmark must rest on published values; got {len(guessed)} assumed. "
                "Set `counted: false` with a `reason`."
            )
        kinds = {one.kind for one in self.readings}
        if len(kinds) > 1:
            raise ValueError(
                f"The readings of a benchmark must be of one kind, as they share a tolerance; got {sorted(kinds)}."
            )
        return self

    @property
    def protocol(self) -> str:
        """The doses in shorthand."""
        return write_doses(self.doses)


def load_benchmarks(library: Library | None = None) -> tuple[Benchmark, ...]:
    """Read the bundled benchmarks, checked against the library, in the order of their ids; or raise `RecordError`."""
    library = load_library() if library is None else library
    found: list[Benchmark] = []
    findings: list[Finding] = []
    folders = [one for one in (bundled() / "curves").iterdir() if one.is_dir()]
    for path in sorted((path for one in folders for path in yaml_files(one)), key=lambda path: path.name):
        try:
            found.append(read_benchmark(path, library))
        except RecordError as error:
            findings += error.findings
    if findings:
        raise RecordError(findings)
    return tuple(found)


def read_benchmark(path: Traversable, library: Library) -> Benchmark:
    """Read one benchmark and check what it names, or raise `RecordError`."""
    document = read_document(path)
    record = to_record(document, Benchmark)
    findings = _findings(record, document, path.name.removesuffix(".yaml"), library)
    if findings:
        raise RecordError(findings)
    return record


def _findings(record: Benchmark, document: Document, stem: str, library: Library) -> list[Finding]:
    found: list[Finding] = []
    if record.id != stem:
        message = f"The file must be named after its `id`; got {record.id!r} in a file named {stem!r}."
        found.append(document.finding(("id",), message))
    for index, dose in enumerate(record.doses):
        found += _unknown(("doses", index, "drug"), dose.drug, library, document)
        for part, _ in library.species(dose.drug) if dose.drug in library.drugs else ():
            found += _undosable(part, record.species, dose, document, ("doses", index))
    for index, reading in enumerate(record.readings):
        here = ("readings", index)
        for field, name in _named(reading):
            found += _unknown((*here, *field), name, library, document)
        quantity = f"{reading.published.value!r} {reading.published.unit}"
        found += _unreadable((*here, "published", "unit"), quantity, _UNITS[reading.kind], document)
        if isinstance(reading, (Occupancy, Concentration)):
            found += _unreadable((*here, "time"), reading.time, "time", document)
        if isinstance(reading, DoseRatio) and reading.over.drug in library.drugs:
            for part, _ in library.species(reading.over.drug):
                found += _undosable(part, record.species, reading.over, document, (*here, "over"))
    return found


def _named(reading: Reading) -> Iterator[tuple[FieldPath, str]]:
    """Drugs and targets that a reading names, with the fields that do."""
    for field in ("target", "over_target", "drug", "over"):
        name = getattr(reading, field, None)
        if isinstance(name, str):
            yield (field,), name
    if isinstance(reading, DoseRatio):
        yield ("over", "drug"), reading.over.drug


def _unknown(field: FieldPath, name: str, library: Library, document: Document) -> Iterator[Finding]:
    if str(field[-1]).endswith("target"):
        if name not in library.targets:
            near = nearest(name, library.targets)
            yield document.finding(field, f"This must be a target of the library; got {name!r}. {near}")
    elif name not in library.drugs:
        near = library.near_drug(name)
        yield document.finding(field, f"This must be a drug of the library; got {name!r}. {near}")


def _unreadable(field: FieldPath, text: str, kind: units.Kind, document: Document) -> Iterator[Finding]:
    try:
        units.magnitude(text, kind)
    except ValueError as error:
        yield document.finding(field, str(error))


def _undosable(
    drug: Drug, species: Species, dose: Dose, document: Document, field: FieldPath
) -> Iterator[Finding]:
    """Say that a drug has no kinetics in the species, or none by the route."""
    if dose.route in HELD:
        return
    body = drug.disposition.get(species)
    routes = () if body is None else ("iv bolus", "iv infusion", *body.absorption)
    if dose.route not in routes:
        known = ", ".join(routes) or "no disposition there"
        message = f"{drug.name} must have kinetics in {species} by route {dose.route!r}; got {known}."
        yield document.finding((*field, "route"), f"{message} Add them to the drug's file.")
