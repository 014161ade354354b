"""Drug fit: the kinetics of one drug in a species, learnt from what the library and a user have of it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from gaddum._version import __version__
from gaddum.population.fit import PopulationFit, fit_population
from gaddum.population.left_out import LeftOutPaper, leave_papers_out
from gaddum.population.new_study import kinetic_fit
from gaddum.population.readings import PopulationData, population_data
from gaddum.records.curve import Curve, load_curves
from gaddum.records.fit import KineticFit
from gaddum.records.library import Library, load_library
from gaddum.records.species import known_species


class DrugFit(NamedTuple):
    """A fit, and what it was made from."""

    record: KineticFit
    data: PopulationData
    posterior: PopulationFit
    left_out: tuple[LeftOutPaper, ...]


def fit_kinetics(
    drug: str,
    *,
    species: str = "human",
    curves: Iterable[Curve] | None = None,
    library: Library | None = None,
    left_out: bool = True,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> DrugFit:
    """Learn a drug's kinetics, and their spread between studies, from the curves of several papers.

    Parameters
    ----------
    drug : str
        Drug or mixture whose doses the curves follow.
    species : str
        Whose kinetics are fitted.
    curves : iterable of Curve
        What was measured, of this drug among others; by default all that the library has.
    library : Library
        Drugs; the bundled one by default.
    left_out : bool
        Whether each paper is predicted from the others.
    seed : int
        Seed of the sampling.
    progress : callable
        Told a stage, "fit" or "left out", and the fraction of it that is done.

    Returns
    -------
    DrugFit
        Its `record` goes into `Library.with_fits`, or into a file for `--fit`. One that did not converge says so in
        `record.note`.

    Examples
    --------
    >>> import gaddum
    >>> found = gaddum.fit_kinetics("haloperidol", left_out=False)
    >>> found.record.note is None, len(found.record.papers) > 2
    (True, True)
    """
    library = library or load_library()
    name, kind = library.drug_name(drug), known_species(species)
    mine = curves_of(name, load_curves(library) if curves is None else curves, library)
    tell = progress or (lambda stage, done: None)
    tell("fit", 0.0)
    data = population_data(mine, kind, library)
    posterior = fit_population(data, seed=seed, progress=lambda _, done: tell("fit", done))
    papers = (
        leave_papers_out(data, seed=seed, progress=lambda _, done: tell("left out", done)) if left_out else ()
    )
    record = kinetic_fit(
        data, posterior, papers, drug=name, species=kind, curves=mine, seed=seed, version=__version__
    )
    return DrugFit(record, data, posterior, papers)


def curves_of(drug: str, curves: Iterable[Curve], library: Library) -> Sequence[Curve]:
    """Curves that follow doses of the drug, of a part of it, or of a mixture that it is a part of."""
    own = _parts(drug, library)
    every = [_under_keys(curve, library) for curve in curves]
    return [
        curve for curve in every if curve.given and all(own & _parts(name, library) for name in curve.given)
    ]


def _under_keys(curve: Curve, library: Library) -> Curve:
    """The curve with drugs under the library's names."""
    readings = []
    for one in curve.readings:
        changed: dict[str, Any] = {"doses": tuple(map(library.named, one.doses))}
        if isinstance(name := getattr(one, "drug", None), str):
            changed["drug"] = library.drug_key(name)
        readings.append(one.model_copy(update=changed))
    doses = tuple(map(library.named, curve.doses))
    return curve.model_copy(update={"doses": doses, "readings": tuple(readings)})


def _parts(name: str, library: Library) -> set[str]:
    return {one.name for one, _ in library.species(name)} if name in library.drugs else set()
