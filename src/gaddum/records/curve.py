"""Curve: what one paper measured of a drug over time or dose in one species, or the kinetics that it fitted.

A population fit learns from curves; one paper is one group, left out whole. A curve with a tolerance is a *benchmark*:
its medians must be predicted that nearly. The tolerance is written before any prediction is run; a benchmark that
turns out to fail stays. What the library's own numbers were taken from, and what nobody could verify, may be listed
but is not counted.

Times are hours from the first dose's time 0 (the last dose of a regimen at steady state). A drug that is a mixture is
read as the sum of its parts by mass.
"""

import math
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gaddum import units
from gaddum.records.base import Record, in_unit
from gaddum.records.dose import HELD, Dose
from gaddum.records.drug import Drug
from gaddum.records.drug_quantities import disposition_quantities
from gaddum.records.finding import Finding, Level, RecordError, nearest
from gaddum.records.library import Library, bundled, load_library, yaml_files
from gaddum.records.quantity import Quantity
from gaddum.records.reading import (
    Concentration,
    DoseRatio,
    KineticConstant,
    Measured,
    Occupancy,
    PublishedModel,
    Reading,
    TimeWindow,
    kind_of,
    measured,
)
from gaddum.records.shorthand import write_doses
from gaddum.records.species import Species
from gaddum.records.yaml import Document, FieldPath, read_document, to_record


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


class Curve(Record):
    """What one paper measured of a drug in one species."""

    id: str
    title: str
    paper: str
    """The group that is left out whole; every curve of one paper or of the same subjects has the same."""
    laboratory: str | None = None
    species: Species
    population: str | None = None
    """Who they were: healthy men, people on maintenance."""
    weight: Quantity | None = None
    """Mean body weight."""
    doses: tuple[Dose, ...] = ()
    """Doses of every reading that has none of its own."""
    readings: Annotated[tuple[Reading, ...], Field(min_length=1)]
    tolerance: Tolerance | None = None
    """Of a benchmark."""
    counted: bool = True
    """Whether it counts, as a benchmark and in fits."""
    reason: str | None = None
    """Why it does not."""
    note: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Curve":
        for place, one in enumerate(self.readings):
            doses = one.doses or self.doses
            if not doses and not isinstance(one, KineticConstant):
                raise ValueError(
                    f"A reading must follow a dose; got none for readings[{place}]. Add `doses`."
                )
            for time in one.times if isinstance(one, (Occupancy, Concentration)) else ():
                first = min(dose.time_h for dose in doses)
                start = time.hours[0] if isinstance(time, TimeWindow) else units.magnitude(time, "time")
                if start < first and not any(dose.steady_state for dose in doses):
                    raise ValueError(
                        f"A reading must not be earlier than the first dose ({first:g} h); got {start:g} h in "
                        f"readings[{place}]. Count times from the test drug on."
                    )
        return self

    @model_validator(mode="after")
    def _honest(self) -> "Curve":
        if not self.counted and not self.reason:
            raise ValueError("A curve that is not counted must say why; got no `reason`. Add one.")
        if self.tolerance is None:
            return self
        guessed = [one for one in self.measured if one.published.source.how == "assumption"]
        if self.counted and guessed:
            raise ValueError(
                f"A counted benchmark must rest on published values; got {len(guessed)} assumed. "
                "Set `counted: false` with a `reason`."
            )
        kinds = {one.kind for one in self.readings}
        if len(kinds) > 1 or kinds & {"constant", "model"}:
            raise ValueError(
                "The readings of a benchmark must be of one kind, as they share a tolerance, and measured; got "
                f"{sorted(kinds)}. Leave out the tolerance, or part them."
            )
        if len({(one.doses, one.published.unit, one.below) for one in self.measured} | {self._shared}) > 1:
            raise ValueError(
                "The values of a benchmark must follow the curve's doses, have one unit and none be below a limit, as "
                "they share a tolerance; got others. Part them, or leave those below out."
            )
        return self

    @property
    def _shared(self) -> tuple[tuple[Dose, ...], str, bool]:
        return self.doses, self.measured[0].published.unit, False

    @property
    def measured(self) -> tuple[Measured, ...]:
        """Every published number of the curve, with its doses and time."""
        return tuple(number for one in self.readings for number in measured(one, self.doses))

    @property
    def given(self) -> frozenset[str]:
        """Drugs that were given; of a printed constant without a dose, the drug that it is of."""
        doses = {dose.drug for one in self.readings for dose in one.doses or self.doses}
        alone = {one.drug for one in self.readings if isinstance(one, KineticConstant)}
        return frozenset(doses or alone)

    @property
    def protocol(self) -> str:
        """The doses in shorthand."""
        return write_doses(self.doses)


def load_curves(library: Library | None = None) -> tuple[Curve, ...]:
    """Read the bundled curves, checked against the library, in the order of their ids; or raise `RecordError`."""
    library = load_library() if library is None else library
    found: dict[str, Curve] = {}
    findings: list[Finding] = []
    folders = [one for one in (bundled() / "curves").iterdir() if one.is_dir()]
    for path in sorted((path for one in folders for path in yaml_files(one)), key=lambda path: path.name):
        try:
            one = read_curve(path, library)
        except RecordError as error:
            findings += error.findings
            continue
        if one.id in found:
            findings.append(
                Finding("error", str(path), "id", f"An id must occur once; got {one.id!r} again.")
            )
        found[one.id] = one
    if findings:
        raise RecordError(findings)
    return tuple(found.values())


def curves_of(drug: str, library: Library) -> tuple[Curve, ...]:
    """The bundled curves of one drug, which lie in the folder of its name; none of a drug that has none."""
    folder = bundled() / "curves" / drug
    paths = sorted(yaml_files(folder), key=lambda path: path.name) if folder.is_dir() else []
    return tuple(read_curve(path, library) for path in paths)


def load_benchmarks(library: Library | None = None) -> tuple[Curve, ...]:
    """Those of `load_curves` that have a tolerance."""
    return tuple(one for one in load_curves(library) if one.tolerance is not None)


def read_curve(path: Traversable, library: Library) -> Curve:
    """Read one curve and check what it names, or raise `RecordError`."""
    document = read_document(path)
    record, found = checked_curve(document, library)
    if record.id != (stem := path.name.removesuffix(".yaml")):
        message = f"The file must be named after its `id`; got {record.id!r} in a file named {stem!r}."
        found.append(document.finding(("id",), message))
    if any(one.level == "error" for one in found):
        raise RecordError(found)
    return record


def checked_curve(document: Document, library: Library) -> tuple[Curve, list[Finding]]:
    """Read a curve from plain values, and say what is wrong or doubtful in it; `RecordError` if it is none."""
    record = to_record(document, Curve)
    return record, [
        *_named(record, document, library),
        *_unreadable(record, document),
        *_doubts(record, document),
    ]


def _named(record: Curve, document: Document, library: Library) -> Iterator[Finding]:
    """What a curve names must be in the library if it is to be predicted, and kinetics by its routes there too."""
    level: Level = "error" if record.tolerance else "warning"
    fields: list[tuple[FieldPath, str]] = []
    for index, reading in enumerate(record.readings):
        here = ("readings", index)
        for field in ("target", "over_target", "drug", "over"):
            if isinstance(name := getattr(reading, field, None), str):
                fields.append(((*here, field), name))
        doses = [((*here, "doses", place), dose) for place, dose in enumerate(reading.doses)]
        doses += [((*here, "over"), reading.over)] if isinstance(reading, DoseRatio) else []
        doses += [(("doses", place), dose) for place, dose in enumerate(record.doses)] if not index else []
        for path, dose in doses:
            fields.append(((*path, "drug"), dose.drug))
            for part, _ in (
                library.species(dose.drug) if record.tolerance and dose.drug in library.drugs else ()
            ):
                yield from _undosable(part, record.species, dose, document, path)
    for field, name in fields:
        is_target = str(field[-1]).endswith("target")
        if name not in (library.targets if is_target else library.drugs):
            near = nearest(name, library.targets) if is_target else library.near_drug(name)
            what = "target" if is_target else "drug"
            yield document.finding(
                field, f"This must be a {what} of the library; got {name!r}. {near}", level
            )


def _unreadable(record: Curve, document: Document) -> Iterator[Finding]:
    """Units that are of another kind of quantity, and times that are none."""
    for index, reading in enumerate(record.readings):
        here: FieldPath = ("readings", index)
        texts: list[tuple[FieldPath, str, units.Kind]] = []
        if isinstance(reading, PublishedModel):
            for place, time in enumerate(reading.times):
                texts.append((("times", place), time, "time"))
            known = set[str]()
            for path, one, kind in disposition_quantities(("disposition",), reading.disposition):
                texts.append(((*path, "unit"), f"{one.value!r} {one.unit}", kind))
                known.add(".".join(map(str, path[1:-1])))  # without the place among several reports
            for name in reading.between.keys() - known:
                message = f"A variation must be of a number of the disposition; got {name!r}. {nearest(name, known)}"
                yield document.finding((*here, "between", name), message)
        elif isinstance(reading, (Occupancy, Concentration)):
            texts.append((("unit",), f"1 {reading.unit}", kind_of(reading)))
        else:
            texts.append((("published", "unit"), f"1 {reading.published.unit}", kind_of(reading)))
        for path, text, kind in texts:
            try:
                units.magnitude(text, kind)
            except ValueError as error:
                yield document.finding((*here, *path), str(error))


_LEAST_CV, _MOST_CV = 0.08, 1.5
"""Coefficients of variation of a concentration between subjects below and above which the kind of spread is doubted."""


def _doubts(record: Curve, document: Document) -> Iterator[Finding]:
    """What can be used and is probably not meant."""
    for index, reading in enumerate(record.readings):
        if not isinstance(reading, Concentration):
            continue
        here = ("readings", index)
        if len(reading.times) == 1:
            message = "One value says how high a curve is and nothing of its shape."
            yield document.finding((*here, "times"), message, "note")
        relative: dict[str, list[float]] = {}
        for one in measured(reading, record.doses):
            spread, n = one.published.spread, one.published.n
            if spread is not None and isinstance(spread.value, float) and n is not None and n > 3:
                scale = 1 / one.published.value * (math.sqrt(n) if spread.kind == "SEM" else 1)
                relative.setdefault(spread.kind, []).append(spread.value * scale)
        for kind, small, large in (("SD", "a standard error", ""), ("SEM", "", "a standard deviation")):
            found = sorted(relative.get(kind, ()))
            middle = found[len(found) // 2] if found else math.nan
            meant = small if middle < _LEAST_CV else large if middle > _MOST_CV else ""
            if meant:
                message = f"Subjects differ by 20 to 60 % as a rule; by this {kind}, by {100 * middle:.0f} %."
                message += f" Is it {meant}?"
                yield document.finding((*here, "spread"), message, "warning")


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
