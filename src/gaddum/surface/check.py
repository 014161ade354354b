"""The command `gaddum check`: what is wrong, or doubtful, in the files of a case."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaddum.surface import completion
from gaddum.surface.csv_table import csv_of_rows
from gaddum.surface.options import AsCsv, AsJson, print_findings, tell
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gaddum.records.dose import Dose
    from gaddum.records.finding import Finding
    from gaddum.records.ledger import LoadedCase
    from gaddum.records.species import Species


@dataclass(frozen=True)
class CheckRequest(Request):
    """What is asked of `gaddum check`."""

    verb = "check"
    case: Annotated[
        str,
        typer.Argument(
            metavar="CASE|STUDY|CSV",
            help="A bundled case, the folder of one, the file of a study, CASE:STUDY, or a CSV file of curves.",
            autocompletion=completion.subjects,
        ),
    ]


@asking
def check(asked: CheckRequest, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Check files, and whether a case can be weighed. Exit code 1 for errors and warnings; notes do not count."""
    findings = run(asked)
    document = {"case": asked.case, "findings": [asdict(finding) for finding in findings]}
    tell(document, as_json, lambda console: _print(asked.case, findings), None, as_csv and _table)
    raise typer.Exit(int(any(finding.level != "note" for finding in findings)))


def run(asked: CheckRequest) -> "Sequence[Finding]":
    """Check the case that is asked of; where it cannot be read, say why."""
    from gaddum.interop.curves import read_curves
    from gaddum.records.finding import Finding, RecordError
    from gaddum.records.ledger import case_of_study, load_case
    from gaddum.records.library import load_library
    from gaddum.surface.accelerator import collecting_seldom
    from gaddum.surface.audit import find_subject
    from gaddum.weigh.readiness import check_case

    try:
        if asked.case.casefold().endswith(".csv"):
            return read_curves(asked.case, load_library()).findings
        path = Path(os.path.expanduser(asked.case))
        if path.suffix == ".yaml" and path.is_file() and not _in_a_case(path):
            found = [one for one in check_case(case_of_study(path)) if one.file == str(path)]
            told = (
                "This study is in no case, and was checked without accounts, anchors and prior table. Put it into the "
                "folder `studies` of a case, named after its `id`, for these."
            )
            return [*found, Finding("note", str(path), "", told)]
    except RecordError as error:
        return error.findings
    name, study = find_subject(asked.case, None)
    try:
        with collecting_seldom():
            loaded = load_case(name)
            if study is not None:
                loaded.ledger.study(study)
            findings: Sequence[Finding] = [*check_case(loaded), *_standing(loaded)]
    except RecordError as error:
        findings = error.findings
    return [one for one in findings if study in (None, Path(one.file).stem)]


def _table(document: dict[str, Any]) -> str:
    return csv_of_rows(document["findings"])


def _in_a_case(path: Path) -> bool:
    return any((folder / "case.yaml").is_file() for folder in (path.parent, path.parent.parent))


def _standing(loaded: "LoadedCase") -> "Iterator[Finding]":
    """Say of every drug that a case gives which of its numbers are measured in that species, borrowed or guessed."""
    from gaddum.exposure.scaling import disposition
    from gaddum.records.dose import HELD
    from gaddum.records.finding import Finding
    from gaddum.records.standing import standing_words, standings

    given: dict[tuple[str, Species], list[Dose]] = {}
    for study in loaded.ledger.studies:
        for experiment in study.experiments:
            species = experiment.protocol.subject.species
            for dose in (dose for arm in experiment.protocol.arms.values() for dose in arm.doses):
                for drug, _ in loaded.library.species(loaded.library.drug_key(dose.drug)):
                    given.setdefault((drug.name, species), []).append(dose)
    for (name, species), doses in sorted(given.items()):
        ((drug, _),) = loaded.library.species(name)
        systemic = [dose for dose in doses if dose.route not in HELD]
        lender = disposition(drug, species) if systemic and drug.disposition else None
        routes = dict.fromkeys(dose.route for dose in systemic)
        rows = standings(drug, species, [one.target for one in drug.affinities], routes, lender=lender)
        if any(one.standing != "measured" for one in rows):
            file = str(loaded.folder / "case.yaml")
            yield Finding("note", file, f"{name} in {species}", f"{standing_words(rows)}.")


def _print(case: str, findings: "Sequence[Finding]") -> None:
    from gaddum.records.finding import capped

    print_findings(capped(findings))
    counts = {level: sum(one.level == level for one in findings) for level in ("error", "warning", "note")}
    typer.echo(f"{case}: " + ", ".join(f"{count} {level}(s)" for level, count in counts.items()))
