"""Run draws: posterior draws of one account from a folder that an adjudication wrote, by parameter."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.extras import required
from gaddum.records.finding import nearest
from gaddum.records.ledger import LoadedCase
from gaddum.result_set import DRAWS, read_result_of_draws

MAIN_FORM = "gate-matched"
"""Parameterisation whose fits are read."""
SEPARATOR = " | "
"""Between name, stratum and phase of a stored proposition."""
FEWEST = 100
"""Effective draws that a fit must have for numbers to be made of it."""


class RunDraws(NamedTuple):
    """Draws of one fit."""

    case: str
    manifest: dict[str, Any]
    """Version, and hashes of case and library."""
    fit: str
    """Account and phase, as ``NAME`` or ``NAME@phase``."""
    scores: dict[str, Float[np.ndarray, " draws"]]
    """Standard normal scores by parameter, which its prior turns into values."""


def read_run(folder: str | Path, account: str | None = None) -> RunDraws:
    """Read the draws of one account of a run.

    Parameters
    ----------
    folder : str or Path
        What ``gaddum adjudicate --out`` wrote: it holds ``result.json`` and ``posterior.nc``.
    account : str
        ``NAME``, or ``NAME@phase`` where its phased inputs act at one phase (else at both); by default the most
        probable.

    Raises
    ------
    ValueError
        If the folder is no run, holds files of two runs, has no such account (says which it has), or the account's fit
        was not established.
    """
    said = read_result_of_draws(Path(folder))
    # xarray would open all fits to read one.
    with opened(folder) as file:
        fits = file[MAIN_FORM].groups
        known = list(fits)
        name = account or max(said["hypotheses"], key=lambda one: one["probability"])["name"]
        fit = next((one for one in (name, f"{name}@both") if one in known), None)
        if fit is None:
            raise ValueError(f"An account must be one of the run's; got {name!r}. {nearest(name, known)}")
        about, scores = dict(fits[fit].attrs), scores_of(fits[fit], folder)
    ess, established = float(about["ess"]), bool(about["established"])
    if ess < FEWEST or not established:
        raise ValueError(
            f"A fit must be established, by at least {FEWEST} effective draws, to be simulated; {fit} has {ess:.0f} "
            f"and R-hat {float(about['r_hat']):.3f}. Run the case again, or simulate by its prior (`case`)."
        )
    return RunDraws(said["case"], said["manifest"], fit, scores)


def opened(folder: str | Path) -> Any:
    """Open the file of a run's draws, a group a fit by parameterisation and account."""
    required("h5netcdf", "Reading a run")
    import h5netcdf

    return h5netcdf.File(Path(folder) / DRAWS, "r", decode_vlen_strings=True)


def scores_of(fit: Any, folder: str | Path) -> dict[str, Float[np.ndarray, " draws"]]:
    """Standard normal scores by parameter, populations one after another, of a fit in an opened file."""
    if "scores" not in fit.groups:
        raise ValueError(
            f"A run must hold the scores of its draws; {str(folder)!r} was written by an earlier gaddum. "
            "Run the case again."
        )
    drawn = fit["scores"].variables
    names = drawn["parameter"][...].tolist()
    found = np.asarray(drawn["z"][...], float).reshape(-1, len(names)).T
    return dict(zip(names, found, strict=True))


def refuse_other(case: str, manifest: dict[str, Any], loaded: LoadedCase) -> None:
    """Refuse a case that is not, or no longer, the one that a run weighed."""
    if (case, manifest) == (loaded.case.name, manifest | loaded.hashes):
        return
    raise ValueError(
        f"Draws of a run hold for the case and library that it was of; case {loaded.case.name} is not what the run "
        f"of {case} by gaddum {manifest.get('version')} weighed. Run it again."
    )
