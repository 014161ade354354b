"""What `gaddum occupancy` and `gaddum simulate` are asked: doses, who gets them, what is followed, when it is read."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaddum.surface import completion
from gaddum.surface.options import Decimal, Draws, OwnCase, Seed, Separator
from gaddum.surface.request import Request, words

if TYPE_CHECKING:
    from gaddum.records.fit import KineticFit
    from gaddum.records.library import Library
    from gaddum.surface.occupancy.protocols import DosedSubject


@dataclass(frozen=True)
class DosingRequest(Request):
    """What both are asked, as text; its properties say it in numbers and keys of the library."""

    protocols: Annotated[
        tuple[str, ...],
        typer.Argument(
            metavar="PROTOCOL...",
            help="Doses, such as 'naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min'; the arm of a "
            "published study, case:study/experiment/arm; or a NONMEM-style table, theirs.csv. Several are followed on "
            "the same draws.",
            autocompletion=completion.drugs,
        ),
    ]
    species: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[,NAME]",
            help="Whose kinetics hold; several, such as human,rat, are laid over each other.  [default: human, or the "
            "study's]",
            autocompletion=completion.species,
        ),
    ] = None
    targets: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Targets, beside those of accounts; all that the drugs bind where neither is given.",
            autocompletion=completion.targets,
        ),
    ] = None
    at: Annotated[
        tuple[str, ...],
        typer.Option(metavar="TIMES", help="When to read: '4 h', or '30 min, 4 h, 1 d'. May be repeated."),
    ] = ()
    until: Annotated[str | None, typer.Option(metavar="TIME", help="End of the curves, such as '7 d'.")] = (
        None
    )
    weight: Annotated[str | None, typer.Option(help="Body weight, such as '80 kg'.")] = None
    preparation: Annotated[
        str | None, typer.Option(help="behaving, slice or imaging.  [default: behaving, or the study's]")
    ] = None
    tone: Annotated[
        str | None,
        typer.Option(
            metavar="MOR=0.3",
            help="Endogenous agonist over its K; it competes.  [default: the case's, for an arm; else none]",
        ),
    ] = None
    drug: Annotated[
        str | None, typer.Option(help="The drug of a table.", autocompletion=completion.drugs)
    ] = None
    unit: Annotated[str | None, typer.Option(help="Unit of a table's AMT, such as mg/kg.  [default: mg]")] = (
        None
    )
    route: Annotated[
        str | None,
        typer.Option(
            metavar="po|1=po,2=iv",
            help="Route of a table's compartments.  [default: 1 po, 2 iv; 1 iv if it gets a RATE]",
        ),
    ] = None
    subjects: Annotated[
        str | None, typer.Option("--id", metavar="1,2", help="Subjects of a table.  [default: all]")
    ] = None
    fit: Annotated[
        tuple[str, ...],
        typer.Option(
            metavar="FILE", help="A fit of a drug's kinetics, as `gaddum fit` writes it. May be repeated."
        ),
    ] = ()
    separator: Separator = None
    decimal: Decimal = None
    case: OwnCase = None
    draws: Draws = 1000
    seed: Seed = 0

    @property
    def library(self) -> "Library":
        """The library, with the case's own drugs and targets."""
        from gaddum.records.ledger import case_library

        return case_library(self.case)

    @property
    def target_names(self) -> tuple[str, ...] | None:
        """Targets by the library's names; None where none are asked for."""
        if self.targets is None:
            return None
        names = tuple(dict.fromkeys(map(self.library.target_name, words(self.targets))))
        if not names:
            raise ValueError(f"--targets must name at least one target; got {self.targets!r}.")
        return names

    @property
    def times(self) -> tuple[float, ...]:
        """Times of readings (h); none where none are asked for."""
        times = tuple(sorted({hours(word) for text in self.at for word in words(text)}))
        if self.at and not times:
            raise ValueError("--at must hold at least one time, such as '4 h'; got none.")
        return times

    @property
    def end(self) -> float | None:
        """End of the curves (h), where it is asked for."""
        return None if self.until is None else hours(self.until)

    @property
    def tones(self) -> dict[str, float]:
        """Endogenous agonist over its K by target."""
        found: dict[str, float] = {}
        for word in words(self.tone or ""):
            target, _, number = (part.strip() for part in word.partition("="))
            try:
                found[target] = float(number)
            except ValueError:
                raise ValueError(
                    "--tone must be targets with a concentration over its K each, such as 'MOR=0.3'; "
                    f"got {self.tone!r}."
                ) from None
        return found

    def dosed(self) -> "list[DosedSubject]":
        """Doses, arms and tables as doses in subjects."""
        from gaddum.surface.occupancy.event_protocols import is_table, read_table
        from gaddum.surface.occupancy.protocols import read_protocol

        said = (self.unit, self.route, self.subjects, self.separator, self.decimal)
        if not any(map(is_table, self.protocols)) and set(said) != {None}:
            raise ValueError(
                "--unit, --route, --id, --separator and --decimal are for tables of events; got none. Leave them out."
            )
        several = words(self.species or "")
        if len(several) > 1:
            return [one for name in several for one in replace(self, species=name).dosed()]
        found: list[DosedSubject] = []
        for text in self.protocols:
            found += read_table(text, self) if is_table(text) else [read_protocol(text, self)]
        return (
            [one._replace(library=one.library.with_fits(self.fits)) for one in found] if self.fit else found
        )

    @property
    def fits(self) -> "list[KineticFit]":
        """Fits of kinetics that are to be used; what one says of itself is told on standard error."""
        from gaddum.records.fit import read_fit

        found = [read_fit(Path(name)) for name in self.fit]
        for name, fit in zip(self.fit, found, strict=True):
            if fit.note:
                typer.echo(f"{name}: {fit.note}", err=True)
        return found


@dataclass(frozen=True)
class OccupancyRequest(DosingRequest):
    """What is asked of `gaddum occupancy`."""

    verb = "occupancy"
    drug: Annotated[
        str | None,
        typer.Option(help="Whose doses --reach varies [default: the first]; the drug of a table."),
    ] = None
    above: Annotated[
        float | None, typer.Option(min=0, max=1, help="Report the time above this fraction.")
    ] = None
    reach: Annotated[
        str | None,
        typer.Option(
            metavar="'MOR 0.9 at 2 h'", help="Which dose or time occupies this much of a target then?"
        ),
    ] = None
    vary: Annotated[
        str | None, typer.Option(metavar="dose|time", help="What --reach may change.  [default: dose]")
    ] = None
    human_equivalent: Annotated[
        str | None,
        typer.Option(metavar="TARGET", help="The human dose that occupies as much of this target."),
    ] = None


def hours(text: str) -> float:
    """Time in text (h)."""
    from gaddum import units

    return units.magnitude(text, "time")
