"""Runs of a case that know only part of the record, each made once and kept by the digest of what it is of.

A run that is interrupted goes on from the states of its fits; one that is done is read.
"""

import dataclasses
from collections.abc import Callable
from concurrent.futures import Executor
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.memory import give_back
from gaddum.prediction.stored_run import StoredRun, read_run
from gaddum.records.ledger import Ledger, LoadedCase
from gaddum.records.outcome import is_scored
from gaddum.response.run_draws import MAIN_FORM, opened
from gaddum.result_set import DRAWS, RESULT, digests
from gaddum.sampling.settings import Settings
from gaddum.surface.origin import source_digest
from gaddum.verdict.adjudicate import SAMPLER, adjudicate

Progress = Callable[[str, str, float], None]
"""Told the training, the stage and the fraction of it that is done."""


class Training(NamedTuple):
    """What a run knows of the record."""

    until: int | None = None
    """Last year that it knows; all years where none is given."""
    without: str | None = None
    """Laboratory that it does not know."""

    def __str__(self) -> str:
        told = "all years" if self.until is None else f"until {self.until}"
        return told if self.without is None else f"{told}, without {self.without}"


class TrainedRun(NamedTuple):
    """A run, and what each cohort adds to the log likelihood of its draws."""

    run: StoredRun
    cohort_logs: tuple[Float[np.ndarray, "cohorts draws"], ...]
    """Of each fit, by the cohort's weight (nats); of one of so many of its draws."""


class TrainedRuns(NamedTuple):
    """Makes and keeps the runs of a case."""

    loaded: LoadedCase
    folder: Path
    settings: Settings = SAMPLER
    seed: int = 0
    workers: int = 2
    executor: Executor | None = None
    progress: Progress = lambda training, stage, fraction: None

    def of(self, training: Training) -> TrainedRun:
        """The run that knows this much; made if it is not there."""
        case = self.loaded if training.without is None else without(self.loaded, training.without)
        place = self.folder / self.digest(training, case)
        if not (place / RESULT).exists():
            self._adjudicate(case, training, place)
        self.progress(str(training), "done", 1.0)
        run = read_run(place, case)
        with opened(place) as file:
            fits = file[MAIN_FORM].groups
            logs = tuple(_cohort_logs(fits[one.variant.label]) for one in run.fits)
        return TrainedRun(run, logs)

    def digest(self, training: Training, case: LoadedCase) -> str:
        """What the numbers of a run depend on."""
        said = (source_digest(), case.hashes, training.until, tuple(self.settings), self.seed)
        return sha256(repr(said).encode()).hexdigest()[:16]

    def _adjudicate(self, case: LoadedCase, training: Training, place: Path) -> None:
        (place / "fits").mkdir(parents=True, exist_ok=True)
        found = adjudicate(
            case,
            until=training.until,
            seed=self.seed,
            workers=self.workers,
            settings=self.settings,
            progress=lambda stage, fraction: self.progress(str(training), stage, fraction),
            checkpoints=place / "fits",
            executor=self.executor,
        )
        found.draws.to_netcdf(place / DRAWS, engine="h5netcdf")
        result = found.result.with_manifest(files=digests(place, DRAWS))
        (place / RESULT).write_text(
            result.to_json() + "\n", encoding="utf-8"
        )  # last: it says that all is there
        give_back()


def laboratory_cohorts(loaded: LoadedCase, laboratory: str) -> frozenset[str]:
    """Cohorts of which a laboratory reported anything; a study without one is its cohort's."""
    return frozenset(
        study.cohort for study in loaded.ledger.studies if (study.lab or study.cohort) == laboratory
    )


def later_cohorts(loaded: LoadedCase, year: int) -> frozenset[str] | None:
    """Cohorts reported in a year or later; None where one of them was reported before as well."""
    scored = [(study.cohort, study.year) for study, _, one in loaded.ledger.outcomes() if is_scored(one)]
    later = frozenset(cohort for cohort, when in scored if when >= year)
    return None if any(cohort in later for cohort, when in scored if when < year) else later


def without(loaded: LoadedCase, laboratory: str) -> LoadedCase:
    """The case without what a laboratory's cohorts showed; their protocols stay, since anchors are among them."""
    cohorts = laboratory_cohorts(loaded, laboratory)
    studies = tuple(study.silent if study.cohort in cohorts else study for study in loaded.ledger.studies)
    return dataclasses.replace(loaded, ledger=Ledger(studies))


def _cohort_logs(fit: Any) -> Float[np.ndarray, "cohorts draws"]:
    reported = np.asarray(fit["log_likelihood"].variables["reported"][...], float)
    return reported.reshape(-1, reported.shape[-1]).T
