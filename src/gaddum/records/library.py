"""Library: the drugs and targets that cases refer to, read from YAML and checked against each other.

The bundled library lies in `gaddum/library`; a case folder may add drugs and targets of its own, never redefine one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePath

from gaddum import units
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug, Mixture
from gaddum.records.drug_quantities import quantities
from gaddum.records.finding import Finding, RecordError, nearest
from gaddum.records.fit import KineticFit, joined
from gaddum.records.species import Species
from gaddum.records.target import Target
from gaddum.records.yaml import Document, read_document, to_record
from gaddum.text import plain


@dataclass(frozen=True)
class Library:
    """Targets and drugs by their exact keys."""

    targets: dict[str, Target]
    drugs: dict[str, Drug | Mixture]
    fits: tuple[KineticFit, ...] = ()
    """Kinetics that several studies show together, in the place of what drugs report of the same constants."""

    def with_fits(self, fits: Iterable[KineticFit]) -> "Library":
        """The library with further fits, each in the place of one of the same drug in the same species.

        Raises
        ------
        ValueError
            Where two fits of other drugs have a constant in common.
        """
        return replace(self, fits=joined((*self.fits, *fits)))

    def target(self, name: str) -> Target:
        """Look up a target; an unknown key lists the near ones."""
        if name not in self.targets:
            raise ValueError(
                f"A target must be a key of the library; got {name!r}. {nearest(name, self.targets)}"
            )
        return self.targets[name]

    def target_name(self, name: str) -> str:
        """The library's key of a target written in any case or by a synonym; an unknown name lists the near ones."""
        return self.target(self.target_key(name)).name

    def target_key(self, name: str) -> str:
        """The library's key of a target as `target_name` has it, or the name itself where the library knows none."""
        names = ((key, (key, one.full_name, *one.synonyms)) for key, one in self.targets.items())
        return _resolved(name, names) or name

    def drug_name(self, name: str) -> str:
        """The library's key of a drug or mixture written in any case or by a synonym; near names are not taken.

        The name of a salt is its drug's where the drug's `salt_factor` is that of this salt.
        """
        return self.drug(self._drug_key(name) or name).name

    def drug(self, name: str) -> Drug | Mixture:
        """Look up a drug or mixture; an unknown key lists the near ones."""
        if name not in self.drugs:
            raise ValueError(f"A drug must be a key of the library; got {name!r}. {self.near_drug(name)}")
        return self.drugs[name]

    def near_drug(self, name: str) -> str:
        """Say which drugs are near an unknown key, by their names and synonyms."""
        known = self._drug_key(name)
        return nearest(name, self.drugs) if known is None else f"Did you mean {known!r}?"

    def drug_key(self, name: str) -> str:
        """The library's key of a drug as `drug_name` has it, or the name itself where the library knows none."""
        return name if name in self.drugs else self._drug_key(name) or name

    def named(self, dose: Dose) -> Dose:
        """A dose under the library's key; mass under a salt's name, and not said to be base, is mass of salt."""
        of_salt = dose.salt == "unstated" and _salt_in(dose.drug) is not None
        salt = "salt" if of_salt else dose.salt
        return dose.model_copy(update={"drug": self.drug_key(dose.drug), "salt": salt})

    def _drug_key(self, name: str) -> str | None:
        names = tuple((key, (key, *drug.synonyms)) for key, drug in self.drugs.items())
        found = _resolved(name, names)
        base, salt = _folded(name).rpartition(" ")[0], _salt_in(name)
        if found is not None or salt is None:
            return found
        found = _resolved(base.removesuffix(" hydrogen"), names)
        factor = None if found is None else self.drugs[found].salt_factor
        return found if factor is not None and salt in factor.model_dump_json().casefold() else None

    def species(self, name: str) -> tuple[tuple[Drug, float], ...]:
        """Chemical species of a drug or mixture, with the fraction of each."""
        drug = self.drug(name)
        if isinstance(drug, Drug):
            return ((drug, 1.0),)
        parts = ((self.drug(part.drug), part.fraction) for part in drug.parts)
        return tuple((part, fraction) for part, fraction in parts if isinstance(part, Drug))

    def family(self, name: str, species: Species) -> tuple[str, ...]:
        """Every chemical species that a dose puts into a body: the drug or its parts, and their metabolites there."""
        left, found = [name], []
        while left:
            one = left.pop(0)
            drug = self.drugs.get(one)
            if isinstance(drug, Mixture):
                left += [part.drug for part in drug.parts]
            elif isinstance(drug, Drug) and one not in found:
                found.append(one)
                left += [child.drug for child in drug.metabolites.get(species, ())]
        return tuple(found)


_SALTS = {
    "hydrochloride": ("hydrochloride", "hcl"),
    "hydrobromide": ("hydrobromide", "hbr"),
    "sulfate": ("sulfate", "sulphate"),
    "maleate": ("maleate",),
}
"""Words of salts, as sources of a `salt_factor` name them, and how people write them."""


def _salt_in(name: str) -> str | None:
    """The salt that a drug's name ends with, if it does."""
    last = _folded(name).rpartition(" ")[2]
    return next((one for one, spellings in _SALTS.items() if last in spellings), None)


def _resolved(name: str, known: Iterable[tuple[str, Iterable[str]]]) -> str | None:
    """The key that is written so, or the only one that has this name but for case, signs and spaces."""
    candidates = [(key, tuple(names)) for key, names in known]
    if any(key == name for key, _ in candidates):
        return name
    folded = _folded(name)
    found = {key for key, names in candidates if folded in map(_folded, names)}
    return found.pop() if len(found) == 1 else None


def _folded(name: str) -> str:
    return " ".join(plain(name).casefold().split())


KINDS = ("targets", "drugs", "fits")
"""Folders of a library."""


def bundled() -> Traversable:
    """Folder of the bundled library: `drugs`, `targets` and `cases`."""
    return files("gaddum") / "library"


def load_library(extra: Path | None = None) -> Library:
    """Read the bundled library, with the drugs and targets of a case folder added.

    Parameters
    ----------
    extra : Path, optional
        A folder that may hold `drugs`, `targets` and `fits`.

    Returns
    -------
    Library
        Everything, checked.

    Raises
    ------
    RecordError
        With the findings of all files.
    """
    shared = _bundled_documents()
    if extra is None or not any((extra / kind).is_dir() for kind in KINDS):
        return _bundled_library()
    return _assemble([*shared, *_documents(extra)])


def yaml_files(folder: Traversable) -> list[Traversable]:
    """YAML files of a folder in the order of their names; none if there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(
        (path for path in folder.iterdir() if path.name.endswith(".yaml")), key=lambda path: path.name
    )


@cache
def _bundled_documents() -> tuple[tuple[str, str, Document], ...]:
    return tuple(_documents(bundled()))


@cache
def _bundled_library() -> Library:
    return _assemble(_bundled_documents())


def _documents(folder: Traversable) -> list[tuple[str, str, Document]]:
    """Read (kind, stem, document) of every file, collecting what cannot be read."""
    documents, findings = [], []
    for kind in KINDS:
        for path in yaml_files(folder / kind):
            try:
                documents.append((kind, path.name.removesuffix(".yaml"), read_document(path)))
            except RecordError as error:
                findings += error.findings
    if findings:
        raise RecordError(findings)
    return documents


def _assemble(
    documents: "tuple[tuple[str, str, Document], ...] | list[tuple[str, str, Document]]",
) -> Library:
    targets: dict[str, Target] = {}
    drugs: dict[str, Drug | Mixture] = {}
    fits: list[KineticFit] = []
    places: dict[str, Document] = {}
    findings: list[Finding] = []
    for kind, stem, document in documents:
        try:
            if kind == "fits":
                fit = to_record(document, KineticFit)
                key = f"fits{PurePath(document.file).parent}{fit.drug}{fit.species}"
                if key in places:
                    message = (
                        f"A folder must hold one fit of a drug in a species; that of {fit.drug} in {fit.species} is "
                        f"also in {places[key].file}. Delete one."
                    )
                    findings.append(document.finding(("drug",), message))
                places[key] = document
                fits.append(fit)
                continue
            if kind == "targets":
                record: Target | Drug | Mixture = to_record(document, Target)
            else:
                is_mixture = document.content.get("kind") == "mixture"
                record = to_record(document, Mixture if is_mixture else Drug)
        except RecordError as error:
            findings += error.findings
            continue
        if record.name != stem:
            message = (
                f"The file must be named after its `name`; got {record.name!r} in a file named {stem!r}."
            )
            findings.append(document.finding(("name",), message))
        known = targets if isinstance(record, Target) else drugs
        if record.name in known:
            message = (
                f"A name must be defined once; {record.name!r} is also in {places[kind + record.name].file}."
            )
            findings.append(document.finding(("name",), f"{message} Choose another name."))
            continue
        places[kind + record.name] = document
        if isinstance(record, Target):
            targets[record.name] = record
        else:
            drugs[record.name] = record
    library = Library(targets, drugs).with_fits(fits)
    if not findings:
        for drug in drugs.values():
            findings += _drug_findings(library, drug, places["drugs" + drug.name])
        findings += _cycles(library, places)
    if findings:
        raise RecordError(findings)
    return library


def _drug_findings(library: Library, drug: Drug | Mixture, document: Document) -> Iterator[Finding]:
    if isinstance(drug, Mixture):
        for index, part in enumerate(drug.parts):
            yield from _known_species(library, part.drug, document, ("parts", index, "drug"))
    else:
        for index, affinity in enumerate(drug.affinities):
            if affinity.target not in library.targets:
                hint = nearest(affinity.target, library.targets)
                message = f"An affinity must name a known target; got {affinity.target!r}. {hint}"
                yield document.finding(("affinities", index, "target"), message)
        for species, metabolites in drug.metabolites.items():
            for index, metabolite in enumerate(metabolites):
                path = ("metabolites", species, index, "drug")
                yield from _known_species(library, metabolite.drug, document, path)
    for path, quantity, kind in quantities(drug):
        try:
            units.magnitude(f"{quantity.value!r} {quantity.unit}", kind)
        except ValueError as error:
            yield document.finding((*path, "unit"), str(error))
            continue
        if (
            path[0] == "disposition"
            and kind in ("volume", "clearance", "elimination rate")
            and isinstance(drug, Drug)
        ):
            unit = units.canonical_unit(f"{quantity.value!r} {quantity.unit}", kind)
            if not unit.endswith("/kg") and _weightless(drug, str(path[1])):
                message = f"A {kind} of the whole body must come with `reference_weight`; got {quantity.unit!r} alone."
                yield document.finding((*path, "unit"), f"{message} Add it, or give the value per kg.")


def _weightless(drug: Drug, species: str) -> bool:
    return any(key == species and one.reference_weight is None for key, one in drug.disposition.items())


def _known_species(library: Library, name: str, document: Document, path: tuple) -> Iterator[Finding]:
    if name not in library.drugs:
        message = f"This must be a drug of the library; got {name!r}. {library.near_drug(name)}"
        yield document.finding(path, message)
    elif isinstance(library.drugs[name], Mixture):
        message = f"This must be one chemical species; got the mixture {name!r}. Name its parts."
        yield document.finding(path, message)


def _cycles(library: Library, places: dict[str, Document]) -> Iterator[Finding]:
    """Metabolism that leads back to where it began, each ring once."""
    seen: set[frozenset[str]] = set()
    for start in library.drugs:
        for species in _species_of(library, start):
            ring = _ring(library, species, (start,))
            if ring and frozenset(ring) not in seen:
                seen.add(frozenset(ring))
                message = (
                    f"Metabolism must not lead back to its start; got {' -> '.join(ring)} in {species}. "
                    "Remove the return, or give the net fraction."
                )
                yield places["drugs" + start].finding(("metabolites", species), message)


def _ring(library: Library, species: str, path: tuple[str, ...]) -> tuple[str, ...]:
    """Shortest way from the first drug of a path back to it; empty if there is none."""
    layers, visited = [path], {path[0]}
    while layers:
        trail = layers.pop(0)
        drug = library.drugs.get(trail[-1])
        known = drug.metabolites if isinstance(drug, Drug) else {}
        formed = [one.drug for found, several in known.items() if found == species for one in several]
        for name in formed:
            if name == path[0]:
                return (*trail, path[0])
            if name not in visited:
                visited.add(name)
                layers.append((*trail, name))
    return ()


def _species_of(library: Library, name: str) -> tuple[str, ...]:
    drug = library.drugs[name]
    return tuple(drug.metabolites) if isinstance(drug, Drug) else ()
