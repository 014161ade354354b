"""Stored run: the case that an adjudication weighed, its accounts' probabilities and their posterior draws."""

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum._version import __version__
from gaddum.records.ledger import LoadedCase, load_case
from gaddum.response.run_draws import FEWEST, MAIN_FORM, opened, refuse_other, scores_of
from gaddum.result_set import RESULT, read_result_of_draws
from gaddum.results import SCHEMA_VERSION, AdjudicationResult
from gaddum.weigh.compare import Variant, variants
from gaddum.weigh.fitted import IN_PLAY


class StoredFit(NamedTuple):
    """One account, with its phased inputs acting at one phase, as it was fitted."""

    variant: Variant
    probability: float
    """Posterior probability (1) in the main parameterisation; those of a run sum to 1."""
    prior: float
    """Prior probability (1)."""
    scores: dict[str, Float[np.ndarray, " draws"]]
    """Posterior draws as standard normal scores (1), by parameter: those that the record touches. Others follow their
    prior. Equal weights; the same number of draws in every fit."""
    effective_draws: float
    """Effective draws of the fit (1)."""


class StoredRun(NamedTuple):
    """A run, and the case that it weighed."""

    loaded: LoadedCase
    """With the accounts that the run weighed."""
    result: AdjudicationResult
    """What ``result.json`` says."""
    fits: tuple[StoredFit, ...]
    """Every account and phase, in the order of the case."""
    cohorts: tuple[str, ...]
    """Cohorts that the run weighed, slices and imaging apart, as ``COHORT`` or ``COHORT, PREPARATION``."""
    folder: str
    """Where it was read from."""

    @property
    def draws(self) -> int:
        """Draws of each fit."""
        return next(iter(self.fits[0].scores.values())).size


def read_run(folder: str | Path, case: str | Path | LoadedCase | None = None) -> StoredRun:
    """Read a run for prediction.

    Parameters
    ----------
    folder : str or Path
        What ``gaddum adjudicate --out`` wrote: it holds ``result.json`` and ``posterior.nc``.
    case : str, Path or LoadedCase
        The case that it weighed; by default the bundled one of the name that the run gives.

    Raises
    ------
    ValueError
        If the folder is no run, is of another case, or of other records or another version than are here now, or an
        account in play was not established; says what to do.
    """
    said = read_result_of_draws(Path(folder))
    if said.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(
            f"{RESULT} of a run must have schema_version {SCHEMA_VERSION}; that in {str(folder)!r} has "
            f"{said.get('schema_version')!r}. Run the case again with this gaddum."
        )
    wrote = said["manifest"].get("version")
    if wrote != __version__:
        raise ValueError(
            f"A run must be by the gaddum that predicts by it, {__version__}; that in {str(folder)!r} is by {wrote}. "
            "Run the case again."
        )
    loaded = case if isinstance(case, LoadedCase) else load_case(case or said["case"])
    result = AdjudicationResult.model_validate(said)
    weighed = {row.name: row for row in result.hypotheses}
    chosen = tuple(one for one in loaded.case.hypotheses if one.name in weighed)
    if len(chosen) < len(loaded.case.hypotheses):
        loaded = dataclasses.replace(loaded, case=loaded.case.model_copy(update={"hypotheses": chosen}))
    refuse_other(said["case"], said["manifest"], loaded)
    every = variants(loaded.case)
    fits: list[StoredFit] = []
    with opened(folder) as file:
        stored = file[MAIN_FORM].groups
        for variant in every:
            row, fit = weighed[variant.hypothesis.name], stored[variant.label]
            phases = sum(one.hypothesis.name == variant.hypothesis.name for one in every)
            share = row.variants[variant.phase].probability if variant.phase else 1.0
            mass, effective = row.probability * share, float(fit.attrs["ess"])
            if row.probability >= IN_PLAY and (effective < FEWEST or not fit.attrs["established"]):
                raise ValueError(
                    f"An account in play must be established, by at least {FEWEST} effective draws, to predict by; "
                    f"{variant.label} has {effective:.0f} and R-hat {float(fit.attrs['r_hat']):.3f}. "
                    "Run the case again."
                )
            fits.append(StoredFit(variant, mass, row.prior / phases, scores_of(fit, folder), effective))
        cohorts = next(iter(stored.values()))["log_likelihood"].variables["cohort"][...].tolist()
    return StoredRun(loaded, result, tuple(fits), tuple(cohorts), str(folder))
