"""Ledger: the published evidence of a case, an immutable set of studies; and how a case folder is read.

A case is a bundled name (`"ketamine"`) or the path of a folder. A bundled name comes first; write ``./ketamine`` for
a folder of the same name.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import Path

from gaddum.records.case import Case
from gaddum.records.document_cache import remembering
from gaddum.records.experiment import Experiment, Study
from gaddum.records.finding import Finding, RecordError, nearest
from gaddum.records.hypothesis import Hypothesis
from gaddum.records.library import Library, bundled, load_library, yaml_files
from gaddum.records.outcome import Outcome
from gaddum.records.prior_table import missing_priors
from gaddum.records.protocol import Protocol
from gaddum.records.yaml import Document, dump_record, parse_document, read_document, to_record

LARGE = 100
"""Studies from which on what their files say is remembered between commands."""


@dataclass(frozen=True)
class Ledger:
    """Studies in the order of their year and id."""

    studies: tuple[Study, ...] = ()

    def __post_init__(self) -> None:
        ids = [study.id for study in self.studies]
        twice = sorted(one for one, count in Counter(ids).items() if count > 1)
        if twice:
            raise ValueError(f"A study must be in a ledger once; got {', '.join(twice)} again.")
        ordered = tuple(sorted(self.studies, key=lambda study: (study.year, study.id)))
        object.__setattr__(self, "studies", ordered)

    def __len__(self) -> int:
        return len(self.studies)

    def study(self, name: str) -> Study:
        """Look up a study by its id; an unknown id lists the near ones."""
        for study in self.studies:
            if study.id == name:
                return study
        near = nearest(name, (study.id for study in self.studies))
        raise ValueError(f"A study must be in the ledger; got {name!r}. {near}")

    def until(self, year: int) -> "Ledger":
        """Studies published up to and including a year."""
        return Ledger(tuple(study for study in self.studies if study.year <= year))

    def select(self, ids: Iterable[str]) -> "Ledger":
        """Studies with the given ids."""
        return Ledger(tuple(self.study(name) for name in dict.fromkeys(ids)))

    def experiments(self) -> Iterator[tuple[Study, Experiment]]:
        """Every experiment with its study."""
        for study in self.studies:
            for experiment in study.experiments:
                yield study, experiment

    def outcomes(self) -> Iterator[tuple[Study, Experiment, Outcome]]:
        """Every outcome with its study and experiment."""
        for study, experiment in self.experiments():
            for outcome in experiment.outcomes:
                yield study, experiment, outcome

    def dump(self) -> dict[str, str]:
        """YAML text of every study by its id; `Ledger.parse` reads it back."""
        return {study.id: dump_record(study) for study in self.studies}

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Ledger":
        """Read studies from YAML texts."""
        return cls(tuple(to_record(parse_document(text), Study) for text in texts))


@dataclass(frozen=True)
class LoadedCase:
    """A case with all that it refers to."""

    case: Case
    library: Library
    ledger: Ledger
    folder: Traversable
    """Where it was read from (a `pathlib.Path` for all but zipped installations)."""
    documents: dict[str, Document] = field(default_factory=dict, repr=False, compare=False)
    """Files by study id, and ``case`` (prefix ``study:``) for places in findings."""

    @property
    def hashes(self) -> dict[str, str]:
        """Digests of what it says, case with ledger and library apart, by which a result tells what it is of."""
        studies = (study.model_dump_json() for study in self.ledger.studies)
        drugs = [drug.model_dump_json() for _, drug in sorted(self.library.drugs.items())]
        drugs += [fit.model_dump_json() for fit in self.library.fits]
        said = {"case_hash": (self.case.model_dump_json(), *studies), "library_hash": tuple(drugs)}
        return {name: sha256("\n".join(texts).encode()).hexdigest() for name, texts in said.items()}


def bundled_cases() -> tuple[str, ...]:
    """Names of the bundled cases."""
    folder = bundled() / "cases"
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if (path / "case.yaml").is_file()))


def case_folder(name_or_path: str | Path) -> Traversable:
    """Folder of a case by bundled name or path; an unknown one lists the near names."""
    names = bundled_cases()
    if str(name_or_path) in names:
        return bundled() / "cases" / str(name_or_path)
    folder = Path(os.path.expanduser(name_or_path))
    if os.path.isfile(folder / "case.yaml"):
        return folder
    given = str(name_or_path)[:80]
    what = "a folder without case.yaml" if os.path.isdir(folder) else "neither"
    raise ValueError(
        f"A case must be a bundled name or a folder that holds case.yaml; got {given!r}, which is {what}. "
        f"{nearest(given, names, what='Bundled cases')}"
    )


def case_library(case: str | Path | None) -> Library:
    """The library with a case's own drugs and targets; the bundled one where no case is named."""
    folder = None if case is None else case_folder(case)
    return load_library(folder if isinstance(folder, Path) else None)


def case_of_study(path: Path) -> LoadedCase:
    """Read a study that stands in no case, as the one study of a case that asks nothing of it."""
    document, library = read_document(path), load_library()
    study = _with_keys(to_record(document, Study), library)
    given = (
        dose.drug for one in study.experiments for arm in one.protocol.arms.values() for dose in arm.doses
    )
    case = Case(
        name="none",
        title=study.title,
        question="none",
        test_drug=next(given, next(iter(library.drugs))),
        effect="effect",
        link=1.0,
        hypotheses=(Hypothesis(name="nothing", title="nothing", gate="0", says="nothing"),),
    )
    case = case.model_copy(update={"priors": missing_priors(case, [study])})
    return LoadedCase(case, library, Ledger((study,)), path.parent, {f"study:{study.id}": document})


def load_case(name_or_path: str | Path) -> LoadedCase:
    """Read a case: its question, its studies, and the library extended by its own drugs and targets.

    Parameters
    ----------
    name_or_path : str or Path
        A bundled name, or a folder.

    Returns
    -------
    LoadedCase
        The case, its prior table completed by the default rows that it needs; `check_case` says whether its parts agree
        with each other.

    Raises
    ------
    ValueError
        If there is no such case. A `RecordError` (with the findings of all files) if files cannot be read as records.
    """
    folder = case_folder(name_or_path)
    findings: list[Finding] = []
    documents: dict[str, Document] = {}
    case: Case | None = None
    studies: list[Study] = []
    try:
        documents["case"] = read_document(folder / "case.yaml")
        case = to_record(documents["case"], Case)
    except RecordError as error:
        findings += error.findings
    paths = yaml_files(folder / "studies")
    with remembering(len(paths) >= LARGE) as parse:
        for path in paths:
            try:
                document = read_document(path, parse)
                study = to_record(document, Study)
            except RecordError as error:
                findings += error.findings
                continue
            if f"{study.id}.yaml" != path.name:
                message = f"The file must be named after the study's `id`; got {study.id!r} in {path.name}."
                findings.append(document.finding(("id",), message))
            documents[f"study:{study.id}"] = replace(document, content={})  # the record says it all
            studies.append(study)
    library: Library | None = None
    try:
        library = case_library(name_or_path)
    except RecordError as error:
        findings += error.findings
    if findings or case is None or library is None:
        raise RecordError(findings)
    rows = missing_priors(case, studies)
    default = (row.model_copy(update={"reason": f"By default. {row.reason}"}) for row in rows)
    priors = (*case.priors, *default)
    case = case.model_copy(update={"test_drug": library.drug_key(case.test_drug), "priors": priors})
    named = Ledger(tuple(_with_keys(study, library) for study in studies))
    return LoadedCase(case, library, named, folder, documents)


def load_study(name_or_path: str | Path, loaded: LoadedCase) -> Study:
    """Read a study that need not be of the case: a file, or else the id of one of its own.

    Parameters
    ----------
    name_or_path : str or Path
        ``new_study.yaml``, or ``yoon2019``.
    loaded : LoadedCase
        Whose library its doses speak of.
    """
    path = Path(os.path.expanduser(name_or_path))
    if not path.is_file() and path.suffix not in (".yaml", ".yml"):
        return loaded.ledger.study(str(name_or_path))
    return _with_keys(to_record(read_document(path), Study), loaded.library)


def _with_keys(study: Study, library: Library) -> Study:
    """A study whose doses name drugs by the library's keys."""
    experiments = tuple(
        experiment.model_copy(update={"protocol": _protocol_with_keys(experiment.protocol, library)})
        for experiment in study.experiments
    )
    return study.model_copy(update={"experiments": experiments})


def _protocol_with_keys(protocol: Protocol, library: Library) -> Protocol:
    arms = dict(protocol.arms)
    for name, arm in protocol.arms.items():
        named = tuple(map(library.named, arm.doses))
        if named != arm.doses:
            arms[name] = arm.model_copy(update={"doses": named})
    return protocol.model_copy(update={"arms": arms})
