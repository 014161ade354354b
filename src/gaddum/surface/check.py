"""The command `gaddum check`: what is wrong, or doubtful, in the files of a case."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaddum.surface import completion
from gaddum.surface.options import AsJson, print_findings, tell
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
            help="A bundled case, the folder of one, the file of a study in it, CASE:STUDY, or a CSV file of curves.",
            autocompletion=completion.subjects,
        ),
    ]


@asking
def check(asked: CheckRequest, as_json: AsJson = False) -> None:
    """Check files, and whether a case can be weighed. Exit code 1 for errors and warnings; notes do not count."""
    findings = run(asked)
    document = {"case": asked.case, "findings": [asdict(finding) for finding in findings]}
    tell(document, as_json, lambda console: _print(asked.case, findings), None)
    raise typer.Exit(int(any(finding.level != "note" for finding in findings)))


def run(asked: CheckRequest) -> "Sequence[Finding]":
    """Check the case that is asked of; where it cannot be read, say why."""
    from gaddum.interop.curves import read_curves
    from gaddum.records.finding import RecordError
    from gaddum.records.ledger import load_case
    from gaddum.records.library import load_library
    from gaddum.surface.accelerator import collecting_seldom
    from gaddum.surface.audit import find_subject
    from gaddum.weigh.readiness import check_case

    try:
        if asked.case.casefold().endswith(".csv"):
            return read_curves(asked.case, load_library()).findings
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
